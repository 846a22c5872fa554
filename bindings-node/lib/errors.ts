// The errors of the package: one class for each kind.

import type { ErrorFields } from '../native.js';
import { inOurWords } from './wording.js';

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
export class HeadwaterError extends Error {
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

  constructor(message: string, details: ErrorDetails = {}) {
    super(message);
    this.code = details.code ?? 'UNKNOWN_SERVER_ERROR';
    this.retriable = details.retriable ?? false;
    this.fatal = details.fatal ?? false;
    this.topic = details.topic;
    this.partition = details.partition;
    this.offset = details.offset;
  }
}

/** An object was closed before the call, or while it waited. */
export class ClosedError extends HeadwaterError {}

/** An object was created before a `fork()` and used in the child. */
export class ForkError extends HeadwaterError {}

/** A waiting call was ended by `Consumer.wakeup()`. No records were lost. */
export class WakeupError extends HeadwaterError {}

/** An error that has a Kafka code. */
export class KafkaError extends HeadwaterError {}

/** The broker refused the credentials, or could not prove its own identity. */
export class AuthenticationError extends KafkaError {}

/** The operating system, or the broker, refused access. */
export class AuthorizationError extends KafkaError {}

/** A configuration key is unknown, or its value is not allowed. */
export class ConfigError extends KafkaError {}

/** Stored bytes are damaged. */
export class CorruptLogError extends KafkaError {}

/** A record does not have the requested format. */
export class DecodeError extends KafkaError {
  /** The original key, if it was read. */
  readonly key: Buffer | null;
  /** The original value, if it was read. */
  readonly value: Buffer | null;

  constructor(message: string, details: ErrorDetails & { key?: Buffer; value?: Buffer } = {}) {
    super(message, details);
    this.key = details.key ?? null;
    this.value = details.value ?? null;
  }
}

/** An argument is invalid. The message has its name. */
export class InvalidArgumentError extends KafkaError {}

/** The name is not a valid topic name. */
export class InvalidTopicError extends KafkaError {}

/** Another process has locked the directory. */
export class LockedError extends KafkaError {}

/** The directory is not a data directory of Headwater or Kafka. */
export class NotADataDirectoryError extends KafkaError {}

/** The offset is not, or no longer, in the log. */
export class OffsetOutOfRangeError extends KafkaError {}

/** The idempotent producer lost its sequence. */
export class OutOfOrderSequenceError extends KafkaError {}

/** A newer producer with the same identity has taken over. */
export class ProducerFencedError extends KafkaError {}

/** The record or the batch is larger than a limit allows. */
export class RecordTooLargeError extends KafkaError {}

/** The call did not complete within its timeout. */
export class RequestTimedOutError extends KafkaError {}

/** The disk is full, or storage failed. */
export class StorageError extends KafkaError {}

/** The topic already exists. */
export class TopicAlreadyExistsError extends KafkaError {}

/** The broker cannot be reached. */
export class TransportError extends KafkaError {}

/** The topic or the partition does not exist. */
export class UnknownTopicOrPartitionError extends KafkaError {}

/** The call was aborted by its `AbortSignal`. `cause` is the signal's reason. */
export class AbortError extends Error {
  /** Node's name of an aborted call. */
  override readonly name = 'AbortError';
  /** Node's code of an aborted call. */
  readonly code = 'ABORT_ERR';

  constructor(reason?: unknown) {
    super('The call was aborted.', { cause: reason });
  }
}

const CLASSES: Record<string, new (message: string, details: ErrorDetails) => Error> = {
  AuthenticationError,
  AuthorizationError,
  ClosedError,
  ConfigError,
  CorruptLogError,
  DecodeError,
  ForkError,
  InvalidArgumentError,
  InvalidTopicError,
  KafkaError,
  LockedError,
  NotADataDirectoryError,
  OffsetOutOfRangeError,
  OutOfOrderSequenceError,
  ProducerFencedError,
  RecordTooLargeError,
  RequestTimedOutError,
  StorageError,
  TopicAlreadyExistsError,
  TransportError,
  UnknownTopicOrPartitionError,
  WakeupError,
};

// Not the names of the classes, which minifiers change.
for (const [name, { prototype }] of Object.entries({ HeadwaterError, ...CLASSES })) {
  Object.defineProperty(prototype, 'name', { value: name, configurable: true, writable: true });
}

/** Makes the error of the native half. */
export function makeError(fields: ErrorFields): Error {
  if (fields.kind === 'AbortError') {
    return new AbortError();
  }
  const kind = CLASSES[fields.kind] ?? KafkaError;
  return new kind(inOurWords(fields.message), fields);
}

/** The error of an invalid argument. */
export function invalid(message: string): InvalidArgumentError {
  return new InvalidArgumentError(message, { code: 'INVALID_REQUEST' });
}

export function consumerClosed(): ClosedError {
  return new ClosedError('The consumer is closed: create a new one to continue.');
}
