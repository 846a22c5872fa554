// The decoding of keys and values.

import type { DecodeArguments } from '../native.js';
import { listOf, oneOf, text } from './options.js';

/** The format of a key or a value: bytes, text, or JSON decoded by `JSON.parse`. */
export type Format = 'bytes' | 'string' | 'json';

/** The type of a decoded key or value. Null is null in each format. */
export type Decoded<F extends Format> = F extends 'string'
  ? string | null
  : F extends 'json'
    ? // biome-ignore lint/suspicious/noExplicitAny: JSON has any type
      any
    : Buffer | null;

/** The handling of records that do not have the format: an error, null in their place, or skipping them. */
export type OnError = 'raise' | 'null' | 'skip';

/** The formats of keys and values. */
export interface FormatOptions<K extends Format = Format, V extends Format = Format> {
  /** The format of keys; "bytes" by default. */
  key?: K;
  /** The format of values; "bytes" by default. */
  value?: V;
  /** The handling of records that do not have the format; "raise" by default. */
  onError?: OnError;
}

/** {@link FormatOptions} with the columns to read. */
export interface ReadOptions<K extends Format = Format, V extends Format = Format>
  extends FormatOptions<K, V> {
  /** The columns to read, all by default: "partition", "offset", "timestamp", "key", "value", "headers". */
  columns?: string[];
}

const format = oneOf<Format>('bytes', 'string', 'json');

export const FORMATS = {
  key: format,
  value: format,
  onError: oneOf<OnError>('raise', 'null', 'skip'),
};

export const READING = { ...FORMATS, columns: listOf(text) };

/** The formats of the messages of a table. */
export interface Formats {
  key: Format;
  value: Format;
}

/** The formats in the form for the native half. */
export function decodeArguments(given: {
  key?: Format;
  value?: Format;
  onError?: OnError;
  columns?: string[];
}): DecodeArguments {
  const { key = 'bytes', value = 'bytes', onError = 'raise', columns } = given;
  return columns === undefined ? { key, value, onError } : { key, value, onError, columns };
}
