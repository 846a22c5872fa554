// Options, checked: unknown ones are refused with the nearest name. `null` counts as missing, as in kafkajs.

import { type Check, options as checkOptions } from '../options.js';
import { checked, refused } from './convert_error.js';
import { KafkaJSNotImplemented } from './errors.js';

type Spec = Record<string, Check<unknown>>;
type CheckedOptions<S extends Spec> = { [K in keyof S]?: ReturnType<S[K]> };

/** The options of a call, by their checks. */
export function options<S extends Spec>(call: string, given: unknown, spec: S): CheckedOptions<S> {
  return checked(() => checkOptions(call, withoutNulls(given), spec, elsewhere));
}

/** Options of kafkajs, with the call that takes them. */
const CALLS: Readonly<Record<string, string>> = {
  brokers: 'new Kafka()',
  clientId: 'new Kafka()',
  eachBatch: 'run()',
  eachMessage: 'run()',
  fromBeginning: 'subscribe()',
  groupId: 'consumer()',
  logLevel: 'new Kafka()',
  sasl: 'new Kafka()',
  sessionTimeout: 'consumer()',
  ssl: 'new Kafka()',
};

/** Where an option of another call belongs. */
function elsewhere(call: string, name: string): string | undefined {
  const owner = Object.hasOwn(CALLS, name) ? CALLS[name] : undefined;
  return owner === undefined || owner === call ? undefined : `pass it to ${owner}`;
}

function withoutNulls(given: unknown): unknown {
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    return given ?? undefined;
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
}

/** An option that has no counterpart. The message names the alternative. */
export function unsupported(instead: string): Check<never> {
  return (_value, name) => {
    throw new KafkaJSNotImplemented(`${name} is not supported: ${instead}`);
  };
}

/** An option that may only have this value. */
export function only<T>(allowed: T, instead: string): Check<T> {
  return (value, name) => {
    if (value !== allowed) {
      throw new KafkaJSNotImplemented(`${name}: ${String(value)} is not supported: ${instead}`);
    }
    return allowed;
  };
}

/** Any value: it is checked elsewhere. */
export const anything: Check<unknown> = (value) => value;

/** The name of a topic, as kafkajs checks it. */
export function topicName(topic: unknown): string {
  if (typeof topic !== 'string' || topic === '') {
    throw refused(`Invalid topic ${String(topic)}`);
  }
  return topic;
}

/** An offset of kafkajs: text, or a number. -1 is the end and -2 the start where a position is meant. */
export function longOf(value: unknown, name: string): bigint {
  const isText = typeof value === 'string' && /^-?\d+$/.test(value);
  if (isText || typeof value === 'bigint' || Number.isSafeInteger(value)) {
    return BigInt(value as string | bigint | number);
  }
  throw refused(`Invalid ${name}, expected a long received ${String(value)}`);
}

/** The number of a partition. */
export function partitionOf(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw refused(`Invalid partition, expected a number received ${String(value)}`);
  }
  return value as number;
}
