// The messages of a consumer that were decoded but not handed out yet.

import type { ConsumerEvent, Consumer as NativeConsumer } from '../native.js';
import { Flat } from './flat.js';

/** The number of messages after which a member of a group polls its group. */
const MESSAGES_PER_POLL = 256;

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
  private sincePoll = 0;
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
    if (this.isMember && ++this.sincePoll >= MESSAGES_PER_POLL) {
      return false;
    }
    this.taken = { flat, row: this.row++ };
    this.unreported++;
    return true;
  }

  /** Waits for a message, and hands it out. */
  take(wait: AbortSignal | undefined): Promise<void> {
    const taken = this.turn.then(() => this.fetch(wait));
    this.turn = taken.catch(() => {});
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
    if (this.sincePoll >= MESSAGES_PER_POLL) {
      this.sincePoll = 0;
      this.report();
      if (await this.native.serveGroup()) {
        this.discard();
      }
    }
    while (!this.tryTake()) {
      this.isInterrupted = false;
      const event = await this.next(wait);
      const bytes = event.messages;
      if (bytes !== undefined && bytes.length > 0) {
        this.flat = new Flat(bytes);
        this.row = 0;
      }
    }
  }
}
