// The messages that were fetched of a partition, as kafkajs hands them to `eachBatch`.

import type { Metrics } from '../metrics.js';
import type { Batch, KafkaMessage, TopicPartition } from './types.js';

/** The messages of one partition, at least one. */
export class KafkaBatch implements Batch {
  constructor(
    readonly topic: string,
    readonly partition: number,
    readonly messages: KafkaMessage[],
    private readonly first: bigint,
    private readonly last: bigint,
    private readonly end: bigint,
  ) {}

  /** The end of the partition when the messages were fetched. */
  get highWatermark(): string {
    return String(this.end);
  }

  isEmpty(): boolean {
    return this.messages.length === 0;
  }

  firstOffset(): string {
    return String(this.first);
  }

  lastOffset(): string {
    return String(this.last);
  }

  /** The number of messages behind the last one. */
  offsetLag(): string {
    return String(this.end - 1n - this.last);
  }

  /** The number of messages behind the first one. */
  offsetLagLow(): string {
    return String(this.end - 1n - this.first);
  }
}

/** The end of a partition whose last fetched message has the offset `last`. */
export function highWatermark(
  { consumers }: Metrics,
  groupId: string,
  { topic, partition }: TopicPartition,
  last: bigint,
): bigint {
  for (const consumer of consumers) {
    const lag = consumer['group-id'] === groupId && consumer['records-lag'][topic]?.[partition];
    if (typeof lag === 'number') {
      return last + 1n + BigInt(lag);
    }
  }
  return last + 1n;
}
