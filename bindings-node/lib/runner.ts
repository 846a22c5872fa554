// `Consumer.run()`: handlers for messages or batches, in order in each partition.
//
// The runner polls, and hands what it gets to the queues of the partitions. At most `concurrency` partitions have a handler at a time. While
// handlers work the runner goes on polling, so that the group stays, and holds back the partitions that have messages left. Only what handlers
// have finished is finished for the core: that is what auto-commit commits.

import { AsyncLocalStorage } from 'node:async_hooks';
import type { ConsumerEvent, Consumer as NativeConsumer } from '../native.js';
import { Batch } from './batch.js';
import type { Consumer } from './consumer.js';
import { committed, processed } from './diagnostics.js';
import { AbortError, ClosedError, invalid, WakeupError } from './errors.js';
import type { Formats } from './formats.js';
import { Gate } from './gate.js';
import { handleBatch, handleMessage, type RunnerCalls } from './handlers.js';
import { HeldBack } from './held_back.js';
import { native } from './native.js';
import { isOf, keyOf, type TopicPartition, type TopicPartitionOffset } from './positions.js';
import type { Rebalances } from './rebalances.js';
import type { CheckedRunOptions } from './run_options.js';
import { byPartition, PartitionWork } from './work.js';

/** How long one poll of the group lasts at most. */
const POLL_MS = 1_000;
/** How long the next poll waits for handlers, so that partitions are rarely held back. */
const HANDLERS_MS = 20;
/** The most records of a poll. */
const RECORDS = 8_192;

/** What a runner needs of its consumer. */
export interface RunnerContext<K, V> {
  consumer: Consumer<K, V>;
  native: NativeConsumer;
  formats: Formats;
  rebalances: Rebalances;
  /** Forgets the messages that were decoded for others. */
  discard(): void;
}

/** Whose handler the caller is in. */
const handlerOf = new AsyncLocalStorage<object>();

export class Runner<K, V> {
  private readonly works = new Map<string, PartitionWork<K, V>>();
  /** Partitions that may have a handler, in the order in which they got messages. */
  private readonly ready: PartitionWork<K, V>[] = [];
  private handlers = 0;
  private isRunning = false;
  private isStopping = false;
  private failure: { error: unknown } | undefined;
  /** Partitions that the runner has paused. */
  private readonly heldBack: HeldBack;
  private poll: { abort(): void } | undefined;
  /** Partitions that were sought since the poll began. */
  private readonly soughtSince = new Set<string>();
  private areAllSought = false;
  /** Opens when a handler ends, or when the runner has to look again. */
  private readonly changed = new Gate();
  private readonly ended: Promise<void>;
  private readonly end: () => void;

  constructor(
    private readonly context: RunnerContext<K, V>,
    readonly options: CheckedRunOptions<K, V>,
    other: Runner<K, V> | undefined,
  ) {
    if (other !== undefined) {
      throw invalid('run() is already running: stop() it first.');
    }
    this.heldBack = new HeldBack(context.native);
    let end = () => {};
    this.ended = new Promise((resolve) => {
      end = resolve;
    });
    this.end = end;
  }

  /** Runs until it is stopped. */
  async run(): Promise<void> {
    const { signal } = this.options;
    const onAbort = () => this.requestStop();
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) {
      this.requestStop();
    }
    try {
      await this.pollUntilStopped();
    } catch (error) {
      // A consumer or a client that is closed meanwhile has stopped.
      if (!(error instanceof ClosedError && this.isRunning)) {
        this.failure ??= { error };
      }
    } finally {
      this.requestStop();
      await this.handlersEnded();
      signal?.removeEventListener('abort', onAbort);
      await this.giveBack();
      this.end();
    }
    if (this.failure !== undefined) {
      throw this.failure.error;
    }
    if (signal?.aborted === true) {
      throw new AbortError(signal.reason);
    }
  }

  /** Ends it. Inside a handler it does not wait for handlers. */
  async stop(): Promise<void> {
    this.requestStop();
    if (handlerOf.getStore() !== this) {
      await this.ended;
    }
  }

  /** Ends the poll, so that another call has its turn. */
  interrupt(): void {
    this.poll?.abort();
  }

  /** The offsets behind what handlers have finished. */
  finishedOffsets(): TopicPartitionOffset[] {
    const offsets: TopicPartitionOffset[] = [];
    for (const { topic, partition, finished } of this.works.values()) {
      if (finished !== undefined) {
        offsets.push({ topic, partition, offset: finished });
      }
    }
    return offsets;
  }

  /** Partitions are moved: what was fetched of them is dropped. */
  sought(partitions: TopicPartition[]): void {
    this.areAllSought ||= partitions.length === 0;
    for (const work of this.worksOf(partitions)) {
      work.sought();
    }
    for (const partition of partitions) {
      this.soughtSince.add(keyOf(partition));
    }
  }

  /** Partitions are paused: the messages in their queues wait. */
  paused(partitions: TopicPartition[]): void {
    for (const work of this.worksOf(partitions)) {
      work.isPaused = true;
    }
    for (const partition of partitions) {
      this.heldBack.forget(partition);
      this.workOf(partition).isPaused = true;
    }
  }

  /** Partitions are not paused any more. */
  resumed(partitions: TopicPartition[]): void {
    for (const work of this.worksOf(partitions)) {
      work.isPaused = false;
      this.queue(work);
    }
    this.changed.open();
  }

  /** Without the partitions that only the runner has paused. */
  withoutHeldBack(partitions: TopicPartition[]): TopicPartition[] {
    return this.heldBack.without(partitions);
  }

  private requestStop(): void {
    this.isStopping = true;
    for (const work of this.works.values()) {
      clearTimeout(work.retry);
    }
    this.interrupt();
    this.changed.open();
  }

  private async pollUntilStopped(): Promise<void> {
    const { native: consumer } = this.context;
    this.context.discard();
    await consumer.finishExplicitly(true);
    this.isRunning = true;
    while (!this.isStopping) {
      if (this.hasMessages) {
        await this.changed.wait(HANDLERS_MS);
      }
      await this.finish();
      await this.heldBack.update(this.works);
      await this.pollOnce();
      if (this.failure !== undefined) {
        return;
      }
    }
  }

  private get hasMessages(): boolean {
    return [...this.works.values()].some((work) => !work.isEmpty && !work.isPaused);
  }

  private async pollOnce(): Promise<void> {
    if (this.isStopping) {
      return;
    }
    this.soughtSince.clear();
    this.areAllSought = false;
    const abort = new native.Abort();
    this.poll = abort;
    const operation = native.Operation.poll(POLL_MS, this.options.maxRecords ?? RECORDS);
    try {
      const event = await this.context.native.next(operation, abort);
      this.poll = undefined;
      await (event.partitions === undefined ? this.take(event) : this.rebalance(event));
    } catch (error) {
      if (!(error instanceof AbortError) && !(error instanceof WakeupError)) {
        throw error;
      }
    } finally {
      this.poll = undefined;
    }
  }

  /** Hands fetched messages to the queues of their partitions. */
  private take(event: ConsumerEvent): void {
    if (event.batch === undefined || event.batch.length === 0) {
      return;
    }
    const batch = new Batch<K, V>(event.batch, this.context.formats);
    for (const [key, { at, messages }] of byPartition(batch)) {
      if (!this.areAllSought && !this.soughtSince.has(key)) {
        const work = this.workOf(at);
        work.add(messages);
        this.queue(work);
      }
    }
  }

  /** Lets the handlers of partitions that go end, then reports. */
  private async rebalance(event: ConsumerEvent): Promise<void> {
    const partitions = event.partitions ?? [];
    if (event.kind !== 'assign') {
      const gone = [...this.works.values()].filter((work) => partitions.some(isOf(work)));
      for (const work of gone) {
        work.revoked();
      }
      while (gone.some((work) => work.isBusy)) {
        await this.changed.wait();
      }
      await this.finish();
      for (const partition of partitions) {
        this.works.delete(keyOf(partition));
        this.heldBack.forget(partition);
      }
    }
    await this.context.rebalances.report(event);
  }

  /** Tells the core what handlers have finished. */
  private async finish(): Promise<void> {
    const finished = this.finishedOffsets();
    if (finished.length > 0) {
      await this.context.native.finish(finished);
    }
  }

  /** Lets a partition have a handler when its turn comes. */
  private queue(work: PartitionWork<K, V>): void {
    if (!work.isBusy && work.isReady && !this.isStopping) {
      work.isBusy = true;
      this.ready.push(work);
    }
    this.startHandlers();
  }

  private startHandlers(): void {
    while (this.handlers < this.options.concurrency) {
      const work = this.ready.shift();
      if (work === undefined) {
        return;
      }
      this.handlers++;
      void handlerOf.run(this, () => this.handle(work));
    }
  }

  /** Calls handlers until the partition has no messages left, or may not go on. */
  private async handle(work: PartitionWork<K, V>): Promise<void> {
    const { eachBatch, eachMessage } = this.options;
    try {
      while (work.isReady && !this.isStopping) {
        if (eachBatch !== undefined) {
          await handleBatch(eachBatch, work, this.payloads(work));
        } else if (eachMessage !== undefined) {
          await handleMessage(eachMessage, work, this.payloads(work));
        }
      }
      work.isBusy = false;
    } catch (error) {
      this.failed(work, error);
    } finally {
      this.handlers--;
      this.startHandlers();
      this.handlerEnded(work);
    }
  }

  private handlerEnded(work: PartitionWork<K, V>): void {
    this.changed.open();
    if (this.heldBack.has(work) && work.isEmpty) {
      // It may be fetched again.
      this.interrupt();
    }
    this.queue(work);
  }

  /** A handler threw: the same message again after a pause, or the end. */
  private failed(work: PartitionWork<K, V>, error: unknown): void {
    const { retries, initialRetryTimeMs, maxRetryTimeMs } = this.options.retry;
    work.isBusy = false;
    if (work.isEmpty || this.isStopping) {
      return;
    }
    if (work.failures >= retries) {
      this.failure ??= { error };
      this.requestStop();
      return;
    }
    const pause = Math.min(initialRetryTimeMs * 2 ** work.failures, maxRetryTimeMs);
    work.failures++;
    work.isWaiting = true;
    work.retry = setTimeout(() => {
      work.isWaiting = false;
      this.queue(work);
    }, pause);
  }

  private payloads(work: PartitionWork<K, V>): RunnerCalls<K, V> {
    const { consumer, native } = this.context;
    const at = { topic: work.topic, partition: work.partition };
    return {
      autoResolve: this.options.eachBatchAutoResolve,
      isRunning: () => !this.isStopping,
      trace: (messages, handle) => processed(consumer, messages, handle),
      commit: (offsets) => {
        this.interrupt();
        return committed(consumer, offsets, () => native.commit(offsets, true));
      },
      pause: () => {
        this.paused([at]);
        this.interrupt();
        const pausing = native.pause([at]);
        return () => {
          void pausing.then(() => native.resume([at])).then(() => this.resumed([at]));
          this.interrupt();
        };
      },
    };
  }

  private async handlersEnded(): Promise<void> {
    while (this.handlers > 0) {
      await this.changed.wait();
    }
  }

  /** Gives the messages that no handler has finished back: the next call reads them again. */
  private async giveBack(): Promise<void> {
    const { native: consumer } = this.context;
    try {
      await this.finish();
      const assigned = new Set((await consumer.assignment()).map(keyOf));
      const left = [...this.works.values()].flatMap(({ topic, partition, front }) =>
        front === undefined ? [] : [{ topic, partition, offset: front.offset }],
      );
      const back = left.filter((at) => assigned.has(keyOf(at)));
      if (back.length > 0) {
        await consumer.seekEach(back);
      }
      await this.heldBack.releaseAll(assigned);
      await consumer.finishExplicitly(false);
    } catch (error) {
      if (!(error instanceof ClosedError)) {
        this.failure ??= { error };
      }
    }
  }

  private workOf(at: TopicPartition): PartitionWork<K, V> {
    const key = keyOf(at);
    let work = this.works.get(key);
    if (work === undefined) {
      work = new PartitionWork(at);
      this.works.set(key, work);
    }
    return work;
  }

  private worksOf(partitions: TopicPartition[]): PartitionWork<K, V>[] {
    const all = [...this.works.values()];
    return partitions.length === 0 ? all : all.filter((work) => partitions.some(isOf(work)));
  }
}
