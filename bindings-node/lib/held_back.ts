// The partitions that `run()` has paused itself, because they have messages left.

import type { Consumer as NativeConsumer } from '../native.js';
import { keyOf, type TopicPartition } from './positions.js';

/** The part of a partition's queue that matters here. */
interface Queue extends TopicPartition {
  readonly isEmpty: boolean;
  readonly isPaused: boolean;
}

export class HeldBack {
  private readonly partitions = new Map<string, TopicPartition>();

  constructor(private readonly native: NativeConsumer) {}

  has(at: TopicPartition): boolean {
    return this.partitions.has(keyOf(at));
  }

  /** Removes a partition that does not belong to the runner any more. */
  forget(at: TopicPartition): void {
    this.partitions.delete(keyOf(at));
  }

  /** Removes the partitions that only the runner has paused. */
  without(partitions: TopicPartition[]): TopicPartition[] {
    return partitions.filter((partition) => !this.has(partition));
  }

  /** Pauses a partition for the caller, if the consumer still has it. */
  async pause(at: TopicPartition): Promise<void> {
    await this.native.pause([at]).catch(() => {});
  }

  /** Resumes a partition for the caller, if the consumer still has it. */
  async resume(at: TopicPartition): Promise<void> {
    await this.native.resume([at]).catch(() => {});
  }

  /** Pauses the partitions with remaining messages, and resumes the others. */
  async update(queues: ReadonlyMap<string, Queue>): Promise<void> {
    const hold = [...queues.values()]
      .filter((queue) => !queue.isEmpty && !queue.isPaused && !this.has(queue))
      .map(({ topic, partition }) => ({ topic, partition }));
    const release = [...this.partitions.values()].filter(
      (at) => queues.get(keyOf(at))?.isEmpty !== false,
    );
    for (const at of hold) {
      this.partitions.set(keyOf(at), at);
    }
    for (const at of release) {
      this.forget(at);
    }
    if (hold.length > 0) {
      await this.native.pause(hold);
    }
    if (release.length > 0) {
      await this.native.resume(release);
    }
  }

  /** Resumes all partitions that are still assigned. */
  async releaseAll(assigned: ReadonlySet<string>): Promise<void> {
    const release = [...this.partitions.values()].filter((at) => assigned.has(keyOf(at)));
    this.partitions.clear();
    if (release.length > 0) {
      await this.native.resume(release);
    }
  }
}
