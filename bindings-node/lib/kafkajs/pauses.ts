// Which partitions a consumer has paused: by number, or all of a topic, also those that are assigned later.

import type { TopicPartition, TopicPartitions } from './types.js';

/** The state of one topic. */
interface TopicPauses {
  isPaused: boolean;
  paused: Set<number>;
  resumed: Set<number>;
}

export class Pauses {
  private readonly topics = new Map<string, TopicPauses>();

  pause(topic: string, partitions: number[] | undefined): void {
    const state = this.of(topic);
    if (partitions === undefined) {
      this.topics.set(topic, { isPaused: true, paused: new Set(), resumed: new Set() });
      return;
    }
    for (const partition of partitions) {
      state.paused.add(partition);
      state.resumed.delete(partition);
    }
  }

  resume(topic: string, partitions: number[] | undefined): void {
    if (partitions === undefined) {
      this.topics.delete(topic);
      return;
    }
    const state = this.of(topic);
    for (const partition of partitions) {
      state.paused.delete(partition);
      if (state.isPaused) {
        state.resumed.add(partition);
      }
    }
  }

  isPaused({ topic, partition }: TopicPartition): boolean {
    const state = this.topics.get(topic);
    return (
      state !== undefined &&
      (state.paused.has(partition) || (state.isPaused && !state.resumed.has(partition)))
    );
  }

  private of(topic: string): TopicPauses {
    let state = this.topics.get(topic);
    if (state === undefined) {
      state = { isPaused: false, paused: new Set(), resumed: new Set() };
      this.topics.set(topic, state);
    }
    return state;
  }
}

/** Partitions by topic, both in order. */
export function byTopic(partitions: Iterable<TopicPartition>): TopicPartitions[] {
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of partitions) {
    topics.set(topic, [...(topics.get(topic) ?? []), partition]);
  }
  return [...topics]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([topic, numbers]) => ({ topic, partitions: numbers.sort((a, b) => a - b) }));
}
