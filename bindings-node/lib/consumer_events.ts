// Runs the operations of a consumer, and reports the rebalances between their parts.

import type { ConsumerEvent, Consumer as NativeConsumer, Operation } from '../native.js';
import { abortable } from './abort.js';
import type { Rebalances } from './rebalances.js';

export class ConsumerEvents {
  constructor(
    private readonly native: NativeConsumer,
    private readonly rebalances: Rebalances,
    /** Drops the messages that were decoded for other calls. */
    private readonly discard: () => void,
  ) {}

  /** Runs an operation until it has a result. */
  async next(operation: Operation, wait: AbortSignal | undefined): Promise<ConsumerEvent> {
    for (;;) {
      this.discard();
      const event = await abortable(wait, (abort) => this.native.next(operation, abort));
      if (event.partitions === undefined) {
        return event;
      }
      await this.rebalances.report(event);
    }
  }

  /** Releases the partitions. Rethrows the error of a rebalance function afterwards. */
  async leave(call: () => Promise<ConsumerEvent>, before: () => void): Promise<void> {
    let failure: { error: unknown } | undefined;
    for (;;) {
      this.discard();
      before();
      const event = await call();
      if (event.partitions === undefined) {
        break;
      }
      if (failure === undefined) {
        await this.rebalances.report(event).catch((error: unknown) => {
          failure = { error };
        });
      }
    }
    if (failure !== undefined) {
      throw (failure as { error: unknown }).error;
    }
  }
}
