// A topic: reads its start, its end, or all of it.

import type { ConfigEntry, Topic as NativeTopic, PartitionDescription } from '../native.js';
import { abortable, type WaitOptions } from './abort.js';
import { Batch } from './batch.js';
import { type Decoded, decoding, type Format, READING, type ReadOptions } from './formats.js';
import { refuseForeignMethods } from './habits.js';
import { described, INSPECT, quoted } from './inspection.js';
import { callback, count, listOf, oneOf, options, partition, signal, text } from './options.js';
import { byNumber, type Position, position } from './positions.js';
import { type ProgressListener, Scan } from './scan.js';
import type { Schema } from './schema.js';

/** The range and the formats of {@link Topic.scan}. */
export interface ScanOptions<
  K extends Format = Format,
  V extends Format = Format,
  S extends Schema | undefined = Schema | undefined,
> extends ReadOptions<K, V, S>,
    WaitOptions {
  /** The start, inclusive; "earliest" by default. */
  start?: Position;
  /** The end, exclusive; "latest" by default: the end of the topic when the scan starts. */
  end?: Position;
  /** Only these partitions; all by default. */
  partitions?: number[];
  /** Stop after this many records. */
  limit?: number;
  /** The number of values from which the types of JSON without a schema are inferred; 10,000 by default. */
  inferRecords?: number;
  /** The isolation level for records of transactions; "read_committed" by default. */
  isolationLevel?: 'read_committed' | 'read_uncommitted';
  /**
   * Called after each batch of `collect()` and of an iteration, and at its end. The records of the range are counted
   * first. The reading waits for a promise that it returns; an exception of it ends the reading.
   */
  progress?: ProgressListener;
}

/** The formats of {@link Topic.head} and {@link Topic.tail}. */
export interface EndOptions<
  K extends Format = Format,
  V extends Format = Format,
  S extends Schema | undefined = Schema | undefined,
> extends ReadOptions<K, V, S>,
    WaitOptions {}

/** An interval of {@link Topic.rate}. */
export interface RateInterval {
  /** When it begins, in ISO 8601. */
  time: string;
  /** Its records. */
  records: number;
  /** Their bytes. */
  bytes: number;
}

/** The range of {@link Topic.rate}. */
export interface RateOptions extends WaitOptions {
  /** The start, inclusive; "earliest" by default. */
  start?: Position;
  /** The end, exclusive; "latest" by default. */
  end?: Position;
}

const INTERVALS = { key: 'bytes', value: 'json' } as const;

/** A handle on a topic. An unknown topic fails on first use. */
export class Topic {
  /** @internal */
  constructor(private readonly native: NativeTopic) {}

  /** The topic's name. */
  get name(): string {
    return this.native.name;
  }

  /** A range of the topic, to be read batch by batch. Bounded when its reading begins; it joins no group. */
  scan<
    K extends Format = 'bytes',
    V extends Format = 'bytes',
    const S extends Schema | undefined = undefined,
  >(given: ScanOptions<K, V, S> = {}): Scan<Decoded<K>, Decoded<V, S>> {
    const known = options('scan()', given, {
      ...READING,
      signal,
      start: position,
      end: position,
      partitions: listOf(partition),
      limit: count,
      inferRecords: count,
      isolationLevel: oneOf('read_committed', 'read_uncommitted'),
      progress: callback,
    });
    const { decode, formats } = decoding(known);
    const native = this.native.scan({
      start: known.start ?? 'earliest',
      end: known.end ?? 'latest',
      isolationLevel: known.isolationLevel ?? 'read_committed',
      ...(known.partitions === undefined ? {} : { partitions: known.partitions }),
      ...(known.limit === undefined ? {} : { limit: known.limit }),
      decode,
    });
    return new Scan(native, formats, known.signal, known.progress as ProgressListener | undefined);
  }

  /** The first `n` records: partition by partition, in offset order. */
  head<
    K extends Format = 'bytes',
    V extends Format = 'bytes',
    const S extends Schema | undefined = undefined,
  >(n = 10, given: EndOptions<K, V, S> = {}): Promise<Batch<Decoded<K>, Decoded<V, S>>> {
    return this.endOf('head', n, given);
  }

  /** The last `n` records: of all partitions the newest. Reads only the end of the topic. */
  tail<
    K extends Format = 'bytes',
    V extends Format = 'bytes',
    const S extends Schema | undefined = undefined,
  >(n = 10, given: EndOptions<K, V, S> = {}): Promise<Batch<Decoded<K>, Decoded<V, S>>> {
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
   * {@link Batch.toArrow}, or the values of the batch's messages. `every` is a duration such as "1m" or "1h".
   */
  async rate(every = '1m', given: RateOptions = {}): Promise<Batch<null, RateInterval>> {
    const known = options('rate()', given, { signal, start: position, end: position });
    const batch = await abortable(known.signal, (abort) =>
      this.native.rate(
        text(every, 'every'),
        known.start ?? 'earliest',
        known.end ?? 'latest',
        abort,
      ),
    );
    return new Batch(batch, INTERVALS);
  }

  /** Its partitions, with leaders, offsets and sizes. */
  async describe(given: WaitOptions = {}): Promise<PartitionDescription[]> {
    const known = options('describe()', given, { signal });
    return abortable(known.signal, (abort) => this.native.describe(abort));
  }

  /** The numbers of its partitions. */
  async partitions(given: WaitOptions = {}): Promise<number[]> {
    const all = await this.describe(options('partitions()', given, { signal }));
    return all.map(({ partition }) => partition);
  }

  /** Its configuration, with the source of each value. */
  async config(given: WaitOptions = {}): Promise<ConfigEntry[]> {
    const known = options('config()', given, { signal });
    return abortable(known.signal, (abort) => this.native.config(abort));
  }

  /** The size of its partitions in the log directories of their leaders, in bytes; `null` if it is not known. */
  async sizeBytes(given: WaitOptions = {}): Promise<number | null> {
    const all = await this.describe(options('sizeBytes()', given, { signal }));
    return all.reduce<number | null>(
      (sum, { sizeBytes }) => (sum === null || sizeBytes === undefined ? null : sum + sizeBytes),
      0,
    );
  }

  /** Its name, as `console.log()` shows it. @hidden */
  [INSPECT](): string {
    return described('Topic', quoted(this.name));
  }

  private async endOf<K extends Format, V extends Format, S extends Schema | undefined>(
    end: 'head' | 'tail',
    n: number,
    given: EndOptions<K, V, S>,
  ): Promise<Batch<Decoded<K>, Decoded<V, S>>> {
    const known = options(`${end}()`, given, { ...READING, signal });
    const records = count(n, 'n');
    const { decode, formats } = decoding(known);
    const batch = await abortable(known.signal, (abort) =>
      this.native[end](records, decode, abort),
    );
    return new Batch(batch, formats);
  }
}

refuseForeignMethods('Topic', Topic);
