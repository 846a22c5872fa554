// Offsets to commit or to seek to.

import { Batch } from './batch.js';
import { Message } from './message.js';
import { type TopicPartitionOffset, topicPartitionOffset } from './positions.js';

/** The argument of {@link Consumer.commit}: a message or a batch stands for the offset after it. */
export type Offsets<K, V> =
  | Message<K, V>
  | Batch<K, V>
  | TopicPartitionOffset
  | TopicPartitionOffset[];

/** The offsets of a message or a batch, or the given ones. */
export function offsets(what: unknown, name: string): TopicPartitionOffset[] {
  if (what instanceof Message) {
    const { topic, partition, offset } = what;
    return [{ topic, partition, offset: offset + 1n }];
  }
  if (what instanceof Batch) {
    return what.nextOffsets;
  }
  const list = Array.isArray(what) ? what : [what];
  return list.map((item, index) => topicPartitionOffset(item, `${name}[${index}]`));
}

/** The offset of each partition, if `to` contains them. */
export function seeks(to: unknown): TopicPartitionOffset[] | undefined {
  const first = Array.isArray(to) ? to[0] : to;
  const namesPartitions =
    Array.isArray(to) || (first !== null && typeof first === 'object' && 'topic' in first);
  return namesPartitions ? offsets(to, 'to') : undefined;
}
