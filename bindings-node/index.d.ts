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

// batch.d.ts

import type { Table } from 'apache-arrow';
import type { TopicPartitionOffset } from '../native.js';
import { Message } from './message.js';
/** Records as a table, ordered by partition and offset. Iterating it yields its messages. */
export declare class Batch<K = Buffer | null, V = Buffer | null> implements Iterable<Message<K, V>> {
    private readonly native;
    private readonly formats;
    private readonly commitOffsets?;
    private cached;
    /** The number of records. */
    get length(): number;
    /** The position after the batch, for each partition in it. */
    get nextOffsets(): TopicPartitionOffset[];
    /** The message at an index; counted from the end if it is negative. */
    at(index: number): Message<K, V> | undefined;
    [Symbol.iterator](): IterableIterator<Message<K, V>>;
    /** Commits the offsets after the batch for the group of the consumer that read it. */
    commit(): Promise<void>;
    /** The records in the stream format of Arrow IPC. */
    toArrowIPC(): Buffer;
    /** The records as a table of apache-arrow, which must be installed. */
    toArrow(): Table;
    private message;
}
/**
 * The stream of a table of apache-arrow. Its modules for `import` and `require` do not recognise each other's tables.
 */
export declare function tableStream(table: object): Promise<Uint8Array | undefined>;

// client.d.ts

import type { ConfigEntry, GroupInfo, GroupOffset, RecoveryReport, TopicInfo } from '../native.js';
import { type WaitOptions } from './abort.js';
import { type ConfigValue, type KafkaConfig } from './config.js';
import { Consumer } from './consumer.js';
import { type Decoded, type Format, type FormatOptions } from './formats.js';
import type { Metrics } from './metrics.js';
import { type Position } from './positions.js';
import { Producer } from './producer.js';
import { Server } from './server.js';
import { type Subscription } from './subscription.js';
import { Topic } from './topic.js';
/** The options of {@link Client.createTopic}. Other keys are the topic's configuration. */
export interface CreateTopicOptions extends WaitOptions, KafkaConfig {
    /** The number of partitions; 1 by default, `null` for the broker's `num.partitions`. */
    partitions?: number;
    /** The number of replicas; the broker's default by default. */
    replicationFactor?: number;
    /** Whether an existing topic is an error, or is used unchanged; "error" by default. */
    ifExists?: 'error' | 'ignore';
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
export interface ConsumerOptions<K extends Format = Format, V extends Format = Format> extends FormatOptions<K, V>, Omit<KafkaConfig, 'key' | 'value' | 'onError'> {
    /** The topics to read; a regular expression requires a group. */
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
/** A connection to an engine or a cluster: creates topics, producers and consumers. */
export declare class Client implements AsyncDisposable {
    private readonly native;
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
    /** The consumer groups, by name. */
    groups(given?: WaitOptions): Promise<GroupInfo[]>;
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
    consumer<K extends Format = 'bytes', V extends Format = 'bytes'>(given?: ConsumerOptions<K, V>): Consumer<Decoded<K>, Decoded<V>>;
    /** Opens the engine to any Kafka client. The client of a cluster refuses this call. */
    serve(given?: ServeOptions): Promise<Server>;
    /** The metrics of this client. Sends no request. */
    metrics(): Metrics;
    /** The report of opening the directory; `null` if it was closed in order, and nothing was missing or damaged. */
    get recovery(): RecoveryReport | null;
    /**
     * Sends the queued records of producers, then closes the client and everything created from it. The engine closes
     * with its last client. Rejects if records could not be sent: the error has their number. Idempotent.
     */
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
    private serveWith;
}
/**
 * Opens an embedded engine and returns the client on it. `path` is its directory, which is created if missing; `null`
 * keeps everything in memory until the client is closed. Opening the same path again in one process returns the same
 * engine; a second process gets `LockedError`.
 */
export declare function open(path?: string | null, given?: KafkaConfig): Promise<Client>;
/**
 * Connects to a Kafka cluster and returns the client on it. `bootstrapServers` is one or more "HOST:PORT", separated by
 * commas or in an array; one reachable broker is enough. Rejects with `TransportError` if none can be reached.
 */
export declare function connect(bootstrapServers: string | readonly string[], given?: KafkaConfig & WaitOptions): Promise<Client>;

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
import type { TopicPartitionLag } from '../native.js';
import { type WaitOptions } from './abort.js';
import { Batch } from './batch.js';
import { Message } from './message.js';
import { type Offsets } from './offsets.js';
import { type Position, type TopicPartition, type TopicPartitionOffset } from './positions.js';
import { type RebalanceListener, type RebalanceOptions } from './rebalances.js';
import { type RunOptions } from './run_options.js';
import { type Subscription } from './subscription.js';
/** The options of {@link Consumer.poll}. */
export interface PollOptions extends WaitOptions {
    /** The time to wait for records, in milliseconds; 1,000 by default. */
    timeoutMs?: number;
    /** The maximum records; `max.poll.records` (500) by default. */
    maxRecords?: number;
}
/** The limits of {@link Consumer.batches}. */
export interface BatchesOptions extends WaitOptions {
    /** The maximum records in a batch; 65,536 by default. */
    maxRecords?: number;
    /** The maximum fetched bytes in a batch; 16 MiB by default. A single fetch of one partition may exceed it. */
    maxBytes?: number;
    /** The time to wait for more records after the first, in milliseconds; 100 by default. */
    maxWaitMs?: number;
    /** The end of the stream: never ("forever", the default), or the end of each partition at the first call. */
    until?: 'forever' | 'end';
}
/** The partitions of a call; all assigned ones by default. */
export interface PartitionsOptions extends WaitOptions {
    /** Only these partitions. */
    partitions?: TopicPartition | TopicPartition[];
}
/**
 * Reads partitions. Iterating it yields messages. In a group, `enable.auto.commit` periodically commits finished
 * records: a batch or a message is finished when the next one is requested.
 */
export declare class Consumer<K = Buffer | null, V = Buffer | null> implements AsyncIterable<Message<K, V>>, AsyncDisposable {
    private readonly native;
    private readonly formats;
    private readonly messageBuffer;
    private readonly rebalances;
    private runner;
    private closing;
    /** Waits for records. The batch is empty if the time has passed. */
    poll(given?: PollOptions): Promise<Batch<K, V>>;
    /** The batches of a stream. A batch is finished when the next one is requested. */
    batches(given?: BatchesOptions): AsyncIterableIterator<Batch<K, V>>;
    /** The messages, in order. A message is finished when the next one is requested. */
    messages(given?: WaitOptions): AsyncIterableIterator<Message<K, V>>;
    [Symbol.asyncIterator](): AsyncIterableIterator<Message<K, V>>;
    /** The messages as a stream of objects. */
    readable(given?: WaitOptions): Readable;
    /**
     * Calls a handler for each message or batch, in order in each partition, until `stop()`, `close()` or the signal
     * ends it; then the promise is fulfilled. A message whose handler throws is passed again after a pause. After
     * `retry.retries` attempts the promise rejects with the handler's error, and the message is not finished.
     * Auto-commit commits the messages that handlers have finished.
     */
    run(given: RunOptions<K, V>): Promise<void>;
    /** Ends `run()` and waits for its handlers, unless it is called inside a handler. */
    stop(): Promise<void>;
    /** Joins the group for topics, or for all current and later topics that a regular expression matches. */
    subscribe(topics: Subscription, given?: RebalanceOptions): Promise<void>;
    /** Commits finished records, leaves the group and releases the partitions. */
    unsubscribe(): Promise<void>;
    /** Reads these partitions from now on. Partitions that stay keep their position. */
    assign(partitions: TopicPartition | TopicPartition[], given?: WaitOptions): Promise<void>;
    /** The assigned partitions. */
    assignment(given?: WaitOptions): Promise<TopicPartition[]>;
    /**
     * Commits offsets: of a message or a batch (the offset after it), given ones, or the positions of all partitions.
     * The records before them count as finished. In `run()`, without arguments, it commits the messages that handlers
     * have finished.
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
    /** The partitions paused by the caller. */
    paused(given?: WaitOptions): Promise<TopicPartition[]>;
    /**
     * Calls a function at each rebalance: "assign", "revoke" (before the partitions are released), "lost". It may
     * return a promise.
     */
    on(event: 'assign' | 'revoke' | 'lost', listener: RebalanceListener): this;
    /** Removes a function added with `on()`. */
    off(event: 'assign' | 'revoke' | 'lost', listener: RebalanceListener): this;
    /** Rejects the waiting call with `WakeupError`, or else the next one that may wait. */
    wakeup(): void;
    /**
     * Ends waiting calls and `run()`, commits finished records, leaves the group, and rejects further calls.
     * Idempotent. Closing a client closes its consumers.
     */
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
    private closeOnce;
    /** Releases the partitions. Rethrows the error of a rebalance function afterwards. */
    private leave;
    /** Runs an operation, and reports rebalances meanwhile. */
    private nextEvent;
    /** A call that may change the next records. */
    private changing;
    /** A call that does not change the next records. */
    private entering;
    private batch;
    private batchesOf;
}

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
    readonly name = "AbortError";
    /** Node's code of an aborted call. */
    readonly code = "ABORT_ERR";
    constructor(reason?: unknown);
}
/** Creates the error for an error of the native half. */
export declare function makeError(fields: ErrorFields): Error;
/** The error of an invalid argument. */
export declare function invalid(message: string): InvalidArgumentError;

// flat.d.ts

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
    TopicBytes = 19
}
/** The cells of a column of bytes. */
declare class Cells {
    private readonly bytes;
    private readonly ends;
    private readonly nulls;
    private readonly start;
    constructor(bytes: Buffer, header: Uint32Array, first: Section, rows: number);
    /** The bytes of a row: a view, not a copy. */
    raw(row: number): Buffer | null;
    text(row: number): string | null;
    get(row: number, format: Format): unknown;
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
    private has;
    private words;
    private topicNames;
}
export {};

// formats.d.ts

import type { DecodeArguments } from '../native.js';
/** The format of a key or a value: bytes, text, or JSON decoded by `JSON.parse`. */
export type Format = 'bytes' | 'string' | 'json';
/** The type of a decoded key or value. Null is null in each format. */
export type Decoded<F extends Format> = F extends 'string' ? string | null : F extends 'json' ? any : Buffer | null;
/** The handling of records that do not have the format: an error, null in their place, or skipping them. */
export type OnError = 'raise' | 'null' | 'skip';
/** The formats of keys and values. */
export interface FormatOptions<K extends Format = Format, V extends Format = Format> {
    /** The format of keys; "bytes" by default. */
    key?: K;
    /** The format of values; "bytes" by default. */
    value?: V;
    /** The handling of records that do not have the format; "raise" by default. */
    onError?: OnError;
}
/** {@link FormatOptions} with the columns to read. */
export interface ReadOptions<K extends Format = Format, V extends Format = Format> extends FormatOptions<K, V> {
    /** The columns to read, all by default: "partition", "offset", "timestamp", "key", "value", "headers". */
    columns?: string[];
}
export declare const FORMATS: {
    key: import("./options.js").Check<Format>;
    value: import("./options.js").Check<Format>;
    onError: import("./options.js").Check<OnError>;
};
export declare const READING: {
    key: import("./options.js").Check<Format>;
    value: import("./options.js").Check<Format>;
    onError: import("./options.js").Check<OnError>;
    columns: import("./options.js").Check<string[]>;
};
/** The formats of the messages of a table. */
export interface Formats {
    key: Format;
    value: Format;
}
/** The formats in the form for the native half. */
export declare function decodeArguments(given: {
    key?: Format;
    value?: Format;
    onError?: OnError;
    columns?: string[];
}): DecodeArguments;

// gate.d.ts

export declare class Gate {
    private waiting;
    /** Releases all tasks that are currently waiting. */
    open(): void;
    /** Waits until it opens, at most for `milliseconds`. */
    wait(timeoutMs?: number): Promise<void>;
}

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
/** The runner's interface for handlers. */
export interface RunnerCalls {
    autoResolve: boolean;
    isRunning(): boolean;
    commit(offsets: TopicPartitionOffset[]): Promise<void>;
    pause(): () => void;
}
/** Passes the first message to the handler, and finishes it. */
export declare function handleMessage<K, V>(handler: (payload: EachMessagePayload<K, V>) => unknown, work: PartitionWork<K, V>, calls: RunnerCalls): Promise<void>;
/** Passes the remaining messages to the handler, and finishes those that it has resolved, or all. */
export declare function handleBatch<K, V>(handler: (payload: EachBatchPayload<K, V>) => unknown, work: PartitionWork<K, V>, calls: RunnerCalls): Promise<void>;

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
 * @example
 * import { open } from 'headwater';
 *
 * await using client = await open('./data');
 * await client.createTopic('flights', { ifExists: 'ignore' });
 * const producer = client.producer({ value: 'json' });
 * await producer.send({ topic: 'flights', key: 'UA', value: { delay: 11 } });
 *
 * @packageDocumentation
 */
export type { BatchResult, ConfigEntry, GroupInfo, GroupOffset, OffsetRange, PartitionDescription, RecordMetadata, RecoveredPartition, RecoveryReport, TopicInfo, TopicPartition, TopicPartitionLag, TopicPartitionOffset, } from '../native.js';
export type { WaitOptions } from './abort.js';
export { Batch } from './batch.js';
export { type AlterTopicOptions, Client, type ConsumerOptions, type CreateTopicOptions, connect, open, type ProducerOptions, type ServeOptions, } from './client.js';
export type { ConfigValue, KafkaConfig } from './config.js';
export { type BatchesOptions, Consumer, type PartitionsOptions, type PollOptions, } from './consumer.js';
export { AbortError, AuthenticationError, AuthorizationError, ClosedError, ConfigError, CorruptLogError, DecodeError, type ErrorDetails, ForkError, HeadwaterError, InvalidArgumentError, InvalidTopicError, KafkaError, LockedError, NotADataDirectoryError, OffsetOutOfRangeError, OutOfOrderSequenceError, ProducerFencedError, RecordTooLargeError, RequestTimedOutError, StorageError, TopicAlreadyExistsError, TransportError, UnknownTopicOrPartitionError, WakeupError, } from './errors.js';
export type { Header } from './flat.js';
export type { Decoded, Format, FormatOptions, OnError, ReadOptions } from './formats.js';
export type { EachBatchPayload, EachMessagePayload, FetchedBatch, } from './handlers.js';
export { Message } from './message.js';
export type { BrokerMetrics, ConsumerMetrics, DeletionMetrics, Metrics, ProducerMetrics, } from './metrics.js';
export type { Offsets } from './offsets.js';
export type { Position } from './positions.js';
export { Producer, type SendBatchOptions } from './producer.js';
export type { RebalanceListener, RebalanceOptions } from './rebalances.js';
export type { Bytes, Encodable, HeadersToSend, MessageToSend, RecordToSend } from './records.js';
export type { RetryOptions, RunOptions } from './run_options.js';
export { Scan } from './scan.js';
export { Server } from './server.js';
export type { Subscription } from './subscription.js';
export { type EndOptions, type RateOptions, type ScanOptions, Topic } from './topic.js';

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
    /** The value, in the requested format. */
    get value(): V;
    /** The headers: pairs of a name and bytes, in order. Names may repeat. */
    get headers(): Header[];
    /** The value of the last header with that name; `undefined` if there is none. */
    header(name: string): Buffer | null | undefined;
    /** The parts that were read, as a plain object. */
    toObject(): Record<string, unknown>;
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
    private sincePoll;
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
}

// metrics.d.ts

/** A broker in `Metrics`. */
export interface BrokerMetrics {
    /** `null` if the metadata has no broker with this address: a bootstrap address, or a broker that has left. */
    'node-id': number | null;
    /** Open connections. */
    'connection-count': number;
    'connection-creation-total': number;
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
    'request-latency-p50-ms': number;
    'request-latency-p99-ms': number;
    'request-latency-max-ms': number;
    /** The total time for which the broker has throttled the client, because a quota was exceeded. */
    'throttle-time-total-ms': number;
}
/** A producer in `Metrics`. */
export interface ProducerMetrics {
    'client-id': string;
    /** Accepted records without a result yet. */
    'queued-records': number;
    /** Their share of `buffer.memory` in bytes. */
    'queued-bytes': number;
}
/** A consumer in `Metrics`. */
export interface ConsumerMetrics {
    'client-id': string;
    /** `null` without a group. */
    'group-id': string | null;
    /**
     * By topic and partition: the number of offsets between the position and the end in the last response.
     * `consumer.lag()` requests the ends from the brokers.
     */
    'records-lag': Record<string, Record<number, number>>;
}
/** The segments that an embedded engine has deleted, and their bytes, by reason. */
export interface DeletionMetrics {
    'retention-time-deleted-segments-total': number;
    'retention-time-deleted-bytes-total': number;
    'retention-size-deleted-segments-total': number;
    'retention-size-deleted-bytes-total': number;
    'delete-records-deleted-segments-total': number;
    'delete-records-deleted-bytes-total': number;
    'exhaustion-deleted-segments-total': number;
    'exhaustion-deleted-bytes-total': number;
}
/**
 * The metrics of a client: `client.metrics()`. Totals count from the creation of the client. Those of deletions exist
 * only for an embedded engine.
 */
export interface Metrics extends Partial<DeletionMetrics> {
    'request-total': number;
    /** Requests without a response. */
    'request-error-total': number;
    /** The number of retries after an error. */
    'retry-total': number;
    /** The total time for which brokers have throttled the client, because a quota was exceeded. */
    'throttle-time-total-ms': number;
    /** Over all brokers; 0 for an embedded engine, like the next four. */
    'connection-count': number;
    'connection-creation-total': number;
    'connection-failure-total': number;
    'outgoing-byte-total': number;
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

import { Batch } from './batch.js';
import { Message } from './message.js';
import { type TopicPartitionOffset } from './positions.js';
/** The argument of {@link Consumer.commit}: a message or a batch stands for the offset after it. */
export type Offsets<K, V> = Message<K, V> | Batch<K, V> | TopicPartitionOffset | TopicPartitionOffset[];
/** The offsets of a message or a batch, or the given ones. */
export declare function offsets(what: unknown, name: string): TopicPartitionOffset[];
/** The offset of each partition, if `to` contains them. */
export declare function seeks(to: unknown): TopicPartitionOffset[] | undefined;

// options.d.ts

/** Checks a value, and converts it. */
export type Check<T> = (value: unknown, name: string) => T;
type Spec = Record<string, Check<unknown>>;
type Checked<S extends Spec> = {
    [K in keyof S]?: ReturnType<S[K]>;
};
/** The name of a value's type, for messages. */
export declare function typeName(value: unknown): string;
/**
 * Checks the options of a call. Unknown ones are refused with the most similar name; undefined ones count as missing.
 */
export declare function options<S extends Spec>(call: string, given: unknown, spec: S): Checked<S>;
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
/** A whole number that is not negative. */
export declare const count: Check<number>;
/** A number that is not negative; `Infinity` never ends. */
export declare const milliseconds: Check<number>;
/** The number of a partition. */
export declare const partition: Check<number>;
/** An offset: a `bigint`, or a whole number. */
export declare const offset: Check<bigint>;
/** Milliseconds since 1970, or a `Date`. */
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
/**
 * A position in each partition of a topic: `"earliest"`, `"latest"`, an offset, an age such as `"-15m"`, a `Date` (the
 * first record at or after it), or an offset for each partition: by its number, or like in {@link Batch.nextOffsets}.
 */
export type Position = 'earliest' | 'latest' | bigint | number | Date | `-${string}` | readonly {
    partition: number;
    offset: bigint | number;
}[] | ReadonlyMap<number, bigint | number> | Readonly<Record<number, bigint | number>>;
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

// producer.d.ts

import { Writable } from 'node:stream';
import type { Table } from 'apache-arrow';
import type { BatchResult, RecordMetadata } from '../native.js';
import { type WaitOptions } from './abort.js';
import type { Format } from './formats.js';
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
    /**
     * Sends many records and waits until all are acknowledged: messages, the stream format of Arrow IPC, or a table of
     * apache-arrow. All are checked before the first is written.
     */
    sendBatch(topic: string, rows: readonly MessageToSend<K, V>[] | Uint8Array | Table, given?: SendBatchOptions): Promise<BatchResult>;
    /** A writable stream that sends messages. It accepts more when the previous ones are acknowledged. */
    writable(topic: string): Writable;
    /** Sends all records accepted before, and waits until they are acknowledged or refused. */
    flush(given?: WaitOptions): Promise<void>;
    /**
     * Flushes, and accepts no more records. Rejects if records could not be sent: the error has their number.
     * Idempotent.
     */
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
    private sendMessages;
}

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
    /** The timestamp, in milliseconds since 1970; the current time by default. */
    timestamp?: number | Date;
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
}, name: string): EncodedMessage;
/** Checks bytes or text. */
export declare function bytes(value: unknown, name: string): Bytes;

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
    /** The pause before the first new attempt, in milliseconds; 300 by default. It doubles with each attempt. */
    initialRetryTimeMs?: number;
    /** The maximum pause, in milliseconds; 30,000 by default. */
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

import type { Consumer as NativeConsumer } from '../native.js';
import type { Formats } from './formats.js';
import { type TopicPartition, type TopicPartitionOffset } from './positions.js';
import type { Rebalances } from './rebalances.js';
import type { CheckedRunOptions } from './run_options.js';
/** The runner's interface to its consumer. */
export interface RunnerContext {
    native: NativeConsumer;
    formats: Formats;
    rebalances: Rebalances;
    /** Drops the messages that were decoded for other calls. */
    discard(): void;
}
export declare class Runner<K, V> {
    private readonly context;
    readonly options: CheckedRunOptions<K, V>;
    private readonly works;
    /** Partitions that may get a handler, in the order in which they got messages. */
    private readonly ready;
    private handlers;
    private isStopping;
    private failure;
    /** Partitions that the runner has paused. */
    private readonly heldBack;
    private poll;
    /** Partitions that were moved by a seek since the poll began. */
    private readonly soughtSince;
    private areAllSought;
    /** Opens when a handler ends, or when the runner must check again. */
    private readonly changed;
    private readonly ended;
    private readonly end;
    constructor(context: RunnerContext, options: CheckedRunOptions<K, V>, other: Runner<K, V> | undefined);
    /** Runs until it is stopped. */
    run(): Promise<void>;
    /** Stops it. Inside a handler it does not wait for handlers. */
    stop(): Promise<void>;
    /** Ends the poll, so that another call has its turn. */
    interrupt(): void;
    /** The offsets after the messages finished by handlers. */
    finishedOffsets(): TopicPartitionOffset[];
    /** Drops the fetched messages of partitions that were moved. */
    sought(partitions: TopicPartition[]): void;
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
    private workOf;
    private worksOf;
}

// scan.d.ts

import { Readable } from 'node:stream';
import { type WaitOptions } from './abort.js';
import { Batch } from './batch.js';
/**
 * A range of a topic. Each iteration reads it again, as batches, up to the end of the topic at the start of the
 * iteration.
 */
export declare class Scan<K = Buffer | null, V = Buffer | null> implements AsyncIterable<Batch<K, V>> {
    private readonly native;
    private readonly formats;
    private readonly signal;
    [Symbol.asyncIterator](): AsyncIterableIterator<Batch<K, V>>;
    /** All records as one batch. */
    collect(given?: WaitOptions): Promise<Batch<K, V>>;
    /** The number of records, counted from batch headers. */
    count(given?: WaitOptions): Promise<number>;
    /** Describes the scan as text. */
    explain(given?: WaitOptions): Promise<string>;
    /** The messages as a stream of objects. */
    readable(): Readable;
    private abortable;
}

// server.d.ts

/** A listener of an engine for Kafka clients, until it or its client is closed. */
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
    [Symbol.asyncDispose](): Promise<void>;
}

// subscription.d.ts

/** A topic, topics, or the topics whose whole name a regular expression matches. */
export type Subscription = string | readonly string[] | RegExp;
/** The names, or the pattern. */
export declare function subscription(given: unknown): {
    names?: string[];
    pattern?: string;
};

// topic.d.ts

import type { PartitionDescription } from '../native.js';
import { type WaitOptions } from './abort.js';
import { Batch } from './batch.js';
import { type Decoded, type Format, type ReadOptions } from './formats.js';
import { type Position } from './positions.js';
import { Scan } from './scan.js';
/** The range and the formats of {@link Topic.scan}. */
export interface ScanOptions<K extends Format = Format, V extends Format = Format> extends ReadOptions<K, V>, WaitOptions {
    /** The start, inclusive; "earliest" by default. */
    start?: Position;
    /** The end, exclusive; "latest" by default: the end of the topic when the scan starts. */
    end?: Position;
    /** Only these partitions; all by default. */
    partitions?: number[];
    /** Stop after this many records. */
    limit?: number;
    /** The isolation level for records of transactions; "read_committed" by default. */
    isolationLevel?: 'read_committed' | 'read_uncommitted';
}
/** The formats of {@link Topic.head} and {@link Topic.tail}. */
export interface EndOptions<K extends Format = Format, V extends Format = Format> extends ReadOptions<K, V>, WaitOptions {
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
    /**
     * A range of the topic, read batch by batch. It ends where the topic ends when the reading starts. Joins no group.
     */
    scan<K extends Format = 'bytes', V extends Format = 'bytes'>(given?: ScanOptions<K, V>): Scan<Decoded<K>, Decoded<V>>;
    /** The first `n` records: partition by partition, in offset order. */
    head<K extends Format = 'bytes', V extends Format = 'bytes'>(n?: number, given?: EndOptions<K, V>): Promise<Batch<Decoded<K>, Decoded<V>>>;
    /** The `n` newest records of all partitions. Reads only the end of the topic. */
    tail<K extends Format = 'bytes', V extends Format = 'bytes'>(n?: number, given?: EndOptions<K, V>): Promise<Batch<Decoded<K>, Decoded<V>>>;
    /** The number of records, counted from batch headers. */
    count(given?: WaitOptions): Promise<number>;
    /** The offset of a position in each partition, by its number. */
    offsets(at: Position, given?: WaitOptions): Promise<Map<number, bigint>>;
    /**
     * Records and bytes in each interval of time, from batch headers: columns `time`, `records` and `bytes` of
     * {@link Batch.toArrow}. `every` is a duration such as "1m" or "1h".
     */
    rate(every?: string, given?: RateOptions): Promise<Batch>;
    /** Its partitions, with leaders, offsets and sizes. */
    describe(given?: WaitOptions): Promise<PartitionDescription[]>;
    private endOf;
}

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
