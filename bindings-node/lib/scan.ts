// A bounded read of a topic.

import { Readable } from 'node:stream';
import type { Scan as NativeScan } from '../native.js';
import { abortable, type WaitOptions } from './abort.js';
import { Batch } from './batch.js';
import type { Formats } from './formats.js';
import { options, signal } from './options.js';

/**
 * A range of a topic. Each iteration reads it again, as batches, up to the end of the topic at the start of the
 * iteration.
 */
export class Scan<K = Buffer | null, V = Buffer | null> implements AsyncIterable<Batch<K, V>> {
  /** @internal */
  constructor(
    private readonly native: NativeScan,
    private readonly formats: Formats,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** The batches: `for await`. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Batch<K, V>> {
    const reader = await abortable(this.signal, (abort) => this.native.reader(abort));
    for (;;) {
      const batch = await abortable(this.signal, (abort) => reader.next(abort));
      if (batch === null) {
        return;
      }
      yield new Batch<K, V>(batch, this.formats);
    }
  }

  /** All records as one batch. */
  async collect(given: WaitOptions = {}): Promise<Batch<K, V>> {
    const batch = await this.abortable('collect()', given, (abort) => this.native.collect(abort));
    return new Batch<K, V>(batch, this.formats);
  }

  /** The number of records, counted from batch headers. */
  count(given: WaitOptions = {}): Promise<number> {
    return this.abortable('count()', given, (abort) => this.native.count(abort));
  }

  /** Describes the scan as text. */
  explain(given: WaitOptions = {}): Promise<string> {
    return this.abortable('explain()', given, (abort) => this.native.explain(abort));
  }

  /** The messages as a stream of objects. */
  readable(): Readable {
    return Readable.from(messages(this));
  }

  private async abortable<T>(
    call: string,
    given: WaitOptions,
    work: Parameters<typeof abortable<T>>[1],
  ): Promise<T> {
    return abortable(options(call, given, { signal }).signal ?? this.signal, work);
  }
}

async function* messages<M>(batches: AsyncIterable<Iterable<M>>): AsyncIterableIterator<M> {
  for await (const batch of batches) {
    yield* batch;
  }
}
