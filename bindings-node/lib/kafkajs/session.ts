// One run of a consumer: from joining the group to leaving it.

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Client } from '../client.js';
import type { ConsumerOptions } from '../client_options.js';
import type { Consumer as HeadwaterConsumer } from '../consumer.js';
import { keyOf } from '../positions.js';
import { BatchHandler } from './batch_handler.js';
import type { Lease } from './cluster.js';
import { Commits } from './commits.js';
import { converted, kafkaJSError } from './convert_error.js';
import { KafkaJSNonRetriableError, KafkaJSNumberOfRetriesExceeded } from './errors.js';
import { CONSUMER_EVENTS } from './events.js';
import { Membership, type MembershipContext } from './membership.js';
import { byTopic, Pauses } from './pauses.js';
import type { CommitOffset } from './resolved_offsets.js';
import { isRetriable, pauseBefore, type RetryPolicy } from './retry.js';
import type { RunConfig } from './run_config.js';
import type { TopicPartition, TopicPartitions } from './types.js';

/** The settings and services of a session's consumer. */
export interface SessionContext extends MembershipContext {
  lease: Lease;
  /** The topics, and whether each is read from its beginning when nothing is committed. */
  topics: ReadonlyMap<string, boolean>;
  options: ConsumerOptions;
  retry: RetryPolicy;
}

/** -1 and -2 where offsets are sought. */
const SPECIAL: ReadonlyMap<bigint, 'latest' | 'earliest'> = new Map([
  [-1n, 'latest'],
  [-2n, 'earliest'],
]);

/** The session whose handler the caller is in. */
const handlerOf = new AsyncLocalStorage<Session>();

export class Session {
  /** Which partitions are paused. {@link applyPauses} makes a change of it effective. */
  readonly pauses = new Pauses();
  /** Fulfilled when the consumer is a member of its group, or when it has ended. */
  readonly joined: Promise<void>;
  /** Fulfilled when the group is left, with the error that ended the session. */
  readonly ended: Promise<Error | undefined>;
  private readonly commits: Commits;
  private readonly membership: Membership;
  /** Seeks that are not carried out, because their partitions are not assigned yet. */
  private readonly seeks = new Map<string, bigint>();
  private readonly seekCounts = new Map<string, number>();
  /** The partitions that the native half has paused for this session. */
  private readonly held = new Set<string>();
  private consumer: HeadwaterConsumer | undefined;
  private isStopping = false;
  private failure: Error | undefined;
  private handlerError: unknown;
  private endIdling = () => {};

  constructor(
    private readonly context: SessionContext,
    private readonly config: RunConfig,
  ) {
    const { groupId, events, logger } = context;
    const fail = (error: Error) => this.fail(error);
    this.commits = new Commits(groupId, config, events, logger, fail);
    this.membership = new Membership(context);
    this.ended = this.run();
    this.joined = Promise.race([this.membership.joined, this.ended.then(() => {})]);
  }

  /** Whether the caller is in one of its handlers. */
  get isInHandler(): boolean {
    return handlerOf.getStore() === this;
  }

  /** Ends it. Inside a handler it does not wait for the end. */
  async stop(): Promise<void> {
    this.requestStop();
    if (!this.isInHandler) {
      await this.ended;
    }
  }

  /** Moves a partition: now, or when it is assigned. */
  seek(at: TopicPartition, offset: bigint): void {
    const key = keyOf(at);
    this.seekCounts.set(key, (this.seekCounts.get(key) ?? 0) + 1);
    this.seeks.set(key, offset);
    if (this.membership.has(at)) {
      this.background(this.applySeek(at), 'seek');
    }
  }

  /** Pauses and resumes the assigned partitions by `pauses`. */
  applyPauses(): void {
    this.background(this.pauseAndResume(this.membership.assigned), 'pause');
  }

  /** The assigned partitions that are paused. */
  paused(): TopicPartitions[] {
    return byTopic(this.membership.assigned.filter((at) => this.pauses.isPaused(at)));
  }

  /** Commits offsets once the consumer is a member. */
  async commit(offsets: CommitOffset[]): Promise<void> {
    await this.joined;
    if (this.consumer === undefined) {
      throw new KafkaJSNonRetriableError('The consumer has stopped: nothing was committed');
    }
    await this.commits.commit(this.consumer, () => offsets);
  }

  private async run(): Promise<Error | undefined> {
    const { lease, events, topics } = this.context;
    try {
      const client = await lease.client();
      events.emit(CONSUMER_EVENTS.CONNECT);
      if (!this.isStopping) {
        await (topics.size === 0 ? this.idle() : this.consume(client));
      }
    } catch (error) {
      this.failure ??= this.runFailure(error);
    }
    this.isStopping = true;
    await this.leave();
    return this.failure;
  }

  /** A consumer without topics has nothing to do until it is stopped. */
  private async idle(): Promise<void> {
    this.membership.ready();
    await new Promise<void>((resolve) => {
      this.endIdling = resolve;
    });
  }

  private async consume(client: Client): Promise<void> {
    const { groupId, retry } = this.context;
    const consumer = this.createConsumer(client);
    const handler = new BatchHandler({
      ...this.context,
      client,
      consumer,
      config: this.config,
      commits: this.commits,
      isPaused: (at) => this.pauses.isPaused(at),
      seeks: (at) => this.seekCounts.get(keyOf(at)) ?? 0,
      pause: (at) => this.pause(at),
      failed: (error) => this.handlerFailed(error),
    });
    this.background(this.membership.watchWithoutPartitions(client), `look at group ${groupId}`);
    await consumer.run({
      concurrency: this.config.partitionsConsumedConcurrently,
      eachBatchAutoResolve: false,
      retry: {
        retries: retry.retries,
        initialRetryTimeMs: pauseBefore(1, retry),
        multiplier: retry.multiplier,
        maxRetryTimeMs: retry.maxRetryTime,
      },
      eachBatch: (payload) => handlerOf.run(this, () => handler.handle(payload)),
    });
  }

  private createConsumer(client: Client): HeadwaterConsumer {
    const { topics, groupId, options } = this.context;
    const consumer = client.consumer({
      ...options,
      topics: [...topics.keys()],
      groupId,
      autoOffsetReset: [...topics.values()].includes(true) ? 'earliest' : 'latest',
      enableAutoCommit: false,
    });
    consumer.on('assign', (partitions) => this.onAssign(consumer, partitions));
    consumer.on('revoke', (partitions) => this.onRevoke(client, consumer, partitions));
    consumer.on('lost', (partitions) => this.onLost(client, partitions));
    this.consumer = consumer;
    this.membership.begin(consumer);
    return consumer;
  }

  /** Commits the last offsets, and leaves the group. */
  private async leave(): Promise<void> {
    const { consumer } = this;
    if (consumer !== undefined) {
      await this.commits.auto(consumer);
      this.consumer = undefined;
      await consumer.close().catch((error: unknown) => {
        this.failure ??= kafkaJSError(error);
      });
    }
    this.membership.end();
  }

  private runFailure(thrown: unknown): Error {
    const error = kafkaJSError(thrown);
    if (thrown === undefined || thrown !== this.handlerError) {
      return error;
    }
    const { retry } = this.context;
    const retryTime = pauseBefore(retry.retries + 1, retry);
    return new KafkaJSNumberOfRetriesExceeded(error, { retryCount: retry.retries, retryTime });
  }

  private requestStop(): void {
    this.isStopping = true;
    this.endIdling();
    this.consumer?.stop().catch(() => {});
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.requestStop();
  }

  /** An error that a retry cannot mend ends the session. */
  private handlerFailed(error: unknown): void {
    this.handlerError = error;
    if (!isRetriable(error)) {
      const cause = kafkaJSError(error);
      this.fail(new KafkaJSNonRetriableError(cause, { cause }));
    }
  }

  /** Reports the failure of a call that has no caller any more. */
  private background(call: Promise<void>, name: string): void {
    call.catch((error: unknown) => {
      if (!this.isStopping) {
        const { message, stack } = kafkaJSError(error);
        this.context.logger.error(`Failed to ${name}: ${message}`, { stack });
      }
    });
  }

  private async onAssign(consumer: HeadwaterConsumer, added: TopicPartition[]): Promise<void> {
    this.membership.add(added);
    await this.startLate(consumer, added);
    await Promise.all(added.map((at) => this.applySeek(at)));
    await this.pauseAndResume(added);
    this.membership.ready();
  }

  private async onRevoke(
    client: Client,
    consumer: HeadwaterConsumer,
    gone: TopicPartition[],
  ): Promise<void> {
    if (!this.isStopping) {
      this.membership.rebalancing();
    }
    await this.commits.auto(consumer, gone);
    this.forget(client, gone);
  }

  private onLost(client: Client, gone: TopicPartition[]): void {
    this.membership.rebalancing();
    this.forget(client, gone);
  }

  private forget(client: Client, gone: TopicPartition[]): void {
    for (const at of gone) {
      this.commits.resolved.forget(at);
      this.held.delete(keyOf(at));
    }
    this.membership.remove(gone);
    if (!this.isStopping) {
      this.background(this.membership.watchWithoutPartitions(client), 'look at the group');
    }
  }

  /** Topics without `fromBeginning` start at their end, though others start at their beginning. */
  private async startLate(consumer: HeadwaterConsumer, added: TopicPartition[]): Promise<void> {
    const { topics } = this.context;
    const late = added.filter(({ topic }) => topics.get(topic) === false);
    if (late.length === 0 || ![...topics.values()].includes(true)) {
      return;
    }
    const committed = new Set((await consumer.committed({ partitions: late })).map(keyOf));
    const partitions = late.filter((at) => !committed.has(keyOf(at)));
    if (partitions.length > 0) {
      await consumer.seek('latest', { partitions });
    }
  }

  /** Carries a seek out, and with `autoCommit` commits the new position as kafkajs does. */
  private async applySeek(at: TopicPartition): Promise<void> {
    const { consumer } = this;
    const offset = this.seeks.get(keyOf(at));
    if (consumer === undefined || offset === undefined) {
      return;
    }
    this.seeks.delete(keyOf(at));
    this.commits.resolved.forget(at);
    const special = SPECIAL.get(offset);
    const sought = converted(() =>
      special === undefined
        ? consumer.seek([{ ...at, offset }])
        : consumer.seek(special, { partitions: [at] }),
    );
    if (!this.config.autoCommit) {
      return sought;
    }
    const position = async () => {
      await sought;
      const all = special === undefined ? [{ ...at, offset }] : await consumer.position();
      return all.filter((other) => keyOf(other) === keyOf(at));
    };
    await this.commits.quietly(this.commits.commit(consumer, position));
  }

  private async pauseAndResume(partitions: TopicPartition[]): Promise<void> {
    const { consumer } = this;
    const isHeld = (at: TopicPartition) => this.held.has(keyOf(at));
    const paused = partitions.filter((at) => this.pauses.isPaused(at) && !isHeld(at));
    const resumed = partitions.filter((at) => !this.pauses.isPaused(at) && isHeld(at));
    for (const at of paused) {
      this.held.add(keyOf(at));
    }
    for (const at of resumed) {
      this.held.delete(keyOf(at));
    }
    await Promise.all([
      paused.length > 0 && consumer?.pause({ partitions: paused }),
      resumed.length > 0 && consumer?.resume({ partitions: resumed }),
    ]);
  }

  private pause({ topic, partition }: TopicPartition): () => void {
    this.pauses.pause(topic, [partition]);
    this.applyPauses();
    return () => {
      this.pauses.resume(topic, [partition]);
      this.applyPauses();
    };
  }
}
