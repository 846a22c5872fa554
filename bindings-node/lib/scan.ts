// A bounded read of a topic.

import { Readable } from 'node:stream';
import type {
  Batch as NativeBatch,
  Scan as NativeScan,
  ScanProgress,
  ScanReader,
} from '../native.js';
import { abortable, type WaitOptions } from './abort.js';
import { Batch } from './batch.js';
import type { Formats } from './formats.js';
import { described, INSPECT, quoted } from './inspection.js';
import { options, signal } from './options.js';
import { TableSchema } from './table_schema.js';

/** Called with the progress of a reading. */
export type ProgressListener = (progress: ScanProgress) => unknown;

/** A range of a topic. Each iteration reads it anew, as batches; it ends where the topic ended when it began. */
export class Scan<K = Buffer | null, V = Buffer | null> implements AsyncIterable<Batch<K, V>> {
  /** @internal */
  constructor(
    private readonly native: NativeScan,
    private readonly formats: Formats,
    private readonly signal: AbortSignal | undefined,
    private readonly progress: ProgressListener | undefined,
  ) {}

  /** The batches: `for await`. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Batch<K, V>> {
    const reader = await this.reader(this.signal);
    for (;;) {
      const batch = await abortable(this.signal, (abort) => reader.next(abort));
      await this.progress?.(reader.progress());
      if (batch === null) {
        return;
      }
      yield new Batch<K, V>(batch, this.formats);
    }
  }

  /** All records as one batch. */
  async collect(given: WaitOptions = {}): Promise<Batch<K, V>> {
    const wait = this.wait('collect()', given);
    const { progress } = this;
    const batch =
      progress === undefined
        ? await abortable(wait, (abort) => this.native.collect(abort))
        : await this.collectReporting(progress, wait);
    return new Batch<K, V>(batch, this.formats);
  }

  /** The number of records, counted from the headers of their batches. */
  async count(given: WaitOptions = {}): Promise<number> {
    return abortable(this.wait('count()', given), (abort) => this.native.count(abort));
  }

  /** The columns of its batches. JSON without a schema is inferred from the first records, which this reads. */
  async schema(given: WaitOptions = {}): Promise<TableSchema> {
    const wait = this.wait('schema()', given);
    return new TableSchema(await abortable(wait, (abort) => this.native.schema(abort)));
  }

  /** The number of records that `onError: 'skip'` has skipped since a reading of the scan last started. */
  get skipped(): number {
    return this.native.skipped;
  }

  /** What will be read, as text. */
  async explain(given: WaitOptions = {}): Promise<string> {
    return abortable(this.wait('explain()', given), (abort) => this.native.explain(abort));
  }

  /** The messages as a stream of objects. */
  readable(): Readable {
    return Readable.from(messages(this));
  }

  /** Its topic and its range, as `console.log()` shows them. @hidden */
  [INSPECT](): string {
    const { topic, start, end } = this.native;
    return described('Scan', quoted(topic), `${start} to ${end}`);
  }

  private async collectReporting(
    progress: ProgressListener,
    wait: AbortSignal | undefined,
  ): Promise<NativeBatch> {
    const reader = await this.reader(wait);
    for (;;) {
      const hasMore = await abortable(wait, (abort) => reader.keepNext(abort));
      await progress(reader.progress());
      if (!hasMore) {
        return abortable(wait, (abort) => reader.collected(abort));
      }
    }
  }

  private reader(wait: AbortSignal | undefined): Promise<ScanReader> {
    const withProgress = this.progress !== undefined;
    return abortable(wait, (abort) => this.native.reader(withProgress, abort));
  }

  /** The signal that ends a call: its own, or else that of the scan. */
  private wait(call: string, given: WaitOptions): AbortSignal | undefined {
    return options(call, given, { signal }).signal ?? this.signal;
  }
}

async function* messages<M>(batches: AsyncIterable<Iterable<M>>): AsyncIterableIterator<M> {
  for await (const batch of batches) {
    yield* batch;
  }
}
