// Tries again with growing pauses, as kafkajs does.

import { setTimeout as sleep } from 'node:timers/promises';
import { count, milliseconds } from '../options.js';
import { kafkaJSError } from './convert_error.js';
import { KafkaJSNumberOfRetriesExceeded } from './errors.js';
import { options } from './options.js';
import type { RetryOptions } from './types.js';

/** {@link RetryOptions}, checked and with defaults. */
export interface RetryPolicy {
  retries: number;
  initialRetryTime: number;
  maxRetryTime: number;
  factor: number;
  multiplier: number;
  restartOnFailure: ((error: Error) => Promise<boolean>) | undefined;
}

const DEFAULTS = {
  retries: 5,
  initialRetryTime: 300,
  maxRetryTime: 30_000,
  factor: 0.2,
  multiplier: 2,
  restartOnFailure: undefined,
};

/** Errors of the program itself, which a retry does not mend. */
const UNRECOVERABLE = new Set(['RangeError', 'ReferenceError', 'SyntaxError', 'TypeError']);

/** Checks the options of a retry. */
export function retryOptions(given: unknown, name = 'retry'): RetryOptions {
  return options(name, given, {
    retries: (value, of) => (value === Number.POSITIVE_INFINITY ? value : count(value, of)),
    initialRetryTime: milliseconds,
    maxRetryTime: milliseconds,
    factor: milliseconds,
    multiplier: milliseconds,
    restartOnFailure: (value) => value as (error: Error) => Promise<boolean>,
  }) as RetryOptions;
}

/** The options of several levels, the last one first. */
export function retryPolicy(...levels: (RetryOptions | undefined)[]): RetryPolicy {
  return Object.assign({}, DEFAULTS, ...levels);
}

/** Whether a retry may help. */
export function isRetriable(error: unknown): boolean {
  const { retriable, name } = (error ?? {}) as { retriable?: boolean; name?: string };
  return retriable !== false && !UNRECOVERABLE.has(name ?? '');
}

/** The pause before try `attempt`, from 1 on. */
export function pauseBefore(attempt: number, policy: RetryPolicy): number {
  const { initialRetryTime, maxRetryTime, factor, multiplier } = policy;
  const grown = initialRetryTime * multiplier ** (attempt - 1);
  const varied = grown * (1 - factor + 2 * factor * Math.random());
  return Math.min(Math.ceil(varied), maxRetryTime);
}

/** Calls until it succeeds, a retry cannot help or the retries are used up. */
export async function retried<T>(
  policy: RetryPolicy,
  call: () => Promise<T>,
  mayPass: (error: Error) => boolean = isRetriable,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call();
    } catch (thrown) {
      const error = kafkaJSError(thrown);
      if (!mayPass(error)) {
        throw error;
      }
      const retryTime = pauseBefore(attempt + 1, policy);
      if (attempt >= policy.retries) {
        throw new KafkaJSNumberOfRetriesExceeded(error, { retryCount: attempt, retryTime });
      }
      await sleep(retryTime);
    }
  }
}
