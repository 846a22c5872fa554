// The handlers of `Consumer.run()`, called for the messages of one partition.

import type { Message } from './message.js';
import { offset } from './options.js';
import type { TopicPartitionOffset } from './positions.js';
import type { PartitionWork } from './work.js';

/** What `eachMessage` gets. */
export interface EachMessagePayload<K = Buffer | null, V = Buffer | null> {
  /** The topic's name. */
  topic: string;
  /** The partition's number. */
  partition: number;
  /** The message. */
  message: Message<K, V>;
  /** Heartbeats are sent in the background: this is for handlers that were written for other clients. */
  heartbeat(): Promise<void>;
  /** Pauses the partition. The result resumes it. */
  pause(): () => void;
}

/** The messages that were fetched of a partition. */
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

/** What `eachBatch` gets. */
export interface EachBatchPayload<K = Buffer | null, V = Buffer | null> {
  /** The messages. */
  batch: FetchedBatch<K, V>;
  /** Finishes the messages up to this offset, inclusive. */
  resolveOffset(offset: bigint | number): void;
  /** Heartbeats are sent in the background: this is for handlers that were written for other clients. */
  heartbeat(): Promise<void>;
  /** Commits what is finished, or the given offsets. */
  commitOffsetsIfNecessary(offsets?: TopicPartitionOffset[]): Promise<void>;
  /** The offset behind what is finished of the partition. */
  uncommittedOffsets(): TopicPartitionOffset[];
  /** Whether `run()` goes on. */
  isRunning(): boolean;
  /** Whether the partition was revoked or moved: the batch need not be worked on any more. */
  isStale(): boolean;
  /** Pauses the partition. The result resumes it. */
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

/** Hands the message in front over, and finishes it. */
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

/** Hands the messages that are left over, and finishes those that the handler has resolved, or all. */
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
    // What was not resolved comes again, after others had their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
