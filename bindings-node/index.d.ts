// The public declarations, written by scripts/check-types.mjs: what a change of the API looks like.

// abort.d.ts

import type { Abort } from '../native.js';
/** The option of every call that waits. */
export interface WaitOptions {
    /** Ends the call: it rejects with `AbortError`. */
    signal?: AbortSignal | undefined;
}
/** Runs a call that `signal` ends. The call loses nothing: what it has not returned comes with the next one. */
export declare function abortable<T>(signal: AbortSignal | undefined, call: (abort?: Abort) => Promise<T>): Promise<T>;
/** Waits for a promise whose work goes on when `signal` ends the wait. */
export declare function abortableWait<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T>;

// batch.d.ts

import type { Table } from 'apache-arrow';
import type { TopicPartitionOffset } from '../native.js';
import { Message } from './message.js';
/** Records as a table, in order of partition and offset. Iterating it yields its messages. */
export declare class Batch<K = Buffer | null, V = Buffer | null> implements Iterable<Message<K, V>> {
    private readonly native;
    private readonly formats;
    private readonly commitOffsets?;
    private cached;
    /** The number of records. */
    get length(): number;
    /** Where to go on behind the batch, for each partition in it. */
    get nextOffsets(): TopicPartitionOffset[];
    /** The message at an index; from the end if it is negative. */
    at(index: number): Message<K, V> | undefined;
    [Symbol.iterator](): IterableIterator<Message<K, V>>;
    /** Commits the offsets behind the batch for the group of the consumer that read it. */
    commit(): Promise<void>;
    /** The records in the stream format of Arrow IPC. */
    toArrowIPC(): Buffer;
    /** The records as a table of apache-arrow, which has to be installed. */
    toArrow(): Table;
    private message;
}
/** The stream of a table of apache-arrow, whose modules for `import` and `require` do not know each other's tables. */
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
    /** Whether a topic that exists is an error, or is taken as it is; "error" by default. */
    ifExists?: 'error' | 'ignore';
}
/** The changes of {@link Client.alterTopic}. Other keys are configuration; `null` puts one back to its default. */
export interface AlterTopicOptions extends WaitOptions {
    /** The new number of partitions, which must be larger. */
    partitions?: number;
    /** Configuration keys as Kafka spells them. */
    config?: Record<string, ConfigValue | null>;
    [key: string]: ConfigValue | null | object | undefined;
}
/** The options of {@link Client.producer}. Other keys are Kafka's producer configuration. */
export interface ProducerOptions<K extends Format = Format, V extends Format = Format> extends KafkaConfig {
    /** What keys are: bytes or text ("bytes", the default), text ("string"), or anything that JSON can express ("json"). */
    key?: K;
    /** What values are; see `key`. */
    value?: V;
}
/** The options of {@link Client.consumer}. Other keys are Kafka's consumer configuration. */
export interface ConsumerOptions<K extends Format = Format, V extends Format = Format> extends FormatOptions<K, V>, Omit<KafkaConfig, 'key' | 'value' | 'onError'> {
    /** The topics to read; a regular expression needs a group. */
    topics?: Subscription;
    /** The group that the consumer is a member of. */
    groupId?: string;
}
/** The options of {@link Client.serve}. */
export interface ServeOptions {
    /** The host to listen at; "127.0.0.1" by default. */
    host?: string;
    /** The port; 9092 by default, 0 takes a free one. */
    port?: number;
    /** The "HOST:PORT" that clients connect to; where it listens by default. */
    advertised?: string;
    /** How connections are secured; "PLAINTEXT" by default. */
    securityProtocol?: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
    /** The certificate chain, a PEM file. */
    tlsCert?: string;
    /** The private key of the certificate, a PEM file. */
    tlsKey?: string;
    /** The SASL mechanisms that users may choose; all by default. */
    saslMechanisms?: string[];
    /** Whether other machines may connect without TLS and SASL; false by default. */
    allowInsecure?: boolean;
}
/** The way to an engine or a cluster: makes topics, producers and consumers. */
export declare class Client implements AsyncDisposable {
    private readonly native;
    private readonly servers;
    /** Creates a topic. */
    createTopic(name: string, given?: CreateTopicOptions): Promise<Topic>;
    /** A handle on a topic. An unknown topic fails at the first use. */
    topic(name: string): Topic;
    /** The topics, by name. */
    topics(given?: WaitOptions & {
        internal?: boolean;
    }): Promise<TopicInfo[]>;
    /** Adds partitions, and sets configuration keys; `null` puts one back to its default. */
    alterTopic(name: string, given: AlterTopicOptions): Promise<void>;
    /** Deletes a topic with its records. The result is whether it existed, which is an error unless `missingOk` is set. */
    deleteTopic(name: string, given?: WaitOptions & {
        missingOk?: boolean;
    }): Promise<boolean>;
    /** Deletes the records before a position. The result is the first offset of each partition. */
    deleteRecords(name: string, before: Position, given?: WaitOptions): Promise<Map<number, bigint>>;
    /** The configuration of a topic, with the source of each value. */
    topicConfig(name: string, given?: WaitOptions): Promise<ConfigEntry[]>;
    /** The consumer groups, by name. */
    groups(given?: WaitOptions): Promise<GroupInfo[]>;
    /** The committed offsets of a group, with the end of each partition and the lag. An unknown group has committed nothing. */
    groupOffsets(groupId: string, given?: WaitOptions): Promise<GroupOffset[]>;
    /**
     * Sets the committed offsets of a group for a topic, and returns them. An offset outside the log becomes its start or its end. The group must
     * have no members; an unknown group is created.
     */
    resetGroupOffsets(groupId: string, topic: string, to: Position, given?: WaitOptions): Promise<Map<number, bigint>>;
    /** Deletes a group with its committed offsets. It must have no members. */
    deleteGroup(groupId: string, given?: WaitOptions): Promise<void>;
    /** A producer. */
    producer<K extends Format = 'bytes', V extends Format = 'bytes'>(given?: ProducerOptions<K, V>): Producer<K, V>;
    /**
     * A consumer of topics; without topics, `assign()` names the partitions. With `groupId` it shares them with the other members of the group
     * and starts at the committed offsets. An unknown topic fails at the first read.
     */
    consumer<K extends Format = 'bytes', V extends Format = 'bytes'>(given?: ConsumerOptions<K, V>): Consumer<Decoded<K>, Decoded<V>>;
    /** Opens the engine to any Kafka client. The client of a cluster refuses. */
    serve(given?: ServeOptions): Promise<Server>;
    /** What the client has done, in numbers. Sends no request. */
    metrics(): Metrics;
    /** What opening the directory found, if its last owner did not close it or something was missing or damaged. */
    get recovery(): RecoveryReport | null;
    /**
     * Sends what producers hold, then closes the client and everything that was made from it. The engine closes with its last client. Rejects if
     * records could not be sent: the error counts them. Idempotent.
     */
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
    private serveWith;
}
/**
 * Opens an embedded engine and returns the client on it. `path` is its directory, made if it is missing; `null` keeps everything in memory until
 * the client is closed. The same path twice in one process is the same engine; a second process gets `LockedError`.
 */
export declare function open(path?: string | null, given?: KafkaConfig): Promise<Client>;
/**
 * Connects to a Kafka cluster and returns the client on it. `bootstrapServers` is one or more "HOST:PORT", separated by commas or in an array;
 * one broker that can be reached is enough. Rejects with `TransportError` if none can be reached.
 */
export declare function connect(bootstrapServers: string | readonly string[], given?: KafkaConfig & WaitOptions): Promise<Client>;

// config.d.ts

/** A value of a configuration key. */
export type ConfigValue = string | number | bigint | boolean | readonly (string | number)[];
/** Configuration keys as Kafka spells them (`"auto.offset.reset"`) or in camelCase (`autoOffsetReset`). */
export interface KafkaConfig {
    /** Keys as Kafka spells them. */
    config?: Record<string, ConfigValue>;
    [key: string]: ConfigValue | Record<string, ConfigValue> | object | undefined;
}
/** The keys and values of the options that are configuration. */
export declare function pairs(config: Record<string, unknown> | undefined, rest: Record<string, unknown>): [string, string][];
/** The same with `null`, which puts a key back to its default. */
export declare function changes(config: Record<string, unknown> | undefined, rest: Record<string, unknown>): [string, string | undefined][];
/** `autoOffsetReset` is `auto.offset.reset`. */
export declare function kafkaKey(key: string): string;
/** A value as Kafka writes it. */
export declare function valueText(key: string, value: unknown): string;

// consumer.d.ts

import { Readable } from 'node:stream';
import type { TopicPartitionLag } from '../native.js';
import { type WaitOptions } from './abort.js';
import { Batch } from './batch.js';
import type { BatchesOptions, PartitionsOptions, PollOptions } from './consumer_options.js';
import { Message } from './message.js';
import { type Offsets } from './offsets.js';
import { type Position, type TopicPartition, type TopicPartitionOffset } from './positions.js';
import { type RebalanceListener, type RebalanceOptions } from './rebalances.js';
import { type RunOptions } from './run_options.js';
import { type Subscription } from './subscription.js';
/**
 * Reads partitions. Iterating it yields messages. In a group, `enable.auto.commit` commits finished records from time to time: a batch or a
 * message is finished when the next one is asked for.
 */
export declare class Consumer<K = Buffer | null, V = Buffer | null> implements AsyncIterable<Message<K, V>>, AsyncDisposable {
    private readonly native;
    private readonly formats;
    private readonly messageBuffer;
    private readonly rebalances;
    private runner;
    private closing;
    private isClosed;
    /** Waits for records. The batch is empty when the time has passed. */
    poll(given?: PollOptions): Promise<Batch<K, V>>;
    /** The batches of a stream. A batch is finished when the next one is asked for. */
    batches(given?: BatchesOptions): AsyncIterableIterator<Batch<K, V>>;
    /** The messages, one after the other. A message is finished when the next one is asked for. */
    messages(given?: WaitOptions): AsyncIterableIterator<Message<K, V>>;
    [Symbol.asyncIterator](): AsyncIterableIterator<Message<K, V>>;
    /** The messages as a stream of objects. */
    readable(given?: WaitOptions): Readable;
    /**
     * Calls a handler for each message or batch, in order in each partition, until `stop()`, `close()` or the signal ends it. The promise is
     * fulfilled then. A message whose handler throws is handed over again after a pause; after `retry.retries` times the promise rejects
     * with what the handler threw, and the message is not finished. Auto-commit commits what handlers have finished.
     */
    run(given: RunOptions<K, V>): Promise<void>;
    /**
     * Ends `run()`. The promise is fulfilled when its handlers have ended; called inside a handler it does not wait for them.
     */
    stop(): Promise<void>;
    /** Joins the group for topics, or for the topics that a regular expression matches, also those that come later. */
    subscribe(topics: Subscription, given?: RebalanceOptions): Promise<void>;
    /** Commits what is finished, leaves the group and gives the partitions up. */
    unsubscribe(): Promise<void>;
    /** Reads these partitions from now on. Partitions that stay keep their position. */
    assign(partitions: TopicPartition | TopicPartition[], given?: WaitOptions): Promise<void>;
    /** The assigned partitions. */
    assignment(given?: WaitOptions): Promise<TopicPartition[]>;
    /**
     * Commits offsets: of a message or a batch (the offset behind it), given ones, or the positions of all partitions. What is before them
     * counts as finished. In `run()`, without arguments, it commits what handlers have finished.
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
    /** The partitions that the caller has paused. */
    paused(given?: WaitOptions): Promise<TopicPartition[]>;
    /** Calls a function at each rebalance: "assign", "revoke" (before the partitions go), "lost". It may return a promise. */
    on(event: 'assign' | 'revoke' | 'lost', listener: RebalanceListener): this;
    /** Takes a function of `on()` back. */
    off(event: 'assign' | 'revoke' | 'lost', listener: RebalanceListener): this;
    /** Ends the waiting call with `WakeupError`, or else the next one that may wait. */
    wakeup(): void;
    /**
     * Ends waiting calls and `run()`, commits what is finished, leaves the group, and takes no more calls. Idempotent. A closed client has closed
     * its consumers.
     */
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
    private closeOnce;
    /** Gives the partitions up. What a function of a rebalance throws comes out when that is done. */
    private leave;
    /** Runs an operation, and reports rebalances meanwhile. */
    private nextEvent;
    /** A call that may change what comes next. */
    private changing;
    /** A call that changes nothing of what comes next. */
    private entering;
    private refuseIfClosed;
    private batch;
    private batchesOf;
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
    /** The most records in a batch; 65,536 by default. */
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
    /** Kafka's name of the error, such as `OFFSET_OUT_OF_RANGE`. */
    code?: string;
    /** Whether the same call may succeed later without any change. */
    retriable?: boolean;
    /** Whether the object that reported it must be replaced by a new one. */
    fatal?: boolean;
    /** The topic concerned. */
    topic?: string;
    /** The partition concerned. */
    partition?: number;
    /** The offset concerned. */
    offset?: bigint;
}
/** The root of the tree: everything that Headwater reports on its own account. */
export declare class HeadwaterError extends Error {
    /** Kafka's name of the error. */
    readonly code: string;
    /** Whether the same call may succeed later without any change. */
    readonly retriable: boolean;
    /** Whether the object that reported it must be replaced by a new one. */
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
/** An object was made before a `fork()` and used in the child. */
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
/** A record does not have the format that was asked for. */
export declare class DecodeError extends KafkaError {
    /** The key as it was written, if it was read. */
    readonly key: Buffer | null;
    /** The value as it was written, if it was read. */
    readonly value: Buffer | null;
    constructor(message: string, details?: ErrorDetails & {
        key?: Buffer;
        value?: Buffer;
    });
}
/** An argument cannot be right. The message names it. */
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
/** The call did not finish in its time. */
export declare class RequestTimedOutError extends KafkaError {
}
/** The disk is full, or storage failed. */
export declare class StorageError extends KafkaError {
}
/** The topic exists already. */
export declare class TopicAlreadyExistsError extends KafkaError {
}
/** The broker cannot be reached. */
export declare class TransportError extends KafkaError {
}
/** The topic or the partition does not exist. */
export declare class UnknownTopicOrPartitionError extends KafkaError {
}
/** The call was ended by its `AbortSignal`. `cause` is the signal's reason. */
export declare class AbortError extends Error {
    readonly name = "AbortError";
    /** Node's code of an aborted call. */
    readonly code = "ABORT_ERR";
    constructor(reason?: unknown);
}
/** Makes the error of the native half. */
export declare function makeError(fields: ErrorFields): Error;
/** An argument cannot be right. */
export declare function invalid(message: string): InvalidArgumentError;

// flat.d.ts

import type { Format } from './formats.js';
/** The numbers of the sections in the header. */
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
/** How a key or a value is decoded: the bytes as they are, text, or what `JSON.parse` gives. */
export type Format = 'bytes' | 'string' | 'json';
/** What a key or a value becomes. Null is null in each format. */
export type Decoded<F extends Format> = F extends 'string' ? string | null : F extends 'json' ? any : Buffer | null;
/** What to do with records that do not have the format: an error, null in their place, or leave them out. */
export type OnError = 'raise' | 'null' | 'skip';
/** The formats of keys and values. */
export interface FormatOptions<K extends Format = Format, V extends Format = Format> {
    /** How keys are decoded; "bytes" by default. */
    key?: K;
    /** How values are decoded; "bytes" by default. */
    value?: V;
    /** What to do with records that do not have the format; "raise" by default. */
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
/** The formats as the native half takes them. */
export declare function decodeArguments(given: {
    key?: Format;
    value?: Format;
    onError?: OnError;
    columns?: string[];
}): DecodeArguments;

// gate.d.ts

export declare class Gate {
    private waiting;
    /** Lets all go on who wait now. */
    open(): void;
    /** Waits until it opens, for so many milliseconds at most. */
    wait(timeoutMs?: number): Promise<void>;
}

// handlers.d.ts

import type { Message } from './message.js';
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
/** Hands the message in front over, and finishes it. */
export declare function handleMessage<K, V>(handler: (payload: EachMessagePayload<K, V>) => unknown, work: PartitionWork<K, V>, calls: RunnerCalls<K, V>): Promise<void>;
/** Hands the messages that are left over, and finishes those that the handler has resolved, or all. */
export declare function handleBatch<K, V>(handler: (payload: EachBatchPayload<K, V>) => unknown, work: PartitionWork<K, V>, calls: RunnerCalls<K, V>): Promise<void>;

// held_back.d.ts

import type { Consumer as NativeConsumer } from '../native.js';
import { type TopicPartition } from './positions.js';
/** What is looked at of a partition's queue. */
interface Queue extends TopicPartition {
    readonly isEmpty: boolean;
    readonly isPaused: boolean;
}
export declare class HeldBack {
    private readonly native;
    private readonly partitions;
    constructor(native: NativeConsumer);
    has(at: TopicPartition): boolean;
    /** It is not the runner's any more. */
    forget(at: TopicPartition): void;
    /** Without the partitions that only the runner has paused. */
    without(partitions: TopicPartition[]): TopicPartition[];
    /** Pauses the partitions that have messages left, and resumes those that have not. */
    update(queues: ReadonlyMap<string, Queue>): Promise<void>;
    /** Resumes all that are still assigned. */
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
export { Consumer } from './consumer.js';
export type { BatchesOptions, PartitionsOptions, PollOptions } from './consumer_options.js';
export type { CommitEvent, ConsumeEvent, ProduceEvent, TracedMessage } from './diagnostics.js';
export { AbortError, AuthenticationError, AuthorizationError, ClosedError, ConfigError, CorruptLogError, DecodeError, type ErrorDetails, ForkError, HeadwaterError, InvalidArgumentError, InvalidTopicError, KafkaError, LockedError, NotADataDirectoryError, OffsetOutOfRangeError, OutOfOrderSequenceError, ProducerFencedError, RecordTooLargeError, RequestTimedOutError, StorageError, TopicAlreadyExistsError, TransportError, UnknownTopicOrPartitionError, WakeupError, } from './errors.js';
export type { Header } from './flat.js';
export type { Decoded, Format, FormatOptions, OnError, ReadOptions } from './formats.js';
export type { EachBatchPayload, EachMessagePayload, FetchedBatch, } from './handlers.js';
export { Message } from './message.js';
export type { BrokerMetrics, ConsumerMetrics, DeletionMetrics, Metrics, ProducerMetrics, } from './metrics.js';
export type { Offsets } from './offsets.js';
export type { Position } from './positions.js';
export { Producer, type SendBatchOptions } from './producer.js';
export { type HeadersCarrier, headersGetter, headersSetter } from './propagation.js';
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
/** One record of a topic. Keys and values of format "bytes" are views into the buffer of their batch; copy what is kept for long. */
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
    /** The time of the record in milliseconds since 1970. */
    get timestamp(): number;
    /** The key, in the format that was asked for. */
    get key(): K;
    /** The value, in the format that was asked for. */
    get value(): V;
    /** The headers: pairs of a name and bytes, in order. Names may repeat. */
    get headers(): Header[];
    /** The value of the last header of that name; `undefined` if there is none. */
    header(name: string): Buffer | null | undefined;
    /** The parts that were read, as a plain object. */
    toObject(): Record<string, unknown>;
    [inspect.custom](): string;
}

// messages.d.ts

import type { ConsumerEvent, Consumer as NativeConsumer } from '../native.js';
import { Flat } from './flat.js';
/**
 * Hands out messages one by one from a buffer of the native half, which counts them as handed out when it is told. What a call might have
 * changed is discarded and read again.
 */
export declare class MessageBuffer {
    private readonly native;
    private readonly isMember;
    private readonly next;
    /** The message that was handed out last. */
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
    /** Hands a message out, if there is one and nothing comes before it. */
    tryTake(): boolean;
    /** Waits for a message, and hands it out. */
    take(wait: AbortSignal | undefined): Promise<void>;
    /** Tells the native half what was handed out. */
    report(): void;
    /** Forgets the messages that were not handed out: they are read again. */
    discard(): void;
    /** The next message waits for the native half, which ends the wait. */
    interrupt(): void;
    private fetch;
}
/** An iterator that does not end by itself. */
export declare function iteratorOf<T>(next: () => Promise<IteratorResult<T>>): AsyncIterableIterator<T>;

// metrics.d.ts

/** A broker in `Metrics`. */
export interface BrokerMetrics {
    /** `null` if the metadata names no broker at this address: a bootstrap address, or a broker that has left. */
    'node-id': number | null;
    /** Connections that are open now. */
    'connection-count': number;
    'connection-creation-total': number;
    'connection-failure-total': number;
    /** Requests that were written. */
    'request-total': number;
    /** Of these, those that ended without a response because the connection was lost. */
    'request-error-total': number;
    /** Of these, those that wait for their response now. */
    'requests-in-flight': number;
    /** The bytes of requests, as Kafka encodes them: without TLS, and without the messages that open a connection. */
    'outgoing-byte-total': number;
    /** The bytes of responses, counted likewise. */
    'incoming-byte-total': number;
    /** From request to response, over the last minute or two. A fetch and a join of a group wait in the broker, which counts too. */
    'request-latency-avg-ms': number;
    'request-latency-p50-ms': number;
    'request-latency-p99-ms': number;
    'request-latency-max-ms': number;
    /** For how long the broker has asked the client to wait, because a quota was exceeded. */
    'throttle-time-total-ms': number;
}
/** A producer in `Metrics`. */
export interface ProducerMetrics {
    'client-id': string;
    /** Records that were accepted and have no result yet. */
    'queued-records': number;
    /** The bytes of `buffer.memory` that they take. */
    'queued-bytes': number;
}
/** A consumer in `Metrics`. */
export interface ConsumerMetrics {
    'client-id': string;
    /** `null`: it belongs to no group. */
    'group-id': string | null;
    /**
     * By topic and partition: the offsets between the position and the end that the last response named. `consumer.lag()` asks the
     * brokers.
     */
    'records-lag': Record<string, Record<number, number>>;
}
/** The segments that left the logs of an embedded engine, and the bytes of their records, by reason. */
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
 * What a client has done: `client.metrics()`. Totals count since the client was made. Those of deletions are there for an embedded
 * engine only.
 */
export interface Metrics extends Partial<DeletionMetrics> {
    'request-total': number;
    /** Requests without a response. */
    'request-error-total': number;
    /** How often something was tried again after an error. */
    'retry-total': number;
    /** For how long brokers have asked the client to wait, because a quota was exceeded. */
    'throttle-time-total-ms': number;
    /** Over all brokers; 0 for an embedded engine, as the next four. */
    'connection-count': number;
    'connection-creation-total': number;
    'connection-failure-total': number;
    'outgoing-byte-total': number;
    'incoming-byte-total': number;
    /** By `HOST:PORT`; empty for an embedded engine. */
    brokers: Record<string, BrokerMetrics>;
    /** The producers that are in use. */
    producers: ProducerMetrics[];
    /** The consumers that are in use. */
    consumers: ConsumerMetrics[];
}

// native.d.ts

import * as native from '../native.js';
export { native };

// offsets.d.ts

import { Batch } from './batch.js';
import { Message } from './message.js';
import { type TopicPartitionOffset } from './positions.js';
/** What {@link Consumer.commit} takes: a message or a batch stands for the offset behind it. */
export type Offsets<K, V> = Message<K, V> | Batch<K, V> | TopicPartitionOffset | TopicPartitionOffset[];
/** The offsets of a message or a batch, or the given ones. */
export declare function offsets(what: unknown, name: string): TopicPartitionOffset[];
/** The offset of each partition, if `to` names them. */
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
/** The options of a call. Unknown ones are refused with the nearest name; undefined ones count as missing. */
export declare function options<S extends Spec>(call: string, given: unknown, spec: S): Checked<S>;
/** The options of a call, and the other ones: configuration keys. */
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
 * A position in each partition of a topic: `"earliest"`, `"latest"`, an offset, an age such as `"-15m"`, a `Date` (the first record
 * that is not older), or an offset for each partition: by its number, or as {@link Batch.nextOffsets} has them.
 */
export type Position = 'earliest' | 'latest' | bigint | number | Date | `-${string}` | readonly {
    partition: number;
    offset: bigint | number;
}[] | ReadonlyMap<number, bigint | number> | Readonly<Record<number, bigint | number>>;
/** A position as the native half takes it. */
export declare const position: Check<string | PartitionOffset[]>;
/** A partition of a topic. */
export declare const topicPartition: Check<TopicPartition>;
/** A list of partitions; one alone counts as a list. */
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
import { type MessageToSend, type RecordToSend } from './records.js';
/** The options of {@link Producer.sendBatch}. */
export interface SendBatchOptions extends WaitOptions {
    /** The column of keys of an Arrow table. */
    key?: string;
    /** The column of values of an Arrow table; without one, all other columns make a JSON object. */
    value?: string;
    /** The column of headers of an Arrow table: a list of structs of `key` and `value`. */
    headers?: string;
    /** The column of timestamps of an Arrow table. */
    timestamp?: string;
    /** The partition of all rows, or the column of partitions of an Arrow table. */
    partition?: number | string;
}
/** Sends records. Records of one topic that are sent one after the other keep their order in each partition. */
export declare class Producer<K extends Format = 'bytes', V extends Format = 'bytes'> implements AsyncDisposable {
    private readonly native;
    private readonly formats;
    /**
     * Sends a record. The promise is fulfilled when it is acknowledged; sends need not wait for each other. The bytes are copied at the call.
     * An abort ends the wait, not the record: it may still be written.
     */
    send(record: RecordToSend<K, V>, given?: WaitOptions): Promise<RecordMetadata>;
    private sendRecord;
    /**
     * Sends many records and waits until all are acknowledged: messages, the stream format of Arrow IPC, or a table of apache-arrow. All are
     * checked before the first is written.
     */
    sendBatch(topic: string, rows: readonly MessageToSend<K, V>[] | Uint8Array | Table, given?: SendBatchOptions): Promise<BatchResult>;
    private sendRows;
    /** A stream that sends the messages that are written to it. It takes more when those before are acknowledged. */
    writable(topic: string): Writable;
    /** Sends everything that was accepted before, and waits until it is acknowledged or refused. */
    flush(given?: WaitOptions): Promise<void>;
    /** Flushes, and takes no more records. Rejects if records could not be sent: the error counts them. Idempotent. */
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
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
/** Called with the partitions of a rebalance. What it throws comes out of the call that waits for records. */
export type RebalanceListener = (partitions: TopicPartition[]) => unknown;
/** The functions of a subscription. */
export interface RebalanceOptions {
    /** Partitions were added. */
    onAssign?: RebalanceListener;
    /** Partitions go when it has returned. Until then their offsets can be committed. */
    onRevoke?: RebalanceListener;
    /** Partitions are gone. `onRevoke` by default. */
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
/** What can be sent as a key or value of a format. */
export type Encodable<F extends Format> = F extends 'json' ? unknown : F extends 'string' ? string | null : Bytes | null;
/** A record to send, without its topic. */
export interface MessageToSend<K extends Format = 'bytes', V extends Format = 'bytes'> {
    /** The value; null or none deletes the key in a compacted topic. */
    value?: Encodable<V>;
    /** The key, whose hash chooses the partition as Java's does. */
    key?: Encodable<K>;
    /** The headers. */
    headers?: HeadersToSend;
    /** The partition; by the key's hash if there is none, or without a key by the producer. */
    partition?: number;
    /** The time, in milliseconds since 1970; now if there is none. */
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
/** Bytes or text, checked. */
export declare function bytes(value: unknown, name: string): Bytes;

// rows.d.ts

import type { EncodedMessage } from './records.js';
/** The messages as one buffer. */
export declare function writeRows(messages: EncodedMessage[]): Buffer;

// run_options.d.ts

import type { WaitOptions } from './abort.js';
import type { EachBatchPayload, EachMessagePayload } from './handlers.js';
/** What happens with a message whose handler throws. */
export interface RetryOptions {
    /** How often the message is handed over again; 5 by default. `Infinity` never gives up. */
    retries?: number;
    /** The pause before the first time, in milliseconds; 300 by default. It doubles each time. */
    initialRetryTimeMs?: number;
    /** The longest pause, in milliseconds; 30,000 by default. */
    maxRetryTimeMs?: number;
}
/** The options of {@link Consumer.run}: `eachMessage` or `eachBatch`. */
export interface RunOptions<K = Buffer | null, V = Buffer | null> extends WaitOptions {
    /** Called for each message; the next one of its partition comes when the promise is fulfilled. */
    eachMessage?: (payload: EachMessagePayload<K, V>) => unknown;
    /** Called for the messages that were fetched of a partition. */
    eachBatch?: (payload: EachBatchPayload<K, V>) => unknown;
    /** The most partitions whose handlers run at the same time; 1 by default. */
    concurrency?: number;
    /** Whether a batch is finished when `eachBatch` returns; true by default. Otherwise up to the last resolved offset. */
    eachBatchAutoResolve?: boolean;
    /** The most records that are fetched at once; 8,192 by default. */
    maxRecords?: number;
    /** What happens with a message whose handler throws. */
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
import type { Consumer } from './consumer.js';
import type { Formats } from './formats.js';
import { type TopicPartition, type TopicPartitionOffset } from './positions.js';
import type { Rebalances } from './rebalances.js';
import type { CheckedRunOptions } from './run_options.js';
/** What a runner needs of its consumer. */
export interface RunnerContext<K, V> {
    consumer: Consumer<K, V>;
    native: NativeConsumer;
    formats: Formats;
    rebalances: Rebalances;
    /** Forgets the messages that were decoded for others. */
    discard(): void;
}
export declare class Runner<K, V> {
    private readonly context;
    readonly options: CheckedRunOptions<K, V>;
    private readonly works;
    /** Partitions that may have a handler, in the order in which they got messages. */
    private readonly ready;
    private handlers;
    private isRunning;
    private isStopping;
    private failure;
    /** Partitions that the runner has paused. */
    private readonly heldBack;
    private poll;
    /** Partitions that were sought since the poll began. */
    private readonly soughtSince;
    private areAllSought;
    /** Opens when a handler ends, or when the runner has to look again. */
    private readonly changed;
    private readonly ended;
    private readonly end;
    constructor(context: RunnerContext<K, V>, options: CheckedRunOptions<K, V>, other: Runner<K, V> | undefined);
    /** Runs until it is stopped. */
    run(): Promise<void>;
    /** Ends it. Inside a handler it does not wait for handlers. */
    stop(): Promise<void>;
    /** Ends the poll, so that another call has its turn. */
    interrupt(): void;
    /** The offsets behind what handlers have finished. */
    finishedOffsets(): TopicPartitionOffset[];
    /** Partitions are moved: what was fetched of them is dropped. */
    sought(partitions: TopicPartition[]): void;
    /** Partitions are paused: the messages in their queues wait. */
    paused(partitions: TopicPartition[]): void;
    /** Partitions are not paused any more. */
    resumed(partitions: TopicPartition[]): void;
    /** Without the partitions that only the runner has paused. */
    withoutHeldBack(partitions: TopicPartition[]): TopicPartition[];
    private requestStop;
    private pollUntilStopped;
    private get hasMessages();
    private pollOnce;
    /** Hands fetched messages to the queues of their partitions. */
    private take;
    /** Lets the handlers of partitions that go end, then reports. */
    private rebalance;
    /** Tells the core what handlers have finished. */
    private finish;
    /** Lets a partition have a handler when its turn comes. */
    private queue;
    private startHandlers;
    /** Calls handlers until the partition has no messages left, or may not go on. */
    private handle;
    private handlerEnded;
    /** A handler threw: the same message again after a pause, or the end. */
    private failed;
    private payloads;
    private handlersEnded;
    /** Gives the messages that no handler has finished back: the next call reads them again. */
    private giveBack;
    private workOf;
    private worksOf;
}

// scan.d.ts

import { Readable } from 'node:stream';
import { type WaitOptions } from './abort.js';
import { Batch } from './batch.js';
/** A range of a topic. Each iteration reads it anew, as batches; it ends where the topic ended when it began. */
export declare class Scan<K = Buffer | null, V = Buffer | null> implements AsyncIterable<Batch<K, V>> {
    private readonly native;
    private readonly formats;
    private readonly signal;
    [Symbol.asyncIterator](): AsyncIterableIterator<Batch<K, V>>;
    /** All records as one batch. */
    collect(given?: WaitOptions): Promise<Batch<K, V>>;
    /** The number of records, counted from the headers of their batches. */
    count(given?: WaitOptions): Promise<number>;
    /** What will be read, as text. */
    explain(given?: WaitOptions): Promise<string>;
    /** The messages as a stream of objects. */
    readable(): Readable;
    private abortable;
}

// server.d.ts

/** An engine that listens for Kafka clients until it is closed, or until its client is. */
export declare class Server implements AsyncDisposable {
    private readonly native;
    /** Where it listens: "HOST:PORT". */
    get address(): string;
    /** What Kafka clients connect to: the value of `bootstrap.servers`. */
    get bootstrapServers(): string;
    /** Accepts nothing more, answers the requests that have begun, and closes all connections. The engine stays open. Idempotent. */
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

// test_broker.d.ts

import type { WaitOptions } from './abort.js';
import type { Client } from './client.js';
import { type Decoded, type Format, type FormatOptions } from './formats.js';
import type { Message } from './message.js';
/** The formats of {@link TestBroker.waitFor}, and how long it waits. */
export interface WaitForOptions<K extends Format = Format, V extends Format = Format> extends FormatOptions<K, V>, WaitOptions {
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
    messages<K extends Format = 'bytes', V extends Format = 'bytes'>(topic: string, given?: FormatOptions<K, V> & WaitOptions): Promise<Message<Decoded<K>, Decoded<V>>[]>;
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
    [Symbol.asyncDispose](): Promise<void>;
    private deleteRecords;
}

// testing.d.ts

/**
 * A Kafka broker in memory for the tests of services. It starts in milliseconds, and any Kafka client can use it.
 *
 * @example
 * import { startBroker } from 'headwater/testing';
 *
 * const broker = await startBroker({ topics: { orders: { partitions: 3 } } });
 * const kafka = new Kafka({ brokers: broker.brokers }); // kafkajs, or any other client
 * // Run the service, then:
 * const [order] = await broker.waitFor('orders', 1, { value: 'json' });
 * await broker.close();
 *
 * @packageDocumentation
 */
import { type CreateTopicOptions, type ServeOptions } from './client.js';
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

import type { PartitionDescription } from '../native.js';
import { type WaitOptions } from './abort.js';
import { Batch } from './batch.js';
import { type Decoded, type Format, type ReadOptions } from './formats.js';
import { type Position } from './positions.js';
import { Scan } from './scan.js';
/** The range and the formats of {@link Topic.scan}. */
export interface ScanOptions<K extends Format = Format, V extends Format = Format> extends ReadOptions<K, V>, WaitOptions {
    /** Where to start, inclusive; "earliest" by default. */
    start?: Position;
    /** Where to stop, exclusive; "latest" by default: where the topic ends when the scan begins. */
    end?: Position;
    /** Only these partitions; all by default. */
    partitions?: number[];
    /** Stop after so many records. */
    limit?: number;
    /** Which records of transactions are read; "read_committed" by default. */
    isolationLevel?: 'read_committed' | 'read_uncommitted';
}
/** The formats of {@link Topic.head} and {@link Topic.tail}. */
export interface EndOptions<K extends Format = Format, V extends Format = Format> extends ReadOptions<K, V>, WaitOptions {
}
/** The range of {@link Topic.rate}. */
export interface RateOptions extends WaitOptions {
    /** Where to start, inclusive; "earliest" by default. */
    start?: Position;
    /** Where to stop, exclusive; "latest" by default. */
    end?: Position;
}
/** A handle on a topic. An unknown topic fails at the first use. */
export declare class Topic {
    private readonly native;
    /** The topic's name. */
    get name(): string;
    /** A range of the topic, to be read batch by batch. Bounded when its reading begins; it joins no group. */
    scan<K extends Format = 'bytes', V extends Format = 'bytes'>(given?: ScanOptions<K, V>): Scan<Decoded<K>, Decoded<V>>;
    /** The first `n` records: partition by partition, in offset order. */
    head<K extends Format = 'bytes', V extends Format = 'bytes'>(n?: number, given?: EndOptions<K, V>): Promise<Batch<Decoded<K>, Decoded<V>>>;
    /** The last `n` records: of all partitions the newest. Reads only the end of the topic. */
    tail<K extends Format = 'bytes', V extends Format = 'bytes'>(n?: number, given?: EndOptions<K, V>): Promise<Batch<Decoded<K>, Decoded<V>>>;
    /** The number of records, counted from the headers of their batches. */
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
/** A partition's queue. One handler at a time works on it. */
export declare class PartitionWork<K, V> {
    readonly topic: string;
    readonly partition: number;
    /** Fetched messages, from the first that is not finished. */
    messages: Message<K, V>[];
    /** The next message in `messages`. */
    index: number;
    /** The offset behind the last finished message. */
    finished: bigint | undefined;
    /** Whether a handler works on it, or will after a pause. */
    isBusy: boolean;
    /** The caller has paused it. */
    isPaused: boolean;
    /** It was revoked: nothing of it is handed over any more. */
    isRevoked: boolean;
    /** Its message in front failed, and waits. */
    isWaiting: boolean;
    /** Counts seeks: what a handler does after one is not finished. */
    seeks: number;
    /** Failures of the message in front. */
    failures: number;
    /** Ends the pause after a failure. */
    retry: NodeJS.Timeout | undefined;
    constructor({ topic, partition }: TopicPartition);
    get isEmpty(): boolean;
    /** The message in front. */
    get front(): Message<K, V> | undefined;
    /** The messages that are left. */
    get left(): Message<K, V>[];
    add(messages: Message<K, V>[]): void;
    /** Finishes the messages before this offset. */
    finishBefore(offset: bigint): void;
    /** Whether a handler may have the message in front. */
    get isReady(): boolean;
    /** It was moved: what was fetched is dropped. */
    sought(): void;
    /** It goes to another member when its handler has ended. */
    revoked(): void;
    private drop;
}
/** Messages by the key of their partition. */
export declare function byPartition<K, V>(all: Iterable<Message<K, V>>): Map<string, {
    at: TopicPartition;
    messages: Message<K, V>[];
}>;
