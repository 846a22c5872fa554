// The messages of a consumer that were decoded but not handed out yet.

import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import type { ConsumerEvent, Consumer as NativeConsumer } from '../native.js';
import { abortableWait } from './abort.js';
import { AbortError } from './errors.js';
import { Flat } from './flat.js';

/** After so many messages a member of a group polls its group, and the event loop has its turn. */
const MESSAGES_PER_TURN = 256;

/**
 * Hands out messages one by one from a buffer of the native half, which counts them as handed out when it is notified.
 * Messages that another call may have invalidated are discarded and read again.
 */
export class MessageBuffer {
  /** The last message that was handed out. */
  taken: { flat: Flat; row: number } = { flat: undefined as unknown as Flat, row: -1 };
  private flat: Flat | undefined;
  private row = 0;
  private unreported = 0;
  private sinceTurn = 0;
  private isInterrupted = false;
  /** Calls that wait take turns. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly native: NativeConsumer,
    private readonly isMember: boolean,
    private readonly next: (wait: AbortSignal | undefined) => Promise<ConsumerEvent>,
  ) {}

  /** Hands out a message, if one is available and nothing comes before it. */
  tryTake(): boolean {
    const { flat } = this;
    if (flat === undefined || this.row >= flat.rows || this.isInterrupted) {
      return false;
    }
    if (++this.sinceTurn >= MESSAGES_PER_TURN) {
      return false;
    }
    this.taken = { flat, row: this.row++ };
    this.unreported++;
    return true;
  }

  /** Waits for a message, and hands it out. */
  take(wait: AbortSignal | undefined): Promise<void> {
    const before = this.turn;
    const taken = abortableWait(wait, before).then(() => this.fetch(wait));
    this.turn = Promise.all([before, taken.catch(() => {})]);
    return taken;
  }

  /** Notifies the native half of the messages that were handed out. */
  report(): void {
    if (this.unreported > 0) {
      this.native.took(this.unreported);
      this.unreported = 0;
    }
  }

  /** Drops the messages that were not handed out: they are read again. */
  discard(): void {
    this.report();
    this.flat = undefined;
  }

  /** Makes the next message wait for the native half, which ends the wait. */
  interrupt(): void {
    this.isInterrupted = true;
  }

  private async fetch(wait: AbortSignal | undefined): Promise<void> {
    if (wait?.aborted === true) {
      throw new AbortError(wait.reason);
    }
    while (!this.tryTake()) {
      if (this.sinceTurn >= MESSAGES_PER_TURN) {
        this.sinceTurn = 0;
        await (this.isMember ? this.serveGroup() : eventLoopTurn());
      } else {
        await this.fill(wait);
      }
    }
  }

  private async serveGroup(): Promise<void> {
    this.report();
    if (await this.native.serveGroup()) {
      this.discard();
    }
  }

  private async fill(wait: AbortSignal | undefined): Promise<void> {
    this.isInterrupted = false;
    const event = await this.next(wait);
    const bytes = event.messages;
    if (bytes !== undefined && bytes.length > 0) {
      this.flat = new Flat(bytes);
      this.row = 0;
    }
  }
}

/** An iterator that does not end by itself. */
export function iteratorOf<T>(next: () => Promise<IteratorResult<T>>): AsyncIterableIterator<T> {
  const iterator: AsyncIterableIterator<T> = {
    next,
    return: () => Promise.resolve({ done: true, value: undefined }),
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
