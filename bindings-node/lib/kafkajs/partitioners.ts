// Partitioners: they choose the partition of each message.

import { randomInt } from 'node:crypto';
import { legacyMurmur2, murmur2 } from './murmur2.js';
import type { ICustomPartitioner, PartitionMetadata } from './types.js';

/** A number that is not negative, as Java's client makes it. */
function positive(hash: number): number {
  return hash & 0x7fff_ffff;
}

/** Takes turns: a counter for each topic, which starts anywhere. */
export class RoundRobin {
  private readonly counters = new Map<string, number>();

  /** The partition of the next message without a key: one that has a leader, if any has. */
  next(topic: string, partitions: readonly PartitionMetadata[]): number {
    const counter = positive((this.counters.get(topic) ?? randomInt(0x7fff_ffff)) + 1);
    this.counters.set(topic, counter);
    const led = partitions.filter(({ leader }) => leader >= 0);
    const from = led.length > 0 ? led : partitions;
    return (from[counter % from.length] as PartitionMetadata).partitionId;
  }
}

function keyed(hash: (key: Buffer | string) => number): ICustomPartitioner {
  return () => {
    const turns = new RoundRobin();
    return ({ topic, partitionMetadata, message: { partition, key } }) => {
      if (partition !== undefined && partition !== null) {
        return partition;
      }
      if (key !== undefined && key !== null) {
        return positive(hash(key)) % partitionMetadata.length;
      }
      return turns.next(topic, partitionMetadata);
    };
  };
}

const DefaultPartitioner = keyed(murmur2);

/** The partitioners of kafkajs. The message's own partition always comes first. */
export const Partitioners = {
  /** By the key's hash, as Java's client; without a key in turns. */
  DefaultPartitioner,
  /** By the hash of kafkajs before 2.0; without a key in turns. */
  LegacyPartitioner: keyed(legacyMurmur2),
  /** @deprecated The name of `DefaultPartitioner` before kafkajs 2.0. */
  JavaCompatiblePartitioner: DefaultPartitioner,
};
