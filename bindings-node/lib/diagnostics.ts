// Tracing channels of `node:diagnostics_channel` for produce, consume and commit. Without subscribers no event is made.

import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import type { BatchResult, RecordMetadata, TopicPartitionOffset } from '../native.js';
import type { Batch } from './batch.js';
import type { Consumer } from './consumer.js';
import type { Format } from './formats.js';
import type { Message } from './message.js';
import type { Producer } from './producer.js';
import type { HeadersCarrier } from './propagation.js';
import type { MessageToSend } from './records.js';

/** A copy of a message that is sent. A subscriber of `start` may set its headers. */
export interface TracedMessage extends MessageToSend<Format, Format> {
  headers: HeadersCarrier;
}

/** The events of the tracing channel `headwater:produce`: calls of `send()` and `sendBatch()`, and of `writable()`. */
export interface ProduceEvent {
  /** The producer. */
  // biome-ignore lint/suspicious/noExplicitAny: a producer of any formats
  producer: Producer<any, any>;
  /** The topic's name. */
  topic: string;
  /** The messages. A table of Arrow has none. */
  messages: TracedMessage[] | undefined;
  /** Where the messages were written; from `asyncStart` on. */
  result?: RecordMetadata | BatchResult;
  /** Why they were not. */
  error?: unknown;
}

/** The events of the tracing channel `headwater:consume`: reads, and calls of handlers. */
export interface ConsumeEvent {
  /** The consumer. */
  // biome-ignore lint/suspicious/noExplicitAny: a consumer of any formats
  consumer: Consumer<any, any>;
  /**
   * "process" for a handler of `run()`, from its call until its promise is settled; "receive" for a message, or for a
   * batch of `poll()` and `batches()`, from the call that waits for it until it is handed out.
   */
  operation: 'receive' | 'process';
  /** The messages; of "receive" from `asyncStart` on. */
  // biome-ignore lint/suspicious/noExplicitAny: messages of any formats
  messages: Batch<any, any> | readonly Message<any, any>[] | undefined;
  /** Why the handler, or the wait, failed. */
  error?: unknown;
}

/** The events of the tracing channel `headwater:commit`: explicit commits. Auto-commit does not publish. */
export interface CommitEvent {
  /** The consumer. */
  // biome-ignore lint/suspicious/noExplicitAny: a consumer of any formats
  consumer: Consumer<any, any>;
  /** The offsets, or undefined for the positions of all partitions. */
  offsets: TopicPartitionOffset[] | undefined;
  /** Why nothing was committed. */
  error?: unknown;
}

type Channel<E extends object> = TracingChannel<unknown, E>;

export const PRODUCE: Channel<ProduceEvent> = tracingChannel('headwater:produce');
export const CONSUME: Channel<ConsumeEvent> = tracingChannel('headwater:consume');
export const COMMIT: Channel<CommitEvent> = tracingChannel('headwater:commit');

/** Whether a channel has subscribers. Its own `hasSubscribers` is missing before Node 20.13. */
export function isObserved<E extends object>(channel: Channel<E>): boolean {
  return (
    channel.start.hasSubscribers ||
    channel.end.hasSubscribers ||
    channel.asyncStart.hasSubscribers ||
    channel.asyncEnd.hasSubscribers ||
    channel.error.hasSubscribers
  );
}

/** Commits, and publishes that. */
export function committed<T>(
  consumer: CommitEvent['consumer'],
  offsets: CommitEvent['offsets'],
  call: () => Promise<T>,
): Promise<T> {
  return isObserved(COMMIT) ? COMMIT.tracePromise(call, { consumer, offsets }) : call();
}

/** Calls a handler, and publishes that. */
export function processed(
  consumer: ConsumeEvent['consumer'],
  messages: ConsumeEvent['messages'],
  handle: () => unknown,
): unknown {
  return isObserved(CONSUME)
    ? CONSUME.tracePromise(async () => handle(), { consumer, operation: 'process', messages })
    : handle();
}

/** Waits for messages, and publishes that. */
export function received<T>(
  consumer: ConsumeEvent['consumer'],
  call: () => Promise<T>,
  messagesOf: (result: T) => ConsumeEvent['messages'],
): Promise<T> {
  if (!isObserved(CONSUME)) {
    return call();
  }
  const event: ConsumeEvent = { consumer, operation: 'receive', messages: undefined };
  return CONSUME.tracePromise(async () => {
    const result = await call();
    event.messages = messagesOf(result);
    return result;
  }, event);
}

/** A copy whose headers a subscriber may change. A message that is not valid stays as it is: the call refuses it. */
export function tracedMessage(message: unknown): TracedMessage {
  if (message === null || typeof message !== 'object') {
    return message as TracedMessage;
  }
  const { headers } = message as Partial<TracedMessage>;
  return { ...message, headers: copied(headers ?? []) };
}

function copied(headers: HeadersCarrier): HeadersCarrier {
  if (Array.isArray(headers)) {
    return [...headers];
  }
  return typeof headers === 'object' ? { ...headers } : headers;
}
