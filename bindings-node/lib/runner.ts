// `Consumer.run()`: handlers for messages or batches, in order in each partition.
//
// The runner polls, and passes the messages to the queues of the partitions. At most `concurrency` partitions have a
// handler at a time. While handlers work the runner continues to poll, so that the member stays in its group, and
// pauses the partitions with remaining messages. Auto-commit commits exactly the messages finished by handlers.

import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import type { ConsumerEvent } from '../native.js';
import { Batch } from './batch.js';
import { committed, processed } from './diagnostics.js';
import { AbortError, ClosedError, invalid, WakeupError } from './errors.js';
import { Gate } from './gate.js';
import { handleBatch, handleMessage, type RunnerCalls } from './handlers.js';
import { HeldBack } from './held_back.js';
import { native } from './native.js';
import { isOf, keyOf, type TopicPartition, type TopicPartitionOffset } from './positions.js';
import type { CheckedRunOptions } from './run_options.js';
import type { RunnerContext } from './runner_context.js';
import { byPartition, type PartitionWork } from './work.js';
import { Works } from './works.js';

/** The maximum duration of a poll of the group. */
const POLL_MS = 1_000;
/** The time that the next poll waits for handlers, so that partitions are rarely paused. */
const HANDLERS_MS = 20;
/** After so many calls of handlers the event loop has its turn. */
const CALLS_PER_TURN = 256;
/** The most records of a poll. */
const RECORDS = 8_192;

/** The runner whose handler the caller is in. */
const handlerOf = new AsyncLocalStorage<object>();

export class Runner<K, V> {
  private readonly works = new Works<K, V>();
  /** Partitions that may get a handler, in the order in which they got messages. */
  private readonly ready: PartitionWork<K, V>[] = [];
  private handlers = 0;
  private calls = 0;
  private isRunning = false;
  private isStopping = false;
  private failure: { error: unknown } | undefined;
  /** Partitions that the runner has paused. */
  private readonly heldBack: HeldBack;
  /** Whether one of them ran out of messages during an update, which must be repeated before the next poll. */
  private isUpdateDue = false;
  private poll: { abort(): void } | undefined;
  /** Partitions that were moved by a seek since the poll began. */
  private readonly soughtSince = new Set<string>();
  private areAllSought = false;
  /** Opens when a handler ends, or when the runner must check again. */
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
      if (!this.isEnd(error)) {
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

  /** Whether a call failed because the client was closed, or because the consumer has released its partitions. */
  private isEnd(error: unknown): boolean {
    const isClosed = error instanceof ClosedError && (this.isStopping || this.isRunning);
    return isClosed || (this.isStopping && this.context.hasLeft());
  }

  /** Stops it. Inside a handler it does not wait for handlers. */
  async stop(): Promise<void> {
    this.requestStop();
    if (handlerOf.getStore() !== this) {
      await this.ended;
    }
  }

  /** Stops it before the consumer releases its partitions, which commits the messages that handlers have finished. */
  async leave(): Promise<void> {
    await this.stop();
    // Inside a handler it has not ended yet.
    await this.finish().catch(() => {});
  }

  /** Ends the poll, so that another call has its turn. */
  interrupt(): void {
    this.poll?.abort();
  }

  /** The offsets after the messages finished by handlers. */
  finishedOffsets(): TopicPartitionOffset[] {
    return this.works.finishedOffsets();
  }

  /** Drops the fetched messages of partitions that were moved. */
  sought(partitions: TopicPartition[]): void {
    this.areAllSought ||= partitions.length === 0;
    for (const work of this.works.among(partitions)) {
      work.sought();
    }
    for (const partition of partitions) {
      this.soughtSince.add(keyOf(partition));
    }
  }

  /** Drops the fetched messages of other partitions. Returns the first offsets that no handler has finished. */
  assigned(partitions: TopicPartition[]): TopicPartitionOffset[] {
    return this.works.release(partitions, this.heldBack, this.soughtSince);
  }

  /** Makes the messages in the queues of paused partitions wait. */
  paused(partitions: TopicPartition[]): void {
    for (const work of this.works.among(partitions)) {
      work.isPaused = true;
    }
    for (const partition of partitions) {
      this.heldBack.forget(partition);
      this.works.of(partition).isPaused = true;
    }
  }

  /** Continues with partitions that are not paused any more. */
  resumed(partitions: TopicPartition[]): void {
    for (const work of this.works.among(partitions)) {
      work.isPaused = false;
      // The core fetches it again: if it has messages left, it is held back again.
      this.heldBack.forget(work);
      this.queue(work);
    }
    this.changed.open();
  }

  /** Removes the partitions that only the runner has paused. */
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
      this.isUpdateDue = false;
      await this.heldBack.update(this.works);
      await this.pollOnce();
    }
  }

  private get hasMessages(): boolean {
    return [...this.works.values()].some((work) => !work.isEmpty && !work.isPaused);
  }

  private async pollOnce(): Promise<void> {
    if (this.isStopping || this.isUpdateDue) {
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

  /** Passes fetched messages to the queues of their partitions. */
  private take(event: ConsumerEvent): void {
    if (event.batch === undefined || event.batch.length === 0) {
      return;
    }
    const batch = new Batch<K, V>(event.batch, this.context.formats);
    for (const [key, { at, messages }] of byPartition(batch)) {
      if (!this.areAllSought && !this.soughtSince.has(key)) {
        const work = this.works.of(at);
        work.add(messages);
        this.queue(work);
      }
    }
  }

  /** Waits for the handlers of released partitions, then reports. */
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
    await this.context.rebalances.report(event).catch((error: unknown) => {
      this.failure ??= { error };
      this.requestStop();
    });
  }

  /** Notifies the core of the messages finished by handlers. */
  private async finish(): Promise<void> {
    const finished = this.finishedOffsets();
    if (finished.length > 0) {
      await this.context.native.finish(finished);
    }
  }

  /** Lets a partition get a handler when its turn comes. */
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

  /** Calls handlers until the partition has no messages left, or must stop. */
  private async handle(work: PartitionWork<K, V>): Promise<void> {
    const { eachBatch, eachMessage } = this.options;
    const payloads = this.payloads(work);
    try {
      while (work.isReady && !this.isStopping) {
        if (eachBatch !== undefined) {
          await handleBatch(eachBatch, work, payloads);
        } else if (eachMessage !== undefined) {
          await handleMessage(eachMessage, work, payloads);
        }
        if (++this.calls % CALLS_PER_TURN === 0) {
          await eventLoopTurn();
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
      this.isUpdateDue = true;
      this.interrupt();
    }
    this.queue(work);
  }

  /** Handles an error of a handler: passes the same message again after a pause, or ends. */
  private failed(work: PartitionWork<K, V>, error: unknown): void {
    const { retries, initialRetryTimeMs, multiplier, maxRetryTimeMs } = this.options.retry;
    work.isBusy = false;
    if (work.isEmpty || this.isStopping) {
      return;
    }
    if (work.failures >= retries) {
      this.failure ??= { error };
      this.requestStop();
      return;
    }
    const pause = Math.min(initialRetryTimeMs * multiplier ** work.failures, maxRetryTimeMs);
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
        const pausing = this.heldBack.pause(at);
        return () => {
          void pausing.then(() => this.heldBack.resume(at)).then(() => this.resumed([at]));
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

  /** Returns the messages that no handler has finished: the next call reads them again. */
  private async giveBack(): Promise<void> {
    const { native: consumer } = this.context;
    try {
      await this.finish();
      const assigned = new Set((await consumer.assignment()).map(keyOf));
      const back = this.works.unfinishedOffsets().filter((at) => assigned.has(keyOf(at)));
      if (back.length > 0) {
        await consumer.seekEach(back);
      }
      await this.heldBack.releaseAll(assigned);
      await consumer.finishExplicitly(false);
    } catch (error) {
      if (!this.isEnd(error)) {
        this.failure ??= { error };
      }
    }
  }
}
