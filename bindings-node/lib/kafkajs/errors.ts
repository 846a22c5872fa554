// The error classes of kafkajs. `helpUrl` is not set: the messages name the remedy.

import type { PartitionMetadata } from './types.js';

/** The root of the tree. */
export class KafkaJSError extends Error {
  /** Whether the same call may succeed later without any change. */
  readonly retriable: boolean;
  readonly helpUrl?: string;
  override readonly cause?: Error;

  constructor(error: Error | string, { retriable = true, cause }: KafkaJSErrorMetadata = {}) {
    super(typeof error === 'string' ? error : error.message);
    this.name = new.target.name;
    this.retriable = retriable;
    if (cause !== undefined) {
      this.cause = cause;
    }
  }
}

/** A retry does not help. */
export class KafkaJSNonRetriableError extends KafkaJSError {
  constructor(error: Error | string, { cause }: { cause?: Error } = {}) {
    super(error, cause === undefined ? { retriable: false } : { retriable: false, cause });
  }
}

/** The fields of {@link KafkaJSProtocolError}. */
export interface ProtocolFailure {
  message: string;
  type: string;
  code: number;
  retriable: boolean;
}

/** The broker refused: `type` is Kafka's name of the error, `code` its number. */
export class KafkaJSProtocolError extends KafkaJSError {
  readonly type: string;
  readonly code: number;

  constructor(error: ProtocolFailure | Error | string, metadata: KafkaJSErrorMetadata = {}) {
    const failure = protocolFailure(error);
    super(failure.message, { retriable: failure.retriable, ...metadata });
    this.type = failure.type;
    this.code = failure.code;
  }
}

function protocolFailure(error: ProtocolFailure | Error | string): ProtocolFailure {
  const unknown = { type: 'UNKNOWN', code: -1, retriable: false };
  if (typeof error === 'string') {
    return { ...unknown, message: error };
  }
  const { message, type, code, retriable } = { ...unknown, ...error, message: error.message };
  return { message, type, code, retriable };
}

/** The offset is not, or no longer, in the log. */
export class KafkaJSOffsetOutOfRange extends KafkaJSProtocolError {
  readonly topic: string;
  readonly partition: number;

  constructor(error: ProtocolFailure | Error | string, at: KafkaJSOffsetOutOfRangeMetadata) {
    super(error);
    this.topic = at.topic;
    this.partition = at.partition;
  }
}

/** The member has to join with its id. */
export class KafkaJSMemberIdRequired extends KafkaJSProtocolError {
  readonly memberId: string;

  constructor(error: ProtocolFailure | Error | string, { memberId }: { memberId: string }) {
    super(error);
    this.memberId = memberId;
  }
}

/** A topic could not be created. */
export class KafkaJSCreateTopicError extends KafkaJSProtocolError {
  readonly topic: string;

  constructor(error: ProtocolFailure | Error | string, topic: string) {
    super(error);
    this.topic = topic;
  }
}

/** A partition could not be reassigned. */
export class KafkaJSAlterPartitionReassignmentsError extends KafkaJSProtocolError {
  readonly topic: string | undefined;
  readonly partition: number | undefined;

  constructor(error: ProtocolFailure | Error | string, topic?: string, partition?: number) {
    super(error);
    this.topic = topic;
    this.partition = partition;
  }
}

/** It was tried `retryCount` times more, in vain. `cause` is the last error. */
export class KafkaJSNumberOfRetriesExceeded extends KafkaJSNonRetriableError {
  readonly retryCount: number;
  readonly retryTime: number;

  constructor(
    error: Error | string,
    { retryCount, retryTime }: KafkaJSNumberOfRetriesExceededMetadata,
  ) {
    super(error, typeof error === 'string' ? {} : { cause: error });
    this.retryCount = retryCount;
    this.retryTime = retryTime;
  }
}

/** The broker cannot be reached. */
export class KafkaJSConnectionError extends KafkaJSError {
  readonly broker: string | undefined;
  readonly code: string | undefined;

  constructor(error: Error | string, { broker, code, cause }: KafkaJSConnectionErrorMetadata = {}) {
    super(error, cause === undefined ? {} : { cause });
    this.broker = broker;
    this.code = code;
  }
}

/** The connection was closed. */
export class KafkaJSConnectionClosedError extends KafkaJSConnectionError {
  readonly host: string | undefined;
  readonly port: number | undefined;

  constructor(error: Error | string, { host, port }: { host?: string; port?: number } = {}) {
    super(error, { broker: `${host}:${port}` });
    this.host = host;
    this.port = port;
  }
}

/** The response did not come in time. */
export class KafkaJSRequestTimeoutError extends KafkaJSError {
  readonly broker: string | undefined;
  readonly correlationId: number | undefined;
  readonly createdAt: number | undefined;
  readonly sentAt: number | undefined;
  readonly pendingDuration: number | undefined;

  constructor(error: Error | string, metadata: Partial<KafkaJSRequestTimeoutErrorMetadata> = {}) {
    super(error);
    this.broker = metadata.broker;
    this.correlationId = metadata.correlationId;
    this.createdAt = metadata.createdAt;
    this.sentAt = metadata.sentAt;
    this.pendingDuration = metadata.pendingDuration;
  }
}

/** Nothing is known about the topics yet. */
export class KafkaJSMetadataNotLoaded extends KafkaJSError {}

/** Nothing is known about the topic yet. */
export class KafkaJSTopicMetadataNotLoaded extends KafkaJSMetadataNotLoaded {
  readonly topic: string | undefined;

  constructor(error: Error | string, { topic }: { topic?: string } = {}) {
    super(error);
    this.topic = topic;
  }
}

/** The group assigned partitions that are missing in the metadata. */
export class KafkaJSStaleTopicMetadataAssignment extends KafkaJSError {
  readonly topic: string | undefined;
  readonly unknownPartitions: PartitionMetadata[] | undefined;

  constructor(
    error: Error | string,
    metadata: Partial<KafkaJSStaleTopicMetadataAssignmentMetadata> = {},
  ) {
    super(error);
    this.topic = metadata.topic;
    this.unknownPartitions = metadata.unknownPartitions;
  }
}

/** Groups could not be deleted. */
export class KafkaJSDeleteGroupsError extends KafkaJSError {
  readonly groups: KafkaJSDeleteGroupsErrorGroups[];

  constructor(error: Error | string, groups: KafkaJSDeleteGroupsErrorGroups[] = []) {
    super(error);
    this.groups = groups;
  }
}

/** Records could not be deleted. */
export class KafkaJSDeleteTopicRecordsError extends KafkaJSError {
  readonly partitions: KafkaJSDeleteTopicRecordsErrorPartition[];

  constructor({ partitions }: KafkaJSDeleteTopicRecordsErrorTopic) {
    super('Error while deleting records', {
      retriable: partitions.every(({ error }) => error.retriable),
    });
    this.partitions = partitions;
  }
}

/** The broker is too old for a request. */
export class KafkaJSServerDoesNotSupportApiKey extends KafkaJSNonRetriableError {
  readonly apiKey: number | undefined;
  readonly apiName: string | undefined;

  constructor(
    error: Error | string,
    metadata: Partial<KafkaJSServerDoesNotSupportApiKeyMetadata> = {},
  ) {
    super(error);
    this.apiKey = metadata.apiKey;
    this.apiName = metadata.apiName;
  }
}

/** A broker is missing. */
export class KafkaJSBrokerNotFound extends KafkaJSError {}

/** No broker can be reached. */
export class KafkaJSNoBrokerAvailableError extends KafkaJSError {
  constructor() {
    super('No broker available');
  }
}

/** A record is cut off. */
export class KafkaJSPartialMessageError extends KafkaJSNonRetriableError {}

/** The broker refused the credentials. */
export class KafkaJSSASLAuthenticationError extends KafkaJSNonRetriableError {}

/** The group has no coordinator. */
export class KafkaJSGroupCoordinatorNotFound extends KafkaJSNonRetriableError {}

/** A feature of kafkajs that this adapter lacks. The message names the alternative. */
export class KafkaJSNotImplemented extends KafkaJSNonRetriableError {}

/** The call did not finish in its time. */
export class KafkaJSTimeout extends KafkaJSNonRetriableError {}

/** A lock was not free in time. */
export class KafkaJSLockTimeout extends KafkaJSTimeout {}

/** Records of Kafka before 0.11. */
export class KafkaJSUnsupportedMagicByteInMessageSet extends KafkaJSNonRetriableError {}

/** A state that cannot be. */
export class KafkaJSInvariantViolation extends KafkaJSNonRetriableError {
  constructor(error: Error | string) {
    const message = typeof error === 'string' ? error : error.message;
    super(`Invariant violated: ${message}. This is likely a bug and should be reported.`);
  }
}

/** A number that has no varint. */
export class KafkaJSInvalidVarIntError extends KafkaJSNonRetriableError {}

/** A number that has no 64 bits. */
export class KafkaJSInvalidLongError extends KafkaJSNonRetriableError {}

/** Several errors of one call. */
export class KafkaJSAggregateError extends Error {
  readonly errors: (Error | string)[];

  constructor(message: Error | string, errors: (Error | string)[]) {
    super(typeof message === 'string' ? message : message.message);
    this.name = 'KafkaJSAggregateError';
    this.errors = errors;
  }
}

/** A rebalance ended a fetch. */
export class KafkaJSFetcherRebalanceError extends Error {}

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
