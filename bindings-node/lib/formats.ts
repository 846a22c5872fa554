// How keys and values are decoded.

import type { DecodeArguments } from '../native.js';
import { listOf, oneOf, text } from './options.js';

/** How a key or a value is decoded: the bytes as they are, text, or what `JSON.parse` gives. */
export type Format = 'bytes' | 'string' | 'json';

/** What a key or a value becomes. Null is null in each format. */
export type Decoded<F extends Format> = F extends 'string'
  ? string | null
  : F extends 'json'
    ? // biome-ignore lint/suspicious/noExplicitAny: JSON has any type
      any
    : Buffer | null;

/** What to do with records that do not have the format: an error, null in their place, or leave them out. */
export type OnError = 'raise' | 'null' | 'skip';

/** The formats of keys and values. */
export interface FormatOptions<K extends Format = Format, V extends Format = Format> {
  /** How keys are decoded; "bytes" by default. */
  key?: K;
  /** How values are decoded; "bytes" by default. */
  value?: V;
  /** What to do with records that do not have the format; "raise" by default. */
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

/** The formats as the native half takes them. */
export function decodeArguments(given: {
  key?: Format;
  value?: Format;
  onError?: OnError;
  columns?: string[];
}): DecodeArguments {
  const { key = 'bytes', value = 'bytes', onError = 'raise', columns } = given;
  return columns === undefined ? { key, value, onError } : { key, value, onError, columns };
}
