// The broker of `headwater/testing`.

import { setTimeout as sleep } from 'node:timers/promises';
import type { WaitOptions } from './abort.js';
import type { Client } from './client.js';
import type { CreateTopicOptions } from './client_options.js';
import type { Consumer } from './consumer.js';
import { RequestTimedOutError, UnknownTopicOrPartitionError } from './errors.js';
import { type Decoded, FORMATS, type Format, type FormatOptions } from './formats.js';
import type { Message } from './message.js';
import { callback, count, milliseconds, options, signal, text } from './options.js';
import type { Server } from './server.js';

/** The formats of {@link TestBroker.waitFor}, and how long it waits. */
export interface WaitForOptions<K extends Format = Format, V extends Format = Format>
  extends FormatOptions<K, V, undefined>,
    WaitOptions {
  /** How long to wait, in milliseconds; 4,000 by default, which is less than the time-out of test runners. */
  timeoutMs?: number;
}

/** The end of a `waitFor`: a number of messages, or one that a function accepts. */
type Target<K, V> = number | ((message: Message<K, V>) => unknown);

const TIMEOUT_MS = 4_000;
/** The pause before a topic that does not exist is looked for again. */
const UNKNOWN_TOPIC_MS = 10;
const RECORDS_MAX = 65_536;

/** A broker in memory, for tests. {@link startBroker} starts it. */
export class TestBroker implements AsyncDisposable {
  private closing: Promise<void> | undefined;

  /** @internal */
  constructor(
    /** The embedded client: it creates topics, sends, and reads. */
    readonly client: Client,
    private readonly server: Server,
    private readonly topics: ReadonlyMap<string, CreateTopicOptions>,
  ) {}

  /** The "HOST:PORT" that Kafka clients connect to. */
  get address(): string {
    return this.server.bootstrapServers;
  }

  /** The address as kafkajs takes it. */
  get brokers(): string[] {
    return this.address.split(',');
  }

  /** The messages of a topic: partition by partition, in offset order. */
  async messages<K extends Format = 'bytes', V extends Format = 'bytes'>(
    topic: string,
    given: FormatOptions<K, V, undefined> & WaitOptions = {},
  ): Promise<Message<Decoded<K>, Decoded<V>>[]> {
    return [...(await this.client.topic(topic).scan(given).collect())];
  }

  /**
   * Waits until a topic has so many messages, counted from its start, and returns all that it has then. The topic may
   * be created later.
   */
  waitFor<K extends Format = 'bytes', V extends Format = 'bytes'>(
    topic: string,
    messages: number,
    given?: WaitForOptions<K, V>,
  ): Promise<Message<Decoded<K>, Decoded<V>>[]>;
  /** Waits until a function accepts a message of a topic, and returns that message. */
  waitFor<K extends Format = 'bytes', V extends Format = 'bytes'>(
    topic: string,
    accepts: (message: Message<Decoded<K>, Decoded<V>>) => unknown,
    given?: WaitForOptions<K, V>,
  ): Promise<Message<Decoded<K>, Decoded<V>>>;
  async waitFor<K extends Format, V extends Format>(
    topic: string,
    target: Target<Decoded<K>, Decoded<V>>,
    given: WaitForOptions<K, V> = {},
  ): Promise<Message<Decoded<K>, Decoded<V>> | Message<Decoded<K>, Decoded<V>>[]> {
    const known = options('waitFor()', given, { ...FORMATS, signal, timeoutMs: milliseconds });
    const { signal: wait, timeoutMs = TIMEOUT_MS } = known;
    const { signal: _signal, timeoutMs: _timeoutMs, ...formats } = given;
    const checked =
      typeof target === 'function'
        ? (callback(target, 'accepts') as typeof target)
        : count(target, 'messages');
    const consumer = this.client.consumer<K, V>({
      topics: text(topic, 'topic'),
      autoOffsetReset: 'earliest',
      ...formats,
    });
    try {
      return await readUntil(consumer, topic, checked, timeoutMs, wait);
    } finally {
      await consumer.close();
    }
  }

  /** Deletes all records, between two tests. Topics, groups and offsets stay, so that connected clients go on. */
  async clear(): Promise<void> {
    await Promise.all((await this.client.topics()).map(({ name }) => this.deleteRecords(name)));
  }

  /**
   * Deletes all topics and groups, and creates the topics of `startBroker()` anew. Rejects while a group has members.
   */
  async reset(): Promise<void> {
    const groups = await this.client.groups();
    await Promise.all(groups.map(({ groupId }) => this.client.deleteGroup(groupId)));
    const topics = await this.client.topics();
    await Promise.all(topics.map(({ name }) => this.client.deleteTopic(name)));
    await this.createTopics();
  }

  /** Ends all connections, and forgets everything. Idempotent. */
  close(): Promise<void> {
    this.closing ??= this.server.close().then(() => this.client.close());
    return this.closing;
  }

  /** Closes it: `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal */
  async createTopics(): Promise<void> {
    await Promise.all(
      [...this.topics].map(([name, given]) => this.client.createTopic(name, given)),
    );
  }

  private async deleteRecords(topic: string): Promise<void> {
    const config = await this.client.topicConfig(topic);
    const policy = config.find(({ name }) => name === 'cleanup.policy')?.value ?? 'delete';
    if (policy.includes('delete')) {
      await this.client.deleteRecords(topic, 'latest');
      return;
    }
    // Kafka deletes records on request only where its policy deletes records, too.
    await this.client.alterTopic(topic, { cleanupPolicy: 'compact,delete' });
    await this.client.deleteRecords(topic, 'latest');
    await this.client.alterTopic(topic, { cleanupPolicy: policy });
  }
}

async function readUntil<K, V>(
  consumer: Consumer<K, V>,
  topic: string,
  target: Target<K, V>,
  timeoutMs: number,
  wait: AbortSignal | undefined,
): Promise<Message<K, V> | Message<K, V>[]> {
  const deadline = performance.now() + timeoutMs;
  const read: Message<K, V>[] = [];
  let [isKnown, isLate] = [true, false];
  for (;;) {
    if (typeof target === 'number' && read.length >= target) {
      return read;
    }
    if (isLate) {
      throw late(topic, target, timeoutMs, isKnown, read.length);
    }
    const left = deadline - performance.now();
    isLate = left <= 0;
    const batch = await pollKnown(consumer, Math.max(0, left), wait);
    isKnown = batch !== undefined;
    for (const message of batch ?? []) {
      read.push(message);
      if (typeof target === 'function' && (await target(message))) {
        return message;
      }
    }
  }
}

/** Polls; undefined if the topic does not exist yet. */
async function pollKnown<K, V>(
  consumer: Consumer<K, V>,
  timeoutMs: number,
  wait: AbortSignal | undefined,
): Promise<Iterable<Message<K, V>> | undefined> {
  try {
    return await consumer.poll({ timeoutMs, maxRecords: RECORDS_MAX, signal: wait });
  } catch (error) {
    if (!(error instanceof UnknownTopicOrPartitionError)) {
      throw error;
    }
    await sleep(Math.min(UNKNOWN_TOPIC_MS, timeoutMs));
    return undefined;
  }
}

function late(
  topic: string,
  target: number | object,
  timeoutMs: number,
  isKnown: boolean,
  count: number,
): RequestTimedOutError {
  const message = lateMessage(topic, target, timeoutMs, isKnown, count);
  return new RequestTimedOutError(message, { code: 'REQUEST_TIMED_OUT', retriable: true, topic });
}

function lateMessage(
  topic: string,
  target: number | object,
  timeoutMs: number,
  isKnown: boolean,
  count: number,
): string {
  if (!isKnown) {
    return `The topic \`${topic}\` does not exist after ${timeoutMs} ms.`;
  }
  return typeof target === 'number'
    ? `The topic \`${topic}\` has ${count} of ${target} messages after ${timeoutMs} ms.`
    : `None of the ${count} messages of the topic \`${topic}\` is accepted after ${timeoutMs} ms.`;
}
