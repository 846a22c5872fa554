// The options of `kafka.consumer()`, as Kafka's keys.

import type { ConsumerOptions } from '../client_options.js';
import { boolean, count, milliseconds, text } from '../options.js';
import { assignmentStrategy, PartitionAssigners } from './assigners.js';
import { backoff } from './connection.js';
import { refused } from './convert_error.js';
import { anything, options, unsupported } from './options.js';
import { type RetryPolicy, retryOptions, retryPolicy } from './retry.js';
import type { Logger, RetryOptions } from './types.js';

/** The options, checked and with defaults. */
export interface ConsumerSettings {
  groupId: string;
  options: ConsumerOptions;
  strategy: string;
  heartbeatInterval: number;
  retry: RetryPolicy;
  allowAutoTopicCreation: boolean;
}

const OPTIONS = {
  groupId: text,
  partitionAssigners: anything,
  metadataMaxAge: milliseconds,
  sessionTimeout: milliseconds,
  rebalanceTimeout: milliseconds,
  heartbeatInterval: milliseconds,
  maxBytesPerPartition: count,
  minBytes: count,
  maxBytes: count,
  maxWaitTimeInMs: milliseconds,
  retry: retryOptions,
  allowAutoTopicCreation: boolean,
  maxInFlightRequests: unsupported('a consumer has one fetch in flight for each broker.'),
  readUncommitted: boolean,
  rackId: text,
};

/** Kafka's keys of options that are passed on as they are. */
const KEYS = {
  metadataMaxAge: 'metadata.max.age.ms',
  rebalanceTimeout: 'max.poll.interval.ms',
  maxBytesPerPartition: 'max.partition.fetch.bytes',
  minBytes: 'fetch.min.bytes',
  maxBytes: 'fetch.max.bytes',
  maxWaitTimeInMs: 'fetch.max.wait.ms',
  rackId: 'client.rack',
} as const;

/** Checks the options. */
export function consumerSettings(
  given: unknown,
  logger: Logger,
  kafkaRetry: RetryOptions | undefined,
): ConsumerSettings {
  const known = options('consumer()', given, OPTIONS);
  const { groupId, sessionTimeout = 30_000, heartbeatInterval = 3_000, retry } = known;
  if (groupId === undefined || groupId === '') {
    throw refused('Consumer groupId must be a non-empty string.');
  }
  if (heartbeatInterval >= sessionTimeout) {
    throw refused(
      `Consumer heartbeatInterval (${heartbeatInterval}) must be lower than sessionTimeout (${sessionTimeout}). ` +
        'It is recommended to set heartbeatInterval to approximately a third of the sessionTimeout.',
    );
  }
  const assigners = known.partitionAssigners ?? [PartitionAssigners.roundRobin];
  const strategy = assignmentStrategy(assigners, groupId, logger);
  const config: Record<string, string | number> = {
    'partition.assignment.strategy': strategy,
    'session.timeout.ms': sessionTimeout,
    'heartbeat.interval.ms': heartbeatInterval,
    'isolation.level': known.readUncommitted === true ? 'read_uncommitted' : 'read_committed',
  };
  for (const [name, key] of Object.entries(KEYS)) {
    const value = known[name as keyof typeof KEYS];
    if (value !== undefined) {
      config[key] = value;
    }
  }
  return {
    groupId,
    options: { config, ...backoff(retry) },
    strategy,
    heartbeatInterval,
    retry: retryPolicy(kafkaRetry, retry),
    allowAutoTopicCreation: known.allowAutoTopicCreation ?? true,
  };
}
