// Offsets to commit or to seek to.

import type { TopicPartitionOffsetAndMetadata as OffsetToCommit } from '../native.js';
import { Batch } from './batch.js';
import { Message } from './message.js';
import { text } from './options.js';
import { type TopicPartitionOffset, topicPartitionOffset } from './positions.js';

/** The argument of {@link Consumer.commit}: a message or a batch stands for the offset after it. */
export type Offsets<K, V> =
  | Message<K, V>
  | Batch<K, V>
  | TopicPartitionOffsetAndMetadata
  | TopicPartitionOffsetAndMetadata[];

/** An offset to commit in a partition of a topic. */
export interface TopicPartitionOffsetAndMetadata extends TopicPartitionOffset {
  /** Text that the group stores with the offset: {@link Client.groupOffsets} returns it. */
  metadata?: string | null;
}

/** The offsets of a message or a batch, or the given ones. */
export function offsetsToCommit(what: unknown, name: string): OffsetToCommit[] {
  return offsets(what, name, offsetToCommit);
}

/** An offset that may have metadata. */
function offsetToCommit(value: unknown, name: string): OffsetToCommit {
  if (value === null || typeof value !== 'object' || !('metadata' in value)) {
    return topicPartitionOffset(value, name);
  }
  const { metadata, ...at } = value;
  const checked = topicPartitionOffset(at, name);
  return metadata === null || metadata === undefined
    ? checked
    : { ...checked, metadata: text(metadata, `${name}.metadata`) };
}

function offsets<T extends TopicPartitionOffset>(
  what: unknown,
  name: string,
  check: (item: unknown, name: string) => T,
): (T | TopicPartitionOffset)[] {
  if (what instanceof Message) {
    const { topic, partition, offset } = what;
    return [{ topic, partition, offset: offset + 1n }];
  }
  if (what instanceof Batch) {
    return what.nextOffsets;
  }
  const list = Array.isArray(what) ? what : [what];
  return list.map((item, index) => check(item, `${name}[${index}]`));
}

/** The offset of each partition, if `to` contains them. */
export function seeks(to: unknown): TopicPartitionOffset[] | undefined {
  const first = Array.isArray(to) ? to[0] : to;
  const namesPartitions =
    Array.isArray(to) || (first !== null && typeof first === 'object' && 'topic' in first);
  return namesPartitions ? offsets(to, 'to', topicPartitionOffset) : undefined;
}
