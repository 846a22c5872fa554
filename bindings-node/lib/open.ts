// `open()` and `connect()`: an engine in this process, and a running cluster.

import type { Client as NativeClient } from '../native.js';
import { abortable, abortableWait, type WaitOptions } from './abort.js';
import { Client } from './client.js';
import { type KafkaConfig, pairs, valueText } from './config.js';
import { AbortError, invalid } from './errors.js';
import { native } from './native.js';
import { callback, object, optionsAndConfig, signal, text } from './options.js';
import { reportStats, type StatsListener, statsListener } from './stats.js';

/** The options of {@link open} and {@link connect}. Other keys are configuration. */
export interface OpenOptions extends KafkaConfig, WaitOptions {
  /**
   * Called with the metrics of the client every `statisticsIntervalMs` (60,000), until the client is closed. Its
   * errors become warnings of the process.
   */
  stats?: StatsListener;
}

const OPTIONS = { config: object, signal, stats: callback };

/**
 * Opens an embedded engine and returns the client on it. `path` is its directory, which is created if missing; `null`
 * keeps everything in memory until the client is closed. Opening the same path again in one process returns the same
 * engine; a second process gets `LockedError`.
 */
export async function open(path: string | null = null, given: OpenOptions = {}): Promise<Client> {
  const { known, rest } = optionsAndConfig('open()', given, OPTIONS);
  const directory = path === null ? undefined : text(path, 'path');
  const config = pairs(known.config, rest);
  const stats = statsListener(known.stats, config);
  const opened = await untilOpen(known.signal, () => native.open(directory, config));
  if (stats !== undefined) {
    reportStats(opened, stats);
  }
  return new Client(opened, directory);
}

/**
 * Connects to a Kafka cluster and returns the client on it. `bootstrapServers` is one or more "HOST:PORT", separated by
 * commas or in an array; one reachable broker is enough. Rejects with `TransportError` if none can be reached.
 */
export async function connect(
  bootstrapServers: string | readonly string[],
  given: OpenOptions = {},
): Promise<Client> {
  if (typeof bootstrapServers === 'object' && !Array.isArray(bootstrapServers)) {
    throw invalid(
      'bootstrapServers must be addresses, as text or as an array, and the configuration follows them: connect("host:9092", {clientId: "orders"}).',
    );
  }
  const { known, rest } = optionsAndConfig('connect()', given, OPTIONS);
  const servers = valueText('bootstrapServers', bootstrapServers);
  const config = pairs(known.config, rest);
  const stats = statsListener(known.stats, config);
  const connected = await abortable(known.signal, (abort) =>
    native.connect(servers, config, abort),
  );
  if (stats !== undefined) {
    reportStats(connected, stats);
  }
  return new Client(connected, servers);
}

/** Waits for an engine. One that opens after the signal is closed again. */
async function untilOpen(
  wait: AbortSignal | undefined,
  open: () => Promise<NativeClient>,
): Promise<NativeClient> {
  if (wait?.aborted === true) {
    throw new AbortError(wait.reason);
  }
  const opening = open();
  try {
    return await abortableWait(wait, opening);
  } catch (error) {
    opening.then((late) => late.close()).catch(() => {});
    throw error;
  }
}
