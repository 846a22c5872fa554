// `AbortSignal` on every wait.

import type { Abort } from '../native.js';
import { AbortError } from './errors.js';
import { native } from './native.js';

/** The option of every call that waits. */
export interface WaitOptions {
  /** Aborts the call: it rejects with `AbortError`. */
  signal?: AbortSignal | undefined;
}

/** Runs a call that `signal` can abort. An aborted call loses no records: the next call returns them. */
export async function abortable<T>(
  signal: AbortSignal | undefined,
  call: (abort?: Abort) => Promise<T>,
): Promise<T> {
  if (signal === undefined) {
    return call();
  }
  if (signal.aborted) {
    throw new AbortError(signal.reason);
  }
  const abort = new native.Abort();
  const onAbort = () => abort.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await call(abort);
  } catch (error) {
    throw error instanceof AbortError ? new AbortError(signal.reason) : error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Waits for a promise whose work continues when `signal` aborts the wait. */
export async function abortableWait<T>(
  signal: AbortSignal | undefined,
  promise: Promise<T>,
): Promise<T> {
  if (signal === undefined) {
    return promise;
  }
  if (signal.aborted) {
    throw new AbortError(signal.reason);
  }
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new AbortError(signal.reason));
    if (signal.aborted) {
      onAbort();
    }
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
