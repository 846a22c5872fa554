// A topic: reads its start, its end, or all of it.

import type { Topic as NativeTopic, PartitionDescription } from '../native.js';
import { abortable, type WaitOptions } from './abort.js';
import { Batch } from './batch.js';
import {
  type Decoded,
  decodeArguments,
  type Format,
  READING,
  type ReadOptions,
} from './formats.js';
import { count, listOf, oneOf, options, partition, signal, text } from './options.js';
import { byNumber, type Position, position } from './positions.js';
import { Scan } from './scan.js';

/** The range and the formats of {@link Topic.scan}. */
export interface ScanOptions<K extends Format = Format, V extends Format = Format>
  extends ReadOptions<K, V>,
    WaitOptions {
  /** The start, inclusive; "earliest" by default. */
  start?: Position;
  /** The end, exclusive; "latest" by default: the end of the topic when the scan starts. */
  end?: Position;
  /** Only these partitions; all by default. */
  partitions?: number[];
  /** Stop after this many records. */
  limit?: number;
  /** The isolation level for records of transactions; "read_committed" by default. */
  isolationLevel?: 'read_committed' | 'read_uncommitted';
}

/** The formats of {@link Topic.head} and {@link Topic.tail}. */
export interface EndOptions<K extends Format = Format, V extends Format = Format>
  extends ReadOptions<K, V>,
    WaitOptions {}

/** The range of {@link Topic.rate}. */
export interface RateOptions extends WaitOptions {
  /** The start, inclusive; "earliest" by default. */
  start?: Position;
  /** The end, exclusive; "latest" by default. */
  end?: Position;
}

const BYTES = { key: 'bytes', value: 'bytes' } as const;

/** A handle on a topic. An unknown topic fails on first use. */
export class Topic {
  /** @internal */
  constructor(private readonly native: NativeTopic) {}

  /** The topic's name. */
  get name(): string {
    return this.native.name;
  }

  /**
   * A range of the topic, read batch by batch. It ends where the topic ends when the reading starts. Joins no group.
   */
  scan<K extends Format = 'bytes', V extends Format = 'bytes'>(
    given: ScanOptions<K, V> = {},
  ): Scan<Decoded<K>, Decoded<V>> {
    const known = options('scan()', given, {
      ...READING,
      signal,
      start: position,
      end: position,
      partitions: listOf(partition),
      limit: count,
      isolationLevel: oneOf('read_committed', 'read_uncommitted'),
    });
    const decode = decodeArguments(known);
    const native = this.native.scan({
      start: known.start ?? 'earliest',
      end: known.end ?? 'latest',
      isolationLevel: known.isolationLevel ?? 'read_committed',
      ...(known.partitions === undefined ? {} : { partitions: known.partitions }),
      ...(known.limit === undefined ? {} : { limit: known.limit }),
      decode,
    });
    return new Scan(native, decode as { key: Format; value: Format }, known.signal);
  }

  /** The first `n` records: partition by partition, in offset order. */
  head<K extends Format = 'bytes', V extends Format = 'bytes'>(
    n = 10,
    given: EndOptions<K, V> = {},
  ): Promise<Batch<Decoded<K>, Decoded<V>>> {
    return this.endOf('head', n, given);
  }

  /** The `n` newest records of all partitions. Reads only the end of the topic. */
  tail<K extends Format = 'bytes', V extends Format = 'bytes'>(
    n = 10,
    given: EndOptions<K, V> = {},
  ): Promise<Batch<Decoded<K>, Decoded<V>>> {
    return this.endOf('tail', n, given);
  }

  /** The number of records, counted from batch headers. */
  async count(given: WaitOptions = {}): Promise<number> {
    const known = options('count()', given, { signal });
    return abortable(known.signal, (abort) => this.native.count(abort));
  }

  /** The offset of a position in each partition, by its number. */
  async offsets(at: Position, given: WaitOptions = {}): Promise<Map<number, bigint>> {
    const known = options('offsets()', given, { signal });
    const of = position(at, 'at');
    return byNumber(await abortable(known.signal, (abort) => this.native.offsets(of, abort)));
  }

  /**
   * Records and bytes in each interval of time, from batch headers: columns `time`, `records` and `bytes` of
   * {@link Batch.toArrow}. `every` is a duration such as "1m" or "1h".
   */
  async rate(every = '1m', given: RateOptions = {}): Promise<Batch> {
    const known = options('rate()', given, { signal, start: position, end: position });
    const batch = await abortable(known.signal, (abort) =>
      this.native.rate(
        text(every, 'every'),
        known.start ?? 'earliest',
        known.end ?? 'latest',
        abort,
      ),
    );
    return new Batch(batch, BYTES);
  }

  /** Its partitions, with leaders, offsets and sizes. */
  async describe(given: WaitOptions = {}): Promise<PartitionDescription[]> {
    const known = options('describe()', given, { signal });
    return abortable(known.signal, (abort) => this.native.describe(abort));
  }

  private async endOf<K extends Format, V extends Format>(
    end: 'head' | 'tail',
    n: number,
    given: EndOptions<K, V>,
  ): Promise<Batch<Decoded<K>, Decoded<V>>> {
    const known = options(`${end}()`, given, { ...READING, signal });
    const records = count(n, 'n');
    const decode = decodeArguments(known);
    const batch = await abortable(known.signal, (abort) =>
      this.native[end](records, decode, abort),
    );
    return new Batch(batch, decode as { key: Format; value: Format });
  }
}
