// A table of records.

import type { Table } from 'apache-arrow';
import type { Batch as NativeBatch, TopicPartitionOffset } from '../native.js';
import { abortableWait, type WaitOptions } from './abort.js';
import { arrow } from './arrow.js';
import { invalid } from './errors.js';
import { Flat } from './flat.js';
import {
  type Decoded,
  decoding,
  FORMATS,
  type Format,
  type FormatOptions,
  type Formats,
} from './formats.js';
import { counted, INSPECT } from './inspection.js';
import { Message } from './message.js';
import { integer, options, signal } from './options.js';
import type { Schema } from './schema.js';

/** The most messages that `console.log()` shows. */
const SHOWN = 5;

/** Commits the offsets of a batch. */
type Commit = (offsets: TopicPartitionOffset[]) => Promise<void>;

/** Records as a table, ordered by partition and offset. Iterating it yields its messages. */
export class Batch<K = Buffer | null, V = Buffer | null> implements Iterable<Message<K, V>> {
  private cached: Flat | undefined;

  /** @internal */
  constructor(
    private readonly native: NativeBatch,
    private readonly formats: Formats,
    private readonly commitOffsets?: Commit,
  ) {}

  /** The number of records. */
  get length(): number {
    return this.native.length;
  }

  /** The names of the columns. */
  get columns(): string[] {
    return this.native.columns().map(({ name }) => name);
  }

  /** The number of records that `onError: 'skip'` has skipped since the previous batch. */
  get skipped(): number {
    return this.native.skipped;
  }

  /** The position after the batch, for each partition in it. */
  get nextOffsets(): TopicPartitionOffset[] {
    return this.native.nextOffsets();
  }

  /** The message at an index; counted from the end if it is negative. */
  at(index: number): Message<K, V> | undefined {
    const row = index < 0 ? this.length + Math.trunc(index) : Math.trunc(index);
    return row >= 0 && row < this.length ? this.message(row) : undefined;
  }

  /**
   * The messages from index `start` up to index `end`, exclusive, as a batch, without a copy. Negative indexes count
   * from the end, as in `Array.prototype.slice()`.
   */
  slice(start = 0, end: number = this.length): Batch<K, V> {
    const [from, to] = [this.row(start, 'start'), this.row(end, 'end')];
    const rows = this.native.slice(from, Math.max(from, to));
    return new Batch<K, V>(rows, this.formats, this.commitOffsets);
  }

  /**
   * The same records with keys and values in other formats: see {@link FormatOptions}. The batch must have them as
   * bytes. Rejects with `DecodeError` if a record does not have the format, unless `onError` allows it.
   */
  async decode<
    DK extends Format = 'bytes',
    DV extends Format = 'bytes',
    const S extends Schema | undefined = undefined,
  >(
    given: FormatOptions<DK, DV, S> & WaitOptions = {},
  ): Promise<Batch<Decoded<DK>, Decoded<DV, S>>> {
    const known = options('decode()', given, { ...FORMATS, signal });
    const { decode, formats } = decoding(known);
    const decoded = await abortableWait(known.signal, this.native.decode(decode));
    return new Batch(decoded, formats, this.commitOffsets);
  }

  /** The messages, in order. */
  [Symbol.iterator](): IterableIterator<Message<K, V>> {
    const { flat, formats } = this;
    let row = 0;
    // Not a generator, whose cost per message would exceed that of the message itself.
    const iterator: IterableIterator<Message<K, V>> = {
      next: () =>
        row < flat.rows
          ? { done: false, value: new Message<K, V>(flat, row++, formats) }
          : { done: true, value: undefined },
      [Symbol.iterator]: () => iterator,
    };
    return iterator;
  }

  /** Commits the offsets after the batch for the group of the consumer that read it. */
  async commit(): Promise<void> {
    if (this.commitOffsets === undefined) {
      throw invalid('Only the batch of a consumer can be committed: this one was read by a scan.');
    }
    await this.commitOffsets(this.nextOffsets);
  }

  /** The records in the stream format of Arrow IPC. */
  toArrowIPC(): Buffer {
    return this.native.toArrowIPC();
  }

  /** The records as a table of apache-arrow, which must be installed. */
  toArrow(): Table {
    return arrow('toArrowIPC()').tableFromIPC(this.toArrowIPC());
  }

  /** Its first messages, as `console.log()` shows them. @hidden */
  [INSPECT](_depth: number, _options: object, inspect: (value: unknown) => string): string {
    const { length } = this;
    const shown = [...this.slice(0, SHOWN)].map(
      (message) => `  ${inspect(message).replaceAll('\n', '\n  ')}`,
    );
    if (length > SHOWN) {
      shown.push(`  ... ${counted(length - SHOWN, 'more record')}`);
    }
    const head = `Batch(${counted(length, 'record')})`;
    return length === 0 ? head : `${head} [\n${shown.join(',\n')}\n]`;
  }

  /** @internal */
  get flat(): Flat {
    this.cached ??= new Flat(this.native.toFlat());
    return this.cached;
  }

  /** The row of an index that may be negative or behind the end. */
  private row(index: number, name: string): number {
    const { length } = this;
    const row = integer(index, name);
    return Math.min(Math.max(row < 0 ? length + row : row, 0), length);
  }

  private message(row: number): Message<K, V> {
    return new Message<K, V>(this.flat, row, this.formats);
  }
}
