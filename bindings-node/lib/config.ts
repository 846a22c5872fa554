// Configuration: keys in Kafka's spelling, or in camelCase.

import { invalid } from './errors.js';
import { isWellFormed, typeName } from './options.js';

/** A value of a configuration key. */
export type ConfigValue = string | number | bigint | boolean | readonly (string | number)[];

/** Configuration keys in Kafka's spelling (`"auto.offset.reset"`) or in camelCase (`autoOffsetReset`). */
export interface KafkaConfig {
  /** Keys in Kafka's spelling. */
  config?: Record<string, ConfigValue>;
  [key: string]: ConfigValue | Record<string, ConfigValue> | object | undefined;
}

/** The keys and values of the options that are configuration. */
export function pairs(
  config: Record<string, unknown> | undefined,
  rest: Record<string, unknown>,
): [string, string][] {
  return changes(config, rest).filter((pair): pair is [string, string] => pair[1] !== undefined);
}

/** The same with `null`, which resets a key to its default. */
export function changes(
  config: Record<string, unknown> | undefined,
  rest: Record<string, unknown>,
): [string, string | undefined][] {
  const all = [...Object.entries(config ?? {}), ...Object.entries(rest)];
  return all
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [kafkaKey(key), value === null ? undefined : valueText(key, value)]);
}

/** Converts `autoOffsetReset` to `auto.offset.reset`. */
export function kafkaKey(key: string): string {
  if (key.includes('.') || key.includes('_')) {
    return key;
  }
  return key.replace(/[A-Z]/g, (letter) => `.${letter.toLowerCase()}`);
}

/** A value in Kafka's format. */
export function valueText(key: string, value: unknown): string {
  if (Array.isArray(value)) {
    return value.map((item) => valueText(key, item)).join(',');
  }
  const isNumber = typeof value === 'number' && Number.isFinite(value);
  if (isNumber || typeof value === 'bigint' || typeof value === 'boolean') {
    return String(value);
  }
  if (typeof value === 'string' && isWellFormed(value)) {
    return value;
  }
  throw invalid(
    `The value of ${key} must be a string, a number, a boolean or an array of them, not ${typeName(value)}.`,
  );
}
