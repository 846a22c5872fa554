// One record. Its parts are decoded from the buffer of its batch on access.

import { inspect } from 'node:util';
import { invalid } from './errors.js';
import type { Flat, Header } from './flat.js';
import type { Formats } from './formats.js';

function missing(name: string): Error {
  return invalid(`The column \`${name}\` was not read: add it to \`columns\`.`);
}

/**
 * One record of a topic. Keys and values of format "bytes" are views into the buffer of their batch; copy those that
 * you keep for long.
 */
export class Message<K = Buffer | null, V = Buffer | null> {
  private decodedKey: unknown;
  private decodedValue: unknown;

  /** @internal */
  constructor(
    private readonly flat: Flat,
    private readonly row: number,
    private readonly formats: Formats,
  ) {}

  /** The topic's name. */
  get topic(): string {
    return this.flat.topic(this.row) ?? raise('topic');
  }

  /** The partition's number. */
  get partition(): number {
    return this.flat.partitions?.[this.row] ?? raise('partition');
  }

  /** The offset in the partition. */
  get offset(): bigint {
    return this.flat.offsets?.[this.row] ?? raise('offset');
  }

  /** The timestamp of the record in milliseconds since 1970. */
  get timestamp(): number {
    return this.flat.timestamps?.[this.row] ?? raise('timestamp');
  }

  /** The key, in the requested format. */
  get key(): K {
    if (this.decodedKey === undefined) {
      const keys = this.flat.keys ?? raise('key');
      this.decodedKey = keys.get(this.row, this.formats.key);
    }
    return this.decodedKey as K;
  }

  /** The value, in its format. With `unnest`, an object of the fields that were read. */
  get value(): V {
    if (this.decodedValue === undefined) {
      const values = this.flat.values ?? raise('value');
      this.decodedValue = values.get(this.row, this.formats.value, this.formats.hasSchema);
    }
    return this.decodedValue as V;
  }

  /** The headers: pairs of a name and bytes, in order. Names may repeat. */
  get headers(): Header[] {
    return this.flat.headers(this.row) ?? raise('headers');
  }

  /** The value of the last header with that name; `undefined` if there is none. */
  header(name: string): Buffer | null | undefined {
    return this.headers.findLast(([other]) => other === name)?.[1];
  }

  /** The parts that were read, as a plain object. */
  toObject(): Record<string, unknown> {
    const { flat, row } = this;
    const parts: Record<string, unknown> = {};
    const topic = flat.topic(row);
    if (topic !== undefined) {
      parts.topic = topic;
    }
    if (flat.partitions !== undefined) {
      parts.partition = this.partition;
    }
    if (flat.offsets !== undefined) {
      parts.offset = this.offset;
    }
    if (flat.timestamps !== undefined) {
      parts.timestamp = this.timestamp;
    }
    if (flat.keys !== undefined) {
      parts.key = this.key;
    }
    if (flat.values !== undefined) {
      parts.value = this.value;
    }
    const headers = flat.headers(row);
    if (headers !== undefined) {
      parts.headers = headers;
    }
    return parts;
  }

  /** The parts that were read, as `console.log()` shows them. @hidden */
  [inspect.custom](): string {
    return `Message ${inspect(this.toObject())}`;
  }
}

function raise(name: string): never {
  throw missing(name);
}
