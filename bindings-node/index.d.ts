// The public declarations, written by scripts/check-types.mjs. A diff of this file shows a change of the API.

// abort.d.ts

import type { Abort } from '../native.js';
/** The option of every call that waits. */
export interface WaitOptions {
    /** Aborts the call: it rejects with `AbortError`. */
    signal?: AbortSignal | undefined;
}
/** Runs a call that `signal` can abort. An aborted call loses no records: the next call returns them. */
export declare function abortable<T>(signal: AbortSignal | undefined, call: (abort?: Abort) => Promise<T>): Promise<T>;
/** Waits for a promise whose work continues when `signal` aborts the wait. */
export declare function abortableWait<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T>;

// arrow.d.ts

/** The package; `instead` does without it. */
export declare function arrow(instead: string): typeof import('apache-arrow');
/**
 * The stream of a table of apache-arrow. Its modules for `import` and `require` do not recognise each other's tables.
 */
export declare function tableStream(table: object): Promise<Uint8Array | undefined>;

// batch.d.ts

import type { Table } from 'apache-arrow';
import type { TopicPartitionOffset } from '../native.js';
import { type WaitOptions } from './abort.js';
import { type Decoded, type Format, type FormatOptions } from './formats.js';
import { INSPECT } from './inspection.js';
import { Message } from './message.js';
import type { Schema } from './schema.js';
/** Records as a table, ordered by partition and offset. Iterating it yields its messages. */
export declare class Batch<K = Buffer | null, V = Buffer | null> implements Iterable<Message<K, V>> {
    private readonly native;
    private readonly formats;
    private readonly commitOffsets?;
    private cached;
    /** The number of records. */
    get length(): number;
    /** The names of the columns. */
    get columns(): string[];
    /** The number of records that `onError: 'skip'` has skipped since the previous batch. */
    get skipped(): number;
    /** The position after the batch, for each partition in it. */
    get nextOffsets(): TopicPartitionOffset[];
    /** The message at an index; counted from the end if it is negative. */
    at(index: number): Message<K, V> | undefined;
    /**
     * The messages from index `start` up to index `end`, exclusive, as a batch, without a copy. Negative indexes count
     * from the end, as in `Array.prototype.slice()`.
     */
    slice(start?: number, end?: number): Batch<K, V>;
    /**
     * The same records with keys and values in other formats: see {@link FormatOptions}. The batch must have them as
     * bytes. Rejects with `DecodeError` if a record does not have the format, unless `onError` allows it.
     */
    decode<DK extends Format = 'bytes', DV extends Format = 'bytes', const S extends Schema | undefined = undefined>(given?: FormatOptions<DK, DV, S> & WaitOptions): Promise<Batch<Decoded<DK>, Decoded<DV, S>>>;
    /** The messages, in order. */
    [Symbol.iterator](): IterableIterator<Message<K, V>>;
    /** Commits the offsets after the batch for the group of the consumer that read it. */
    commit(): Promise<void>;
    /** The records in the stream format of Arrow IPC. */
    toArrowIPC(): Buffer;
    /** The records as a table of apache-arrow, which must be installed. */
    toArrow(): Table;
    /** Its first messages, as `console.log()` shows them. @hidden */
    [INSPECT](_depth: number, _options: object, inspect: (value: unknown) => string): string;
    /** The row of an index that may be negative or behind the end. */
    private row;
    private message;
}

// client.d.ts

import type { ClusterDescription, ConfigEntry, GroupDescription, GroupInfo, GroupOffset, RecoveryReport, TopicInfo } from '../native.js';
import { type WaitOptions } from './abort.js';
import type { AlterTopicOptions, ConsumerOptions, CreateTopicOptions, ProducerOptions, ServeOptions } from './client_options.js';
import { Consumer } from './consumer.js';
import { type Decoded, type Format } from './formats.js';
import { INSPECT } from './inspection.js';
import type { Metrics } from './metrics.js';
import { type Position } from './positions.js';
import { Producer } from './producer.js';
import type { Schema } from './schema.js';
import { Server } from './server.js';
import { Topic } from './topic.js';
/** A connection to an engine or a cluster: creates topics, producers and consumers. */
export declare class Client implements AsyncDisposable {
    private readonly native;
    /** Its directory or its bootstrap servers; undefined in memory. */
    private readonly place;
    private readonly servers;
    /** Creates a topic. */
    createTopic(name: string, given?: CreateTopicOptions): Promise<Topic>;
    /** A handle on a topic. An unknown topic fails on first use. */
    topic(name: string): Topic;
    /** The topics, by name. */
    topics(given?: WaitOptions & {
        internal?: boolean;
    }): Promise<TopicInfo[]>;
    /** Adds partitions, and sets configuration keys; `null` resets a key to its default. */
    alterTopic(name: string, given: AlterTopicOptions): Promise<void>;
    /**
     * Deletes a topic with its records. Returns whether it existed; an unknown topic is an error unless `missingOk` is
     * set.
     */
    deleteTopic(name: string, given?: WaitOptions & {
        missingOk?: boolean;
    }): Promise<boolean>;
    /** Deletes the records before a position. Returns the new start offset of each partition. */
    deleteRecords(name: string, before: Position, given?: WaitOptions): Promise<Map<number, bigint>>;
    /** The configuration of a topic, with the source of each value. */
    topicConfig(name: string, given?: WaitOptions): Promise<ConfigEntry[]>;
    /** The configuration of a broker, by default of the one with the lowest id, with the source of each value. */
    brokerConfig(broker?: number, given?: WaitOptions): Promise<ConfigEntry[]>;
    /** The consumer groups, by name. */
    groups(given?: WaitOptions): Promise<GroupInfo[]>;
    /** A group with its members and their partitions. An unknown group is an error. */
    describeGroup(groupId: string, given?: WaitOptions): Promise<GroupDescription>;
    /** The committed offsets of a group, with the end of each partition and the lag. Empty for an unknown group. */
    groupOffsets(groupId: string, given?: WaitOptions): Promise<GroupOffset[]>;
    /**
     * Sets the committed offsets of a group for a topic, and returns them. An offset outside the log becomes its start
     * or its end. The group must have no members; an unknown group is created.
     */
    resetGroupOffsets(groupId: string, topic: string, to: Position, given?: WaitOptions): Promise<Map<number, bigint>>;
    /** Deletes a group with its committed offsets. It must have no members. */
    deleteGroup(groupId: string, given?: WaitOptions): Promise<void>;
    /** A producer. */
    producer<K extends Format = 'bytes', V extends Format = 'bytes'>(given?: ProducerOptions<K, V>): Producer<K, V>;
    /**
     * A consumer of topics; without topics, pass the partitions to `assign()`. With `groupId` it shares them with the
     * other members of the group and starts at the committed offsets. An unknown topic fails at the first read.
     */
    consumer<K extends Format = 'bytes', V extends Format = 'bytes', const S extends Schema | undefined = undefined>(given?: ConsumerOptions<K, V, S>): Consumer<Decoded<K>, Decoded<V, S>>;
    /** Opens the engine to any Kafka client. The client of a cluster refuses this call. */
    serve(given?: ServeOptions): Promise<Server>;
    /** The brokers of the cluster, and the controller among them. */
    describeCluster(given?: WaitOptions): Promise<ClusterDescription>;
    /** The metrics of this client. Sends no request. */
    metrics(): Metrics;
    /** The report of opening the directory; `null` if it was closed in order, and nothing was missing or damaged. */
    get recovery(): RecoveryReport | null;
    /**
     * Sends the queued records of producers, then closes the client and everything created from it. The engine closes
     * with its last client. Rejects if records could not be sent: the error has their number. Idempotent.
     */
    close(): Promise<void>;
    /** Closes it: `await using`. */
    [Symbol.asyncDispose](): Promise<void>;
    /** Where its data is, and the number of topics of an embedded engine, as `console.log()` shows them. @hidden */
    [INSPECT](): string;
    private serveWith;
}

// client_options.d.ts

import type { WaitOptions } from './abort.js';
import type { ConfigValue, KafkaConfig } from './config.js';
import type { Format, FormatOptions } from './formats.js';
import type { Schema } from './schema.js';
import type { Subscription } from './subscription.js';
/** The options of {@link Client.createTopic}. Other keys are the topic's configuration. */
export interface CreateTopicOptions extends WaitOptions {
    /** The number of partitions; 1 by default, `null` for the broker's `num.partitions`. */
    partitions?: number | null;
    /** The number of replicas; the broker's default by default. */
    replicationFactor?: number;
    /** Whether an existing topic is an error, or is used unchanged; "error" by default. */
    ifExists?: 'error' | 'ignore';
    /** Configuration keys as Kafka spells them. */
    config?: Record<string, ConfigValue>;
    [key: string]: ConfigValue | object | null | undefined;
}
/** The changes of {@link Client.alterTopic}. Other keys are configuration; `null` resets a key to its default. */
export interface AlterTopicOptions extends WaitOptions {
    /** The new number of partitions, which must be larger. */
    partitions?: number;
    /** Configuration keys in Kafka's spelling. */
    config?: Record<string, ConfigValue | null>;
    [key: string]: ConfigValue | null | object | undefined;
}
/** The options of {@link Client.producer}. Other keys are Kafka's producer configuration. */
export interface ProducerOptions<K extends Format = Format, V extends Format = Format> extends KafkaConfig {
    /** The format of keys: bytes or text ("bytes", the default), text ("string"), or any JSON value ("json"). */
    key?: K;
    /** The format of values; see `key`. */
    value?: V;
}
/** The options of {@link Client.consumer}. Other keys are Kafka's consumer configuration. */
export interface ConsumerOptions<K extends Format = Format, V extends Format = Format, S extends Schema | undefined = Schema | undefined> extends FormatOptions<K, V, S>, Omit<KafkaConfig, 'key' | 'value' | 'schema' | 'unnest' | 'unnestPrefix' | 'rest' | 'onError'> {
    /** The topics to read; a regular expression needs a group. */
    topics?: Subscription;
    /** The group of the consumer. */
    groupId?: string;
}
/** The options of {@link Client.serve}. */
export interface ServeOptions {
    /** The host to listen on; "127.0.0.1" by default. */
    host?: string;
    /** The port; 9092 by default, 0 uses a free port. */
    port?: number;
    /** The "HOST:PORT" that clients connect to; the listening address by default. */
    advertised?: string;
    /** The security of connections; "PLAINTEXT" by default. */
    securityProtocol?: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
    /** The certificate chain, a PEM file. */
    tlsCert?: string;
    /** The private key of the certificate, a PEM file. */
    tlsKey?: string;
    /** The allowed SASL mechanisms; all by default. */
    saslMechanisms?: string[];
    /** Whether other machines may connect without TLS and SASL; false by default. */
    allowInsecure?: boolean;
}

// config.d.ts

/** A value of a configuration key. */
export type ConfigValue = string | number | bigint | boolean | readonly (string | number)[];
/** Configuration keys in Kafka's spelling (`"auto.offset.reset"`) or in camelCase (`autoOffsetReset`). */
export interface KafkaConfig {
    /** Keys in Kafka's spelling. */
    config?: Record<string, ConfigValue>;
    [key: string]: ConfigValue | Record<string, ConfigValue> | object | undefined;
}
/** The keys and values of the options that are configuration. */
export declare function pairs(config: Record<string, unknown> | undefined, rest: Record<string, unknown>): [string, string][];
/** The same with `null`, which resets a key to its default. */
export declare function changes(config: Record<string, unknown> | undefined, rest: Record<string, unknown>): [string, string | undefined][];
/** Converts `autoOffsetReset` to `auto.offset.reset`. */
export declare function kafkaKey(key: string): string;
/** A value in Kafka's format. */
export declare function valueText(key: string, value: unknown): string;

// consumer.d.ts

import { Readable } from 'node:stream';
import type { GroupMetadata, TopicPartitionLag } from '../native.js';
import { type WaitOptions } from './abort.js';
import { Batch } from './batch.js';
import type { BatchesOptions, PartitionsOptions, PollOptions } from './consumer_options.js';
import { INSPECT } from './inspection.js';
import { Message } from './message.js';
import { type Offsets } from './offsets.js';
import { type Position, type TopicPartition, type TopicPartitionOffset } from './positions.js';
import { type RebalanceListener, type RebalanceOptions } from './rebalances.js';
import { type RunOptions } from './run_options.js';
import { type Subscription } from './subscription.js';
/**
 * Reads partitions. Iterating it yields messages. In a group, `enable.auto.commit` periodically commits finished
 * records: a batch or a message is finished when the next one is requested.
 */
export declare class Consumer<K = Buffer | null, V = Buffer | null> implements AsyncIterable<Message<K, V>>, AsyncDisposable {
    private readonly native;
    private readonly formats;
    private topics;
    private readonly messageBuffer;
    private readonly rebalances;
    private readonly events;
    private runner;
    private closing;
    /** Whether it has released its partitions, and was not given others since. */
    private hasLeft;
    private isClosed;
    /** Waits for records. The batch is empty if the time has passed. */
    poll(given?: PollOptions): Promise<Batch<K, V>>;
    /** The batches of a stream. A batch is finished when the next one is requested. */
    batches(given?: BatchesOptions): AsyncIterableIterator<Batch<K, V>>;
    /** The messages, in order. A message is finished when the next one is requested. */
    messages(given?: WaitOptions): AsyncIterableIterator<Message<K, V>>;
    /** The messages, one after the other: `for await`. */
    [Symbol.asyncIterator](): AsyncIterableIterator<Message<K, V>>;
    /** The messages as a stream of objects. */
    readable(given?: WaitOptions): Readable;
    /**
     * Calls a handler for each message or batch, in order in each partition, until `stop()`, `unsubscribe()`, `close()`
     * or the signal ends it; then the promise is fulfilled. A message whose handler throws is passed again after a
     * pause. After `retry.retries` attempts the promise rejects with the handler's error, and the message is not
     * finished. Auto-commit commits the messages that handlers have finished.
     */
    run(given: RunOptions<K, V>): Promise<void>;
    /** Ends `run()` and waits for its handlers, unless it is called inside a handler. */
    stop(): Promise<void>;
    /** Joins the group for topics, or for all current and later topics that a regular expression matches. */
    subscribe(topics: Subscription, given?: RebalanceOptions): Promise<void>;
    /**
     * Ends `run()` like `stop()`, commits finished records, leaves the group and releases the partitions. Inside a
     * handler, `run()` ends after the handler, whose message is not finished: its next owner reads it again.
     */
    unsubscribe(): Promise<void>;
    /** Reads these partitions from now on. Partitions that stay keep their position. */
    assign(partitions: TopicPartition | TopicPartition[], given?: WaitOptions): Promise<void>;
    /** The assigned partitions. */
    assignment(given?: WaitOptions): Promise<TopicPartition[]>;
    /**
     * Commits offsets: of a message or a batch (the offset after it), given ones, or the positions of all partitions.
     * The records before them count as finished. In `run()`, without arguments, it commits the messages that handlers
     * have finished. The group stores the `metadata` of an offset with it.
     */
    commit(what?: Offsets<K, V>, given?: WaitOptions & {
        wait?: boolean;
    }): Promise<void>;
    /** The committed offsets of the group. Partitions without one are left out. */
    committed(given?: PartitionsOptions): Promise<TopicPartitionOffset[]>;
    /** The next offset of each assigned partition. */
    position(given?: WaitOptions): Promise<TopicPartitionOffset[]>;
    /** The number of offsets between the position and the end of each assigned partition. */
    lag(given?: WaitOptions): Promise<TopicPartitionLag[]>;
    /** Moves partitions to a position, or each one to its own offset. Takes effect before the next message. */
    seek(to: Position | TopicPartitionOffset | TopicPartitionOffset[], given?: PartitionsOptions): Promise<void>;
    /** Stops reading partitions. They stay assigned. Takes effect before the next message. */
    pause(given?: PartitionsOptions): Promise<void>;
    /** Reads partitions again. */
    resume(given?: PartitionsOptions): Promise<void>;
    /**
     * Its membership in the group, as it is known now: the member id, the generation, the leader. `null` without a
     * group.
     */
    groupMetadata(): GroupMetadata | null;
    /** The partitions paused by the caller. */
    paused(given?: WaitOptions): Promise<TopicPartition[]>;
    /** Calls a function, which may return a promise, at each rebalance: "assign", "revoke" (before it), "lost". */
    on(event: 'assign' | 'revoke' | 'lost', listener: RebalanceListener): this;
    /** Removes a function added with `on()`. */
    off(event: 'assign' | 'revoke' | 'lost', listener: RebalanceListener): this;
    /** How many records `onError: 'skip'` has skipped so far. Those that are decoded again count again. */
    get skipped(): number;
    /** Rejects the waiting call with `WakeupError`, or else the next one that may wait. */
    wakeup(): void;
    /**
     * Ends waiting calls and `run()`, commits finished records, leaves the group, and rejects further calls.
     * Idempotent. Closing a client closes its consumers.
     */
    close(): Promise<void>;
    /** Closes it: `await using`. */
    [Symbol.asyncDispose](): Promise<void>;
    /** Its group, its topics and the number of its partitions, as `console.log()` shows them. @hidden */
    [INSPECT](_depth: number, _options: object, inspect: (value: unknown) => string): string;
    private closeOnce;
    /** Releases the partitions. */
    private leave;
    /** A call that may change the next records. */
    private changing;
    /** A call that does not change the next records. */
    private entering;
    private refuseIfClosed;
    private batch;
    private batchesOf;
}

// consumer_events.d.ts

import type { ConsumerEvent, Consumer as NativeConsumer, Operation } from '../native.js';
import type { Rebalances } from './rebalances.js';
export declare class ConsumerEvents {
    private readonly native;
    private readonly rebalances;
    /** Drops the messages that were decoded for other calls. */
    private readonly discard;
    constructor(native: NativeConsumer, rebalances: Rebalances, 
    /** Drops the messages that were decoded for other calls. */
    discard: () => void);
    /** Runs an operation until it has a result. */
    next(operation: Operation, wait: AbortSignal | undefined): Promise<ConsumerEvent>;
    /** Releases the partitions. Rethrows the error of a rebalance function afterwards. */
    leave(call: () => Promise<ConsumerEvent>, before: () => void): Promise<void>;
}

// consumer_options.d.ts

import type { WaitOptions } from './abort.js';
import type { TopicPartition } from './positions.js';
/** The options of {@link Consumer.poll}. */
export interface PollOptions extends WaitOptions {
    /** How long to wait for records, in milliseconds; 1,000 by default. */
    timeoutMs?: number;
    /** The most records; `max.poll.records` (500) by default. */
    maxRecords?: number;
}
/** The limits of {@link Consumer.batches}. */
export interface BatchesOptions extends WaitOptions {
    /** The most records in a batch; 65,536 by default. A loop over a smaller one holds the event loop for less time. */
    maxRecords?: number;
    /** The most fetched bytes in a batch; 16 MiB by default. One fetch of one partition may exceed it. */
    maxBytes?: number;
    /** How long to wait for more records once there are some, in milliseconds; 100 by default. */
    maxWaitMs?: number;
    /** When to stop: never, or at the end of each partition at the time of the first call. "forever" by default. */
    until?: 'forever' | 'end';
}
/** The partitions of a call; all that are assigned by default. */
export interface PartitionsOptions extends WaitOptions {
    /** Only these partitions. */
    partitions?: TopicPartition | TopicPartition[];
}

// conversion.d.ts

/** Where values stand that have to be converted. */
export type Conversion = 'integer' | 'bytes' | {
    items: Conversion;
} | {
    values: Conversion;
} | {
    fields: [name: string, conversion: Conversion][];
};
/** Makes an integer of its digits. */
type Integer = (digits: string) => bigint | number;
/** A parsed value with its conversions, which change it in place. */
export declare function convert(value: unknown, conversion: Conversion, integer: Integer): unknown;
export {};

// diagnostics.d.ts

import { type TracingChannel } from 'node:diagnostics_channel';
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
    consumer: Consumer<any, any>;
    /**
     * "process" for a handler of `run()`, from its call until its promise is settled; "receive" for a message, or for a
     * batch of `poll()` and `batches()`, from the call that waits for it until it is handed out.
     */
    operation: 'receive' | 'process';
    /** The messages; of "receive" from `asyncStart` on. */
    messages: Batch<any, any> | readonly Message<any, any>[] | undefined;
    /** Why the handler, or the wait, failed. */
    error?: unknown;
}
/** The events of the tracing channel `headwater:commit`: explicit commits. Auto-commit does not publish. */
export interface CommitEvent {
    /** The consumer. */
    consumer: Consumer<any, any>;
    /** The offsets, or undefined for the positions of all partitions. */
    offsets: TopicPartitionOffset[] | undefined;
    /** Why nothing was committed. */
    error?: unknown;
}
type Channel<E extends object> = TracingChannel<unknown, E>;
export declare const PRODUCE: Channel<ProduceEvent>;
export declare const CONSUME: Channel<ConsumeEvent>;
export declare const COMMIT: Channel<CommitEvent>;
/** Whether a channel has subscribers. Its own `hasSubscribers` is missing before Node 20.13. */
export declare function isObserved<E extends object>(channel: Channel<E>): boolean;
/** Commits, and publishes that. */
export declare function committed<T>(consumer: CommitEvent['consumer'], offsets: CommitEvent['offsets'], call: () => Promise<T>): Promise<T>;
/** Calls a handler, and publishes that. */
export declare function processed(consumer: ConsumeEvent['consumer'], messages: ConsumeEvent['messages'], handle: () => unknown): unknown;
/** Waits for messages, and publishes that. */
export declare function received<T>(consumer: ConsumeEvent['consumer'], call: () => Promise<T>, messagesOf: (result: T) => ConsumeEvent['messages']): Promise<T>;
/** A copy whose headers a subscriber may change. A message that is not valid stays as it is: the call refuses it. */
export declare function tracedMessage(message: unknown): TracedMessage;
export {};

// errors.d.ts

import type { ErrorFields } from '../native.js';
/** The fields of an error. */
export interface ErrorDetails {
    /** Kafka's name for the error, such as `OFFSET_OUT_OF_RANGE`. */
    code?: string;
    /** Whether the same call may succeed later without any change. */
    retriable?: boolean;
    /** Whether the object that reported it is unusable and must be replaced. */
    fatal?: boolean;
    /** The topic concerned. */
    topic?: string;
    /** The partition concerned. */
    partition?: number;
    /** The offset concerned. */
    offset?: bigint;
}
/** The base class of all errors of Headwater. */
export declare class HeadwaterError extends Error {
    /** Kafka's name for the error. */
    readonly code: string;
    /** Whether the same call may succeed later without any change. */
    readonly retriable: boolean;
    /** Whether the object that reported it is unusable and must be replaced. */
    readonly fatal: boolean;
    /** The topic concerned, if it is known. */
    readonly topic: string | undefined;
    /** The partition concerned, if it is known. */
    readonly partition: number | undefined;
    /** The offset concerned, if it is known. */
    readonly offset: bigint | undefined;
    constructor(message: string, details?: ErrorDetails);
}
/** An object was closed before the call, or while it waited. */
export declare class ClosedError extends HeadwaterError {
}
/** An object was created before a `fork()` and used in the child. */
export declare class ForkError extends HeadwaterError {
}
/** A waiting call was ended by `Consumer.wakeup()`. No records were lost. */
export declare class WakeupError extends HeadwaterError {
}
/** An error that has a Kafka code. */
export declare class KafkaError extends HeadwaterError {
}
/** The broker refused the credentials, or could not prove its own identity. */
export declare class AuthenticationError extends KafkaError {
}
/** The operating system, or the broker, refused access. */
export declare class AuthorizationError extends KafkaError {
}
/** A configuration key is unknown, or its value is not allowed. */
export declare class ConfigError extends KafkaError {
}
/** Stored bytes are damaged. */
export declare class CorruptLogError extends KafkaError {
}
/** A record does not have the requested format. */
export declare class DecodeError extends KafkaError {
    /** The original key, if it was read. */
    readonly key: Buffer | null;
    /** The original value, if it was read. */
    readonly value: Buffer | null;
    constructor(message: string, details?: ErrorDetails & {
        key?: Buffer;
        value?: Buffer;
    });
}
/** An argument is invalid. The message has its name. */
export declare class InvalidArgumentError extends KafkaError {
}
/** The name is not a valid topic name. */
export declare class InvalidTopicError extends KafkaError {
}
/** Another process has locked the directory. */
export declare class LockedError extends KafkaError {
}
/** The directory is not a data directory of Headwater or Kafka. */
export declare class NotADataDirectoryError extends KafkaError {
}
/** The offset is not, or no longer, in the log. */
export declare class OffsetOutOfRangeError extends KafkaError {
}
/** The idempotent producer lost its sequence. */
export declare class OutOfOrderSequenceError extends KafkaError {
}
/** A newer producer with the same identity has taken over. */
export declare class ProducerFencedError extends KafkaError {
}
/** The record or the batch is larger than a limit allows. */
export declare class RecordTooLargeError extends KafkaError {
}
/** The call did not complete within its timeout. */
export declare class RequestTimedOutError extends KafkaError {
}
/** The disk is full, or storage failed. */
export declare class StorageError extends KafkaError {
}
/** The topic already exists. */
export declare class TopicAlreadyExistsError extends KafkaError {
}
/** The broker cannot be reached. */
export declare class TransportError extends KafkaError {
}
/** The topic or the partition does not exist. */
export declare class UnknownTopicOrPartitionError extends KafkaError {
}
/** The call was aborted by its `AbortSignal`. `cause` is the signal's reason. */
export declare class AbortError extends Error {
    /** Node's name of an aborted call. */
    readonly name = "AbortError";
    /** Node's code of an aborted call. */
    readonly code = "ABORT_ERR";
    constructor(reason?: unknown);
}
/** Makes the error of the native half. */
export declare function makeError(fields: ErrorFields): Error;
/** The error of an invalid argument. */
export declare function invalid(message: string): InvalidArgumentError;
export declare function consumerClosed(): ClosedError;

// flat.d.ts

import { type Conversion } from './conversion.js';
import type { Format } from './formats.js';
/** The indexes of the sections in the header. */
declare enum Section {
    Partitions = 2,
    Offsets = 3,
    Timestamps = 4,
    KeyEnds = 5,
    ValueEnds = 8,
    HeaderEnds = 11,
    HeaderNameEnds = 12,
    HeaderNameBytes = 13,
    HeaderValueEnds = 14,
    TopicIndexes = 17,
    TopicEnds = 18,
    TopicBytes = 19,
    ValueConversion = 20
}
/** The cells of a column of bytes. */
declare class Cells {
    private readonly bytes;
    private readonly conversion?;
    private readonly ends;
    private readonly nulls;
    private readonly start;
    constructor(bytes: Buffer, header: Uint32Array, first: Section, rows: number, conversion?: Conversion | undefined);
    /** The bytes of a row: a view, not a copy. */
    raw(row: number): Buffer | null;
    text(row: number): string | null;
    /** A key or a value. 64-bit integers of an Arrow type are `bigint` if they are `exact`. */
    get(row: number, format: Format, exact?: boolean): unknown;
}
/** A header: its name and its value. Names may repeat. */
export type Header = [name: string, value: Buffer | null];
/** The records of a buffer. */
export declare class Flat {
    private readonly bytes;
    readonly rows: number;
    readonly partitions: Int32Array | undefined;
    readonly offsets: BigInt64Array | undefined;
    readonly timestamps: Float64Array | undefined;
    readonly keys: Cells | undefined;
    readonly values: Cells | undefined;
    private readonly header;
    private readonly topics;
    private readonly topicIndexes;
    constructor(bytes: Buffer);
    topic(row: number): string | undefined;
    headers(row: number): Header[] | undefined;
    private valueConversion;
    private has;
    private words;
    private topicNames;
}
export {};

// formats.d.ts

import type { DecodeArguments } from '../native.js';
import { type DtypeFields, type Schema, type SchemaValue } from './schema.js';
/** The format of a key or a value: bytes, text, or JSON decoded by `JSON.parse`. */
export type Format = 'bytes' | 'string' | 'json';
/** What a key or a value becomes. Null is null in each format. */
export type Decoded<F extends Format, S extends Schema | undefined = undefined> = F extends 'string' ? string | null : F extends 'json' ? S extends DtypeFields ? SchemaValue<S> | null : any : Buffer | null;
/** The handling of records that do not have the format: an error, null in their place, or skipping them. */
export type OnError = 'raise' | 'null' | 'skip';
/** The formats of keys and values. */
export interface FormatOptions<K extends Format = Format, V extends Format = Format, S extends Schema | undefined = Schema | undefined> {
    /** How keys are decoded; "bytes" by default. */
    key?: K;
    /** The format of values; "bytes" by default. */
    value?: V;
    /**
     * The fields of values of format "json", with their types: an object of names and dtypes such as
     * `{ delay: 'int64', origin: { code: 'string' }, stops: ['string'] }`, or a schema of apache-arrow. Without one,
     * tables infer the types, and messages are read by `JSON.parse`, which rounds integers beyond 2^53.
     *
     * With a schema, the value of a message is an object of all its fields, null where a record has none: 64-bit
     * integers are `bigint`, bytes are `Buffer`, decimals, dates and times are text with all their digits.
     */
    schema?: S;
    /** Whether the fields of values of format "json" are columns of the table, in the place of `value`. */
    unnest?: boolean;
    /**
     * The prefix of the name of such a column if the field has the name of a record column (`timestamp`, `key`,
     * `offset`, `partition`, `headers`, `topic`, ...): a field `timestamp` becomes `json_timestamp`. "json_" by
     * default.
     */
    unnestPrefix?: string;
    /**
     * The name of an additional text field of values of format "json", with the fields that their type does not name:
     * an object in JSON, or null. A field whose objects have such fields is in it as a whole. Needs a schema or a scan.
     */
    rest?: string;
    /** What to do with records that do not have the format; "raise" by default. */
    onError?: OnError;
}
/** {@link FormatOptions} with the columns to read. */
export interface ReadOptions<K extends Format = Format, V extends Format = Format, S extends Schema | undefined = Schema | undefined> extends FormatOptions<K, V, S> {
    /**
     * The columns to read, all by default: "partition", "offset", "timestamp", "key", "value", "headers".
     * With `unnest` also fields of the value: only those that are named are read.
     */
    columns?: string[];
}
export declare const FORMATS: {
    key: import("./options.js").Check<Format>;
    value: import("./options.js").Check<Format>;
    schema: import("./options.js").Check<string>;
    unnest: import("./options.js").Check<boolean>;
    unnestPrefix: import("./options.js").Check<string>;
    rest: import("./options.js").Check<string>;
    onError: import("./options.js").Check<OnError>;
};
export declare const READING: {
    key: import("./options.js").Check<Format>;
    value: import("./options.js").Check<Format>;
    schema: import("./options.js").Check<string>;
    unnest: import("./options.js").Check<boolean>;
    unnestPrefix: import("./options.js").Check<string>;
    rest: import("./options.js").Check<string>;
    onError: import("./options.js").Check<OnError>;
    columns: import("./options.js").Check<string[]>;
};
/** The formats of the messages of a table. */
export interface Formats {
    key: Format;
    value: Format;
    /** Whether the value has a schema: its 64-bit integers are `bigint`. */
    hasSchema?: boolean;
}
/** The formats as the native half takes them, and as messages do. */
export declare function decoding(given: {
    key?: Format;
    value?: Format;
    schema?: string;
    unnest?: boolean;
    unnestPrefix?: string;
    rest?: string;
    inferRecords?: number;
    onError?: OnError;
    columns?: string[];
}): {
    decode: DecodeArguments;
    formats: Formats;
};

// gate.d.ts

export declare class Gate {
    private waiting;
    /** Releases all tasks that are currently waiting. */
    open(): void;
    /** Waits until it opens, at most for `milliseconds`. */
    wait(timeoutMs?: number): Promise<void>;
}

// habits.d.ts

/** The replacement of another client's option. */
export declare function habit(call: string, name: string): string | undefined;
/**
 * Gives a class the methods that users of other clients look for. They throw an error with the name to use. Types do
 * not have them.
 */
export declare function refuseForeignMethods(name: string, { prototype }: {
    prototype: object;
}): void;

// handlers.d.ts

import type { Message } from './message.js';
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
/** Passes the first message to the handler, and finishes it. */
export declare function handleMessage<K, V>(handler: (payload: EachMessagePayload<K, V>) => unknown, work: PartitionWork<K, V>, calls: RunnerCalls<K, V>): Promise<void>;
/** Passes the remaining messages to the handler, and finishes those that it has resolved, or all. */
export declare function handleBatch<K, V>(handler: (payload: EachBatchPayload<K, V>) => unknown, work: PartitionWork<K, V>, calls: RunnerCalls<K, V>): Promise<void>;

// held_back.d.ts

import type { Consumer as NativeConsumer } from '../native.js';
import { type TopicPartition } from './positions.js';
/** The part of a partition's queue that matters here. */
interface Queue extends TopicPartition {
    readonly isEmpty: boolean;
    readonly isPaused: boolean;
}
export declare class HeldBack {
    private readonly native;
    private readonly partitions;
    constructor(native: NativeConsumer);
    has(at: TopicPartition): boolean;
    /** Removes a partition that does not belong to the runner any more. */
    forget(at: TopicPartition): void;
    /** Removes the partitions that only the runner has paused. */
    without(partitions: TopicPartition[]): TopicPartition[];
    /** Pauses a partition for the caller, if the consumer still has it. */
    pause(at: TopicPartition): Promise<void>;
    /** Resumes a partition for the caller, if the consumer still has it. */
    resume(at: TopicPartition): Promise<void>;
    /** Pauses the partitions with remaining messages, and resumes the others. */
    update(queues: ReadonlyMap<string, Queue>): Promise<void>;
    /** Resumes all partitions that are still assigned. */
    releaseAll(assigned: ReadonlySet<string>): Promise<void>;
}
export {};

// index.d.ts

/**
 * Kafka as a library: pub/sub for services, Arrow for analysis.
 *
 * @module headwater
 * @example
 * import { open } from 'headwater';
 *
 * await using client = await open('./data');
 * await client.createTopic('flights', { ifExists: 'ignore' });
 * const producer = client.producer({ value: 'json' });
 * await producer.send({ topic: 'flights', key: 'UA', value: { delay: 11 } });
 */
export type { BatchResult, Broker, ClusterDescription, ConfigEntry, GroupDescription, GroupInfo, GroupMember, GroupMetadata, GroupOffset, OffsetRange, PartitionDescription, RecordMetadata, RecoveredPartition, RecoveryReport, ScanProgress, TableColumn, TopicInfo, TopicPartition, TopicPartitionLag, TopicPartitionOffset, } from '../native.js';
export type { WaitOptions } from './abort.js';
export { Batch } from './batch.js';
export { Client } from './client.js';
export type { AlterTopicOptions, ConsumerOptions, CreateTopicOptions, ProducerOptions, ServeOptions, } from './client_options.js';
export type { ConfigValue, KafkaConfig } from './config.js';
export { Consumer } from './consumer.js';
export type { BatchesOptions, PartitionsOptions, PollOptions } from './consumer_options.js';
export type { CommitEvent, ConsumeEvent, ProduceEvent, TracedMessage } from './diagnostics.js';
export { AbortError, AuthenticationError, AuthorizationError, ClosedError, ConfigError, CorruptLogError, DecodeError, type ErrorDetails, ForkError, HeadwaterError, InvalidArgumentError, InvalidTopicError, KafkaError, LockedError, NotADataDirectoryError, OffsetOutOfRangeError, OutOfOrderSequenceError, ProducerFencedError, RecordTooLargeError, RequestTimedOutError, StorageError, TopicAlreadyExistsError, TransportError, UnknownTopicOrPartitionError, WakeupError, } from './errors.js';
export type { Header } from './flat.js';
export type { Decoded, Format, FormatOptions, OnError, ReadOptions } from './formats.js';
export type { EachBatchPayload, EachMessagePayload, FetchedBatch, } from './handlers.js';
export { Message } from './message.js';
export type { BrokerMetrics, ConsumerMetrics, DeletionMetrics, Metrics, ProducerMetrics, } from './metrics.js';
export type { Offsets, TopicPartitionOffsetAndMetadata } from './offsets.js';
export { connect, type OpenOptions, open } from './open.js';
export type { PartitionPosition, Position } from './positions.js';
export { Producer, type SendBatchOptions } from './producer.js';
export { type HeadersCarrier, headersGetter, headersSetter } from './propagation.js';
export type { RebalanceListener, RebalanceOptions } from './rebalances.js';
export type { Bytes, Encodable, HeadersToSend, MessageToSend, RecordToSend } from './records.js';
export type { RetryOptions, RunOptions } from './run_options.js';
export { type ProgressListener, Scan } from './scan.js';
export type { BigIntName, BooleanName, BytesName, Dtype, DtypeFields, DtypeValue, NumberName, Schema, SchemaValue, TextName, } from './schema.js';
export { Server } from './server.js';
export type { StatsListener } from './stats.js';
export type { Subscription } from './subscription.js';
export { TableSchema } from './table_schema.js';
export { type EndOptions, type RateInterval, type RateOptions, type ScanOptions, Topic, } from './topic.js';

// inspection.d.ts

import { inspect } from 'node:util';
import type { Consumer as NativeConsumer } from '../native.js';
import type { CheckedSubscription } from './subscription.js';
/** The method that they call. */
export declare const INSPECT: typeof inspect.custom;
/** A string in quotes, as they show strings. */
export declare function quoted(text: string): string;
/** A number of things: "1 record", "2 records". */
export declare function counted(count: number, thing: string): string;
/** A class with the properties of an object: `Topic('flights')`. Leaves out undefined ones. */
export declare function described(name: string, ...parts: (string | undefined)[]): string;
/** A consumer with its group, its topics and the number of its partitions. */
export declare function describedConsumer(native: NativeConsumer, topics: CheckedSubscription | undefined, show: (value: unknown) => string): string;

// kafkajs/admin.d.ts

import { type Cluster } from './cluster.js';
import type { Admin, AdminConfig, Logger } from './types.js';
/** Topics, groups and their configuration. */
export declare class KafkaAdmin implements Admin {
    readonly events: import("./types.js").AdminEvents;
    private readonly log;
    private readonly emitter;
    private readonly lease;
    private readonly retry;
    constructor(cluster: Cluster, rootLogger: Logger, given: AdminConfig | undefined);
    /** Connects to the cluster. */
    connect: () => Promise<void>;
    /** Gives the connection up. */
    disconnect: () => Promise<void>;
    listTopics: Admin['listTopics'];
    createTopics: Admin['createTopics'];
    deleteTopics: Admin['deleteTopics'];
    createPartitions: Admin['createPartitions'];
    fetchTopicMetadata: Admin['fetchTopicMetadata'];
    fetchTopicOffsets: Admin['fetchTopicOffsets'];
    fetchTopicOffsetsByTimestamp: Admin['fetchTopicOffsetsByTimestamp'];
    deleteTopicRecords: Admin['deleteTopicRecords'];
    listGroups: Admin['listGroups'];
    describeGroups: Admin['describeGroups'];
    deleteGroups: Admin['deleteGroups'];
    fetchOffsets: Admin['fetchOffsets'];
    setOffsets: Admin['setOffsets'];
    resetOffsets: Admin['resetOffsets'];
    describeConfigs: Admin['describeConfigs'];
    alterConfigs: Admin['alterConfigs'];
    describeCluster: Admin['describeCluster'];
    describeAcls: Admin['describeAcls'];
    createAcls: Admin['createAcls'];
    deleteAcls: Admin['deleteAcls'];
    alterPartitionReassignments: Admin['alterPartitionReassignments'];
    listPartitionReassignments: Admin['listPartitionReassignments'];
    on: Admin['on'];
    logger: () => Logger;
    /** The native half retries what may succeed soon; `retry` tries the whole call again. */
    private call;
}

// kafkajs/admin_cluster.d.ts

import type { Client } from '../client.js';
/** The brokers, and the controller among them. */
export declare function describeCluster(client: Client): Promise<{
    brokers: {
        nodeId: number;
        host: string;
        port: number;
    }[];
    controller: number | null;
    clusterId: string;
}>;

// kafkajs/admin_configs.d.ts

import type { Client } from '../client.js';
import { ConfigResourceTypes } from './enums.js';
import type { DescribeConfigResponse } from './types.js';
/** The configuration of topics. */
export declare function describeConfigs(client: Client, given: unknown): Promise<DescribeConfigResponse>;
/** Replaces the configuration of topics: keys that are not named go back to their defaults. */
export declare function alterConfigs(client: Client, given: unknown): Promise<{
    resources: {
        errorCode: number;
        errorMessage: null;
        resourceName: string;
        resourceType: ConfigResourceTypes;
    }[];
    throttleTime: number;
}>;

// kafkajs/admin_groups.d.ts

import type { Client } from '../client.js';
import type { DeleteGroupsResult, FetchOffsetsPartition } from './types.js';
/** All groups. */
export declare function listGroups(client: Client): Promise<{
    groups: {
        groupId: string;
        protocolType: string;
    }[];
}>;
/** The committed offsets of a group, -1 where there is none; of these topics, or of all that have one. */
export declare function fetchOffsets(client: Client, given: unknown): Promise<{
    topic: string;
    partitions: FetchOffsetsPartition[];
}[]>;
/** Sets the committed offsets of a group without members. */
export declare function setOffsets(client: Client, given: unknown): Promise<void>;
/** Sets the committed offsets of a group without members to the ends or the starts of a topic. */
export declare function resetOffsets(client: Client, given: unknown): Promise<void>;
/** Deletes groups without members. */
export declare function deleteGroups(client: Client, given: unknown): Promise<DeleteGroupsResult[]>;

// kafkajs/admin_topics.d.ts

import type { Client } from '../client.js';
import type { ITopicMetadata, SeekEntry } from './types.js';
/** Creates topics. Whether one of them is new. */
export declare function createTopics(client: Client, given: unknown): Promise<boolean>;
/** Deletes topics. */
export declare function deleteTopics(client: Client, given: unknown): Promise<void>;
/** Adds partitions to topics. `count` is the new number of all. */
export declare function createPartitions(client: Client, given: unknown): Promise<boolean>;
/** The partitions of the named topics, or of all. */
export declare function fetchTopicMetadata(client: Client, given: unknown): Promise<{
    topics: ITopicMetadata[];
}>;
/** The names of all topics. */
export declare function listTopics(client: Client): Promise<string[]>;
/** The ends of a topic's partitions. */
export declare function fetchTopicOffsets(client: Client, given: unknown): Promise<{
    partition: number;
    offset: string;
    high: string;
    low: string;
}[]>;
/** The offset of the first record that is not older than `timestamp` in each partition, or its end. */
export declare function fetchTopicOffsetsByTimestamp(client: Client, given: unknown, timestamp: unknown): Promise<SeekEntry[]>;
/** Offsets by partition; -1 is the end and -2 the start. */
export declare function resolved(client: Client, topic: string, entries: readonly SeekEntry[]): Promise<{
    partition: number;
    offset: bigint;
}[]>;
/** Deletes the records before an offset of each partition; -1 is the end. */
export declare function deleteTopicRecords(client: Client, given: unknown): Promise<void>;

// kafkajs/assigner_protocol.d.ts

import type { ISerializer, MemberAssignment, MemberMetadata } from './types.js';
/** Encodes and decodes the subscription and the assignment of a member. */
export declare const AssignerProtocol: {
    MemberMetadata: ISerializer<MemberMetadata>;
    MemberAssignment: ISerializer<MemberAssignment>;
};

// kafkajs/assigners.d.ts

import type { Logger, PartitionAssigner } from './types.js';
/** The assigners of groups. kafkajs has `roundRobin` only. */
export declare const PartitionAssigners: {
    /** The partitions of all topics, one by one. */
    roundRobin: PartitionAssigner;
    /** Contiguous partitions of each topic. */
    range: PartitionAssigner;
    /** Balanced, with few moves. */
    sticky: PartitionAssigner;
    /** Like `sticky`; members keep reading unmoved partitions during a rebalance. */
    cooperativeSticky: PartitionAssigner;
};
/** The value of `partition.assignment.strategy`. */
export declare function assignmentStrategy(given: unknown, groupId: string, logger: Logger): string;

// kafkajs/batch.d.ts

import type { Metrics } from '../metrics.js';
import type { Batch, KafkaMessage, TopicPartition } from './types.js';
/** The messages of one partition, at least one. */
export declare class KafkaBatch implements Batch {
    readonly topic: string;
    readonly partition: number;
    readonly messages: KafkaMessage[];
    private readonly first;
    private readonly last;
    private readonly end;
    constructor(topic: string, partition: number, messages: KafkaMessage[], first: bigint, last: bigint, end: bigint);
    /** The end of the partition when the messages were fetched. */
    get highWatermark(): string;
    isEmpty(): boolean;
    firstOffset(): string;
    lastOffset(): string;
    /** The number of messages behind the last one. */
    offsetLag(): string;
    /** The number of messages behind the first one. */
    offsetLagLow(): string;
}
/** The end of a partition whose last fetched message has the offset `last`. */
export declare function highWatermark({ consumers }: Metrics, groupId: string, { topic, partition }: TopicPartition, last: bigint): bigint;

// kafkajs/batch_handler.d.ts

import type { Client } from '../client.js';
import type { Consumer as HeadwaterConsumer } from '../consumer.js';
import type { EachBatchPayload as FetchedPayload } from '../handlers.js';
import type { Commits } from './commits.js';
import { type Events } from './events.js';
import type { RunConfig } from './run_config.js';
import type { Logger, TopicPartition } from './types.js';
type Payload = FetchedPayload<Buffer | null, Buffer | null>;
/** The services of the session. */
export interface BatchHandlerContext {
    client: Client;
    consumer: HeadwaterConsumer;
    groupId: string;
    config: RunConfig;
    commits: Commits;
    events: Events;
    logger: Logger;
    isPaused(at: TopicPartition): boolean;
    /** How often the partition was sought. */
    seeks(at: TopicPartition): number;
    /** Pauses a partition. The result resumes it. */
    pause(at: TopicPartition): () => void;
    /** A handler threw. */
    failed(error: unknown): void;
}
export declare class BatchHandler {
    private readonly context;
    constructor(context: BatchHandlerContext);
    /** Calls the handler, and commits the offsets that it has resolved. */
    handle(payload: Payload): Promise<void>;
    /** Emits the events before and after the handler. */
    private reported;
    /** Makes the batch once, if it is needed: with its messages for `eachBatch`, and for events without. */
    private batchOf;
    private handleMessages;
    private handleBatch;
    /** Commits the offsets before the message that failed. */
    private failed;
}
export {};

// kafkajs/cluster.d.ts

import type { Client } from '../client.js';
import type { Connection } from './connection.js';
import type { PartitionMetadata } from './types.js';
/** Connects when the first user needs it, and closes when the last one has gone. May be used concurrently. */
export declare class Cluster {
    readonly connection: Connection;
    private users;
    private connecting;
    constructor(connection: Connection);
    /** Connects for one user more. */
    acquire(): Promise<Client>;
    /** One user less. */
    release(): Promise<void>;
    private connect;
}
/** The connection as one producer, consumer or admin uses it. */
export declare class Lease {
    readonly cluster: Cluster;
    private acquired;
    constructor(cluster: Cluster);
    /** Whether `client()` was called since the last `release()`. */
    get isHeld(): boolean;
    /** The client; connects at the first call. */
    client(): Promise<Client>;
    /** Gives the connection up. Idempotent. */
    release(): Promise<void>;
}
/** The partitions of a topic. */
export declare function partitionsOf(client: Client, topic: string): Promise<PartitionMetadata[]>;
/** {@link partitionsOf}. A missing topic is created, with the broker's defaults, if `mayCreate` is set. */
export declare function partitionsOfNew(client: Client, topic: string, mayCreate: boolean): Promise<PartitionMetadata[]>;
/** Stands in for the cluster when an assigner is made, of which only the name is read. */
export declare const NO_CLUSTER: {
    findTopicPartitionMetadata(): never;
};

// kafkajs/codecs.d.ts

import { CompressionTypes } from './enums.js';
/** The codecs that have a plugin in kafkajs. */
type PluginCodecs = CompressionTypes.GZIP | CompressionTypes.Snappy | CompressionTypes.LZ4 | CompressionTypes.ZSTD;
/** Programs register their plugins here. All codecs are built in, and the plugins are not called. */
export declare const CompressionCodecs: Record<PluginCodecs, () => any>;
export {};

// kafkajs/commits.d.ts

import type { Consumer as HeadwaterConsumer } from '../consumer.js';
import { type Events } from './events.js';
import { type CommitOffset, ResolvedOffsets } from './resolved_offsets.js';
import type { RunConfig } from './run_config.js';
import type { Logger, TopicPartition } from './types.js';
/** Commits one after the other, so that an older offset never overtakes a newer one. */
export declare class Commits {
    private readonly groupId;
    private readonly config;
    private readonly events;
    private readonly logger;
    /** Ends the run. */
    private readonly fail;
    readonly resolved: ResolvedOffsets;
    private last;
    private turn;
    constructor(groupId: string, config: RunConfig, events: Events, logger: Logger, 
    /** Ends the run. */
    fail: (error: Error) => void);
    /** Whether `autoCommitInterval` or `autoCommitThreshold` is reached. */
    get isDue(): boolean;
    /** Commits the given offsets, or the resolved ones. */
    commit(consumer: HeadwaterConsumer, find?: () => CommitOffset[] | Promise<CommitOffset[]>): Promise<void>;
    /** With `autoCommit`: commits the resolved offsets, of these partitions or of all. */
    auto(consumer: HeadwaterConsumer, of?: readonly TopicPartition[]): Promise<void>;
    /** Waits for an automatic commit. An error that a later commit cannot mend ends the run. */
    quietly(commit: Promise<void>): Promise<void>;
}

// kafkajs/connection.d.ts

import { Client } from '../client.js';
import type { KafkaConfig as HeadwaterConfig } from '../config.js';
import type { RetryOptions } from './types.js';
/** How the cluster is reached. */
export interface Connection {
    /** A client of the caller's, which is not closed. */
    client: Client | undefined;
    brokers: (() => Promise<string[]>) | undefined;
    config: HeadwaterConfig;
    retry: RetryOptions | undefined;
    requestTimeoutMs: number | undefined;
}
/** Checks the options of connections. */
export declare function connectionOf(given: Record<string, unknown>): Connection;
/** The pauses between the retries of a request. */
export declare function backoff(retry: RetryOptions | undefined): HeadwaterConfig;

// kafkajs/consumer.d.ts

import { type Cluster } from './cluster.js';
import type { Consumer, ConsumerConfig, ConsumerRunConfig, ConsumerSubscribeTopic, ConsumerSubscribeTopics, GroupDescription, Logger, TopicPartitionOffset, TopicPartitionOffsetAndMetadata, TopicPartitions } from './types.js';
type PartitionsOfTopic = {
    topic: string;
    partitions?: number[];
};
/** Reads the topics that it subscribes to, as a member of a group. */
export declare class KafkaConsumer {
    readonly events: import("./types.js").ConsumerEvents;
    private readonly settings;
    private readonly log;
    private readonly emitter;
    private readonly lease;
    private readonly topics;
    private session;
    private restart;
    /** Counts stops: a crash before one does not restart after it. */
    private stops;
    constructor(cluster: Cluster, rootLogger: Logger, given: ConsumerConfig | undefined);
    /** Connects to the cluster. */
    connect: () => Promise<void>;
    /** Stops, and gives the connection up. Inside a handler it does not wait for the handler. */
    disconnect: () => Promise<void>;
    /** Adds topics. A regular expression stands for the topics that exist and match now. */
    subscribe: (subscription: ConsumerSubscribeTopics | ConsumerSubscribeTopic) => Promise<void>;
    /** Waits for the handlers, commits, and leaves the group. Inside a handler it does not wait for the handler. */
    stop: () => Promise<void>;
    /** Joins the group, and calls the handler from then on. */
    run: (given?: ConsumerRunConfig) => Promise<void>;
    /** Commits offsets, with their metadata. */
    commitOffsets: (topicPartitions?: TopicPartitionOffsetAndMetadata[]) => Promise<void>;
    /** Moves a partition. Takes effect before the next message. */
    seek: (to: TopicPartitionOffset) => void;
    /** The group with its members. */
    describeGroup: () => Promise<GroupDescription>;
    /** Stops reading partitions, or all of a topic. Takes effect before the next message. */
    pause: (topics?: PartitionsOfTopic[]) => void;
    /** The assigned partitions that are paused. */
    paused: () => TopicPartitions[];
    /** Reads partitions again. */
    resume: (topics?: PartitionsOfTopic[]) => void;
    on: Consumer['on'];
    logger: () => Logger;
    private start;
    /** Ends a session. The promise is fulfilled when it has left the group. */
    private stopped;
    private leave;
    private forget;
    private sessionEnded;
    /** Emits the events, and starts again if the failure may pass. */
    private crashed;
    private mayRestart;
    private running;
    private namesOf;
    private offsetOf;
    private changePauses;
}
export {};

// kafkajs/consumer_config.d.ts

import type { ConsumerOptions } from '../client_options.js';
import { type RetryPolicy } from './retry.js';
import type { Logger, RetryOptions } from './types.js';
/** The options, checked and with defaults. */
export interface ConsumerSettings {
    groupId: string;
    options: ConsumerOptions;
    strategy: string;
    heartbeatInterval: number;
    retry: RetryPolicy;
    allowAutoTopicCreation: boolean;
}
/** Checks the options. */
export declare function consumerSettings(given: unknown, logger: Logger, kafkaRetry: RetryOptions | undefined): ConsumerSettings;

// kafkajs/convert_error.d.ts

import { KafkaJSNonRetriableError } from './errors.js';
/** Refuses an argument. The message names it. */
export declare function refused(message: string): KafkaJSNonRetriableError;
/** The error of kafkajs. An error that is not Headwater's stays as it is. */
export declare function kafkaJSError(error: unknown): Error;
/** Runs a call, and converts its error. */
export declare function converted<T>(call: () => T | Promise<T>): Promise<T>;
/** {@link converted} for a call that returns at once. */
export declare function checked<T>(call: () => T): T;

// kafkajs/enums.d.ts

/** How much is logged. */
export declare enum logLevel {
    NOTHING = 0,
    ERROR = 1,
    WARN = 2,
    INFO = 4,
    DEBUG = 5
}
/** The codecs of `producer.send()`. All of them are built in. */
export declare enum CompressionTypes {
    None = 0,
    GZIP = 1,
    Snappy = 2,
    LZ4 = 3,
    ZSTD = 4
}
/** The kinds of resources that have a configuration. */
export declare enum ConfigResourceTypes {
    UNKNOWN = 0,
    TOPIC = 2,
    BROKER = 4,
    BROKER_LOGGER = 8
}
/** Where a configuration value comes from. */
export declare enum ConfigSource {
    UNKNOWN = 0,
    TOPIC_CONFIG = 1,
    DYNAMIC_BROKER_CONFIG = 2,
    DYNAMIC_DEFAULT_BROKER_CONFIG = 3,
    STATIC_BROKER_CONFIG = 4,
    DEFAULT_CONFIG = 5,
    DYNAMIC_BROKER_LOGGER_CONFIG = 6
}
/** The kinds of resources that have ACLs. */
export declare enum AclResourceTypes {
    UNKNOWN = 0,
    ANY = 1,
    TOPIC = 2,
    GROUP = 3,
    CLUSTER = 4,
    TRANSACTIONAL_ID = 5,
    DELEGATION_TOKEN = 6
}
/** Whether an ACL allows or denies. */
export declare enum AclPermissionTypes {
    UNKNOWN = 0,
    ANY = 1,
    DENY = 2,
    ALLOW = 3
}
/** The operations that an ACL allows or denies. */
export declare enum AclOperationTypes {
    UNKNOWN = 0,
    ANY = 1,
    ALL = 2,
    READ = 3,
    WRITE = 4,
    CREATE = 5,
    DELETE = 6,
    ALTER = 7,
    DESCRIBE = 8,
    CLUSTER_ACTION = 9,
    DESCRIBE_CONFIGS = 10,
    ALTER_CONFIGS = 11,
    IDEMPOTENT_WRITE = 12
}
/** How the name of an ACL's resource is matched. */
export declare enum ResourcePatternTypes {
    UNKNOWN = 0,
    ANY = 1,
    MATCH = 2,
    LITERAL = 3,
    PREFIXED = 4
}

// kafkajs/error_codes.d.ts

/** The code and the name of kafkajs for a name of Kafka; `UNKNOWN` for any other name. */
export declare function errorCode(kafkaName: string): {
    type: string;
    code: number;
};

// kafkajs/errors.d.ts

import type { PartitionMetadata } from './types.js';
/** The root of the tree. */
export declare class KafkaJSError extends Error {
    /** Whether the same call may succeed later without any change. */
    readonly retriable: boolean;
    readonly helpUrl?: string;
    readonly cause?: Error;
    constructor(error: Error | string, { retriable, cause }?: KafkaJSErrorMetadata);
}
/** A retry does not help. */
export declare class KafkaJSNonRetriableError extends KafkaJSError {
    constructor(error: Error | string, { cause }?: {
        cause?: Error;
    });
}
/** The fields of {@link KafkaJSProtocolError}. */
export interface ProtocolFailure {
    message: string;
    type: string;
    code: number;
    retriable: boolean;
}
/** The broker refused: `type` is Kafka's name of the error, `code` its number. */
export declare class KafkaJSProtocolError extends KafkaJSError {
    readonly type: string;
    readonly code: number;
    constructor(error: ProtocolFailure | Error | string, metadata?: KafkaJSErrorMetadata);
}
/** The offset is not, or no longer, in the log. */
export declare class KafkaJSOffsetOutOfRange extends KafkaJSProtocolError {
    readonly topic: string;
    readonly partition: number;
    constructor(error: ProtocolFailure | Error | string, at: KafkaJSOffsetOutOfRangeMetadata);
}
/** The member has to join with its id. */
export declare class KafkaJSMemberIdRequired extends KafkaJSProtocolError {
    readonly memberId: string;
    constructor(error: ProtocolFailure | Error | string, { memberId }: {
        memberId: string;
    });
}
/** A topic could not be created. */
export declare class KafkaJSCreateTopicError extends KafkaJSProtocolError {
    readonly topic: string;
    constructor(error: ProtocolFailure | Error | string, topic: string);
}
/** A partition could not be reassigned. */
export declare class KafkaJSAlterPartitionReassignmentsError extends KafkaJSProtocolError {
    readonly topic: string | undefined;
    readonly partition: number | undefined;
    constructor(error: ProtocolFailure | Error | string, topic?: string, partition?: number);
}
/** It was tried `retryCount` times more, in vain. `cause` is the last error. */
export declare class KafkaJSNumberOfRetriesExceeded extends KafkaJSNonRetriableError {
    readonly retryCount: number;
    readonly retryTime: number;
    constructor(error: Error | string, { retryCount, retryTime }: KafkaJSNumberOfRetriesExceededMetadata);
}
/** The broker cannot be reached. */
export declare class KafkaJSConnectionError extends KafkaJSError {
    readonly broker: string | undefined;
    readonly code: string | undefined;
    constructor(error: Error | string, { broker, code, cause }?: KafkaJSConnectionErrorMetadata);
}
/** The connection was closed. */
export declare class KafkaJSConnectionClosedError extends KafkaJSConnectionError {
    readonly host: string | undefined;
    readonly port: number | undefined;
    constructor(error: Error | string, { host, port }?: {
        host?: string;
        port?: number;
    });
}
/** The response did not come in time. */
export declare class KafkaJSRequestTimeoutError extends KafkaJSError {
    readonly broker: string | undefined;
    readonly correlationId: number | undefined;
    readonly createdAt: number | undefined;
    readonly sentAt: number | undefined;
    readonly pendingDuration: number | undefined;
    constructor(error: Error | string, metadata?: Partial<KafkaJSRequestTimeoutErrorMetadata>);
}
/** Nothing is known about the topics yet. */
export declare class KafkaJSMetadataNotLoaded extends KafkaJSError {
}
/** Nothing is known about the topic yet. */
export declare class KafkaJSTopicMetadataNotLoaded extends KafkaJSMetadataNotLoaded {
    readonly topic: string | undefined;
    constructor(error: Error | string, { topic }?: {
        topic?: string;
    });
}
/** The group assigned partitions that are missing in the metadata. */
export declare class KafkaJSStaleTopicMetadataAssignment extends KafkaJSError {
    readonly topic: string | undefined;
    readonly unknownPartitions: PartitionMetadata[] | undefined;
    constructor(error: Error | string, metadata?: Partial<KafkaJSStaleTopicMetadataAssignmentMetadata>);
}
/** Groups could not be deleted. */
export declare class KafkaJSDeleteGroupsError extends KafkaJSError {
    readonly groups: KafkaJSDeleteGroupsErrorGroups[];
    constructor(error: Error | string, groups?: KafkaJSDeleteGroupsErrorGroups[]);
}
/** Records could not be deleted. */
export declare class KafkaJSDeleteTopicRecordsError extends KafkaJSError {
    readonly partitions: KafkaJSDeleteTopicRecordsErrorPartition[];
    constructor({ partitions }: KafkaJSDeleteTopicRecordsErrorTopic);
}
/** The broker is too old for a request. */
export declare class KafkaJSServerDoesNotSupportApiKey extends KafkaJSNonRetriableError {
    readonly apiKey: number | undefined;
    readonly apiName: string | undefined;
    constructor(error: Error | string, metadata?: Partial<KafkaJSServerDoesNotSupportApiKeyMetadata>);
}
/** A broker is missing. */
export declare class KafkaJSBrokerNotFound extends KafkaJSError {
}
/** No broker can be reached. */
export declare class KafkaJSNoBrokerAvailableError extends KafkaJSError {
    constructor();
}
/** A record is cut off. */
export declare class KafkaJSPartialMessageError extends KafkaJSNonRetriableError {
}
/** The broker refused the credentials. */
export declare class KafkaJSSASLAuthenticationError extends KafkaJSNonRetriableError {
}
/** The group has no coordinator. */
export declare class KafkaJSGroupCoordinatorNotFound extends KafkaJSNonRetriableError {
}
/** A feature of kafkajs that this adapter lacks. The message names the alternative. */
export declare class KafkaJSNotImplemented extends KafkaJSNonRetriableError {
}
/** The call did not finish in its time. */
export declare class KafkaJSTimeout extends KafkaJSNonRetriableError {
}
/** A lock was not free in time. */
export declare class KafkaJSLockTimeout extends KafkaJSTimeout {
}
/** Records of Kafka before 0.11. */
export declare class KafkaJSUnsupportedMagicByteInMessageSet extends KafkaJSNonRetriableError {
}
/** A state that cannot be. */
export declare class KafkaJSInvariantViolation extends KafkaJSNonRetriableError {
    constructor(error: Error | string);
}
/** A number that has no varint. */
export declare class KafkaJSInvalidVarIntError extends KafkaJSNonRetriableError {
}
/** A number that has no 64 bits. */
export declare class KafkaJSInvalidLongError extends KafkaJSNonRetriableError {
}
/** Several errors of one call. */
export declare class KafkaJSAggregateError extends Error {
    readonly errors: (Error | string)[];
    constructor(message: Error | string, errors: (Error | string)[]);
}
/** A rebalance ended a fetch. */
export declare class KafkaJSFetcherRebalanceError extends Error {
}
export interface KafkaJSErrorMetadata {
    retriable?: boolean;
    topic?: string;
    partitionId?: number;
    metadata?: PartitionMetadata;
    cause?: Error;
}
export interface KafkaJSOffsetOutOfRangeMetadata {
    topic: string;
    partition: number;
}
export interface KafkaJSNumberOfRetriesExceededMetadata {
    retryCount: number;
    retryTime: number;
}
export interface KafkaJSConnectionErrorMetadata {
    broker?: string;
    code?: string;
    cause?: Error;
}
export interface KafkaJSRequestTimeoutErrorMetadata {
    broker: string;
    clientId: string;
    correlationId: number;
    createdAt: number;
    sentAt: number;
    pendingDuration: number;
}
export interface KafkaJSTopicMetadataNotLoadedMetadata {
    topic: string;
}
export interface KafkaJSStaleTopicMetadataAssignmentMetadata {
    topic: string;
    unknownPartitions: PartitionMetadata[];
}
export interface KafkaJSServerDoesNotSupportApiKeyMetadata {
    apiKey: number;
    apiName: string;
}
export interface KafkaJSDeleteGroupsErrorGroups {
    groupId: string;
    errorCode: number;
    error: KafkaJSError;
}
export interface KafkaJSDeleteTopicRecordsErrorTopic {
    topic: string;
    partitions: KafkaJSDeleteTopicRecordsErrorPartition[];
}
export interface KafkaJSDeleteTopicRecordsErrorPartition {
    partition: number;
    offset: string;
    error: KafkaJSError;
}

// kafkajs/events.d.ts

import type { AdminEvents, ConsumerEvents, InstrumentationEvent, Logger, ProducerEvents } from './types.js';
export declare const PRODUCER_EVENTS: ProducerEvents;
export declare const ADMIN_EVENTS: AdminEvents;
export declare const CONSUMER_EVENTS: ConsumerEvents;
type Listener = (event: InstrumentationEvent<unknown>) => unknown;
/** The listeners of one producer, consumer or admin. */
export declare class Events {
    private readonly logger;
    private readonly emitter;
    private readonly names;
    private readonly keys;
    constructor(logger: Logger, kind: 'producer' | 'consumer' | 'admin', events: object);
    /** Adds a listener. The result removes it. */
    on(name: string, listener: Listener): () => void;
    /** Calls the listeners. `payload` is made only if there are any. */
    emit(name: string, payload?: () => unknown): void;
    private failed;
}
export {};

// kafkajs/groups.d.ts

import type { Client } from '../client.js';
import type { GroupDescription } from './types.js';
/** Describes groups. An unknown one is "Dead", as in Kafka. */
export declare function describeGroups(client: Client, groupIds: readonly string[]): Promise<GroupDescription[]>;
/** Describes a group. */
export declare function describeGroup(client: Client, groupId: string): Promise<GroupDescription>;

// kafkajs/incoming.d.ts

import type { Message } from '../message.js';
import type { KafkaMessage } from './types.js';
/** Plain objects with their own properties: handlers copy them and add to them. */
export declare function incoming(message: Message): KafkaMessage;

// kafkajs/index.d.ts

/**
 * The API of kafkajs 2.2 on Headwater: a service moves over by changing its import.
 *
 * @example
 * import { Kafka } from 'headwater/kafkajs';
 *
 * const kafka = new Kafka({ clientId: 'my-app', brokers: ['localhost:9092'] });
 * const producer = kafka.producer();
 * await producer.connect();
 * await producer.send({ topic: 'flights', messages: [{ key: 'UA', value: 'late' }] });
 * await producer.disconnect();
 *
 * @packageDocumentation
 */
export { AssignerProtocol } from './assigner_protocol.js';
export { PartitionAssigners } from './assigners.js';
export { CompressionCodecs } from './codecs.js';
export { AclOperationTypes, AclPermissionTypes, AclResourceTypes, CompressionTypes, ConfigResourceTypes, ConfigSource, logLevel, ResourcePatternTypes, } from './enums.js';
export * from './errors.js';
export { Kafka } from './kafka.js';
export { Partitioners } from './partitioners.js';
export type * from './types.js';

// kafkajs/kafka.d.ts

import type { Admin, AdminConfig, Consumer, ConsumerConfig, KafkaConfig, Logger, Producer, ProducerConfig } from './types.js';
/** A cluster, or an embedded engine, with the API of kafkajs. */
export declare class Kafka {
    private readonly cluster;
    private readonly rootLogger;
    constructor(config: KafkaConfig);
    /** A producer. */
    producer(config?: ProducerConfig): Producer;
    /** A consumer, a member of a group. */
    consumer(config: ConsumerConfig): Consumer;
    /** An admin. */
    admin(config?: AdminConfig): Admin;
    /** The logger. */
    logger(): Logger;
}

// kafkajs/logger.d.ts

import { logLevel } from './enums.js';
import type { Logger, logCreator } from './types.js';
/** Writes entries to the console, as JSON. */
export declare const consoleLogCreator: logCreator;
/** The root logger. */
export declare function createLogger(level: logLevel, creator: logCreator): Logger;

// kafkajs/member.d.ts

import type { Consumer as HeadwaterConsumer } from '../consumer.js';
/** The member in the events of heartbeats and commits. */
export declare function memberOf(consumer: HeadwaterConsumer): {
    groupId: string;
    memberId: string;
    groupGenerationId: number;
};
/** The member in the event of joining. Without topics there is no consumer; where the broker assigns, none leads. */
export declare function joinedMemberOf(consumer: HeadwaterConsumer | undefined, strategy: string): {
    memberId: string;
    leaderId: string;
    isLeader: boolean;
    groupProtocol: string;
};

// kafkajs/membership.d.ts

import type { Client } from '../client.js';
import type { Consumer as HeadwaterConsumer } from '../consumer.js';
import { type Events } from './events.js';
import type { Logger, TopicPartition } from './types.js';
/** The settings of the consumer that the events carry. */
export interface MembershipContext {
    groupId: string;
    strategy: string;
    heartbeatInterval: number;
    events: Events;
    logger: Logger;
}
export declare class Membership {
    private readonly context;
    /** Fulfilled when the consumer is a member. */
    readonly joined: Promise<void>;
    private readonly partitions;
    private joiningSince;
    private heartbeats;
    private join;
    /** Counts changes of the assignment. */
    private changes;
    private isOver;
    private consumer;
    constructor(context: MembershipContext);
    /** Sets the consumer, whose member the events name. */
    begin(consumer: HeadwaterConsumer): void;
    /** The assigned partitions. */
    get assigned(): TopicPartition[];
    has(at: TopicPartition): boolean;
    /** Partitions are being added; {@link ready} follows. */
    add(added: TopicPartition[]): void;
    /** The consumer is a member with these partitions. */
    ready(): void;
    /** A rebalance begins. */
    rebalancing(): void;
    /** Partitions have gone. */
    remove(gone: TopicPartition[]): void;
    /** The group is left. */
    end(): void;
    /** The native half reports partitions only: without any, the group's state shows that the member has joined. */
    watchWithoutPartitions(client: Client): Promise<void>;
    private emitHeartbeat;
}

// kafkajs/murmur2.d.ts

/** MurmurHash2 as Java's client computes it. */
export declare function murmur2(key: Buffer | string): number;
/**
 * The hash of kafkajs before 2.0, which differs from Java's: products are doubles, not 32-bit integers, and the bytes
 * after the last whole word are hashed twice. Keys keep the partition that it gave them only if it stays so.
 */
export declare function legacyMurmur2(key: Buffer | string): number;

// kafkajs/options.d.ts

import { type Check } from '../options.js';
type Spec = Record<string, Check<unknown>>;
type CheckedOptions<S extends Spec> = {
    [K in keyof S]?: ReturnType<S[K]>;
};
/** The options of a call, by their checks. */
export declare function options<S extends Spec>(call: string, given: unknown, spec: S): CheckedOptions<S>;
/** An option that has no counterpart. The message names the alternative. */
export declare function unsupported(instead: string): Check<never>;
/** An option that may only have this value. */
export declare function only<T>(allowed: T, instead: string): Check<T>;
/** Any value: it is checked elsewhere. */
export declare const anything: Check<unknown>;
/** The name of a topic, as kafkajs checks it. */
export declare function topicName(topic: unknown): string;
/** An offset of kafkajs: text, or a number. -1 is the end and -2 the start where a position is meant. */
export declare function longOf(value: unknown, name: string): bigint;
/** The number of a partition. */
export declare function partitionOf(value: unknown): number;
export {};

// kafkajs/outgoing.d.ts

import { type MessageToSend } from '../records.js';
import type { Message, TopicMessages } from './types.js';
/** The topics of a batch with their messages, each topic once. */
export declare function mergedTopics(topicMessages: readonly TopicMessages[]): TopicMessages[];
/** A message as Headwater's producer takes it. */
export declare function outgoing(message: Message, topic: string, index: number): MessageToSend;

// kafkajs/partitioners.d.ts

import type { ICustomPartitioner, PartitionMetadata } from './types.js';
/** Takes turns: a counter for each topic, which starts anywhere. */
export declare class RoundRobin {
    private readonly counters;
    /** The partition of the next message without a key: one that has a leader, if any has. */
    next(topic: string, partitions: readonly PartitionMetadata[]): number;
}
/** The partitioners of kafkajs. The message's own partition always comes first. */
export declare const Partitioners: {
    /** By the key's hash, as Java's client; without a key in turns. */
    DefaultPartitioner: ICustomPartitioner;
    /** By the hash of kafkajs before 2.0; without a key in turns. */
    LegacyPartitioner: ICustomPartitioner;
    /** @deprecated The name of `DefaultPartitioner` before kafkajs 2.0. */
    JavaCompatiblePartitioner: ICustomPartitioner;
};

// kafkajs/pauses.d.ts

import type { TopicPartition, TopicPartitions } from './types.js';
export declare class Pauses {
    private readonly topics;
    pause(topic: string, partitions: number[] | undefined): void;
    resume(topic: string, partitions: number[] | undefined): void;
    isPaused({ topic, partition }: TopicPartition): boolean;
    private of;
}
/** Partitions by topic, both in order. */
export declare function byTopic(partitions: Iterable<TopicPartition>): TopicPartitions[];

// kafkajs/producer.d.ts

import { type Cluster } from './cluster.js';
import type { Logger, Producer, ProducerBatch, ProducerConfig, ProducerRecord, RecordMetadata, Transaction } from './types.js';
/** Sends messages. */
export declare class KafkaProducer {
    readonly events: import("./types.js").ProducerEvents;
    private readonly log;
    private readonly emitter;
    private readonly lease;
    private readonly topics;
    private readonly producers;
    private readonly idempotent;
    /** A partitioner of the caller's; none if Headwater's does the same. */
    private readonly partitioner;
    private readonly turns;
    private readonly inFlight;
    private state;
    constructor(cluster: Cluster, rootLogger: Logger, given: ProducerConfig | undefined);
    /** Connects to the cluster. */
    connect: () => Promise<void>;
    /** Waits for the sends in flight, and gives the connection up. */
    disconnect: () => Promise<void>;
    /** Sends messages of one topic, and waits until all are acknowledged. */
    send: (record: ProducerRecord) => Promise<RecordMetadata[]>;
    /** Sends messages of several topics, all checked first, and waits until all are acknowledged. */
    sendBatch: (batch: ProducerBatch) => Promise<RecordMetadata[]>;
    isIdempotent: () => boolean;
    /** Rejects: there are no transactions yet. */
    transaction: () => Promise<Transaction>;
    on: Producer['on'];
    logger: () => Logger;
    private sendTopics;
    private sendAll;
    private refuseUnlessConnected;
    private sendTopic;
    /** Sets the partition of a record, unless Headwater chooses the same one. */
    private choosePartition;
}

// kafkajs/resolved_offsets.d.ts

import type { OffsetsByTopicPartition, TopicPartition } from './types.js';
/** An offset as Headwater commits it. */
export interface CommitOffset extends TopicPartition {
    offset: bigint;
    /** Text that the group stores with it. */
    metadata?: string;
}
/** Not for concurrent use; offsets are the next ones to be read. */
export declare class ResolvedOffsets {
    private readonly partitions;
    /** Reading begins here, unless something of the partition was read before. */
    begin(at: TopicPartition, offset: bigint): void;
    /** The messages before this offset are resolved. */
    resolve(at: TopicPartition, offset: bigint): void;
    /** These offsets are committed. */
    commit(offsets: readonly CommitOffset[]): void;
    /** The partition was moved or has gone. */
    forget(at: TopicPartition): void;
    /** The resolved offsets that are not committed; of these partitions, or of all. */
    uncommitted(of?: readonly TopicPartition[]): CommitOffset[];
    /** The number of offsets that are resolved and not committed. */
    count(): bigint;
}
/** Offsets as kafkajs shows them. */
export declare function shown(offsets: readonly CommitOffset[]): OffsetsByTopicPartition;

// kafkajs/retry.d.ts

import type { RetryOptions } from './types.js';
/** {@link RetryOptions}, checked and with defaults. */
export interface RetryPolicy {
    retries: number;
    initialRetryTime: number;
    maxRetryTime: number;
    factor: number;
    multiplier: number;
    restartOnFailure: ((error: Error) => Promise<boolean>) | undefined;
}
/** Checks the options of a retry. */
export declare function retryOptions(given: unknown, name?: string): RetryOptions;
/** The options of several levels, the last one first. */
export declare function retryPolicy(...levels: (RetryOptions | undefined)[]): RetryPolicy;
/** Whether a retry may help. */
export declare function isRetriable(error: unknown): boolean;
/** The pause before try `attempt`, from 1 on. */
export declare function pauseBefore(attempt: number, policy: RetryPolicy): number;
/** Calls until it succeeds, a retry cannot help or the retries are used up. */
export declare function retried<T>(policy: RetryPolicy, call: () => Promise<T>, mayPass?: (error: Error) => boolean): Promise<T>;

// kafkajs/run_config.d.ts

import type { EachBatchHandler, EachMessageHandler } from './types.js';
/** The options, checked and with defaults. One of the handlers is set. */
export interface RunConfig {
    autoCommit: boolean;
    autoCommitInterval: number | undefined;
    autoCommitThreshold: number | undefined;
    eachBatchAutoResolve: boolean;
    partitionsConsumedConcurrently: number;
    eachBatch: EachBatchHandler | undefined;
    eachMessage: EachMessageHandler | undefined;
}
/** Checks the options. */
export declare function runConfig(given: unknown): RunConfig;

// kafkajs/send_producers.d.ts

import type { Client } from '../client.js';
import type { ProducerOptions } from '../client_options.js';
import type { Producer as HeadwaterProducer } from '../producer.js';
import { CompressionTypes } from './enums.js';
/** The options of a send that a producer of Headwater has for all of its records. */
export interface SendOptions {
    acks: number;
    timeout: number | undefined;
    compression: CompressionTypes;
}
/** Checks the options of a send. */
export declare function sendOptions(given: {
    acks?: unknown;
    timeout?: unknown;
    compression?: unknown;
}, isIdempotent: boolean): SendOptions;
/** One producer of Headwater for each combination of options that is used. */
export declare class SendProducers {
    private readonly config;
    private readonly producers;
    constructor(config: ProducerOptions);
    /** The producer for these options. */
    of(client: Client, given: SendOptions): HeadwaterProducer;
    /** Sends what the producers hold, and closes them. */
    close(): Promise<void>;
}

// kafkajs/session.d.ts

import type { ConsumerOptions } from '../client_options.js';
import type { Lease } from './cluster.js';
import { type MembershipContext } from './membership.js';
import { Pauses } from './pauses.js';
import type { CommitOffset } from './resolved_offsets.js';
import { type RetryPolicy } from './retry.js';
import type { RunConfig } from './run_config.js';
import type { TopicPartition, TopicPartitions } from './types.js';
/** The settings and services of a session's consumer. */
export interface SessionContext extends MembershipContext {
    lease: Lease;
    /** The topics, and whether each is read from its beginning when nothing is committed. */
    topics: ReadonlyMap<string, boolean>;
    options: ConsumerOptions;
    retry: RetryPolicy;
}
export declare class Session {
    private readonly context;
    private readonly config;
    /** Which partitions are paused. {@link applyPauses} makes a change of it effective. */
    readonly pauses: Pauses;
    /** Fulfilled when the consumer is a member of its group, or when it has ended. */
    readonly joined: Promise<void>;
    /** Fulfilled when the group is left, with the error that ended the session. */
    readonly ended: Promise<Error | undefined>;
    private readonly commits;
    private readonly membership;
    /** Seeks that are not carried out, because their partitions are not assigned yet. */
    private readonly seeks;
    private readonly seekCounts;
    /** The partitions that the native half has paused for this session. */
    private readonly held;
    private consumer;
    private isStopping;
    private failure;
    private handlerError;
    private endIdling;
    constructor(context: SessionContext, config: RunConfig);
    /** Whether the caller is in one of its handlers. */
    get isInHandler(): boolean;
    /** Ends it. Inside a handler it does not wait for the end. */
    stop(): Promise<void>;
    /** Moves a partition: now, or when it is assigned. */
    seek(at: TopicPartition, offset: bigint): void;
    /** Pauses and resumes the assigned partitions by `pauses`. */
    applyPauses(): void;
    /** The assigned partitions that are paused. */
    paused(): TopicPartitions[];
    /** Commits offsets once the consumer is a member. */
    commit(offsets: CommitOffset[]): Promise<void>;
    private run;
    /** A consumer without topics has nothing to do until it is stopped. */
    private idle;
    private consume;
    private createConsumer;
    /** Commits the last offsets, and leaves the group. */
    private leave;
    private runFailure;
    private requestStop;
    private fail;
    /** An error that a retry cannot mend ends the session. */
    private handlerFailed;
    /** Reports the failure of a call that has no caller any more. */
    private background;
    private onAssign;
    private onRevoke;
    private onLost;
    private forget;
    /** Topics without `fromBeginning` start at their end, though others start at their beginning. */
    private startLate;
    /** Carries a seek out, and with `autoCommit` commits the new position as kafkajs does. */
    private applySeek;
    private pauseAndResume;
    private pause;
}

// kafkajs/topics.d.ts

import type { Client } from '../client.js';
import type { PartitionMetadata } from './types.js';
/** The partitions of topics, looked up again when they are too old. */
export declare class Topics {
    private readonly mayCreate;
    private readonly maxAgeMs;
    private readonly known;
    constructor(mayCreate: boolean, maxAgeMs?: number);
    /** The partitions of a topic, which is created if it may be. */
    partitions(client: Client, topic: string): Promise<PartitionMetadata[]>;
    /** Looks the topic up again at the next call. */
    forget(topic: string): void;
    /** Looks all topics up again. */
    clear(): void;
}

// kafkajs/types.d.ts

export type * from './types/admin.js';
export type * from './types/assigners.js';
export type * from './types/config.js';
export type * from './types/consumer.js';
export type * from './types/events.js';
export type * from './types/logging.js';
export type * from './types/messages.js';
export type * from './types/producer.js';

// kafkajs/types/admin.d.ts

import type { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ConfigResourceTypes, ConfigSource, ResourcePatternTypes } from '../enums.js';
import type { KafkaJSProtocolError } from '../errors.js';
import type { RetryOptions } from './config.js';
import type { GroupDescriptions } from './consumer.js';
import type { AdminEvents, ConnectEvent, DisconnectEvent, InstrumentationEvent, RemoveInstrumentationEventListener, RequestEvent, RequestQueueSizeEvent, RequestTimeoutEvent, ValueOf } from './events.js';
import type { Logger } from './logging.js';
import type { PartitionMetadata, PartitionOffset, SeekEntry, TopicPartitions } from './messages.js';
export interface AdminConfig {
    retry?: RetryOptions;
}
export interface ReplicaAssignment {
    partition: number;
    replicas: number[];
}
export interface PartitionReassignment {
    topic: string;
    partitionAssignment: ReplicaAssignment[];
}
export interface ITopicConfig {
    topic: string;
    numPartitions?: number;
    replicationFactor?: number;
    /** Refused: the controller places replicas. */
    replicaAssignment?: ReplicaAssignment[];
    configEntries?: IResourceConfigEntry[];
}
export interface ITopicPartitionConfig {
    topic: string;
    count: number;
    /** Refused: the controller places replicas. */
    assignments?: number[][];
}
export interface ITopicMetadata {
    name: string;
    partitions: PartitionMetadata[];
}
export interface ResourceConfigQuery {
    type: ConfigResourceTypes;
    name: string;
    configNames?: string[];
}
export interface ConfigSynonyms {
    configName: string;
    configValue: string;
    configSource: ConfigSource;
}
export interface ConfigEntries {
    configName: string;
    configValue: string;
    isDefault: boolean;
    configSource: ConfigSource;
    isSensitive: boolean;
    readOnly: boolean;
    configSynonyms: ConfigSynonyms[];
}
export interface DescribeConfigResponse {
    resources: {
        configEntries: ConfigEntries[];
        errorCode: number;
        errorMessage: string;
        resourceName: string;
        resourceType: ConfigResourceTypes;
    }[];
    throttleTime: number;
}
export interface IResourceConfigEntry {
    name: string;
    value: string;
}
export interface IResourceConfig {
    type: ConfigResourceTypes;
    name: string;
    configEntries: IResourceConfigEntry[];
}
export type FetchOffsetsPartition = PartitionOffset & {
    metadata: string | null;
};
export interface Acl {
    principal: string;
    host: string;
    operation: AclOperationTypes;
    permissionType: AclPermissionTypes;
}
export interface AclResource {
    resourceType: AclResourceTypes;
    resourceName: string;
    resourcePatternType: ResourcePatternTypes;
}
export type AclEntry = Acl & AclResource;
export type DescribeAclResource = AclResource & {
    acls: Acl[];
};
export interface DescribeAclResponse {
    throttleTime: number;
    errorCode: number;
    errorMessage?: string;
    resources: DescribeAclResource[];
}
export interface AclFilter {
    resourceType: AclResourceTypes;
    resourceName?: string;
    resourcePatternType: ResourcePatternTypes;
    principal?: string;
    host?: string;
    operation: AclOperationTypes;
    permissionType: AclPermissionTypes;
}
export interface MatchingAcl extends AclEntry {
    errorCode: number;
    errorMessage?: string;
}
export interface DeleteAclFilterResponses {
    errorCode: number;
    errorMessage?: string;
    matchingAcls: MatchingAcl[];
}
export interface DeleteAclResponse {
    throttleTime: number;
    filterResponses: DeleteAclFilterResponses[];
}
export interface OngoingPartitionReassignment {
    partitionIndex: number;
    replicas: number[];
    addingReplicas?: number[];
    removingReplicas?: number[];
}
export interface OngoingTopicReassignment {
    topic: string;
    partitions: OngoingPartitionReassignment[];
}
export interface ListPartitionReassignmentsResponse {
    topics: OngoingTopicReassignment[];
}
export type GroupOverview = {
    groupId: string;
    protocolType: string;
};
export type DeleteGroupsResult = {
    groupId: string;
    errorCode?: number;
    error?: KafkaJSProtocolError;
};
export type Admin = {
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    listTopics(): Promise<string[]>;
    createTopics(options: {
        validateOnly?: boolean;
        waitForLeaders?: boolean;
        timeout?: number;
        topics: ITopicConfig[];
    }): Promise<boolean>;
    deleteTopics(options: {
        topics: string[];
        timeout?: number;
    }): Promise<void>;
    createPartitions(options: {
        validateOnly?: boolean;
        timeout?: number;
        topicPartitions: ITopicPartitionConfig[];
    }): Promise<boolean>;
    fetchTopicMetadata(options?: {
        topics: string[];
    }): Promise<{
        topics: ITopicMetadata[];
    }>;
    fetchOffsets(options: {
        groupId: string;
        topics?: string[];
        resolveOffsets?: boolean;
    }): Promise<{
        topic: string;
        partitions: FetchOffsetsPartition[];
    }[]>;
    fetchTopicOffsets(topic: string): Promise<(SeekEntry & {
        high: string;
        low: string;
    })[]>;
    fetchTopicOffsetsByTimestamp(topic: string, timestamp?: number): Promise<SeekEntry[]>;
    describeCluster(): Promise<{
        brokers: {
            nodeId: number;
            host: string;
            port: number;
        }[];
        controller: number | null;
        clusterId: string;
    }>;
    setOffsets(options: {
        groupId: string;
        topic: string;
        partitions: SeekEntry[];
    }): Promise<void>;
    resetOffsets(options: {
        groupId: string;
        topic: string;
        earliest: boolean;
    }): Promise<void>;
    describeConfigs(configs: {
        resources: ResourceConfigQuery[];
        includeSynonyms: boolean;
    }): Promise<DescribeConfigResponse>;
    alterConfigs(configs: {
        validateOnly: boolean;
        resources: IResourceConfig[];
    }): Promise<any>;
    listGroups(): Promise<{
        groups: GroupOverview[];
    }>;
    deleteGroups(groupIds: string[]): Promise<DeleteGroupsResult[]>;
    describeGroups(groupIds: string[]): Promise<GroupDescriptions>;
    /** Rejects: there are no ACLs yet. */
    describeAcls(options: AclFilter): Promise<DescribeAclResponse>;
    /** Rejects: there are no ACLs yet. */
    deleteAcls(options: {
        filters: AclFilter[];
    }): Promise<DeleteAclResponse>;
    /** Rejects: there are no ACLs yet. */
    createAcls(options: {
        acl: AclEntry[];
    }): Promise<boolean>;
    deleteTopicRecords(options: {
        topic: string;
        partitions: SeekEntry[];
    }): Promise<void>;
    /** Rejects: replicas cannot be moved yet. */
    alterPartitionReassignments(request: {
        topics: PartitionReassignment[];
        timeout?: number;
    }): Promise<void>;
    /** Rejects: replicas cannot be moved yet. */
    listPartitionReassignments(request: {
        topics?: TopicPartitions[];
        timeout?: number;
    }): Promise<ListPartitionReassignmentsResponse>;
    logger(): Logger;
    on(eventName: AdminEvents['CONNECT'], listener: (event: ConnectEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: AdminEvents['DISCONNECT'], listener: (event: DisconnectEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: AdminEvents['REQUEST'], listener: (event: RequestEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: AdminEvents['REQUEST_QUEUE_SIZE'], listener: (event: RequestQueueSizeEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: AdminEvents['REQUEST_TIMEOUT'], listener: (event: RequestTimeoutEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ValueOf<AdminEvents>, listener: (event: InstrumentationEvent<any>) => void): RemoveInstrumentationEventListener<typeof eventName>;
    readonly events: AdminEvents;
};

// kafkajs/types/assigners.d.ts

import type { Logger } from './logging.js';
import type { PartitionMetadata } from './messages.js';
/** The view of the cluster that assigners have. */
export type Cluster = {
    findTopicPartitionMetadata(topic: string): PartitionMetadata[];
};
export type Assignment = {
    [topic: string]: number[];
};
export type GroupMember = {
    memberId: string;
    memberMetadata: Buffer;
};
export type GroupMemberAssignment = {
    memberId: string;
    memberAssignment: Buffer;
};
export type GroupState = {
    name: string;
    metadata: Buffer;
};
export type Assigner = {
    name: string;
    version: number;
    assign(group: {
        members: GroupMember[];
        topics: string[];
    }): Promise<GroupMemberAssignment[]>;
    protocol(subscription: {
        topics: string[];
    }): GroupState;
};
export type PartitionAssigner = (config: {
    cluster: Cluster;
    groupId: string;
    logger: Logger;
}) => Assigner;
export interface ISerializer<T> {
    encode(value: T): Buffer;
    decode(buffer: Buffer): T | null;
}
export type MemberMetadata = {
    version: number;
    topics: string[];
    userData: Buffer;
};
export type MemberAssignment = {
    version: number;
    assignment: Assignment;
    userData: Buffer;
};

// kafkajs/types/config.d.ts

import type * as net from 'node:net';
import type * as tls from 'node:tls';
import type { Client } from '../../client.js';
import type { logLevel } from '../enums.js';
import type { Logger, logCreator } from './logging.js';
export type BrokersFunction = () => string[] | Promise<string[]>;
export interface OauthbearerProviderResponse {
    value: string;
}
type SASLMechanismOptionsMap = {
    plain: {
        username: string;
        password: string;
    };
    'scram-sha-256': {
        username: string;
        password: string;
    };
    'scram-sha-512': {
        username: string;
        password: string;
    };
    aws: {
        authorizationIdentity: string;
        accessKeyId: string;
        secretAccessKey: string;
        sessionToken?: string;
    };
    oauthbearer: {
        oauthBearerProvider: () => Promise<OauthbearerProviderResponse>;
    };
};
export type SASLMechanism = keyof SASLMechanismOptionsMap;
type SASLMechanismOptions<T> = T extends SASLMechanism ? {
    mechanism: T;
} & SASLMechanismOptionsMap[T] : never;
/** "plain" and "scram-sha-…" are supported; the others are refused, with the alternative. */
export type SASLOptions = SASLMechanismOptions<SASLMechanism>;
type SaslAuthenticationRequest = {
    encode: () => Buffer | Promise<Buffer>;
};
type SaslAuthenticationResponse<ParseResult> = {
    decode: (rawResponse: Buffer) => Buffer | Promise<Buffer>;
    parse: (data: Buffer) => ParseResult;
};
export type Authenticator = {
    authenticate: () => Promise<void>;
};
export type SaslAuthenticateArgs<ParseResult> = {
    request: SaslAuthenticationRequest;
    response?: SaslAuthenticationResponse<ParseResult>;
};
export type AuthenticationProviderArgs = {
    host: string;
    port: number;
    logger: Logger;
    saslAuthenticate: <ParseResult>(args: SaslAuthenticateArgs<ParseResult>) => Promise<ParseResult | void>;
};
/** A mechanism of the caller's own, which is refused. */
export type Mechanism = {
    mechanism: string;
    authenticationProvider: (args: AuthenticationProviderArgs) => Authenticator;
};
export interface ISocketFactoryArgs {
    host: string;
    port: number;
    ssl: tls.ConnectionOptions;
    onConnect: () => void;
}
export type ISocketFactory = (args: ISocketFactoryArgs) => net.Socket;
export interface RetryOptions {
    /** The longest pause between two tries, in milliseconds; 30,000 by default. */
    maxRetryTime?: number;
    /** The first pause, in milliseconds; 300 by default. */
    initialRetryTime?: number;
    /** By which part of itself a pause varies; 0.2 by default. */
    factor?: number;
    /** The factor by which the pause grows each time; 2 by default. */
    multiplier?: number;
    /** How often it is tried again; 5 by default. */
    retries?: number;
    /** Whether a consumer that has crashed starts again. */
    restartOnFailure?: (error: Error) => Promise<boolean>;
}
export interface KafkaConfig {
    /** "HOST:PORT" of one or more brokers, or a function that returns them. */
    brokers?: string[] | BrokersFunction;
    /**
     * A client of `headwater`: an embedded engine, or a connection with options that kafkajs does not have. In the
     * place of `brokers` and of all options of connections. It is not closed.
     */
    client?: Client;
    ssl?: tls.ConnectionOptions | boolean;
    sasl?: SASLOptions | Mechanism;
    clientId?: string;
    /** How long opening a connection may take, in milliseconds. `authenticationTimeout` is added to it. */
    connectionTimeout?: number;
    authenticationTimeout?: number;
    reauthenticationThreshold?: number;
    /** How long to wait for a response, in milliseconds; 30,000 by default. */
    requestTimeout?: number;
    enforceRequestTimeout?: boolean;
    retry?: RetryOptions;
    socketFactory?: ISocketFactory;
    logLevel?: logLevel;
    logCreator?: logCreator;
}
export {};

// kafkajs/types/consumer.d.ts

import type { PartitionAssigner } from './assigners.js';
import type { RetryOptions } from './config.js';
import type { ConnectEvent, ConsumerCommitOffsetsEvent, ConsumerCrashEvent, ConsumerEndBatchProcessEvent, ConsumerEvents, ConsumerFetchEvent, ConsumerFetchStartEvent, ConsumerGroupJoinEvent, ConsumerHeartbeatEvent, ConsumerRebalancingEvent, ConsumerReceivedUnsubcribedTopicsEvent, ConsumerStartBatchProcessEvent, DisconnectEvent, InstrumentationEvent, RemoveInstrumentationEventListener, RequestEvent, RequestQueueSizeEvent, RequestTimeoutEvent, ValueOf } from './events.js';
import type { Logger } from './logging.js';
import type { KafkaMessage, Offsets, OffsetsByTopicPartition, TopicPartitionOffset, TopicPartitionOffsetAndMetadata, TopicPartitions } from './messages.js';
export interface ConsumerConfig {
    groupId: string;
    /** Those of `PartitionAssigners`. Others are refused. */
    partitionAssigners?: PartitionAssigner[];
    metadataMaxAge?: number;
    sessionTimeout?: number;
    rebalanceTimeout?: number;
    heartbeatInterval?: number;
    maxBytesPerPartition?: number;
    minBytes?: number;
    maxBytes?: number;
    maxWaitTimeInMs?: number;
    retry?: RetryOptions & {
        restartOnFailure?: (error: Error) => Promise<boolean>;
    };
    allowAutoTopicCreation?: boolean;
    /** Refused: a consumer has one fetch in flight for each broker. */
    maxInFlightRequests?: number;
    readUncommitted?: boolean;
    rackId?: string;
}
export type MemberDescription = {
    clientHost: string;
    clientId: string;
    memberId: string;
    memberAssignment: Buffer;
    memberMetadata: Buffer;
};
export type ConsumerGroupState = 'Unknown' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead' | 'Empty';
export type GroupDescription = {
    errorCode: number;
    groupId: string;
    members: MemberDescription[];
    protocol: string;
    protocolType: string;
    state: ConsumerGroupState;
};
export type GroupDescriptions = {
    groups: GroupDescription[];
};
export type Batch = {
    topic: string;
    partition: number;
    highWatermark: string;
    messages: KafkaMessage[];
    isEmpty(): boolean;
    firstOffset(): string | null;
    lastOffset(): string;
    offsetLag(): string;
    offsetLagLow(): string;
};
export interface EachMessagePayload {
    topic: string;
    partition: number;
    message: KafkaMessage;
    /** Heartbeats are sent in the background. */
    heartbeat(): Promise<void>;
    /** Pauses the partition. The result resumes it. */
    pause(): () => void;
}
export interface EachBatchPayload {
    batch: Batch;
    resolveOffset(offset: string): void;
    /** Heartbeats are sent in the background. */
    heartbeat(): Promise<void>;
    /** Pauses the partition. The result resumes it. */
    pause(): () => void;
    commitOffsetsIfNecessary(offsets?: Offsets): Promise<void>;
    uncommittedOffsets(): OffsetsByTopicPartition;
    isRunning(): boolean;
    isStale(): boolean;
}
export type ConsumerEachMessagePayload = EachMessagePayload;
export type ConsumerEachBatchPayload = EachBatchPayload;
export type EachBatchHandler = (payload: EachBatchPayload) => Promise<void>;
export type EachMessageHandler = (payload: EachMessagePayload) => Promise<void>;
export type ConsumerRunConfig = {
    autoCommit?: boolean;
    autoCommitInterval?: number | null;
    autoCommitThreshold?: number | null;
    eachBatchAutoResolve?: boolean;
    partitionsConsumedConcurrently?: number;
    eachBatch?: EachBatchHandler;
    eachMessage?: EachMessageHandler;
};
/** @deprecated Use {@link ConsumerSubscribeTopics}. */
export type ConsumerSubscribeTopic = {
    topic: string | RegExp;
    fromBeginning?: boolean;
};
export type ConsumerSubscribeTopics = {
    topics: (string | RegExp)[];
    fromBeginning?: boolean;
};
export type Consumer = {
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    subscribe(subscription: ConsumerSubscribeTopics | ConsumerSubscribeTopic): Promise<void>;
    stop(): Promise<void>;
    run(config?: ConsumerRunConfig): Promise<void>;
    commitOffsets(topicPartitions: TopicPartitionOffsetAndMetadata[]): Promise<void>;
    seek(topicPartitionOffset: TopicPartitionOffset): void;
    describeGroup(): Promise<GroupDescription>;
    pause(topics: {
        topic: string;
        partitions?: number[];
    }[]): void;
    paused(): TopicPartitions[];
    resume(topics: {
        topic: string;
        partitions?: number[];
    }[]): void;
    on(eventName: ConsumerEvents['HEARTBEAT'], listener: (event: ConsumerHeartbeatEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ConsumerEvents['COMMIT_OFFSETS'], listener: (event: ConsumerCommitOffsetsEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ConsumerEvents['GROUP_JOIN'], listener: (event: ConsumerGroupJoinEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ConsumerEvents['FETCH_START'], listener: (event: ConsumerFetchStartEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ConsumerEvents['FETCH'], listener: (event: ConsumerFetchEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ConsumerEvents['START_BATCH_PROCESS'], listener: (event: ConsumerStartBatchProcessEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ConsumerEvents['END_BATCH_PROCESS'], listener: (event: ConsumerEndBatchProcessEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ConsumerEvents['CONNECT'], listener: (event: ConnectEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ConsumerEvents['DISCONNECT'], listener: (event: DisconnectEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ConsumerEvents['STOP'], listener: (event: InstrumentationEvent<null>) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ConsumerEvents['CRASH'], listener: (event: ConsumerCrashEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ConsumerEvents['REBALANCING'], listener: (event: ConsumerRebalancingEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ConsumerEvents['RECEIVED_UNSUBSCRIBED_TOPICS'], listener: (event: ConsumerReceivedUnsubcribedTopicsEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ConsumerEvents['REQUEST'], listener: (event: RequestEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ConsumerEvents['REQUEST_TIMEOUT'], listener: (event: RequestTimeoutEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ConsumerEvents['REQUEST_QUEUE_SIZE'], listener: (event: RequestQueueSizeEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ValueOf<ConsumerEvents>, listener: (event: InstrumentationEvent<any>) => void): RemoveInstrumentationEventListener<typeof eventName>;
    logger(): Logger;
    readonly events: ConsumerEvents;
};

// kafkajs/types/events.d.ts

import type { TopicOffsets } from './messages.js';
export type ValueOf<T> = T[keyof T];
export interface InstrumentationEvent<T> {
    id: string;
    type: string;
    timestamp: number;
    payload: T;
}
export type RemoveInstrumentationEventListener<_T> = () => void;
export type ConnectEvent = InstrumentationEvent<null>;
export type DisconnectEvent = InstrumentationEvent<null>;
/** Never emitted: a listener is refused. */
export type RequestEvent = InstrumentationEvent<{
    apiKey: number;
    apiName: string;
    apiVersion: number;
    broker: string;
    clientId: string;
    correlationId: number;
    createdAt: number;
    duration: number;
    pendingDuration: number;
    sentAt: number;
    size: number;
}>;
/** Never emitted: a listener is refused. */
export type RequestTimeoutEvent = InstrumentationEvent<{
    apiKey: number;
    apiName: string;
    apiVersion: number;
    broker: string;
    clientId: string;
    correlationId: number;
    createdAt: number;
    pendingDuration: number;
    sentAt: number;
}>;
/** Never emitted: a listener is refused. */
export type RequestQueueSizeEvent = InstrumentationEvent<{
    broker: string;
    clientId: string;
    queueSize: number;
}>;
export type ProducerEvents = {
    CONNECT: 'producer.connect';
    DISCONNECT: 'producer.disconnect';
    REQUEST: 'producer.network.request';
    REQUEST_TIMEOUT: 'producer.network.request_timeout';
    REQUEST_QUEUE_SIZE: 'producer.network.request_queue_size';
};
export type AdminEvents = {
    CONNECT: 'admin.connect';
    DISCONNECT: 'admin.disconnect';
    REQUEST: 'admin.network.request';
    REQUEST_TIMEOUT: 'admin.network.request_timeout';
    REQUEST_QUEUE_SIZE: 'admin.network.request_queue_size';
};
export type ConsumerEvents = {
    HEARTBEAT: 'consumer.heartbeat';
    COMMIT_OFFSETS: 'consumer.commit_offsets';
    GROUP_JOIN: 'consumer.group_join';
    FETCH_START: 'consumer.fetch_start';
    FETCH: 'consumer.fetch';
    START_BATCH_PROCESS: 'consumer.start_batch_process';
    END_BATCH_PROCESS: 'consumer.end_batch_process';
    CONNECT: 'consumer.connect';
    DISCONNECT: 'consumer.disconnect';
    STOP: 'consumer.stop';
    CRASH: 'consumer.crash';
    REBALANCING: 'consumer.rebalancing';
    RECEIVED_UNSUBSCRIBED_TOPICS: 'consumer.received_unsubscribed_topics';
    REQUEST: 'consumer.network.request';
    REQUEST_TIMEOUT: 'consumer.network.request_timeout';
    REQUEST_QUEUE_SIZE: 'consumer.network.request_queue_size';
};
/** Emitted every `heartbeatInterval` while the consumer is a member. */
export type ConsumerHeartbeatEvent = InstrumentationEvent<{
    groupId: string;
    memberId: string;
    groupGenerationId: number;
}>;
export type ConsumerCommitOffsetsEvent = InstrumentationEvent<{
    groupId: string;
    memberId: string;
    groupGenerationId: number;
    topics: TopicOffsets[];
}>;
export interface IMemberAssignment {
    [key: string]: number[];
}
export type ConsumerGroupJoinEvent = InstrumentationEvent<{
    duration: number;
    groupId: string;
    isLeader: boolean;
    leaderId: string;
    groupProtocol: string;
    memberId: string;
    memberAssignment: IMemberAssignment;
}>;
/** Never emitted: a listener is refused. */
export type ConsumerFetchStartEvent = InstrumentationEvent<{
    nodeId: number;
}>;
/** Never emitted: a listener is refused. */
export type ConsumerFetchEvent = InstrumentationEvent<{
    numberOfBatches: number;
    duration: number;
    nodeId: number;
}>;
interface IBatchProcessEvent {
    topic: string;
    partition: number;
    highWatermark: string;
    offsetLag: string;
    offsetLagLow: string;
    batchSize: number;
    firstOffset: string;
    lastOffset: string;
}
export type ConsumerStartBatchProcessEvent = InstrumentationEvent<IBatchProcessEvent>;
export type ConsumerEndBatchProcessEvent = InstrumentationEvent<IBatchProcessEvent & {
    duration: number;
}>;
export type ConsumerCrashEvent = InstrumentationEvent<{
    error: Error;
    groupId: string;
    restart: boolean;
}>;
export type ConsumerRebalancingEvent = InstrumentationEvent<{
    groupId: string;
    memberId: string;
}>;
/** Never happens: the native half takes only partitions of subscribed topics. */
export type ConsumerReceivedUnsubcribedTopicsEvent = InstrumentationEvent<{
    groupId: string;
    generationId: number;
    memberId: string;
    assignedTopics: string[];
    topicsSubscribed: string[];
    topicsNotSubscribed: string[];
}>;
export {};

// kafkajs/types/logging.d.ts

import type { logLevel } from '../enums.js';
/** The text of a log entry. Other keys are details. */
export interface LoggerEntryContent {
    readonly timestamp: string;
    readonly message: string;
    [key: string]: any;
}
export interface LogEntry {
    namespace: string;
    level: logLevel;
    label: string;
    log: LoggerEntryContent;
}
/** Makes the function that gets log entries. */
export type logCreator = (level: logLevel) => (entry: LogEntry) => void;
export type Logger = {
    info: (message: string, extra?: object) => void;
    error: (message: string, extra?: object) => void;
    warn: (message: string, extra?: object) => void;
    debug: (message: string, extra?: object) => void;
    /** A logger for a part of the program, with its own level if one is given. */
    namespace: (namespace: string, level?: logLevel) => Logger;
    setLogLevel: (level: logLevel) => void;
};

// kafkajs/types/messages.d.ts

import type { CompressionTypes } from '../enums.js';
export interface IHeaders {
    [key: string]: Buffer | string | (Buffer | string)[] | undefined;
}
/** A message to send. */
export interface Message {
    key?: Buffer | string | null;
    value: Buffer | string | null;
    partition?: number;
    headers?: IHeaders;
    /** Milliseconds since 1970; now if there is none. */
    timestamp?: string;
}
interface MessageSetEntry {
    key: Buffer | null;
    value: Buffer | null;
    timestamp: string;
    attributes: number;
    offset: string;
    size: number;
    headers?: never;
}
interface RecordBatchEntry {
    key: Buffer | null;
    value: Buffer | null;
    timestamp: string;
    attributes: number;
    offset: string;
    headers: IHeaders;
    size?: never;
}
/** A message that was read. Headers whose names repeat are arrays. */
export type KafkaMessage = MessageSetEntry | RecordBatchEntry;
export interface ProducerRecord {
    topic: string;
    messages: Message[];
    /** -1 (the default): all in-sync replicas acknowledge; 1: the leader; 0: none. */
    acks?: number;
    /** How long brokers may take to acknowledge, in milliseconds. */
    timeout?: number;
    compression?: CompressionTypes;
}
export interface TopicMessages {
    topic: string;
    messages: Message[];
}
export interface ProducerBatch {
    acks?: number;
    timeout?: number;
    compression?: CompressionTypes;
    topicMessages?: TopicMessages[];
}
/** Where the messages of a partition were written. */
export type RecordMetadata = {
    topicName: string;
    partition: number;
    errorCode: number;
    offset?: string;
    timestamp?: string;
    baseOffset?: string;
    logAppendTime?: string;
    logStartOffset?: string;
};
export interface PartitionOffset {
    partition: number;
    offset: string;
}
export type SeekEntry = PartitionOffset;
export interface TopicOffsets {
    topic: string;
    partitions: PartitionOffset[];
}
/** Offsets to commit; the group stores their metadata. */
export interface Offsets {
    topics: {
        topic: string;
        partitions: (PartitionOffset & {
            metadata?: string | null;
        })[];
    }[];
}
export interface OffsetsByTopicPartition {
    topics: TopicOffsets[];
}
export type TopicPartitions = {
    topic: string;
    partitions: number[];
};
export type TopicPartition = {
    topic: string;
    partition: number;
};
export type TopicPartitionOffset = TopicPartition & {
    offset: string;
};
export type TopicPartitionOffsetAndMetadata = TopicPartitionOffset & {
    metadata?: string | null;
};
export type PartitionMetadata = {
    partitionErrorCode: number;
    partitionId: number;
    leader: number;
    replicas: number[];
    isr: number[];
    offlineReplicas?: number[];
};
export {};

// kafkajs/types/producer.d.ts

import type { RetryOptions } from './config.js';
import type { ConnectEvent, DisconnectEvent, InstrumentationEvent, ProducerEvents, RemoveInstrumentationEventListener, RequestEvent, RequestQueueSizeEvent, RequestTimeoutEvent, ValueOf } from './events.js';
import type { Logger } from './logging.js';
import type { Message, Offsets, PartitionMetadata, ProducerBatch, ProducerRecord, RecordMetadata } from './messages.js';
export interface PartitionerArgs {
    topic: string;
    partitionMetadata: PartitionMetadata[];
    message: Message;
}
export type ICustomPartitioner = () => (args: PartitionerArgs) => number;
export type DefaultPartitioner = ICustomPartitioner;
export type LegacyPartitioner = ICustomPartitioner;
export interface ProducerConfig {
    createPartitioner?: ICustomPartitioner;
    retry?: RetryOptions;
    metadataMaxAge?: number;
    allowAutoTopicCreation?: boolean;
    idempotent?: boolean;
    /** Refused: there are no transactions yet. */
    transactionalId?: string;
    /** Refused: there are no transactions yet. */
    transactionTimeout?: number;
    maxInFlightRequests?: number;
}
type Sender = {
    send(record: ProducerRecord): Promise<RecordMetadata[]>;
    sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]>;
};
export type Transaction = Sender & {
    sendOffsets(offsets: Offsets & {
        consumerGroupId: string;
    }): Promise<void>;
    commit(): Promise<void>;
    abort(): Promise<void>;
    isActive(): boolean;
};
export type Producer = Sender & {
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    isIdempotent(): boolean;
    readonly events: ProducerEvents;
    on(eventName: ProducerEvents['CONNECT'], listener: (event: ConnectEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ProducerEvents['DISCONNECT'], listener: (event: DisconnectEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ProducerEvents['REQUEST'], listener: (event: RequestEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ProducerEvents['REQUEST_QUEUE_SIZE'], listener: (event: RequestQueueSizeEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ProducerEvents['REQUEST_TIMEOUT'], listener: (event: RequestTimeoutEvent) => void): RemoveInstrumentationEventListener<typeof eventName>;
    on(eventName: ValueOf<ProducerEvents>, listener: (event: InstrumentationEvent<any>) => void): RemoveInstrumentationEventListener<typeof eventName>;
    /** Rejects: there are no transactions yet. */
    transaction(): Promise<Transaction>;
    logger(): Logger;
};
export {};

// message.d.ts

import { inspect } from 'node:util';
import type { Header } from './flat.js';
/**
 * One record of a topic. Keys and values of format "bytes" are views into the buffer of their batch; copy those that
 * you keep for long.
 */
export declare class Message<K = Buffer | null, V = Buffer | null> {
    private readonly flat;
    private readonly row;
    private readonly formats;
    private decodedKey;
    private decodedValue;
    /** The topic's name. */
    get topic(): string;
    /** The partition's number. */
    get partition(): number;
    /** The offset in the partition. */
    get offset(): bigint;
    /** The timestamp of the record in milliseconds since 1970. */
    get timestamp(): number;
    /** The key, in the requested format. */
    get key(): K;
    /** The value, in its format. With `unnest`, an object of the fields that were read. */
    get value(): V;
    /** The headers: pairs of a name and bytes, in order. Names may repeat. */
    get headers(): Header[];
    /** The value of the last header with that name; `undefined` if there is none. */
    header(name: string): Buffer | null | undefined;
    /** The parts that were read, as a plain object. */
    toObject(): Record<string, unknown>;
    /** The parts that were read, as `console.log()` shows them. @hidden */
    [inspect.custom](): string;
}

// messages.d.ts

import type { ConsumerEvent, Consumer as NativeConsumer } from '../native.js';
import { Flat } from './flat.js';
/**
 * Hands out messages one by one from a buffer of the native half, which counts them as handed out when it is notified.
 * Messages that another call may have invalidated are discarded and read again.
 */
export declare class MessageBuffer {
    private readonly native;
    private readonly isMember;
    private readonly next;
    /** The last message that was handed out. */
    taken: {
        flat: Flat;
        row: number;
    };
    private flat;
    private row;
    private unreported;
    private sinceTurn;
    private isInterrupted;
    /** Calls that wait take turns. */
    private turn;
    constructor(native: NativeConsumer, isMember: boolean, next: (wait: AbortSignal | undefined) => Promise<ConsumerEvent>);
    /** Hands out a message, if one is available and nothing comes before it. */
    tryTake(): boolean;
    /** Waits for a message, and hands it out. */
    take(wait: AbortSignal | undefined): Promise<void>;
    /** Notifies the native half of the messages that were handed out. */
    report(): void;
    /** Drops the messages that were not handed out: they are read again. */
    discard(): void;
    /** Makes the next message wait for the native half, which ends the wait. */
    interrupt(): void;
    private fetch;
    private serveGroup;
    private fill;
}
/** An iterator that does not end by itself. */
export declare function iteratorOf<T>(next: () => Promise<IteratorResult<T>>): AsyncIterableIterator<T>;

// metrics.d.ts

/** A broker in `Metrics`. */
export interface BrokerMetrics {
    /** `null` if the metadata has no broker with this address: a bootstrap address, or a broker that has left. */
    'node-id': number | null;
    /** Open connections. */
    'connection-count': number;
    /** Connections that were opened. */
    'connection-creation-total': number;
    /** Attempts to connect that failed. */
    'connection-failure-total': number;
    /** Requests that were written. */
    'request-total': number;
    /** Of these, those without a response because the connection was lost. */
    'request-error-total': number;
    /** Of these, those that are waiting for their response. */
    'requests-in-flight': number;
    /** The bytes of requests in Kafka's encoding: without TLS, and without the requests that open a connection. */
    'outgoing-byte-total': number;
    /** The bytes of responses, counted likewise. */
    'incoming-byte-total': number;
    /**
     * From request to response, over the last one to two minutes. Includes the time that a fetch or a join of a group
     * waits in the broker.
     */
    'request-latency-avg-ms': number;
    /** The median of the same times. */
    'request-latency-p50-ms': number;
    /** The 99th percentile of the same times. */
    'request-latency-p99-ms': number;
    /** The longest of the same times. */
    'request-latency-max-ms': number;
    /** The total time for which the broker has throttled the client, because a quota was exceeded. */
    'throttle-time-total-ms': number;
}
/** A producer in `Metrics`. */
export interface ProducerMetrics {
    /** `client.id`. */
    'client-id': string;
    /** Accepted records without a result yet. */
    'queued-records': number;
    /** Their share of `buffer.memory` in bytes. */
    'queued-bytes': number;
}
/** A consumer in `Metrics`. */
export interface ConsumerMetrics {
    /** `client.id`. */
    'client-id': string;
    /** `null` without a group. */
    'group-id': string | null;
    /**
     * By topic and partition: the number of offsets between the position and the end in the last response.
     * `consumer.lag()` requests the ends from the brokers.
     */
    'records-lag': Record<string, Record<number, number>>;
    /** Records that `onError: 'skip'` has skipped. */
    'records-skipped-total': number;
}
/** The segments that an embedded engine has deleted, and their bytes, by reason. */
export interface DeletionMetrics {
    /** Segments that `retention.ms` deleted. */
    'retention-time-deleted-segments-total': number;
    /** Bytes that `retention.ms` deleted. */
    'retention-time-deleted-bytes-total': number;
    /** Segments that `retention.bytes` deleted. */
    'retention-size-deleted-segments-total': number;
    /** Bytes that `retention.bytes` deleted. */
    'retention-size-deleted-bytes-total': number;
    /** Segments that `deleteRecords()` deleted. */
    'delete-records-deleted-segments-total': number;
    /** Bytes that `deleteRecords()` deleted. */
    'delete-records-deleted-bytes-total': number;
    /** Segments that were deleted for lack of space. */
    'exhaustion-deleted-segments-total': number;
    /** Bytes that were deleted for lack of space. */
    'exhaustion-deleted-bytes-total': number;
}
/**
 * The metrics of a client: `client.metrics()`. Totals count from the creation of the client. Those of deletions exist
 * only for an embedded engine.
 */
export interface Metrics extends Partial<DeletionMetrics> {
    /** Requests that were written. */
    'request-total': number;
    /** Requests without a response. */
    'request-error-total': number;
    /** The number of retries after an error. */
    'retry-total': number;
    /** The total time for which brokers have throttled the client, because a quota was exceeded. */
    'throttle-time-total-ms': number;
    /** Records that `onError: 'skip'` has skipped: in consumers, scans and `tail()`. */
    'records-skipped-total': number;
    /** Over all brokers; 0 for an embedded engine, like the next four. */
    'connection-count': number;
    /** Connections that were opened. */
    'connection-creation-total': number;
    /** Attempts to connect that failed. */
    'connection-failure-total': number;
    /** The bytes of requests. */
    'outgoing-byte-total': number;
    /** The bytes of responses. */
    'incoming-byte-total': number;
    /** By `HOST:PORT`; empty for an embedded engine. */
    brokers: Record<string, BrokerMetrics>;
    /** The producers in use. */
    producers: ProducerMetrics[];
    /** The consumers in use. */
    consumers: ConsumerMetrics[];
}

// native.d.ts

import * as native from '../native.js';
export { native };

// offsets.d.ts

import type { TopicPartitionOffsetAndMetadata as OffsetToCommit } from '../native.js';
import { Batch } from './batch.js';
import { Message } from './message.js';
import { type TopicPartitionOffset } from './positions.js';
/** The argument of {@link Consumer.commit}: a message or a batch stands for the offset after it. */
export type Offsets<K, V> = Message<K, V> | Batch<K, V> | TopicPartitionOffsetAndMetadata | TopicPartitionOffsetAndMetadata[];
/** An offset to commit in a partition of a topic. */
export interface TopicPartitionOffsetAndMetadata extends TopicPartitionOffset {
    /** Text that the group stores with the offset: {@link Client.groupOffsets} returns it. */
    metadata?: string | null;
}
/** The offsets of a message or a batch, or the given ones. */
export declare function offsetsToCommit(what: unknown, name: string): OffsetToCommit[];
/** The offset of each partition, if `to` contains them. */
export declare function seeks(to: unknown): TopicPartitionOffset[] | undefined;

// open.d.ts

import { type WaitOptions } from './abort.js';
import { Client } from './client.js';
import { type KafkaConfig } from './config.js';
import { type StatsListener } from './stats.js';
/** The options of {@link open} and {@link connect}. Other keys are configuration. */
export interface OpenOptions extends KafkaConfig, WaitOptions {
    /**
     * Called with the metrics of the client every `statisticsIntervalMs` (60,000), until the client is closed. Its
     * errors become warnings of the process.
     */
    stats?: StatsListener;
}
/**
 * Opens an embedded engine and returns the client on it. `path` is its directory, which is created if missing; `null`
 * keeps everything in memory until the client is closed. Opening the same path again in one process returns the same
 * engine; a second process gets `LockedError`.
 */
export declare function open(path?: string | null, given?: OpenOptions): Promise<Client>;
/**
 * Connects to a Kafka cluster and returns the client on it. `bootstrapServers` is one or more "HOST:PORT", separated by
 * commas or in an array; one reachable broker is enough. Rejects with `TransportError` if none can be reached.
 */
export declare function connect(bootstrapServers: string | readonly string[], given?: OpenOptions): Promise<Client>;

// options.d.ts

/** Checks a value, and converts it. */
export type Check<T> = (value: unknown, name: string) => T;
type Spec = Record<string, Check<unknown>>;
type Checked<S extends Spec> = {
    [K in keyof S]?: ReturnType<S[K]>;
};
/** The name of a value's type, for messages. */
export declare function typeName(value: unknown): string;
/** The replacement of an option that other clients have. */
export type HabitOf = (call: string, name: string) => string | undefined;
/**
 * Checks the options of a call. Unknown ones are refused with a replacement or the most similar name; undefined ones
 * count as missing.
 */
export declare function options<S extends Spec>(call: string, given: unknown, spec: S, habitOf?: HabitOf): Checked<S>;
/** Separates the options of a call from the configuration keys. */
export declare function optionsAndConfig<S extends Spec>(call: string, given: unknown, spec: S): {
    known: Checked<S>;
    rest: Record<string, unknown>;
};
/** A string without lone surrogates, which UTF-8 cannot express. */
export declare const text: Check<string>;
/** Whether a string has no lone surrogates. */
export declare function isWellFormed(value: string): boolean;
export declare const boolean: Check<boolean>;
/** A whole number. */
export declare const integer: Check<number>;
/** A whole number that is not negative. */
export declare const count: Check<number>;
/** A number that is not negative; `Infinity` never ends. Or a duration such as "5s" or "1h30m". */
export declare const milliseconds: Check<number>;
/** The number of a partition. */
export declare const partition: Check<number>;
/** An offset: a `bigint`, or a whole number. */
export declare const offset: Check<bigint>;
/** Milliseconds since 1970, a `Date`, or a date or time in ISO 8601. */
export declare const timestamp: Check<number>;
export declare const signal: Check<AbortSignal>;
/** A list of values. */
export declare function listOf<T>(check: Check<T>): Check<T[]>;
/** One of a few words. */
export declare function oneOf<T extends string>(...words: T[]): Check<T>;
type AnyFunction = (...args: any[]) => unknown;
export declare const callback: Check<AnyFunction>;
/** An object that is checked elsewhere. */
export declare const object: Check<Record<string, unknown>>;
export {};

// positions.d.ts

import type { PartitionOffset, TopicPartition, TopicPartitionOffset } from '../native.js';
import { type Check } from './options.js';
export type { TopicPartition, TopicPartitionOffset };
/** An offset in a partition of a topic. */
export interface PartitionPosition {
    /** The partition. */
    partition: number;
    /** The offset. */
    offset: bigint | number;
}
/**
 * A position in each partition of a topic: `"earliest"`, `"latest"`, an offset, an age such as `"-15m"`, a `Date` (the
 * first record at or after it), a date or time with its zone in ISO 8601 (`"2026-01-31"`: its midnight in UTC,
 * `"2026-01-31T10:00:00Z"`), or an offset for each partition: by its number, or like in {@link Batch.nextOffsets}.
 */
export type Position = 'earliest' | 'latest' | bigint | number | Date | `-${string}` | `${number}-${string}` | readonly PartitionPosition[] | ReadonlyMap<number, bigint | number> | Readonly<Record<number, bigint | number>>;
/** A position in the form for the native half. */
export declare const position: Check<string | PartitionOffset[]>;
/** A partition of a topic. */
export declare const topicPartition: Check<TopicPartition>;
/** A list of partitions, or a single one. */
export declare const topicPartitions: Check<TopicPartition[]>;
/** An offset in a partition of a topic. */
export declare const topicPartitionOffset: Check<TopicPartitionOffset>;
/** Offsets by the number of their partition. */
export declare function byNumber(offsets: PartitionOffset[]): Map<number, bigint>;
/** A partition as a key of a map. */
export declare function keyOf({ topic, partition }: TopicPartition): string;
/** Whether another is the same partition. */
export declare function isOf(at: TopicPartition): (other: TopicPartition) => boolean;

// producer.d.ts

import { Writable } from 'node:stream';
import type { Table } from 'apache-arrow';
import type { BatchResult, RecordMetadata } from '../native.js';
import { type WaitOptions } from './abort.js';
import type { Format } from './formats.js';
import { INSPECT } from './inspection.js';
import { type MessageToSend, type RecordToSend } from './records.js';
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
/** Sends records. Records of one topic that are sent in sequence keep their order in each partition. */
export declare class Producer<K extends Format = 'bytes', V extends Format = 'bytes'> implements AsyncDisposable {
    private readonly native;
    private readonly formats;
    /**
     * Sends a record. The promise is fulfilled when it is acknowledged; sends need not wait for each other. The bytes
     * are copied at the call. An abort ends the wait, not the record: it may still be written.
     */
    send(record: RecordToSend<K, V>, given?: WaitOptions): Promise<RecordMetadata>;
    private sendRecord;
    /**
     * Sends many records and waits until all are acknowledged: messages, the stream format of Arrow IPC, or a table of
     * apache-arrow. All are checked before the first is written.
     */
    sendBatch(topic: string, rows: readonly MessageToSend<K, V>[] | Uint8Array | Table, given?: SendBatchOptions): Promise<BatchResult>;
    private sendRows;
    /** A writable stream that sends messages. It accepts more when the previous ones are acknowledged. */
    writable(topic: string): Writable;
    /** Sends all records accepted before, and waits until they are acknowledged or refused. */
    flush(given?: WaitOptions): Promise<void>;
    /**
     * Flushes, and accepts no more records. Rejects if records could not be sent: the error has their number.
     * Idempotent.
     */
    close(): Promise<void>;
    /** Closes it: `await using`. */
    [Symbol.asyncDispose](): Promise<void>;
    /** The formats of its keys and values, as `console.log()` shows them. @hidden */
    [INSPECT](): string;
    private sendMessages;
}

// propagation.d.ts

import type { Bytes, HeadersToSend } from './records.js';
/** Headers that {@link headersSetter} may change. */
export type HeadersCarrier = [name: string, value: Bytes | null][] | Record<string, Bytes | null | readonly Bytes[]>;
/**
 * Reads headers: a `TextMapGetter` of OpenTelemetry. Of a name that repeats the last header counts.
 *
 * @example
 * const parent = propagation.extract(context.active(), message.headers, headersGetter);
 */
export declare const headersGetter: {
    /** The names. */
    keys(headers: HeadersToSend): string[];
    /** The text of a header; undefined if there is none, or if its value is null. */
    get(headers: HeadersToSend | undefined, name: string): string | undefined;
};
/**
 * Writes headers: a `TextMapSetter` of OpenTelemetry. A header replaces those of its name.
 *
 * @example
 * const headers = [['gate', 'B7']];
 * propagation.inject(context.active(), headers, headersSetter);
 * await producer.send({ topic: 'flights', value: 'late', headers });
 */
export declare const headersSetter: {
    /** Sets a header. */
    set(headers: HeadersCarrier, name: string, value: string): void;
};

// rebalances.d.ts

import type { ConsumerEvent } from '../native.js';
import type { TopicPartition } from './positions.js';
/** Called with the partitions of a rebalance. The waiting call rejects with its error. */
export type RebalanceListener = (partitions: TopicPartition[]) => unknown;
/** The functions of a subscription. */
export interface RebalanceOptions {
    /** Partitions were added. */
    onAssign?: RebalanceListener;
    /** Partitions are released when it has returned. Until then their offsets can be committed. */
    onRevoke?: RebalanceListener;
    /** Partitions were lost. `onRevoke` by default. */
    onLost?: RebalanceListener;
}
export declare class Rebalances {
    private subscription;
    private readonly listeners;
    /** The functions of the subscription. */
    set(subscription: RebalanceOptions): void;
    on(event: string, listener: unknown): void;
    off(event: string, listener: unknown): void;
    /** Calls the functions, and waits for their promises. */
    report(event: ConsumerEvent): Promise<void>;
    private of;
}

// records.d.ts

import type { Format } from './formats.js';
/** Bytes or text to send. Text is written as UTF-8. */
export type Bytes = Uint8Array | string;
/** Headers to send: an ordered list of pairs, whose names may repeat, or an object. */
export type HeadersToSend = readonly (readonly [name: string, value: Bytes | null])[] | Readonly<Record<string, Bytes | null | readonly Bytes[]>>;
/** The type of a key or value to send, for each format. */
export type Encodable<F extends Format> = F extends 'json' ? unknown : F extends 'string' ? string | null : Bytes | null;
/** A record to send, without its topic. */
export interface MessageToSend<K extends Format = 'bytes', V extends Format = 'bytes'> {
    /** The value; null or undefined deletes the key in a compacted topic. */
    value?: Encodable<V>;
    /** The key, whose hash chooses the partition like in the Java producer. */
    key?: Encodable<K>;
    /** The headers. */
    headers?: HeadersToSend;
    /** The partition; by default chosen by the key's hash, or without a key by the producer. */
    partition?: number;
    /**
     * The timestamp, in milliseconds since 1970, as a `Date`, or as a date or time with its zone in ISO 8601
     * (`"2026-01-31T10:00:00Z"`); the current time by default.
     */
    timestamp?: number | Date | string;
}
/** A record to send. */
export interface RecordToSend<K extends Format = 'bytes', V extends Format = 'bytes'> extends MessageToSend<K, V> {
    /** The topic's name. */
    topic: string;
}
/** A record whose parts are bytes or text. Missing parts are undefined. */
export interface EncodedMessage {
    key: Bytes | undefined;
    value: Bytes | undefined;
    headers: [string, Bytes | undefined][];
    partition: number | undefined;
    timestamp: number | undefined;
}
/** A part of a record, for errors: its name is made when there is one. */
export declare class Field {
    /** The number of the record in its batch. */
    row: number | undefined;
    constructor(row?: number);
    name(part: string): string;
}
/** Checks a record, and encodes its key and value. */
export declare function encodeRecord(given: unknown, formats: {
    key: Format;
    value: Format;
}): EncodedMessage & {
    topic: string;
};
/** Checks a message, and encodes its key and value. */
export declare function encodeMessage(given: unknown, formats: {
    key: Format;
    value: Format;
}, field: Field): EncodedMessage;
/** Bytes or text of this name, checked. */
export declare function checkedBytes(value: unknown, name: string): Bytes;

// rows.d.ts

import type { EncodedMessage } from './records.js';
/** Writes the messages into one buffer. */
export declare function writeRows(messages: EncodedMessage[]): Buffer;

// run_options.d.ts

import type { WaitOptions } from './abort.js';
import type { EachBatchPayload, EachMessagePayload } from './handlers.js';
/** The handling of a message whose handler throws. */
export interface RetryOptions {
    /** The maximum number of new attempts; 5 by default. `Infinity` never gives up. */
    retries?: number;
    /** The pause before the first time, in milliseconds; 300 by default. */
    initialRetryTimeMs?: number;
    /** The factor by which the pause grows each time; 2 by default. */
    multiplier?: number;
    /** The longest pause, in milliseconds; 30,000 by default. */
    maxRetryTimeMs?: number;
}
/** The options of {@link Consumer.run}: `eachMessage` or `eachBatch`. */
export interface RunOptions<K = Buffer | null, V = Buffer | null> extends WaitOptions {
    /** Called for each message; the next one of its partition follows when the promise is fulfilled. */
    eachMessage?: (payload: EachMessagePayload<K, V>) => unknown;
    /** Called for the fetched messages of a partition. */
    eachBatch?: (payload: EachBatchPayload<K, V>) => unknown;
    /** The maximum number of partitions whose handlers run concurrently; 1 by default. */
    concurrency?: number;
    /**
     * Whether a batch is finished when `eachBatch` returns; true by default. Otherwise it is finished up to the last
     * resolved offset.
     */
    eachBatchAutoResolve?: boolean;
    /** The maximum records of a fetch; 8,192 by default. */
    maxRecords?: number;
    /** The handling of a message whose handler throws. */
    retry?: RetryOptions;
}
/** {@link RunOptions}, checked and with defaults. */
export interface CheckedRunOptions<K, V> {
    eachMessage: ((payload: EachMessagePayload<K, V>) => unknown) | undefined;
    eachBatch: ((payload: EachBatchPayload<K, V>) => unknown) | undefined;
    concurrency: number;
    eachBatchAutoResolve: boolean;
    maxRecords: number | undefined;
    retry: Required<RetryOptions>;
    signal: AbortSignal | undefined;
}
/** Checks the options. */
export declare function runOptions<K, V>(given: unknown): CheckedRunOptions<K, V>;

// runner.d.ts

import { type TopicPartition, type TopicPartitionOffset } from './positions.js';
import type { CheckedRunOptions } from './run_options.js';
import type { RunnerContext } from './runner_context.js';
export declare class Runner<K, V> {
    private readonly context;
    readonly options: CheckedRunOptions<K, V>;
    private readonly works;
    /** Partitions that may get a handler, in the order in which they got messages. */
    private readonly ready;
    private handlers;
    private calls;
    private isRunning;
    private isStopping;
    private failure;
    /** Partitions that the runner has paused. */
    private readonly heldBack;
    /** Whether one of them ran out of messages during an update, which must be repeated before the next poll. */
    private isUpdateDue;
    private poll;
    /** Partitions that were moved by a seek since the poll began. */
    private readonly soughtSince;
    private areAllSought;
    /** Opens when a handler ends, or when the runner must check again. */
    private readonly changed;
    private readonly ended;
    private readonly end;
    constructor(context: RunnerContext<K, V>, options: CheckedRunOptions<K, V>, other: Runner<K, V> | undefined);
    /** Runs until it is stopped. */
    run(): Promise<void>;
    /** Whether a call failed because the client was closed, or because the consumer has released its partitions. */
    private isEnd;
    /** Stops it. Inside a handler it does not wait for handlers. */
    stop(): Promise<void>;
    /** Stops it before the consumer releases its partitions, which commits the messages that handlers have finished. */
    leave(): Promise<void>;
    /** Ends the poll, so that another call has its turn. */
    interrupt(): void;
    /** The offsets after the messages finished by handlers. */
    finishedOffsets(): TopicPartitionOffset[];
    /** Drops the fetched messages of partitions that were moved. */
    sought(partitions: TopicPartition[]): void;
    /** Drops the fetched messages of other partitions. Returns the first offsets that no handler has finished. */
    assigned(partitions: TopicPartition[]): TopicPartitionOffset[];
    /** Makes the messages in the queues of paused partitions wait. */
    paused(partitions: TopicPartition[]): void;
    /** Continues with partitions that are not paused any more. */
    resumed(partitions: TopicPartition[]): void;
    /** Removes the partitions that only the runner has paused. */
    withoutHeldBack(partitions: TopicPartition[]): TopicPartition[];
    private requestStop;
    private pollUntilStopped;
    private get hasMessages();
    private pollOnce;
    /** Passes fetched messages to the queues of their partitions. */
    private take;
    /** Waits for the handlers of released partitions, then reports. */
    private rebalance;
    /** Notifies the core of the messages finished by handlers. */
    private finish;
    /** Lets a partition get a handler when its turn comes. */
    private queue;
    private startHandlers;
    /** Calls handlers until the partition has no messages left, or must stop. */
    private handle;
    private handlerEnded;
    /** Handles an error of a handler: passes the same message again after a pause, or ends. */
    private failed;
    private payloads;
    private handlersEnded;
    /** Returns the messages that no handler has finished: the next call reads them again. */
    private giveBack;
}

// runner_context.d.ts

import type { Consumer as NativeConsumer } from '../native.js';
import type { Consumer } from './consumer.js';
import type { Formats } from './formats.js';
import type { Rebalances } from './rebalances.js';
/** The parts of a consumer that its runner uses. */
export interface RunnerContext<K, V> {
    consumer: Consumer<K, V>;
    native: NativeConsumer;
    formats: Formats;
    rebalances: Rebalances;
    /** Whether the consumer has released its partitions: it was closed or unsubscribed. */
    hasLeft(): boolean;
    /** Drops the messages that were decoded for other calls. */
    discard(): void;
}

// scan.d.ts

import { Readable } from 'node:stream';
import type { ScanProgress } from '../native.js';
import { type WaitOptions } from './abort.js';
import { Batch } from './batch.js';
import { INSPECT } from './inspection.js';
import { TableSchema } from './table_schema.js';
/** Called with the progress of a reading. */
export type ProgressListener = (progress: ScanProgress) => unknown;
/** A range of a topic. Each iteration reads it anew, as batches; it ends where the topic ended when it began. */
export declare class Scan<K = Buffer | null, V = Buffer | null> implements AsyncIterable<Batch<K, V>> {
    private readonly native;
    private readonly formats;
    private readonly signal;
    private readonly progress;
    /** The batches: `for await`. */
    [Symbol.asyncIterator](): AsyncIterableIterator<Batch<K, V>>;
    /** All records as one batch. */
    collect(given?: WaitOptions): Promise<Batch<K, V>>;
    /** The number of records, counted from the headers of their batches. */
    count(given?: WaitOptions): Promise<number>;
    /** The columns of its batches. JSON without a schema is inferred from the first records, which this reads. */
    schema(given?: WaitOptions): Promise<TableSchema>;
    /** The number of records that `onError: 'skip'` has skipped since a reading of the scan last started. */
    get skipped(): number;
    /** What will be read, as text. */
    explain(given?: WaitOptions): Promise<string>;
    /** The messages as a stream of objects. */
    readable(): Readable;
    /** Its topic and its range, as `console.log()` shows them. @hidden */
    [INSPECT](): string;
    private collectReporting;
    private reader;
    /** The signal that ends a call: its own, or else that of the scan. */
    private wait;
}

// schema.d.ts

import type { Schema as ArrowSchema } from 'apache-arrow';
import { type Check } from './options.js';
/** A type: its name ("int64", "timestamp[ms, UTC]"), an object of fields, or a list of the type of its items. */
export type Dtype = string | readonly [Dtype] | DtypeFields;
/** The names of fields with their types. */
export interface DtypeFields {
    readonly [name: string]: Dtype;
}
/**
 * The fields of a value: an object such as `{ delay: 'int64', origin: { code: 'string' }, stops: ['string'] }`, or a
 * schema of apache-arrow.
 */
export type Schema = DtypeFields | ArrowSchema;
/** Dtypes whose values are a `number`. */
export type NumberName = 'float' | 'double' | `float${16 | 32 | 64}` | `int${8 | 16 | 32}` | `uint${8 | 16 | 32}`;
/** Dtypes whose values are a `bigint`. */
export type BigIntName = 'int' | 'integer' | 'int64' | 'uint64';
/** Dtypes whose values are a `boolean`. */
export type BooleanName = 'bool' | 'boolean';
/** Dtypes whose values are a `Buffer`. */
export type BytesName = 'bytes' | 'binary' | 'large_binary' | 'binary_view';
/** Dtypes whose values are a `string`. */
export type TextName = 'str' | 'string' | 'text' | 'utf8' | `${'large_' | ''}${'string' | 'utf8'}` | `${'string' | 'utf8'}_view` | 'categorical' | 'category' | `${'date' | 'time' | 'duration' | 'decimal'}${string}`;
/** The TypeScript type of a dtype. */
export type DtypeValue<T> = T extends NumberName ? number : T extends BigIntName ? bigint : T extends BooleanName ? boolean : T extends BytesName ? Buffer : T extends TextName ? string : T extends 'null' ? null : T extends readonly [infer Item] ? (DtypeValue<Item> | null)[] : T extends DtypeFields ? SchemaValue<T> : any;
/** The TypeScript type of a schema: an object with all its fields, each of which may be null. */
export type SchemaValue<S> = {
    -readonly [Name in keyof S]: DtypeValue<S[Name]> | null;
};
/** The text of a schema. */
export declare const schema: Check<string>;

// server.d.ts

import { INSPECT } from './inspection.js';
/** An engine that listens for Kafka clients until it is closed, or until its client is. */
export declare class Server implements AsyncDisposable {
    private readonly native;
    /** The address on which it listens: "HOST:PORT". */
    get address(): string;
    /** The value of `bootstrap.servers` for Kafka clients. */
    get bootstrapServers(): string;
    /**
     * Accepts no more connections, answers the requests in progress, and closes all connections. The engine stays open.
     * Idempotent.
     */
    close(): Promise<void>;
    /** Its address, as `console.log()` shows it. @hidden */
    [INSPECT](): string;
    /** Closes it: `await using`. */
    [Symbol.asyncDispose](): Promise<void>;
}

// stats.d.ts

import type { Client as NativeClient } from '../native.js';
import type { Metrics } from './metrics.js';
/** Called with the {@link Metrics} of a client. The next call waits for a promise that it returns. */
export type StatsListener = (metrics: Metrics) => unknown;
/** Checks the option. Without a function the interval would have no effect. */
export declare function statsListener(given: unknown, config: readonly [key: string, value: string][]): StatsListener | undefined;
/**
 * Calls the function every `statistics.interval.ms`, until the client is closed or dropped. A function that takes
 * longer misses reports. Its errors become warnings of the process, and do not end the reports.
 */
export declare function reportStats(native: NativeClient, stats: StatsListener): void;

// subscription.d.ts

/** A topic, topics, or the topics whose whole name a regular expression matches. */
export type Subscription = string | readonly string[] | RegExp;
/** The names, or the pattern of the native half. */
export interface CheckedSubscription {
    names?: string[];
    pattern?: string;
}
/** The names, or the pattern. */
export declare function subscription(given: unknown): CheckedSubscription;

// table_schema.d.ts

import type { Schema as ArrowSchema } from 'apache-arrow';
import type { TableColumn } from '../native.js';
import { INSPECT } from './inspection.js';
/** The columns of a table, before it is read: {@link Scan.schema}. Iterating it yields its columns. */
export declare class TableSchema implements Iterable<TableColumn> {
    private readonly native;
    /** The names of the columns, in order. */
    get names(): string[];
    /** The columns, in order. */
    [Symbol.iterator](): IterableIterator<TableColumn>;
    /** As a schema of apache-arrow, which must be installed. */
    toArrow(): ArrowSchema;
    /** The columns, as `console.log()` shows them. @hidden */
    [INSPECT](): string;
}

// test_broker.d.ts

import type { WaitOptions } from './abort.js';
import type { Client } from './client.js';
import { type Decoded, type Format, type FormatOptions } from './formats.js';
import type { Message } from './message.js';
/** The formats of {@link TestBroker.waitFor}, and how long it waits. */
export interface WaitForOptions<K extends Format = Format, V extends Format = Format> extends FormatOptions<K, V, undefined>, WaitOptions {
    /** How long to wait, in milliseconds; 4,000 by default, which is less than the time-out of test runners. */
    timeoutMs?: number;
}
/** A broker in memory, for tests. {@link startBroker} starts it. */
export declare class TestBroker implements AsyncDisposable {
    /** The embedded client: it creates topics, sends, and reads. */
    readonly client: Client;
    private readonly server;
    private readonly topics;
    private closing;
    /** The "HOST:PORT" that Kafka clients connect to. */
    get address(): string;
    /** The address as kafkajs takes it. */
    get brokers(): string[];
    /** The messages of a topic: partition by partition, in offset order. */
    messages<K extends Format = 'bytes', V extends Format = 'bytes'>(topic: string, given?: FormatOptions<K, V, undefined> & WaitOptions): Promise<Message<Decoded<K>, Decoded<V>>[]>;
    /**
     * Waits until a topic has so many messages, counted from its start, and returns all that it has then. The topic may
     * be created later.
     */
    waitFor<K extends Format = 'bytes', V extends Format = 'bytes'>(topic: string, messages: number, given?: WaitForOptions<K, V>): Promise<Message<Decoded<K>, Decoded<V>>[]>;
    /** Waits until a function accepts a message of a topic, and returns that message. */
    waitFor<K extends Format = 'bytes', V extends Format = 'bytes'>(topic: string, accepts: (message: Message<Decoded<K>, Decoded<V>>) => unknown, given?: WaitForOptions<K, V>): Promise<Message<Decoded<K>, Decoded<V>>>;
    /** Deletes all records, between two tests. Topics, groups and offsets stay, so that connected clients go on. */
    clear(): Promise<void>;
    /**
     * Deletes all topics and groups, and creates the topics of `startBroker()` anew. Rejects while a group has members.
     */
    reset(): Promise<void>;
    /** Ends all connections, and forgets everything. Idempotent. */
    close(): Promise<void>;
    /** Closes it: `await using`. */
    [Symbol.asyncDispose](): Promise<void>;
    private deleteRecords;
}

// testing.d.ts

/**
 * A Kafka broker in memory for the tests of services. It starts in milliseconds, and any Kafka client can use it.
 *
 * @module headwater/testing
 * @example
 * import { startBroker } from 'headwater/testing';
 *
 * const broker = await startBroker({ topics: { orders: { partitions: 3 } } });
 * const kafka = new Kafka({ brokers: broker.brokers }); // kafkajs, or any other client
 * // Run the service, then:
 * const [order] = await broker.waitFor('orders', 1, { value: 'json' });
 * await broker.close();
 */
import type { CreateTopicOptions, ServeOptions } from './client_options.js';
import { type KafkaConfig } from './config.js';
import { TestBroker } from './test_broker.js';
export { TestBroker, type WaitForOptions } from './test_broker.js';
/** Topics to create: their names, or their options by name. */
export type TestTopics = readonly string[] | Readonly<Record<string, CreateTopicOptions>>;
/** The options of {@link startBroker}. Other keys are Kafka's broker configuration. */
export interface TestBrokerOptions extends KafkaConfig {
    /** Topics to create. Others are created when a client uses them, unless `autoCreateTopicsEnable` is false. */
    topics?: TestTopics;
    /** How it listens; at a free port of 127.0.0.1 by default. */
    serve?: ServeOptions;
}
/** Starts a broker in memory, at a free port. Nothing is written to the disk. */
export declare function startBroker(given?: TestBrokerOptions): Promise<TestBroker>;

// topic.d.ts

import type { ConfigEntry, PartitionDescription } from '../native.js';
import { type WaitOptions } from './abort.js';
import { Batch } from './batch.js';
import { type Decoded, type Format, type ReadOptions } from './formats.js';
import { INSPECT } from './inspection.js';
import { type Position } from './positions.js';
import { type ProgressListener, Scan } from './scan.js';
import type { Schema } from './schema.js';
/** The range and the formats of {@link Topic.scan}. */
export interface ScanOptions<K extends Format = Format, V extends Format = Format, S extends Schema | undefined = Schema | undefined> extends ReadOptions<K, V, S>, WaitOptions {
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
export interface EndOptions<K extends Format = Format, V extends Format = Format, S extends Schema | undefined = Schema | undefined> extends ReadOptions<K, V, S>, WaitOptions {
}
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
/** A handle on a topic. An unknown topic fails on first use. */
export declare class Topic {
    private readonly native;
    /** The topic's name. */
    get name(): string;
    /** A range of the topic, to be read batch by batch. Bounded when its reading begins; it joins no group. */
    scan<K extends Format = 'bytes', V extends Format = 'bytes', const S extends Schema | undefined = undefined>(given?: ScanOptions<K, V, S>): Scan<Decoded<K>, Decoded<V, S>>;
    /** The first `n` records: partition by partition, in offset order. */
    head<K extends Format = 'bytes', V extends Format = 'bytes', const S extends Schema | undefined = undefined>(n?: number, given?: EndOptions<K, V, S>): Promise<Batch<Decoded<K>, Decoded<V, S>>>;
    /** The last `n` records: of all partitions the newest. Reads only the end of the topic. */
    tail<K extends Format = 'bytes', V extends Format = 'bytes', const S extends Schema | undefined = undefined>(n?: number, given?: EndOptions<K, V, S>): Promise<Batch<Decoded<K>, Decoded<V, S>>>;
    /** The number of records, counted from batch headers. */
    count(given?: WaitOptions): Promise<number>;
    /** The offset of a position in each partition, by its number. */
    offsets(at: Position, given?: WaitOptions): Promise<Map<number, bigint>>;
    /**
     * Records and bytes in each interval of time, from batch headers: columns `time`, `records` and `bytes` of
     * {@link Batch.toArrow}, or the values of the batch's messages. `every` is a duration such as "1m" or "1h".
     */
    rate(every?: string, given?: RateOptions): Promise<Batch<null, RateInterval>>;
    /** Its partitions, with leaders, offsets and sizes. */
    describe(given?: WaitOptions): Promise<PartitionDescription[]>;
    /** The numbers of its partitions. */
    partitions(given?: WaitOptions): Promise<number[]>;
    /** Its configuration, with the source of each value. */
    config(given?: WaitOptions): Promise<ConfigEntry[]>;
    /** The size of its partitions in the log directories of their leaders, in bytes; `null` if it is not known. */
    sizeBytes(given?: WaitOptions): Promise<number | null>;
    /** Its name, as `console.log()` shows it. @hidden */
    [INSPECT](): string;
    private endOf;
}

// wording.d.ts

/** The message in the words of this package. */
export declare function inOurWords(message: string): string;

// work.d.ts

import type { Message } from './message.js';
import { type TopicPartition } from './positions.js';
/** A partition's queue. One handler at a time processes it. */
export declare class PartitionWork<K, V> {
    readonly topic: string;
    readonly partition: number;
    /** Fetched messages, from the first that is not finished. */
    messages: Message<K, V>[];
    /** The next message in `messages`. */
    index: number;
    /** The offset after the last finished message. */
    finished: bigint | undefined;
    /** Whether a handler is processing it, or will after a pause. */
    isBusy: boolean;
    /** Whether the caller has paused it. */
    isPaused: boolean;
    /** Whether it was revoked: no more messages are passed to handlers. */
    isRevoked: boolean;
    /** Whether its first message has failed and is waiting. */
    isWaiting: boolean;
    /** The number of seeks: messages that a handler finishes after one do not count. */
    seeks: number;
    /** The number of failures of the first message. */
    failures: number;
    /** Ends the pause after a failure. */
    retry: NodeJS.Timeout | undefined;
    constructor({ topic, partition }: TopicPartition);
    get isEmpty(): boolean;
    /** The first message. */
    get front(): Message<K, V> | undefined;
    /** The remaining messages. */
    get left(): Message<K, V>[];
    /** Adds fetched messages. If their offsets go back, the topic was recreated: drops those of the old one. */
    add(messages: Message<K, V>[]): void;
    /** Finishes the messages before this offset. */
    finishBefore(offset: bigint): void;
    /** Whether a handler may get the first message. */
    get isReady(): boolean;
    /** Handles a seek: drops the fetched messages. */
    sought(): void;
    /** Releases the partition when its handler has ended. */
    revoked(): void;
    private drop;
}
/** Messages by the key of their partition. */
export declare function byPartition<K, V>(all: Iterable<Message<K, V>>): Map<string, {
    at: TopicPartition;
    messages: Message<K, V>[];
}>;

// works.d.ts

import type { HeldBack } from './held_back.js';
import { type TopicPartition, type TopicPartitionOffset } from './positions.js';
import { PartitionWork } from './work.js';
/** The work on each partition, by its key. */
export declare class Works<K, V> extends Map<string, PartitionWork<K, V>> {
    /** The work on a partition, new if there was none. */
    of(at: TopicPartition): PartitionWork<K, V>;
    /** The work on these partitions; on all of them if none is named. */
    among(partitions: TopicPartition[]): PartitionWork<K, V>[];
    /**
     * Drops the partitions that are not among the assigned ones. Returns the offsets of their first messages that no
     * handler has finished.
     */
    release(assigned: TopicPartition[], heldBack: HeldBack, soughtSince: Set<string>): TopicPartitionOffset[];
    /** The offsets after the messages finished by handlers. */
    finishedOffsets(): TopicPartitionOffset[];
    /** The offset of the first message of each partition that no handler has finished. */
    unfinishedOffsets(): TopicPartitionOffset[];
}
