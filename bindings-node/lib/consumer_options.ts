// The options of the calls of a consumer.

import type { WaitOptions } from './abort.js';
import type { TopicPartition } from './positions.js';

/** The options of {@link Consumer.poll}. */
export interface PollOptions extends WaitOptions {
  /** How long to wait for records, in milliseconds; 1,000 by default. */
  timeoutMs?: number;
  /** The most records; `max.poll.records` (500) by default. */
  maxRecords?: number;
}

/** The limits of {@link Consumer.batches}. */
export interface BatchesOptions extends WaitOptions {
  /** The most records in a batch; 65,536 by default. A loop over a smaller one holds the event loop for less time. */
  maxRecords?: number;
  /** The most fetched bytes in a batch; 16 MiB by default. One fetch of one partition may exceed it. */
  maxBytes?: number;
  /** How long to wait for more records once there are some, in milliseconds; 100 by default. */
  maxWaitMs?: number;
  /** When to stop: never, or at the end of each partition at the time of the first call. "forever" by default. */
  until?: 'forever' | 'end';
}

/** The partitions of a call; all that are assigned by default. */
export interface PartitionsOptions extends WaitOptions {
  /** Only these partitions. */
  partitions?: TopicPartition | TopicPartition[];
}
