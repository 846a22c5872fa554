// Properties of kafkajs that the native half does not report yet.

import { KafkaJSNotImplemented } from './errors.js';

/** Adds properties that throw when they are read. They are not enumerable, so that copies and JSON leave them out. */
export function unavailable<T extends object, N extends string>(
  known: T,
  reasons: Readonly<Record<N, string>>,
): T & Record<N, never> {
  for (const [name, reason] of Object.entries(reasons)) {
    Object.defineProperty(known, name, {
      configurable: true,
      get() {
        throw new KafkaJSNotImplemented(String(reason));
      },
    });
  }
  return known as T & Record<N, never>;
}
