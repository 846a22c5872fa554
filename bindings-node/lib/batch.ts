// A table of records.

import type { Table } from 'apache-arrow';
import type { Batch as NativeBatch, TopicPartitionOffset } from '../native.js';
import { HeadwaterError, invalid } from './errors.js';
import { Flat } from './flat.js';
import type { Formats } from './formats.js';
import { Message } from './message.js';

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
    return arrow().tableFromIPC(this.toArrowIPC());
  }

  /** @internal */
  get flat(): Flat {
    this.cached ??= new Flat(this.native.toFlat());
    return this.cached;
  }

  private message(row: number): Message<K, V> {
    return new Message<K, V>(this.flat, row, this.formats);
  }
}

/** The package apache-arrow, if the caller has installed it. */
function arrow(): typeof import('apache-arrow') {
  try {
    return require('apache-arrow');
  } catch (error) {
    const missing = new HeadwaterError(
      'The package apache-arrow is not installed: npm install apache-arrow, or use toArrowIPC().',
    );
    missing.cause = error;
    throw missing;
  }
}

/**
 * The stream of a table of apache-arrow. Its modules for `import` and `require` do not recognise each other's tables.
 */
export async function tableStream(table: object): Promise<Uint8Array | undefined> {
  for (const load of [() => import('apache-arrow'), async () => arrow()]) {
    const copy = await load().catch(() => undefined);
    // `instanceof` takes the tables of another copy for its own, and writes a wrong schema of them.
    if (copy !== undefined && Object.prototype.isPrototypeOf.call(copy.Table.prototype, table)) {
      return copy.tableToIPC(table as Table, 'stream');
    }
  }
  return undefined;
}
