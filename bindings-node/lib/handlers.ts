// The handlers of `Consumer.run()`, called for the messages of one partition.

import type { Message } from './message.js';
import { offset } from './options.js';
import type { TopicPartitionOffset } from './positions.js';
import type { PartitionWork } from './work.js';

/** The argument of `eachMessage`. */
export interface EachMessagePayload<K = Buffer | null, V = Buffer | null> {
  /** The topic's name. */
  topic: string;
  /** The partition's number. */
  partition: number;
  /** The message. */
  message: Message<K, V>;
  /** Does nothing: heartbeats are sent in the background. For handlers written for other clients. */
  heartbeat(): Promise<void>;
  /** Pauses the partition. Returns a function that resumes it. */
  pause(): () => void;
}

/** Fetched messages of a partition. */
export interface FetchedBatch<K = Buffer | null, V = Buffer | null> {
  /** The topic's name. */
  topic: string;
  /** The partition's number. */
  partition: number;
  /** The messages, in order. */
  messages: Message<K, V>[];
  /** The offset of the first message. */
  firstOffset(): bigint;
  /** The offset of the last message. */
  lastOffset(): bigint;
}

/** The argument of `eachBatch`. */
export interface EachBatchPayload<K = Buffer | null, V = Buffer | null> {
  /** The messages. */
  batch: FetchedBatch<K, V>;
  /** Finishes the messages up to this offset, inclusive. */
  resolveOffset(offset: bigint | number): void;
  /** Does nothing: heartbeats are sent in the background. For handlers written for other clients. */
  heartbeat(): Promise<void>;
  /** Commits finished messages, or the given offsets. */
  commitOffsetsIfNecessary(offsets?: TopicPartitionOffset[]): Promise<void>;
  /** The offset after the finished messages of the partition. */
  uncommittedOffsets(): TopicPartitionOffset[];
  /** Whether `run()` continues. */
  isRunning(): boolean;
  /** Whether the partition was revoked or moved, so that the batch need not be processed any more. */
  isStale(): boolean;
  /** Pauses the partition. Returns a function that resumes it. */
  pause(): () => void;
}

/** What the runner gives to handlers. */
export interface RunnerCalls<K, V> {
  /** Calls a handler, and publishes that. */
  trace(messages: readonly Message<K, V>[], handle: () => unknown): unknown;
  autoResolve: boolean;
  isRunning(): boolean;
  commit(offsets: TopicPartitionOffset[]): Promise<void>;
  pause(): () => void;
}

const heartbeat = () => Promise.resolve();

/** Passes the first message to the handler, and finishes it. */
export async function handleMessage<K, V>(
  handler: (payload: EachMessagePayload<K, V>) => unknown,
  work: PartitionWork<K, V>,
  calls: RunnerCalls<K, V>,
): Promise<void> {
  const message = work.front;
  if (message === undefined) {
    return;
  }
  const { topic, partition, seeks } = work;
  const payload = { topic, partition, message, heartbeat, pause: calls.pause };
  await calls.trace([message], () => handler(payload));
  if (work.seeks === seeks) {
    work.finishBefore(message.offset + 1n);
  }
}

/** Passes the remaining messages to the handler, and finishes those that it has resolved, or all. */
export async function handleBatch<K, V>(
  handler: (payload: EachBatchPayload<K, V>) => unknown,
  work: PartitionWork<K, V>,
  calls: RunnerCalls<K, V>,
): Promise<void> {
  const messages = work.left;
  const [first, last] = [messages[0], messages.at(-1)];
  if (first === undefined || last === undefined) {
    return;
  }
  const { topic, partition, seeks } = work;
  const isStale = () => work.isRevoked || work.seeks !== seeks;
  const [firstOffset, lastOffset] = [first.offset, last.offset];
  let resolved: bigint | undefined;
  const finishResolved = () => {
    if (resolved !== undefined && work.seeks === seeks) {
      work.finishBefore(resolved + 1n);
    }
  };
  const uncommittedOffsets = () =>
    resolved === undefined ? [] : [{ topic, partition, offset: resolved + 1n }];
  const payload: EachBatchPayload<K, V> = {
    batch: {
      topic,
      partition,
      messages,
      firstOffset: () => firstOffset,
      lastOffset: () => lastOffset,
    },
    resolveOffset: (given) => {
      resolved = offset(given, 'offset');
    },
    heartbeat,
    commitOffsetsIfNecessary: async (offsets) => {
      const committed = offsets ?? uncommittedOffsets();
      if (committed.length > 0) {
        await calls.commit(committed);
      }
    },
    uncommittedOffsets,
    isRunning: calls.isRunning,
    isStale,
    pause: calls.pause,
  };
  try {
    await calls.trace(messages, () => handler(payload));
    if (calls.autoResolve && !isStale()) {
      resolved = lastOffset;
    }
  } finally {
    finishResolved();
  }
  if (!work.isEmpty) {
    // Unresolved messages are passed again, after other partitions had their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
