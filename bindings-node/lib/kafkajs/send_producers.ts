// Headwater's producers for the options of one send: acknowledgement, time limit and codec.

import type { Client } from '../client.js';
import type { ProducerOptions } from '../client_options.js';
import type { Producer as HeadwaterProducer } from '../producer.js';
import { refused } from './convert_error.js';
import { CompressionTypes } from './enums.js';

/** The options of a send that a producer of Headwater has for all of its records. */
export interface SendOptions {
  acks: number;
  timeout: number | undefined;
  compression: CompressionTypes;
}

const CODECS: Readonly<Record<CompressionTypes, string>> = {
  [CompressionTypes.None]: 'none',
  [CompressionTypes.GZIP]: 'gzip',
  [CompressionTypes.Snappy]: 'snappy',
  [CompressionTypes.LZ4]: 'lz4',
  [CompressionTypes.ZSTD]: 'zstd',
};

const ACKS = [-1, 0, 1];
const DELIVERY_TIMEOUT_MS = 120_000;
const LINGER_MS = 5;

/** Checks the options of a send. */
export function sendOptions(
  given: { acks?: unknown; timeout?: unknown; compression?: unknown },
  isIdempotent: boolean,
): SendOptions {
  const acks = given.acks ?? -1;
  if (!ACKS.includes(acks as number)) {
    throw refused(`acks is ${String(acks)}: it must be -1, 0 or 1`);
  }
  if (isIdempotent && acks !== -1) {
    throw refused(
      "Not requiring ack for all messages invalidates the idempotent producer's EoS guarantees",
    );
  }
  const compression = given.compression ?? CompressionTypes.None;
  if (!Object.hasOwn(CODECS, compression as number)) {
    throw refused(`compression is ${String(compression)}: it must be one of CompressionTypes`);
  }
  const timeout = given.timeout ?? undefined;
  if (timeout !== undefined && !(Number.isSafeInteger(timeout) && (timeout as number) > 0)) {
    throw refused(`timeout is ${String(timeout)}: it must be a number of milliseconds`);
  }
  return { acks, timeout, compression } as SendOptions;
}

/** One producer of Headwater for each combination of options that is used. */
export class SendProducers {
  private readonly producers = new Map<string, HeadwaterProducer>();

  constructor(private readonly config: ProducerOptions) {}

  /** The producer for these options. */
  of(client: Client, given: SendOptions): HeadwaterProducer {
    const { acks, timeout, compression } = given;
    const key = `${acks} ${timeout} ${compression}`;
    let producer = this.producers.get(key);
    if (producer === undefined) {
      producer = client.producer({
        ...this.config,
        acks,
        compressionType: CODECS[compression],
        ...(timeout === undefined ? {} : timeLimit(timeout)),
      });
      this.producers.set(key, producer);
    }
    return producer;
  }

  /** Sends what the producers hold, and closes them. */
  async close(): Promise<void> {
    const producers = [...this.producers.values()];
    this.producers.clear();
    await Promise.all(producers.map((producer) => producer.close()));
  }
}

function timeLimit(timeout: number) {
  return {
    requestTimeoutMs: timeout,
    deliveryTimeoutMs: Math.max(DELIVERY_TIMEOUT_MS, timeout + LINGER_MS),
  };
}
