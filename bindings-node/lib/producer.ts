// The producer: records one by one, or many at once.

import { Writable } from 'node:stream';
import type { Table } from 'apache-arrow';
import type { BatchResult, Producer as NativeProducer, RecordMetadata } from '../native.js';
import { abortable, abortableWait, type WaitOptions } from './abort.js';
import { tableStream } from './arrow.js';
import { isObserved, PRODUCE, tracedMessage } from './diagnostics.js';
import { AbortError, invalid } from './errors.js';
import type { Format } from './formats.js';
import { refuseForeignMethods } from './habits.js';
import { described, INSPECT } from './inspection.js';
import { type Check, options, partition, signal, text, typeName } from './options.js';
import {
  type EncodedMessage,
  encodeMessage,
  encodeRecord,
  Field,
  type MessageToSend,
  type RecordToSend,
} from './records.js';
import { writeRows } from './rows.js';

/** The options of {@link Producer.sendBatch}. */
export interface SendBatchOptions extends WaitOptions {
  /** The column of keys of an Arrow table. */
  key?: string;
  /** The column of values of an Arrow table; without one, all other columns form a JSON object. */
  value?: string;
  /** The column of headers of an Arrow table: a list of structs of `key` and `value`. */
  headers?: string;
  /** The column of timestamps of an Arrow table. */
  timestamp?: string;
  /** The partition of all rows, or the column of partitions of an Arrow table. */
  partition?: number | string;
}

const columnOrPartition: Check<string | number> = (value, name) =>
  typeof value === 'string' ? text(value, name) : partition(value, name);

const COLUMNS = { key: text, value: text, headers: text, timestamp: text };

/** Sends records. Records of one topic that are sent in sequence keep their order in each partition. */
export class Producer<K extends Format = 'bytes', V extends Format = 'bytes'>
  implements AsyncDisposable
{
  /** @internal */
  constructor(
    private readonly native: NativeProducer,
    private readonly formats: { key: Format; value: Format },
  ) {}

  /**
   * Sends a record. The promise is fulfilled when it is acknowledged; sends need not wait for each other. The bytes
   * are copied at the call. An abort ends the wait, not the record: it may still be written.
   */
  send(record: RecordToSend<K, V>, given?: WaitOptions): Promise<RecordMetadata> {
    if (!isObserved(PRODUCE)) {
      return this.sendRecord(record, given);
    }
    const traced = tracedMessage(record);
    const event = { producer: this, topic: record?.topic, messages: [traced] };
    return PRODUCE.tracePromise(() => this.sendRecord(traced as RecordToSend<K, V>, given), event);
  }

  private sendRecord(record: RecordToSend<K, V>, given?: WaitOptions): Promise<RecordMetadata> {
    try {
      const wait = given === undefined ? undefined : options('send()', given, { signal }).signal;
      if (wait?.aborted === true) {
        throw new AbortError(wait.reason);
      }
      const { topic, key, value, headers, partition, timestamp } = encodeRecord(
        record,
        this.formats,
      );
      const sent = this.native.send(
        topic,
        key,
        value,
        headers.length === 0 ? undefined : headers,
        partition,
        timestamp,
      );
      return wait === undefined ? sent : abortableWait(wait, sent);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Sends many records and waits until all are acknowledged: messages, the stream format of Arrow IPC, or a table of
   * apache-arrow. All are checked before the first is written.
   */
  async sendBatch(
    topic: string,
    rows: readonly MessageToSend<K, V>[] | Uint8Array | Table,
    given: SendBatchOptions = {},
  ): Promise<BatchResult> {
    if (!isObserved(PRODUCE)) {
      return this.sendRows(topic, rows, given);
    }
    const messages = Array.isArray(rows) ? rows.map(tracedMessage) : undefined;
    const event = { producer: this, topic, messages };
    return PRODUCE.tracePromise(
      () => this.sendRows(topic, (messages as MessageToSend<K, V>[] | undefined) ?? rows, given),
      event,
    );
  }

  private async sendRows(
    topic: string,
    rows: readonly MessageToSend<K, V>[] | Uint8Array | Table,
    given: SendBatchOptions,
  ): Promise<BatchResult> {
    if (topic !== null && typeof topic === 'object') {
      throw invalid('sendBatch() takes the topic first: call sendBatch(topic, messages).');
    }
    const name = text(topic, 'topic');
    if (Array.isArray(rows)) {
      return this.sendMessages(name, rows, given);
    }
    const known = options('sendBatch()', given, {
      ...COLUMNS,
      signal,
      partition: columnOrPartition,
    });
    const { signal: wait, ...columns } = known;
    // Bytes are copied at the call: nothing is awaited before.
    const stream = rows instanceof Uint8Array ? rows : await arrowStream(rows);
    return abortable(wait, (abort) => this.native.sendArrow(name, stream, columns, abort));
  }

  /** A writable stream that sends messages. It accepts more when the previous ones are acknowledged. */
  writable(topic: string): Writable {
    const name = text(topic, 'topic');
    const write = (messages: unknown[], done: (error?: Error | null) => void) => {
      this.sendBatch(name, messages as MessageToSend<K, V>[]).then(
        () => done(),
        (error: Error) => done(error),
      );
    };
    return new Writable({
      objectMode: true,
      highWaterMark: 1_000,
      write: (message, _encoding, done) => write([message], done),
      writev: (chunks, done) =>
        write(
          chunks.map(({ chunk }) => chunk),
          done,
        ),
    });
  }

  /** Sends all records accepted before, and waits until they are acknowledged or refused. */
  async flush(given: WaitOptions = {}): Promise<void> {
    const known = options('flush()', given, { signal });
    await abortable(known.signal, (abort) => this.native.flush(abort));
  }

  /**
   * Flushes, and accepts no more records. Rejects if records could not be sent: the error has their number.
   * Idempotent.
   */
  close(): Promise<void> {
    return this.native.close();
  }

  /** Closes it: `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The formats of its keys and values, as `console.log()` shows them. @hidden */
  [INSPECT](): string {
    const { key, value } = this.formats;
    return described('Producer', `key: ${key}`, `value: ${value}`);
  }

  private async sendMessages(
    topic: string,
    rows: readonly MessageToSend<K, V>[],
    given: SendBatchOptions,
  ): Promise<BatchResult> {
    const known = options('sendBatch()', given, { signal, partition });
    const messages: EncodedMessage[] = [];
    const field = new Field();
    for (const row of rows) {
      field.row = messages.length;
      messages.push(encodeMessage(row, this.formats, field));
    }
    const buffer = writeRows(messages);
    return abortable(known.signal, (abort) =>
      this.native.sendRows(topic, buffer, messages.length, known.partition, abort),
    );
  }
}

refuseForeignMethods('Producer', Producer);

async function arrowStream(rows: unknown): Promise<Uint8Array> {
  if (rows !== null && typeof rows === 'object' && 'schema' in rows && 'batches' in rows) {
    const stream = await tableStream(rows);
    if (stream === undefined) {
      throw invalid(
        'The table is of another copy of apache-arrow: pass its bytes, tableToIPC(table, "stream").',
      );
    }
    return stream;
  }
  throw invalid(
    `sendBatch() takes an array of messages, a Uint8Array of Arrow IPC or a table of apache-arrow, not ${typeName(rows)}.`,
  );
}
