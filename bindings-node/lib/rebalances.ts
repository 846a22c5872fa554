// The functions that a consumer calls at rebalances.

import type { ConsumerEvent } from '../native.js';
import { callback, oneOf } from './options.js';
import type { TopicPartition } from './positions.js';

/** Called with the partitions of a rebalance. The waiting call rejects with its error. */
export type RebalanceListener = (partitions: TopicPartition[]) => unknown;

/** The functions of a subscription. */
export interface RebalanceOptions {
  /** Partitions were added. */
  onAssign?: RebalanceListener;
  /** Partitions are released when it has returned. Until then their offsets can be committed. */
  onRevoke?: RebalanceListener;
  /** Partitions were lost. `onRevoke` by default. */
  onLost?: RebalanceListener;
}

type Kind = 'assign' | 'revoke' | 'lost';

const kind = oneOf<Kind>('assign', 'revoke', 'lost');

export class Rebalances {
  private subscription: RebalanceOptions = {};
  private readonly listeners = new Map<Kind, RebalanceListener[]>();

  /** The functions of the subscription. */
  set(subscription: RebalanceOptions): void {
    this.subscription = subscription;
  }

  on(event: string, listener: unknown): void {
    const known = kind(event, 'event');
    const added = callback(listener, 'listener') as RebalanceListener;
    this.listeners.set(known, [...(this.listeners.get(known) ?? []), added]);
  }

  off(event: string, listener: unknown): void {
    const known = kind(event, 'event');
    const left = (this.listeners.get(known) ?? []).filter((other) => other !== listener);
    this.listeners.set(known, left);
  }

  /** Calls the functions, and waits for their promises. */
  async report(event: ConsumerEvent): Promise<void> {
    const partitions = event.partitions ?? [];
    for (const listener of this.of(event.kind as Kind)) {
      await listener(partitions);
    }
  }

  private of(event: Kind): RebalanceListener[] {
    const { onAssign, onRevoke, onLost } = this.subscription;
    const first = { assign: onAssign, revoke: onRevoke, lost: onLost ?? onRevoke }[event];
    const others = this.listeners.get(event) ?? [];
    return first === undefined ? others : [first, ...others];
  }
}
