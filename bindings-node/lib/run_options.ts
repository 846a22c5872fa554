// The options of `Consumer.run()`.

import type { WaitOptions } from './abort.js';
import { invalid } from './errors.js';
import type { EachBatchPayload, EachMessagePayload } from './handlers.js';
import { boolean, callback, count, milliseconds, options, signal } from './options.js';

/** The handling of a message whose handler throws. */
export interface RetryOptions {
  /** The maximum number of new attempts; 5 by default. `Infinity` never gives up. */
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
  /** Called for each message; the next one of its partition follows when the promise is fulfilled. */
  eachMessage?: (payload: EachMessagePayload<K, V>) => unknown;
  /** Called for the fetched messages of a partition. */
  eachBatch?: (payload: EachBatchPayload<K, V>) => unknown;
  /** The maximum number of partitions whose handlers run concurrently; 1 by default. */
  concurrency?: number;
  /**
   * Whether a batch is finished when `eachBatch` returns; true by default. Otherwise it is finished up to the last
   * resolved offset.
   */
  eachBatchAutoResolve?: boolean;
  /** The maximum records of a fetch; 8,192 by default. */
  maxRecords?: number;
  /** The handling of a message whose handler throws. */
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
    throw invalid('run() needs either eachMessage or eachBatch.');
  }
  if (known.concurrency === 0) {
    throw invalid('concurrency is 0: use the number of partitions to process concurrently.');
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
