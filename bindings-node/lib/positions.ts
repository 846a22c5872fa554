// Positions and partitions.

import type { PartitionOffset, TopicPartition, TopicPartitionOffset } from '../native.js';
import { invalid } from './errors.js';
import { type Check, offset, options, partition, text, timestamp, typeName } from './options.js';

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
export type Position =
  | 'earliest'
  | 'latest'
  | bigint
  | number
  | Date
  | `-${string}`
  | `${number}-${string}`
  | readonly PartitionPosition[]
  | ReadonlyMap<number, bigint | number>
  | Readonly<Record<number, bigint | number>>;

/** A position in the form for the native half. */
export const position: Check<string | PartitionOffset[]> = (value, name) => {
  if (typeof value === 'string') {
    return text(value, name);
  }
  if (typeof value === 'bigint' || typeof value === 'number') {
    return String(offset(value, name));
  }
  if (value instanceof Date) {
    return new Date(timestamp(value, name)).toISOString();
  }
  if (value instanceof Map) {
    return [...value].map(([number, at]) => partitionOffset(number, at, name));
  }
  if (Array.isArray(value)) {
    return value.map((item) => partitionOffset(item?.partition, item?.offset, name));
  }
  if (value !== null && typeof value === 'object') {
    return Object.entries(value).map(([number, at]) => partitionOffset(Number(number), at, name));
  }
  throw invalid(
    `${name} must be "earliest", "latest", an offset, an offset for each partition, a Date, an ISO time, or an age such as "-15m", not ${typeName(value)}.`,
  );
};

function partitionOffset(number: unknown, at: unknown, name: string): PartitionOffset {
  return { partition: partition(number, `a partition of ${name}`), offset: offset(at, name) };
}

/** A partition of a topic. */
export const topicPartition: Check<TopicPartition> = (value, name) => {
  const given = options(name, value, { topic: text, partition });
  if (given.topic === undefined || given.partition === undefined) {
    throw invalid(`${name} must have a topic and a partition: {topic: "flights", partition: 0}.`);
  }
  return { topic: given.topic, partition: given.partition };
};

/** A list of partitions, or a single one. */
export const topicPartitions: Check<TopicPartition[]> = (value, name) => {
  const list = Array.isArray(value) ? value : [value];
  return list.map((item, index) => topicPartition(item, `${name}[${index}]`));
};

/** An offset in a partition of a topic. */
export const topicPartitionOffset: Check<TopicPartitionOffset> = (value, name) => {
  const given = options(name, value, { topic: text, partition, offset });
  if (given.topic === undefined || given.partition === undefined || given.offset === undefined) {
    throw invalid(
      `${name} must have a topic, a partition and an offset: {topic: "flights", partition: 0, offset: 42n}.`,
    );
  }
  return { topic: given.topic, partition: given.partition, offset: given.offset };
};

/** Offsets by the number of their partition. */
export function byNumber(offsets: PartitionOffset[]): Map<number, bigint> {
  return new Map(offsets.map(({ partition, offset }) => [partition, offset]));
}

/** A partition as a key of a map. */
export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

/** Whether another is the same partition. */
export function isOf(at: TopicPartition): (other: TopicPartition) => boolean {
  return ({ topic, partition }) => topic === at.topic && partition === at.partition;
}
