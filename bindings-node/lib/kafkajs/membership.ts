// The membership of a consumer in its group, and its events.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../client.js';
import type { Consumer as HeadwaterConsumer } from '../consumer.js';
import { keyOf } from '../positions.js';
import { CONSUMER_EVENTS, type Events } from './events.js';
import { describeGroup } from './groups.js';
import { joinedMemberOf, memberOf } from './member.js';
import { byTopic } from './pauses.js';
import type { Logger, TopicPartition } from './types.js';

/** How often a group is looked at whose member has no partitions. */
const LOOK_MS = 500;

/** The settings of the consumer that the events carry. */
export interface MembershipContext {
  groupId: string;
  strategy: string;
  heartbeatInterval: number;
  events: Events;
  logger: Logger;
}

export class Membership {
  /** Fulfilled when the consumer is a member. */
  readonly joined: Promise<void>;
  private readonly partitions = new Map<string, TopicPartition>();
  private joiningSince = Date.now();
  private heartbeats: NodeJS.Timeout | undefined;
  private join = () => {};
  /** Counts changes of the assignment. */
  private changes = 0;
  private isOver = false;
  private consumer: HeadwaterConsumer | undefined;

  constructor(private readonly context: MembershipContext) {
    this.joined = new Promise((resolve) => {
      this.join = resolve;
    });
  }

  /** Sets the consumer, whose member the events name. */
  begin(consumer: HeadwaterConsumer): void {
    this.consumer = consumer;
  }

  /** The assigned partitions. */
  get assigned(): TopicPartition[] {
    return [...this.partitions.values()];
  }

  has(at: TopicPartition): boolean {
    return this.partitions.has(keyOf(at));
  }

  /** Partitions are being added; {@link ready} follows. */
  add(added: TopicPartition[]): void {
    this.changes++;
    for (const at of added) {
      this.partitions.set(keyOf(at), at);
    }
  }

  /** The consumer is a member with these partitions. */
  ready(): void {
    const { groupId, strategy, heartbeatInterval, events, logger } = this.context;
    const memberAssignment = Object.fromEntries(
      byTopic(this.assigned).map(({ topic, partitions }) => [topic, partitions]),
    );
    const duration = Date.now() - this.joiningSince;
    logger.info('Consumer has joined the group', { groupId, memberAssignment, duration });
    const { consumer } = this;
    events.emit(CONSUMER_EVENTS.GROUP_JOIN, () => ({
      groupId,
      ...joinedMemberOf(consumer, strategy),
      memberAssignment,
      duration,
    }));
    this.heartbeats ??= setInterval(() => this.emitHeartbeat(), heartbeatInterval).unref();
    this.join();
  }

  /** A rebalance begins. */
  rebalancing(): void {
    const { groupId, events } = this.context;
    const memberId = this.consumer?.groupMetadata()?.memberId ?? '';
    this.joiningSince = Date.now();
    events.emit(CONSUMER_EVENTS.REBALANCING, () => ({ groupId, memberId }));
  }

  /** Partitions have gone. */
  remove(gone: TopicPartition[]): void {
    this.changes++;
    for (const at of gone) {
      this.partitions.delete(keyOf(at));
    }
  }

  /** The group is left. */
  end(): void {
    this.isOver = true;
    clearInterval(this.heartbeats);
    this.partitions.clear();
  }

  /** The native half reports partitions only: without any, the group's state shows that the member has joined. */
  async watchWithoutPartitions(client: Client): Promise<void> {
    const { changes } = this;
    for (let stable = 0; stable < 2; ) {
      await sleep(LOOK_MS, undefined, { ref: false });
      if (this.isOver || changes !== this.changes) {
        return;
      }
      const { state } = await describeGroup(client, this.context.groupId);
      stable = state === 'Stable' ? stable + 1 : 0;
    }
    if (!this.isOver && changes === this.changes) {
      this.ready();
    }
  }

  private emitHeartbeat(): void {
    const { consumer } = this;
    if (consumer !== undefined) {
      this.context.events.emit(CONSUMER_EVENTS.HEARTBEAT, () => memberOf(consumer));
    }
  }
}
