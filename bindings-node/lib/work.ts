// The messages of one partition that `run()` has fetched and not finished.

import type { Message } from './message.js';
import { keyOf, type TopicPartition } from './positions.js';

/** A partition's queue. One handler at a time processes it. */
export class PartitionWork<K, V> {
  readonly topic: string;
  readonly partition: number;
  /** Fetched messages, from the first that is not finished. */
  messages: Message<K, V>[] = [];
  /** The next message in `messages`. */
  index = 0;
  /** The offset after the last finished message. */
  finished: bigint | undefined;
  /** Whether a handler is processing it, or will after a pause. */
  isBusy = false;
  /** Whether the caller has paused it. */
  isPaused = false;
  /** Whether it was revoked: no more messages are passed to handlers. */
  isRevoked = false;
  /** Whether its first message has failed and is waiting. */
  isWaiting = false;
  /** The number of seeks: messages that a handler finishes after one do not count. */
  seeks = 0;
  /** The number of failures of the first message. */
  failures = 0;
  /** Ends the pause after a failure. */
  retry: NodeJS.Timeout | undefined;

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic;
    this.partition = partition;
  }

  get isEmpty(): boolean {
    return this.index >= this.messages.length;
  }

  /** The first message. */
  get front(): Message<K, V> | undefined {
    return this.messages[this.index];
  }

  /** The remaining messages. */
  get left(): Message<K, V>[] {
    return this.messages.slice(this.index);
  }

  /** Adds fetched messages. If their offsets go back, the topic was recreated: drops those of the old one. */
  add(messages: Message<K, V>[]): void {
    const before = this.messages.at(-1)?.offset;
    const next = before === undefined ? this.finished : before + 1n;
    const [first] = messages;
    if (first !== undefined && next !== undefined && first.offset < next) {
      this.sought();
    }
    this.messages = this.isEmpty ? messages : [...this.left, ...messages];
    this.index = 0;
  }

  /** Finishes the messages before this offset. */
  finishBefore(offset: bigint): void {
    let front = this.front;
    while (front !== undefined && front.offset < offset) {
      this.index++;
      front = this.front;
    }
    this.finished = offset;
    this.failures = 0;
    if (this.isEmpty) {
      this.messages = [];
      this.index = 0;
    }
  }

  /** Whether a handler may get the first message. */
  get isReady(): boolean {
    return !this.isEmpty && !this.isPaused && !this.isWaiting && !this.isRevoked;
  }

  /** Handles a seek: drops the fetched messages. */
  sought(): void {
    this.seeks++;
    this.finished = undefined;
    this.failures = 0;
    this.drop();
  }

  /** Releases the partition when its handler has ended. */
  revoked(): void {
    this.isRevoked = true;
    this.drop();
  }

  private drop(): void {
    clearTimeout(this.retry);
    this.isWaiting = false;
    this.messages = [];
    this.index = 0;
  }
}

/** Messages by the key of their partition. */
export function byPartition<K, V>(
  all: Iterable<Message<K, V>>,
): Map<string, { at: TopicPartition; messages: Message<K, V>[] }> {
  const parts = new Map<string, { at: TopicPartition; messages: Message<K, V>[] }>();
  for (const message of all) {
    const { topic, partition } = message;
    const key = keyOf({ topic, partition });
    const part = parts.get(key);
    if (part === undefined) {
      parts.set(key, { at: { topic, partition }, messages: [message] });
    } else {
      part.messages.push(message);
    }
  }
  return parts;
}
