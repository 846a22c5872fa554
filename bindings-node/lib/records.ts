// Checks the parts of a record to send.

import { invalid } from './errors.js';
import type { Format } from './formats.js';
import { isWellFormed, options, partition, text, timestamp, typeName } from './options.js';

/** Bytes or text to send. Text is written as UTF-8. */
export type Bytes = Uint8Array | string;

/** Headers to send: an ordered list of pairs, whose names may repeat, or an object. */
export type HeadersToSend =
  | readonly (readonly [name: string, value: Bytes | null])[]
  | Readonly<Record<string, Bytes | null | readonly Bytes[]>>;

/** The type of a key or value to send, for each format. */
export type Encodable<F extends Format> = F extends 'json'
  ? unknown
  : F extends 'string'
    ? string | null
    : Bytes | null;

/** A record to send, without its topic. */
export interface MessageToSend<K extends Format = 'bytes', V extends Format = 'bytes'> {
  /** The value; null or undefined deletes the key in a compacted topic. */
  value?: Encodable<V>;
  /** The key, whose hash chooses the partition like in the Java producer. */
  key?: Encodable<K>;
  /** The headers. */
  headers?: HeadersToSend;
  /** The partition; by default chosen by the key's hash, or without a key by the producer. */
  partition?: number;
  /**
   * The timestamp, in milliseconds since 1970, as a `Date`, or as a date or time with its zone in ISO 8601
   * (`"2026-01-31T10:00:00Z"`); the current time by default.
   */
  timestamp?: number | Date | string;
}

/** A record to send. */
export interface RecordToSend<K extends Format = 'bytes', V extends Format = 'bytes'>
  extends MessageToSend<K, V> {
  /** The topic's name. */
  topic: string;
}

/** A record whose parts are bytes or text. Missing parts are undefined. */
export interface EncodedMessage {
  key: Bytes | undefined;
  value: Bytes | undefined;
  headers: [string, Bytes | undefined][];
  partition: number | undefined;
  timestamp: number | undefined;
}

/** A part of a record, for errors: its name is made when there is one. */
export class Field {
  /** The number of the record in its batch. */
  row: number | undefined;

  constructor(row?: number) {
    this.row = row;
  }

  name(part: string): string {
    return this.row === undefined ? part : `messages[${this.row}].${part}`;
  }
}

const anything = (value: unknown) => value;

const MESSAGE = {
  key: anything,
  value: anything,
  headers: anything,
  partition: anything,
  timestamp: anything,
};

const RECORD = { ...MESSAGE, topic: anything };

const PARTS = new Set(Object.keys(MESSAGE));

/** Checks a record, and encodes its key and value. */
export function encodeRecord(
  given: unknown,
  formats: { key: Format; value: Format },
): EncodedMessage & { topic: string } {
  const record = options('the record', given, RECORD);
  if (record.topic === undefined) {
    throw invalid('The record needs a topic: send({topic: "flights", value: "late"}).');
  }
  return { topic: text(record.topic, 'topic'), ...parts(record, formats, new Field()) };
}

/** Checks a message, and encodes its key and value. */
export function encodeMessage(
  given: unknown,
  formats: { key: Format; value: Format },
  field: Field,
): EncodedMessage {
  return parts(hasOnlyParts(given) ? given : message(given, field), formats, field);
}

/** The usual case, without a copy: a plain object whose own fields are parts of a message. */
function hasOnlyParts(given: unknown): given is Record<keyof typeof MESSAGE, unknown> {
  if (given === null || typeof given !== 'object' || !isPlain(given)) {
    return false;
  }
  for (const name in given) {
    if (!PARTS.has(name)) {
      return false;
    }
  }
  return true;
}

function isPlain(given: object): boolean {
  return Object.getPrototypeOf(given) === Object.prototype;
}

function message(given: unknown, field: Field) {
  return options(`messages[${field.row}]`, given, MESSAGE);
}

function parts(
  given: { [part in keyof typeof MESSAGE]?: unknown },
  formats: { key: Format; value: Format },
  field: Field,
): EncodedMessage {
  const { key, value, headers, partition: number, timestamp: time } = given;
  return {
    key: isMissing(key) ? undefined : encoded(key, formats.key, field, 'key'),
    value: isMissing(value) ? undefined : encoded(value, formats.value, field, 'value'),
    headers: isMissing(headers) ? [] : encodedHeaders(headers, field.name('headers')),
    partition: isMissing(number) ? undefined : partition(number, field.name('partition')),
    timestamp: isMissing(time) ? undefined : timestamp(time, field.name('timestamp')),
  };
}

function isMissing(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

function encoded(value: unknown, format: Format, field: Field, part: string): Bytes {
  return format === 'json' ? json(value, field.name(part)) : bytes(value, field, part);
}

/** Bytes or text, checked. */
function bytes(value: unknown, field: Field, part: string): Bytes {
  if (typeof value === 'string') {
    if (!isWellFormed(value)) {
      throw invalid(`${field.name(part)} has a lone surrogate, which UTF-8 cannot express.`);
    }
    return value;
  }
  if (value instanceof Uint8Array) {
    if (value.length === 0 && isDetached(value)) {
      throw invalid(
        `${field.name(part)} is detached: its memory was transferred to another owner.`,
      );
    }
    return value;
  }
  throw invalid(
    `${field.name(part)} must be a Buffer, a Uint8Array or a string, not ${typeName(value)}: encode it first, or make the producer with value: "json".`,
  );
}

function isDetached(value: Uint8Array): boolean {
  try {
    // A detached buffer has no views.
    new Uint8Array(value.buffer);
    return false;
  } catch {
    return true;
  }
}

function json(value: unknown, name: string): string {
  let written: string | undefined;
  const stack: [object, string][] = [];
  const refuse = function (this: unknown, field: string, item: unknown): unknown {
    const path = field === '' ? name : pathTo(stack, this, field, name);
    if (typeof item === 'bigint') {
      throw invalid(`${path} is a BigInt, which JSON cannot express: convert it to a string.`);
    }
    if (typeof item === 'number' && !Number.isFinite(item)) {
      throw invalid(`${path} is ${item}, which JSON cannot express.`);
    }
    if (item !== null && typeof item === 'object') {
      stack.push([item, path]);
    }
    return item;
  };
  try {
    written = JSON.stringify(value, refuse);
  } catch (error) {
    if (error instanceof TypeError) {
      throw invalid(`${name} cannot be written as JSON: ${error.message}`);
    }
    throw error;
  }
  if (written === undefined) {
    throw invalid(`${name} is ${typeName(value)}, which JSON cannot express.`);
  }
  return written;
}

/** The path of a field in its object. */
function pathTo(stack: [object, string][], holder: unknown, field: string, name: string): string {
  const parent = stack.findLast(([object]) => object === holder);
  return `${parent?.[1] ?? name}.${field}`;
}

function encodedHeaders(given: unknown, name: string): [string, Bytes | undefined][] {
  if (typeof given !== 'object' || given === null) {
    throw invalid(`${name} must be an array of pairs or an object, not ${typeName(given)}.`);
  }
  return Array.isArray(given)
    ? given.map((pair, index) => headerPair(pair, `${name}[${index}]`))
    : Object.entries(given).flatMap(([key, value]) => namedHeaders(key, value, name));
}

function headerPair(pair: unknown, name: string): [string, Bytes | undefined] {
  if (!Array.isArray(pair) || pair.length !== 2) {
    throw invalid(`${name} must be a pair: ["gate", "B7"].`);
  }
  return [text(pair[0], `the name of ${name}`), headerValue(pair[1], `the value of ${name}`)];
}

function namedHeaders(key: string, value: unknown, name: string): [string, Bytes | undefined][] {
  const values = Array.isArray(value) ? value : [value];
  return values.map((item) => [
    text(key, `a name of ${name}`),
    headerValue(item, `${name}.${key}`),
  ]);
}

const NO_ROW = new Field();

/** Bytes or text of this name, checked. */
export function checkedBytes(value: unknown, name: string): Bytes {
  return bytes(value, NO_ROW, name);
}

function headerValue(value: unknown, name: string): Bytes | undefined {
  if (value === undefined) {
    throw invalid(`${name} is undefined: pass null for a header without a value.`);
  }
  return value === null ? undefined : checkedBytes(value, name);
}
