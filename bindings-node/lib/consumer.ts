// The consumer: reads partitions in offset order.

import { Readable } from 'node:stream';
import type {
  ConsumerEvent,
  GroupMetadata,
  Consumer as NativeConsumer,
  Operation,
  TopicPartitionLag,
} from '../native.js';
import { abortable, type WaitOptions } from './abort.js';
import { Batch } from './batch.js';
import { ConsumerEvents } from './consumer_events.js';
import type { BatchesOptions, PartitionsOptions, PollOptions } from './consumer_options.js';
import { CONSUME, committed, isObserved, received } from './diagnostics.js';
import { consumerClosed } from './errors.js';
import type { Formats } from './formats.js';
import { refuseForeignMethods } from './habits.js';
import { described, describedConsumer, INSPECT } from './inspection.js';
import { Message } from './message.js';
import { iteratorOf, MessageBuffer } from './messages.js';
import { native } from './native.js';
import { type Offsets, offsetsToCommit, seeks } from './offsets.js';
import { boolean, callback, count, milliseconds, oneOf, options, signal } from './options.js';
import {
  type Position,
  position,
  type TopicPartition,
  type TopicPartitionOffset,
  topicPartitions,
} from './positions.js';
import { type RebalanceListener, type RebalanceOptions, Rebalances } from './rebalances.js';
import { type RunOptions, runOptions } from './run_options.js';
import { Runner } from './runner.js';
import { type CheckedSubscription, type Subscription, subscription } from './subscription.js';

const NEXT_MESSAGES = native.Operation.messages();
const PARTITIONS = { signal, partitions: topicPartitions };

/**
 * Reads partitions. Iterating it yields messages. In a group, `enable.auto.commit` periodically commits finished
 * records: a batch or a message is finished when the next one is requested.
 */
export class Consumer<K = Buffer | null, V = Buffer | null>
  implements AsyncIterable<Message<K, V>>, AsyncDisposable
{
  private readonly messageBuffer: MessageBuffer;
  private readonly rebalances = new Rebalances();
  private readonly events: ConsumerEvents;
  private runner: Runner<K, V> | undefined;
  private closing: Promise<void> | undefined;
  /** Whether it has released its partitions, and was not given others since. */
  private hasLeft = false;
  private isClosed = false;

  /** @internal */
  constructor(
    private readonly native: NativeConsumer,
    private readonly formats: Formats,
    isMember: boolean,
    private topics: CheckedSubscription | undefined,
  ) {
    this.events = new ConsumerEvents(native, this.rebalances, () => this.messageBuffer.discard());
    this.messageBuffer = new MessageBuffer(native, isMember, (wait) =>
      this.events.next(NEXT_MESSAGES, wait),
    );
  }

  /** Waits for records. The batch is empty if the time has passed. */
  async poll(given: PollOptions = {}): Promise<Batch<K, V>> {
    const known = options('poll()', given, { signal, timeoutMs: milliseconds, maxRecords: count });
    const operation = native.Operation.poll(known.timeoutMs ?? 1_000, known.maxRecords);
    const next = async () => this.batch(await this.events.next(operation, known.signal));
    return received(this, next, (batch) => batch);
  }

  /** The batches of a stream. A batch is finished when the next one is requested. */
  batches(given: BatchesOptions = {}): AsyncIterableIterator<Batch<K, V>> {
    const known = options('batches()', given, {
      signal,
      maxRecords: count,
      maxBytes: count,
      maxWaitMs: milliseconds,
      until: oneOf('forever', 'end'),
    });
    const operation = native.Operation.batches(
      known.maxRecords ?? 65_536,
      known.maxBytes ?? 16 << 20,
      known.maxWaitMs ?? 100,
      known.until ?? 'forever',
    );
    return this.batchesOf(operation, known.signal);
  }

  /** The messages, in order. A message is finished when the next one is requested. */
  messages(given: WaitOptions = {}): AsyncIterableIterator<Message<K, V>> {
    const wait = options('messages()', given, { signal }).signal;
    const { messageBuffer, formats } = this;
    const make = () => {
      const { flat, row } = messageBuffer.taken;
      return { done: false as const, value: new Message<K, V>(flat, row, formats) };
    };
    // Not an async function: a message that is there already costs one settled promise.
    const next = () =>
      wait?.aborted !== true && messageBuffer.tryTake()
        ? Promise.resolve(make())
        : messageBuffer.take(wait).then(make);
    return iteratorOf(() =>
      isObserved(CONSUME) ? received(this, next, ({ value }) => [value]) : next(),
    );
  }

  /** The messages, one after the other: `for await`. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message<K, V>> {
    return this.messages();
  }

  /** The messages as a stream of objects. */
  readable(given: WaitOptions = {}): Readable {
    return Readable.from(this.messages(given), { objectMode: true });
  }

  /**
   * Calls a handler for each message or batch, in order in each partition, until `stop()`, `unsubscribe()`, `close()`
   * or the signal ends it; then the promise is fulfilled. A message whose handler throws is passed again after a
   * pause. After `retry.retries` attempts the promise rejects with the handler's error, and the message is not
   * finished. Auto-commit commits the messages that handlers have finished.
   */
  async run(given: RunOptions<K, V>): Promise<void> {
    const known = runOptions<K, V>(given);
    this.refuseIfClosed();
    const runner = new Runner<K, V>(
      {
        consumer: this,
        native: this.native,
        formats: this.formats,
        rebalances: this.rebalances,
        discard: () => this.messageBuffer.discard(),
        hasLeft: () => this.hasLeft,
      },
      known,
      this.runner,
    );
    this.runner = runner;
    try {
      await runner.run();
    } finally {
      if (this.runner === runner) {
        this.runner = undefined;
      }
    }
  }

  /** Ends `run()` and waits for its handlers, unless it is called inside a handler. */
  async stop(): Promise<void> {
    await this.runner?.stop();
  }

  /** Joins the group for topics, or for all current and later topics that a regular expression matches. */
  async subscribe(topics: Subscription, given: RebalanceOptions = {}): Promise<void> {
    const known = options('subscribe()', given, {
      onAssign: callback,
      onRevoke: callback,
      onLost: callback,
    });
    const checked = subscription(topics);
    this.hasLeft = false;
    await this.changing(() => this.native.subscribe(checked.names, checked.pattern));
    this.topics = checked;
    this.rebalances.set(known as RebalanceOptions);
  }

  /**
   * Ends `run()` like `stop()`, commits finished records, leaves the group and releases the partitions. Inside a
   * handler, `run()` ends after the handler, whose message is not finished: its next owner reads it again.
   */
  async unsubscribe(): Promise<void> {
    await this.runner?.leave();
    const operation = native.Operation.unsubscribe();
    await this.leave(() => this.native.next(operation));
  }

  /** Reads these partitions from now on. Partitions that stay keep their position. */
  async assign(
    partitions: TopicPartition | TopicPartition[],
    given: WaitOptions = {},
  ): Promise<void> {
    const known = options('assign()', given, { signal });
    const assigned = topicPartitions(partitions, 'partitions');
    this.hasLeft = false;
    const released = this.runner?.assigned(assigned) ?? [];
    await this.changing(() =>
      abortable(known.signal, (abort) => this.native.assign(assigned, abort)),
    ).catch(async (error: unknown) => {
      // They are still assigned: their messages are read again.
      await this.native.seekEach(released).catch(() => {});
      throw error;
    });
    this.topics = { names: [...new Set(assigned.map(({ topic }) => topic))] };
  }

  /** The assigned partitions. */
  async assignment(given: WaitOptions = {}): Promise<TopicPartition[]> {
    const known = options('assignment()', given, { signal });
    this.entering();
    return abortable(known.signal, (abort) => this.native.assignment(abort));
  }

  /**
   * Commits offsets: of a message or a batch (the offset after it), given ones, or the positions of all partitions.
   * The records before them count as finished. In `run()`, without arguments, it commits the messages that handlers
   * have finished. The group stores the `metadata` of an offset with it.
   */
  async commit(what?: Offsets<K, V>, given: WaitOptions & { wait?: boolean } = {}): Promise<void> {
    const known = options('commit()', given, { signal, wait: boolean });
    const of = what === undefined ? this.runner?.finishedOffsets() : offsetsToCommit(what, 'what');
    this.entering();
    await committed(this, of, () =>
      abortable(known.signal, (abort) => this.native.commit(of, known.wait ?? true, abort)),
    );
  }

  /** The committed offsets of the group. Partitions without one are left out. */
  async committed(given: PartitionsOptions = {}): Promise<TopicPartitionOffset[]> {
    const known = options('committed()', given, PARTITIONS);
    this.entering();
    return abortable(known.signal, (abort) => this.native.committed(known.partitions ?? [], abort));
  }

  /** The next offset of each assigned partition. */
  async position(given: WaitOptions = {}): Promise<TopicPartitionOffset[]> {
    const known = options('position()', given, { signal });
    return this.changing(() => abortable(known.signal, (abort) => this.native.position(abort)));
  }

  /** The number of offsets between the position and the end of each assigned partition. */
  async lag(given: WaitOptions = {}): Promise<TopicPartitionLag[]> {
    const known = options('lag()', given, { signal });
    return this.changing(() => abortable(known.signal, (abort) => this.native.lag(abort)));
  }

  /** Moves partitions to a position, or each one to its own offset. Takes effect before the next message. */
  async seek(
    to: Position | TopicPartitionOffset | TopicPartitionOffset[],
    given: PartitionsOptions = {},
  ): Promise<void> {
    const known = options('seek()', given, PARTITIONS);
    const each = seeks(to);
    if (each !== undefined) {
      this.runner?.sought(each);
      return this.changing(() =>
        abortable(known.signal, (abort) => this.native.seekEach(each, abort)),
      );
    }
    const at = position(to, 'to');
    const of = known.partitions ?? [];
    this.runner?.sought(of);
    return this.changing(() => abortable(known.signal, (abort) => this.native.seek(at, of, abort)));
  }

  /** Stops reading partitions. They stay assigned. Takes effect before the next message. */
  async pause(given: PartitionsOptions = {}): Promise<void> {
    const known = options('pause()', given, PARTITIONS);
    const of = known.partitions ?? [];
    this.runner?.paused(of);
    return this.changing(() => abortable(known.signal, (abort) => this.native.pause(of, abort)));
  }

  /** Reads partitions again. */
  async resume(given: PartitionsOptions = {}): Promise<void> {
    const known = options('resume()', given, PARTITIONS);
    const of = known.partitions ?? [];
    await this.changing(() => abortable(known.signal, (abort) => this.native.resume(of, abort)));
    this.runner?.resumed(of);
  }

  /**
   * Its membership in the group, as it is known now: the member id, the generation, the leader. `null` without a
   * group.
   */
  groupMetadata(): GroupMetadata | null {
    return this.native.groupMetadata();
  }

  /** The partitions paused by the caller. */
  async paused(given: WaitOptions = {}): Promise<TopicPartition[]> {
    const known = options('paused()', given, { signal });
    this.entering();
    const paused = await abortable(known.signal, (abort) => this.native.paused(abort));
    return this.runner?.withoutHeldBack(paused) ?? paused;
  }

  /** Calls a function, which may return a promise, at each rebalance: "assign", "revoke" (before it), "lost". */
  on(event: 'assign' | 'revoke' | 'lost', listener: RebalanceListener): this {
    this.rebalances.on(event, listener);
    return this;
  }

  /** Removes a function added with `on()`. */
  off(event: 'assign' | 'revoke' | 'lost', listener: RebalanceListener): this {
    this.rebalances.off(event, listener);
    return this;
  }

  /** How many records `onError: 'skip'` has skipped so far. Those that are decoded again count again. */
  get skipped(): number {
    return this.native.skipped;
  }

  /** Rejects the waiting call with `WakeupError`, or else the next one that may wait. */
  wakeup(): void {
    this.messageBuffer.interrupt();
    this.native.wakeup();
  }

  /**
   * Ends waiting calls and `run()`, commits finished records, leaves the group, and rejects further calls.
   * Idempotent. Closing a client closes its consumers.
   */
  close(): Promise<void> {
    this.closing ??= this.closeOnce();
    return this.closing;
  }

  /** Closes it: `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Its group, its topics and the number of its partitions, as `console.log()` shows them. @hidden */
  [INSPECT](_depth: number, _options: object, inspect: (value: unknown) => string): string {
    const { isClosed, native, topics } = this;
    return isClosed ? described('Consumer', 'closed') : describedConsumer(native, topics, inspect);
  }

  private async closeOnce(): Promise<void> {
    await this.runner?.leave();
    this.messageBuffer.interrupt();
    await this.leave(() => this.native.close()).finally(() => {
      this.isClosed = true;
    });
  }

  /** Releases the partitions. */
  private leave(call: () => Promise<ConsumerEvent>): Promise<void> {
    this.hasLeft = true;
    return this.events.leave(call, () => this.runner?.interrupt());
  }

  /** A call that may change the next records. */
  private async changing<T>(call: () => Promise<T>): Promise<T> {
    this.refuseIfClosed();
    this.messageBuffer.discard();
    this.runner?.interrupt();
    return call();
  }

  /** A call that does not change the next records. */
  private entering(): void {
    this.refuseIfClosed();
    this.messageBuffer.report();
    this.runner?.interrupt();
  }

  private refuseIfClosed(): void {
    if (this.isClosed) {
      throw consumerClosed();
    }
  }

  private batch(event: ConsumerEvent): Batch<K, V> {
    if (event.batch === undefined) {
      throw consumerClosed();
    }
    const commit = (behind: TopicPartitionOffset[]) => this.commit(behind);
    return new Batch<K, V>(event.batch, this.formats, commit);
  }

  private async *batchesOf(
    operation: Operation,
    wait: AbortSignal | undefined,
  ): AsyncIterableIterator<Batch<K, V>> {
    const next = async () => {
      const event = await this.events.next(operation, wait);
      return event.kind === 'end' ? undefined : this.batch(event);
    };
    for (;;) {
      const batch = await received(this, next, (batch) => batch);
      if (batch === undefined) {
        return;
      }
      yield batch;
    }
  }
}

refuseForeignMethods('Consumer', Consumer);
