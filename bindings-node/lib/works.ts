// The partitions that `run()` has messages of.

import { isOf, keyOf, type TopicPartition, type TopicPartitionOffset } from './positions.js';
import { PartitionWork } from './work.js';

/** The work on each partition, by its key. */
export class Works<K, V> extends Map<string, PartitionWork<K, V>> {
  /** The work on a partition, new if there was none. */
  of(at: TopicPartition): PartitionWork<K, V> {
    const key = keyOf(at);
    let work = this.get(key);
    if (work === undefined) {
      work = new PartitionWork(at);
      this.set(key, work);
    }
    return work;
  }

  /** The work on these partitions; on all of them if none is named. */
  among(partitions: TopicPartition[]): PartitionWork<K, V>[] {
    const all = [...this.values()];
    return partitions.length === 0 ? all : all.filter((work) => partitions.some(isOf(work)));
  }

  /** The offsets after the messages finished by handlers. */
  finishedOffsets(): TopicPartitionOffset[] {
    return [...this.values()].flatMap(({ topic, partition, finished }) =>
      finished === undefined ? [] : [{ topic, partition, offset: finished }],
    );
  }

  /** The offset of the first message of each partition that no handler has finished. */
  unfinishedOffsets(): TopicPartitionOffset[] {
    return [...this.values()].flatMap(({ topic, partition, front }) =>
      front === undefined ? [] : [{ topic, partition, offset: front.offset }],
    );
  }
}
