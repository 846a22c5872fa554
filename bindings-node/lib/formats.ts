// The decoding of keys and values.

import type { DecodeArguments } from '../native.js';
import { boolean, listOf, oneOf, text } from './options.js';
import { type DtypeFields, type Schema, type SchemaValue, schema } from './schema.js';

/** The format of a key or a value: bytes, text, or JSON decoded by `JSON.parse`. */
export type Format = 'bytes' | 'string' | 'json';

/** What a key or a value becomes. Null is null in each format. */
export type Decoded<F extends Format, S extends Schema | undefined = undefined> = F extends 'string'
  ? string | null
  : F extends 'json'
    ? S extends DtypeFields
      ? SchemaValue<S> | null
      : // biome-ignore lint/suspicious/noExplicitAny: JSON has any type
        any
    : Buffer | null;

/** The handling of records that do not have the format: an error, null in their place, or skipping them. */
export type OnError = 'raise' | 'null' | 'skip';

/** The formats of keys and values. */
export interface FormatOptions<
  K extends Format = Format,
  V extends Format = Format,
  S extends Schema | undefined = Schema | undefined,
> {
  /** How keys are decoded; "bytes" by default. */
  key?: K;
  /** The format of values; "bytes" by default. */
  value?: V;
  /**
   * The fields of values of format "json", with their types: an object of names and dtypes such as
   * `{ delay: 'int64', origin: { code: 'string' }, stops: ['string'] }`, or a schema of apache-arrow. Without one,
   * tables infer the types, and messages are read by `JSON.parse`, which rounds integers beyond 2^53.
   *
   * With a schema, the value of a message is an object of all its fields, null where a record has none: 64-bit
   * integers are `bigint`, bytes are `Buffer`, decimals, dates and times are text with all their digits.
   */
  schema?: S;
  /** Whether the fields of values of format "json" are columns of the table, in the place of `value`. */
  unnest?: boolean;
  /**
   * The prefix of the name of such a column if the field has the name of a record column (`timestamp`, `key`,
   * `offset`, `partition`, `headers`, `topic`, ...): a field `timestamp` becomes `json_timestamp`. "json_" by
   * default.
   */
  unnestPrefix?: string;
  /**
   * The name of an additional text field of values of format "json", with the fields that their type does not name:
   * an object in JSON, or null. A field whose objects have such fields is in it as a whole. Needs a schema or a scan.
   */
  rest?: string;
  /** What to do with records that do not have the format; "raise" by default. */
  onError?: OnError;
}

/** {@link FormatOptions} with the columns to read. */
export interface ReadOptions<
  K extends Format = Format,
  V extends Format = Format,
  S extends Schema | undefined = Schema | undefined,
> extends FormatOptions<K, V, S> {
  /**
   * The columns to read, all by default: "partition", "offset", "timestamp", "key", "value", "headers".
   * With `unnest` also fields of the value: only those that are named are read.
   */
  columns?: string[];
}

const format = oneOf<Format>('bytes', 'string', 'json');

export const FORMATS = {
  key: format,
  value: format,
  schema,
  unnest: boolean,
  unnestPrefix: text,
  rest: text,
  onError: oneOf<OnError>('raise', 'null', 'skip'),
};

export const READING = { ...FORMATS, columns: listOf(text) };

/** The formats of the messages of a table. */
export interface Formats {
  key: Format;
  value: Format;
  /** Whether the value has a schema: its 64-bit integers are `bigint`. */
  hasSchema?: boolean;
}

/** The formats as the native half takes them, and as messages do. */
export function decoding(given: {
  key?: Format;
  value?: Format;
  schema?: string;
  unnest?: boolean;
  unnestPrefix?: string;
  rest?: string;
  inferRecords?: number;
  onError?: OnError;
  columns?: string[];
}): { decode: DecodeArguments; formats: Formats } {
  const { key = 'bytes', value = 'bytes', onError = 'raise', unnest = false, schema } = given;
  const { columns, unnestPrefix, rest, inferRecords } = given;
  return {
    decode: {
      key,
      value,
      onError,
      unnest,
      ...(unnestPrefix === undefined ? {} : { unnestPrefix }),
      ...(rest === undefined ? {} : { rest }),
      ...(inferRecords === undefined ? {} : { inferRecords }),
      ...(schema === undefined ? {} : { schema }),
      ...(columns === undefined ? {} : { columns }),
    },
    formats: { key, value, hasSchema: schema !== undefined },
  };
}
