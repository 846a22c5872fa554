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

export type {
  BatchResult,
  Broker,
  ClusterDescription,
  ConfigEntry,
  GroupDescription,
  GroupInfo,
  GroupMember,
  GroupMetadata,
  GroupOffset,
  OffsetRange,
  PartitionDescription,
  RecordMetadata,
  RecoveredPartition,
  RecoveryReport,
  ScanProgress,
  TableColumn,
  TopicInfo,
  TopicPartition,
  TopicPartitionLag,
  TopicPartitionOffset,
} from '../native.js';
export type { WaitOptions } from './abort.js';
export { Batch } from './batch.js';
export { Client } from './client.js';
export type {
  AlterTopicOptions,
  ConsumerOptions,
  CreateTopicOptions,
  ProducerOptions,
  ServeOptions,
} from './client_options.js';
export type { ConfigValue, KafkaConfig } from './config.js';
export { Consumer } from './consumer.js';
export type { BatchesOptions, PartitionsOptions, PollOptions } from './consumer_options.js';
export type { CommitEvent, ConsumeEvent, ProduceEvent, TracedMessage } from './diagnostics.js';
export {
  AbortError,
  AuthenticationError,
  AuthorizationError,
  ClosedError,
  ConfigError,
  CorruptLogError,
  DecodeError,
  type ErrorDetails,
  ForkError,
  HeadwaterError,
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
} from './errors.js';
export type { Header } from './flat.js';
export type { Decoded, Format, FormatOptions, OnError, ReadOptions } from './formats.js';
export type {
  EachBatchPayload,
  EachMessagePayload,
  FetchedBatch,
} from './handlers.js';
export { Message } from './message.js';
export type {
  BrokerMetrics,
  ConsumerMetrics,
  DeletionMetrics,
  Metrics,
  ProducerMetrics,
} from './metrics.js';
export type { Offsets, TopicPartitionOffsetAndMetadata } from './offsets.js';
export { connect, type OpenOptions, open } from './open.js';
export type { PartitionPosition, Position } from './positions.js';
export { Producer, type SendBatchOptions } from './producer.js';
export { type HeadersCarrier, headersGetter, headersSetter } from './propagation.js';
export type { RebalanceListener, RebalanceOptions } from './rebalances.js';
export type { Bytes, Encodable, HeadersToSend, MessageToSend, RecordToSend } from './records.js';
export type { RetryOptions, RunOptions } from './run_options.js';
export { type ProgressListener, Scan } from './scan.js';
export type {
  BigIntName,
  BooleanName,
  BytesName,
  Dtype,
  DtypeFields,
  DtypeValue,
  NumberName,
  Schema,
  SchemaValue,
  TextName,
} from './schema.js';
export { Server } from './server.js';
export type { StatsListener } from './stats.js';
export type { Subscription } from './subscription.js';
export { TableSchema } from './table_schema.js';
export {
  type EndOptions,
  type RateInterval,
  type RateOptions,
  type ScanOptions,
  Topic,
} from './topic.js';
