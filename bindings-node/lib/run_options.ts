// The options of `Consumer.run()`.

import type { WaitOptions } from './abort.js';
import { invalid } from './errors.js';
import type { EachBatchPayload, EachMessagePayload } from './handlers.js';
import { boolean, callback, count, milliseconds, options, signal } from './options.js';

/** What happens with a message whose handler throws. */
export interface RetryOptions {
  /** How often the message is handed over again; 5 by default. `Infinity` never gives up. */
  retries?: number;
  /** The pause before the first time, in milliseconds; 300 by default. */
  initialRetryTimeMs?: number;
  /** The factor by which the pause grows each time; 2 by default. */
  multiplier?: number;
  /** The longest pause, in milliseconds; 30,000 by default. */
  maxRetryTimeMs?: number;
}

/** The options of {@link Consumer.run}: `eachMessage` or `eachBatch`. */
export interface RunOptions<K = Buffer | null, V = Buffer | null> extends WaitOptions {
  /** Called for each message; the next one of its partition comes when the promise is fulfilled. */
  eachMessage?: (payload: EachMessagePayload<K, V>) => unknown;
  /** Called for the messages that were fetched of a partition. */
  eachBatch?: (payload: EachBatchPayload<K, V>) => unknown;
  /** The most partitions whose handlers run at the same time; 1 by default. */
  concurrency?: number;
  /** Whether a batch is finished when `eachBatch` returns; true by default. Otherwise up to the last resolved offset. */
  eachBatchAutoResolve?: boolean;
  /** The most records that are fetched at once; 8,192 by default. */
  maxRecords?: number;
  /** What happens with a message whose handler throws. */
  retry?: RetryOptions;
}

/** {@link RunOptions}, checked and with defaults. */
export interface CheckedRunOptions<K, V> {
  eachMessage: ((payload: EachMessagePayload<K, V>) => unknown) | undefined;
  eachBatch: ((payload: EachBatchPayload<K, V>) => unknown) | undefined;
  concurrency: number;
  eachBatchAutoResolve: boolean;
  maxRecords: number | undefined;
  retry: Required<RetryOptions>;
  signal: AbortSignal | undefined;
}

function retry(value: unknown, name: string): Required<RetryOptions> {
  const known = options(name, value, {
    retries: milliseconds,
    initialRetryTimeMs: milliseconds,
    multiplier: milliseconds,
    maxRetryTimeMs: milliseconds,
  });
  const { retries = 5, initialRetryTimeMs = 300, multiplier = 2, maxRetryTimeMs = 30_000 } = known;
  return { retries, initialRetryTimeMs, multiplier, maxRetryTimeMs };
}

/** Checks the options. */
export function runOptions<K, V>(given: unknown): CheckedRunOptions<K, V> {
  const known = options('run()', given, {
    eachMessage: callback,
    eachBatch: callback,
    concurrency: count,
    eachBatchAutoResolve: boolean,
    maxRecords: count,
    retry,
    signal,
  });
  if ((known.eachMessage === undefined) === (known.eachBatch === undefined)) {
    throw invalid('run() takes one of eachMessage and eachBatch.');
  }
  if (known.concurrency === 0) {
    throw invalid('concurrency is 0: give the number of partitions that are worked on at once.');
  }
  return {
    eachMessage: known.eachMessage,
    eachBatch: known.eachBatch,
    concurrency: known.concurrency ?? 1,
    eachBatchAutoResolve: known.eachBatchAutoResolve ?? true,
    maxRecords: known.maxRecords,
    retry: known.retry ?? retry({}, 'retry'),
    signal: known.signal,
  };
}
