// The options of `consumer.run()`.

import { boolean, callback, count, milliseconds } from '../options.js';
import { refused } from './convert_error.js';
import { options } from './options.js';
import type { EachBatchHandler, EachMessageHandler } from './types.js';

/** The options, checked and with defaults. One of the handlers is set. */
export interface RunConfig {
  autoCommit: boolean;
  autoCommitInterval: number | undefined;
  autoCommitThreshold: number | undefined;
  eachBatchAutoResolve: boolean;
  partitionsConsumedConcurrently: number;
  eachBatch: EachBatchHandler | undefined;
  eachMessage: EachMessageHandler | undefined;
}

/** Checks the options. */
export function runConfig(given: unknown): RunConfig {
  const known = options('run()', given, {
    autoCommit: boolean,
    autoCommitInterval: milliseconds,
    autoCommitThreshold: count,
    eachBatchAutoResolve: boolean,
    partitionsConsumedConcurrently: count,
    eachBatch: callback,
    eachMessage: callback,
  });
  if ((known.eachMessage === undefined) === (known.eachBatch === undefined)) {
    throw refused('run() takes one of eachMessage and eachBatch');
  }
  return {
    autoCommit: known.autoCommit ?? true,
    autoCommitInterval: known.autoCommitInterval,
    autoCommitThreshold: known.autoCommitThreshold,
    eachBatchAutoResolve: known.eachBatchAutoResolve ?? true,
    partitionsConsumedConcurrently: Math.max(1, known.partitionsConsumedConcurrently ?? 1),
    eachBatch: known.eachBatch as EachBatchHandler | undefined,
    eachMessage: known.eachMessage as EachMessageHandler | undefined,
  };
}
