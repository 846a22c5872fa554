// The offsets that handlers have resolved, and those that are committed.

import { keyOf } from '../positions.js';
import type { OffsetsByTopicPartition, TopicPartition } from './types.js';

/** An offset as Headwater commits it. */
export interface CommitOffset extends TopicPartition {
  offset: bigint;
  /** Text that the group stores with it. */
  metadata?: string;
}

interface Progress extends TopicPartition {
  /** The offset behind the last resolved message. */
  resolved: bigint | undefined;
  /** The committed offset, or where reading began. */
  committed: bigint;
  /** Whether `committed` was committed. */
  isCommitted: boolean;
}

/** Not for concurrent use; offsets are the next ones to be read. */
export class ResolvedOffsets {
  private readonly partitions = new Map<string, Progress>();

  /** Reading begins here, unless something of the partition was read before. */
  begin(at: TopicPartition, offset: bigint): void {
    if (!this.partitions.has(keyOf(at))) {
      const { topic, partition } = at;
      this.partitions.set(keyOf(at), {
        topic,
        partition,
        resolved: undefined,
        committed: offset,
        isCommitted: false,
      });
    }
  }

  /** The messages before this offset are resolved. */
  resolve(at: TopicPartition, offset: bigint): void {
    this.begin(at, offset);
    (this.partitions.get(keyOf(at)) as Progress).resolved = offset;
  }

  /** These offsets are committed. */
  commit(offsets: readonly CommitOffset[]): void {
    for (const { offset, ...at } of offsets) {
      this.begin(at, offset);
      const progress = this.partitions.get(keyOf(at)) as Progress;
      progress.committed = offset;
      progress.isCommitted = true;
    }
  }

  /** The partition was moved or has gone. */
  forget(at: TopicPartition): void {
    this.partitions.delete(keyOf(at));
  }

  /** The resolved offsets that are not committed; of these partitions, or of all. */
  uncommitted(of?: readonly TopicPartition[]): CommitOffset[] {
    const among = of && new Set(of.map(keyOf));
    const offsets: CommitOffset[] = [];
    for (const [key, { topic, partition, resolved, committed, isCommitted }] of this.partitions) {
      const isNew = resolved !== undefined && !(isCommitted && resolved === committed);
      if (isNew && among?.has(key) !== false) {
        offsets.push({ topic, partition, offset: resolved });
      }
    }
    return offsets;
  }

  /** The number of offsets that are resolved and not committed. */
  count(): bigint {
    let count = 0n;
    for (const { resolved, committed } of this.partitions.values()) {
      count += resolved === undefined ? 0n : resolved - committed;
    }
    return count;
  }
}

/** Offsets as kafkajs shows them. */
export function shown(offsets: readonly CommitOffset[]): OffsetsByTopicPartition {
  const topics = new Map<string, { partition: number; offset: string }[]>();
  for (const { topic, partition, offset } of offsets) {
    const partitions = topics.get(topic) ?? [];
    partitions.push({ partition, offset: String(offset) });
    topics.set(topic, partitions);
  }
  return { topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })) };
}
