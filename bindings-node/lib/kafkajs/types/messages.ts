// Messages and offsets.

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
  topics: { topic: string; partitions: (PartitionOffset & { metadata?: string | null })[] }[];
}

export interface OffsetsByTopicPartition {
  topics: TopicOffsets[];
}

export type TopicPartitions = { topic: string; partitions: number[] };

export type TopicPartition = { topic: string; partition: number };

export type TopicPartitionOffset = TopicPartition & { offset: string };

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
