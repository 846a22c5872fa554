// Assigners: the native half assigns, by the names of Kafka's assignors.

import { NO_CLUSTER } from './cluster.js';
import { refused } from './convert_error.js';
import { KafkaJSNotImplemented } from './errors.js';
import type { Assigner, Logger, PartitionAssigner } from './types.js';

/** Kafka's name of the assignor that an assigner stands for. */
const STRATEGIES = new Map<PartitionAssigner, string>();

function assigner(strategy: string): PartitionAssigner {
  const refuse = (): never => {
    throw new KafkaJSNotImplemented(
      `The native half assigns by "${strategy}": pass the assigner to consumer({ partitionAssigners }) as it is.`,
    );
  };
  const create: PartitionAssigner = (): Assigner => ({
    name: strategy,
    version: 0,
    assign: async () => refuse(),
    protocol: refuse,
  });
  STRATEGIES.set(create, strategy);
  return create;
}

/** The assigners of groups. kafkajs has `roundRobin` only. */
export const PartitionAssigners = {
  /** The partitions of all topics, one by one. */
  roundRobin: assigner('roundrobin'),
  /** Contiguous partitions of each topic. */
  range: assigner('range'),
  /** Balanced, with few moves. */
  sticky: assigner('sticky'),
  /** Like `sticky`; members keep reading unmoved partitions during a rebalance. */
  cooperativeSticky: assigner('cooperative-sticky'),
};

/**
 * Assigners of frameworks whose contract an assignor of Kafka fulfils. NestJS needs a partition of each reply topic for
 * each member, as long as there are enough: `range` divides each topic among all members.
 */
const EQUIVALENTS: Readonly<Record<string, string>> = { NestReplyPartitionAssigner: 'range' };

/** The value of `partition.assignment.strategy`. */
export function assignmentStrategy(given: unknown, groupId: string, logger: Logger): string {
  if (!Array.isArray(given) || given.length === 0) {
    throw refused('partitionAssigners must be an array of PartitionAssigners');
  }
  return given.map((create) => strategyOf(create, groupId, logger)).join(',');
}

function strategyOf(create: PartitionAssigner, groupId: string, logger: Logger): string {
  const own = STRATEGIES.get(create);
  if (own !== undefined) {
    return own;
  }
  const { name } = create({ cluster: NO_CLUSTER, groupId, logger });
  const equivalent = Object.hasOwn(EQUIVALENTS, name) ? EQUIVALENTS[name] : undefined;
  if (equivalent === undefined) {
    throw new KafkaJSNotImplemented(
      `The assigner ${name} cannot run: the native half assigns partitions. Use one of PartitionAssigners: ` +
        `${Object.keys(PartitionAssigners).join(', ')}.`,
    );
  }
  logger.info(`Partitions are assigned by "${equivalent}" in the place of ${name}`, { groupId });
  return equivalent;
}
