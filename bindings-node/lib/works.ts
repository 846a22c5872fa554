// The partitions that `run()` has messages of.

import type { HeldBack } from './held_back.js';
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

  /**
   * Drops the partitions that are not among the assigned ones. Returns the offsets of their first messages that no
   * handler has finished.
   */
  release(
    assigned: TopicPartition[],
    heldBack: HeldBack,
    soughtSince: Set<string>,
  ): TopicPartitionOffset[] {
    const unfinished = this.unfinishedOffsets();
    const gone = [...this.values()].filter((work) => !assigned.some(isOf(work)));
    for (const work of gone) {
      work.revoked();
      this.delete(keyOf(work));
      heldBack.forget(work);
      soughtSince.add(keyOf(work));
    }
    return unfinished.filter((at) => gone.some(isOf(at)));
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
