// The partitions of a producer's topics.

import type { Client } from '../client.js';
import { partitionsOfNew } from './cluster.js';
import type { PartitionMetadata } from './types.js';

const MAX_AGE_MS = 300_000;

/** The partitions of topics, looked up again when they are too old. */
export class Topics {
  private readonly known = new Map<
    string,
    { at: number; partitions: Promise<PartitionMetadata[]> }
  >();

  constructor(
    private readonly mayCreate: boolean,
    private readonly maxAgeMs = MAX_AGE_MS,
  ) {}

  /** The partitions of a topic, which is created if it may be. */
  async partitions(client: Client, topic: string): Promise<PartitionMetadata[]> {
    const known = this.known.get(topic);
    if (known !== undefined && Date.now() - known.at < this.maxAgeMs) {
      return known.partitions;
    }
    const partitions = partitionsOfNew(client, topic, this.mayCreate);
    this.known.set(topic, { at: Date.now(), partitions });
    partitions.catch(() => this.forget(topic));
    return partitions;
  }

  /** Looks the topic up again at the next call. */
  forget(topic: string): void {
    this.known.delete(topic);
  }

  /** Looks all topics up again. */
  clear(): void {
    this.known.clear();
  }
}
