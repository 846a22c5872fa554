// `stats`: a function that is called with the metrics of a client.

import type { Client as NativeClient } from '../native.js';
import { ConfigError } from './errors.js';
import type { Metrics } from './metrics.js';
import { callback } from './options.js';

/** Called with the {@link Metrics} of a client. The next call waits for a promise that it returns. */
export type StatsListener = (metrics: Metrics) => unknown;

const INTERVAL = 'statistics.interval.ms';
/** The longest delay of a timer. */
const DELAY_MAX_MS = 0x7fff_ffff;

/** Checks the option. Without a function the interval would have no effect. */
export function statsListener(
  given: unknown,
  config: readonly [key: string, value: string][],
): StatsListener | undefined {
  if (given !== undefined) {
    return callback(given, 'stats') as StatsListener;
  }
  if (config.some(([key]) => key.replaceAll('_', '.') === INTERVAL)) {
    throw new ConfigError(
      `${INTERVAL} has no effect without a function: pass stats, or leave it out.`,
      { code: 'INVALID_CONFIG' },
    );
  }
  return undefined;
}

/**
 * Calls the function every `statistics.interval.ms`, until the client is closed or dropped. A function that takes
 * longer misses reports. Its errors become warnings of the process, and do not end the reports.
 */
export function reportStats(native: NativeClient, stats: StatsListener): void {
  const client = new WeakRef(native);
  let isBusy = false;
  const report = async (timer: NodeJS.Timeout) => {
    const current = client.deref();
    if (current === undefined || current.isClosed) {
      clearInterval(timer);
      return;
    }
    if (isBusy) {
      return;
    }
    isBusy = true;
    try {
      await stats(current.metrics() as Metrics);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
    } finally {
      isBusy = false;
    }
  };
  const delay = Math.min(native.statisticsIntervalMs, DELAY_MAX_MS);
  const timer = setInterval(() => void report(timer), delay);
  timer.unref();
}
