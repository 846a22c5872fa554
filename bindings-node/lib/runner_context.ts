// The parts of a consumer that its runner uses.

import type { Consumer as NativeConsumer } from '../native.js';
import type { Consumer } from './consumer.js';
import type { Formats } from './formats.js';
import type { Rebalances } from './rebalances.js';

/** The parts of a consumer that its runner uses. */
export interface RunnerContext<K, V> {
  consumer: Consumer<K, V>;
  native: NativeConsumer;
  formats: Formats;
  rebalances: Rebalances;
  /** Whether the consumer has released its partitions: it was closed or unsubscribed. */
  hasLeft(): boolean;
  /** Drops the messages that were decoded for other calls. */
  discard(): void;
}
