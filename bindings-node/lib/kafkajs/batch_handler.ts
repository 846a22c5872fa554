// Calls the handlers of one run for the fetched messages of a partition.

import type { Client } from '../client.js';
import type { Consumer as HeadwaterConsumer } from '../consumer.js';
import type { EachBatchPayload as FetchedPayload } from '../handlers.js';
import { highWatermark, KafkaBatch } from './batch.js';
import type { Commits } from './commits.js';
import { kafkaJSError } from './convert_error.js';
import { CONSUMER_EVENTS, type Events } from './events.js';
import { incoming } from './incoming.js';
import { longOf } from './options.js';
import { type CommitOffset, shown } from './resolved_offsets.js';
import type { RunConfig } from './run_config.js';
import type { Logger, Offsets, TopicPartition } from './types.js';

type Payload = FetchedPayload<Buffer | null, Buffer | null>;

/** The services of the session. */
export interface BatchHandlerContext {
  client: Client;
  consumer: HeadwaterConsumer;
  groupId: string;
  config: RunConfig;
  commits: Commits;
  events: Events;
  logger: Logger;
  isPaused(at: TopicPartition): boolean;
  /** How often the partition was sought. */
  seeks(at: TopicPartition): number;
  /** Pauses a partition. The result resumes it. */
  pause(at: TopicPartition): () => void;
  /** A handler threw. */
  failed(error: unknown): void;
}

const heartbeat = () => Promise.resolve();

export class BatchHandler {
  constructor(private readonly context: BatchHandlerContext) {}

  /** Calls the handler, and commits the offsets that it has resolved. */
  async handle(payload: Payload): Promise<void> {
    const { config, commits, consumer } = this.context;
    const { batch } = payload;
    const at = { topic: batch.topic, partition: batch.partition };
    commits.resolved.begin(at, batch.firstOffset());
    const isEachBatch = config.eachBatch !== undefined;
    const fetched = this.batchOf(payload, isEachBatch);
    await this.reported(fetched, batch.messages.length, async () => {
      try {
        await (isEachBatch
          ? this.handleBatch(payload, fetched(), at)
          : this.handleMessages(payload, at));
      } catch (error) {
        await this.failed(at, error);
        throw error;
      }
    });
    await commits.auto(consumer);
  }

  /** Emits the events before and after the handler. */
  private async reported(
    fetched: () => KafkaBatch,
    batchSize: number,
    call: () => Promise<void>,
  ): Promise<void> {
    const { events } = this.context;
    const since = Date.now();
    const progress = () => ({ ...progressOf(fetched()), batchSize });
    events.emit(CONSUMER_EVENTS.START_BATCH_PROCESS, progress);
    await call();
    const ended = () => ({ ...progress(), duration: Date.now() - since });
    events.emit(CONSUMER_EVENTS.END_BATCH_PROCESS, ended);
  }

  /** Makes the batch once, if it is needed: with its messages for `eachBatch`, and for events without. */
  private batchOf({ batch }: Payload, withMessages: boolean): () => KafkaBatch {
    const { client, groupId } = this.context;
    let made: KafkaBatch | undefined;
    return () => {
      if (made === undefined) {
        const { topic, partition } = batch;
        const [first, last] = [batch.firstOffset(), batch.lastOffset()];
        const end = highWatermark(client.metrics(), groupId, { topic, partition }, last);
        const messages = withMessages ? batch.messages.map(incoming) : [];
        made = new KafkaBatch(topic, partition, messages, first, last, end);
      }
      return made;
    };
  }

  private async handleMessages(payload: Payload, at: TopicPartition): Promise<void> {
    const { config, consumer, commits } = this.context;
    const eachMessage = config.eachMessage as NonNullable<RunConfig['eachMessage']>;
    const { topic, partition } = at;
    const pause = () => this.context.pause(at);
    for (const message of payload.batch.messages) {
      if (!payload.isRunning() || payload.isStale() || this.context.isPaused(at)) {
        return;
      }
      const seeks = this.context.seeks(at);
      await eachMessage({ topic, partition, message: incoming(message), heartbeat, pause });
      if (this.context.seeks(at) !== seeks) {
        return;
      }
      commits.resolved.resolve(at, message.offset + 1n);
      payload.resolveOffset(message.offset);
      if (commits.isDue) {
        await commits.auto(consumer);
      }
    }
  }

  private async handleBatch(
    payload: Payload,
    batch: KafkaBatch,
    at: TopicPartition,
  ): Promise<void> {
    const { config, consumer, commits } = this.context;
    const seeks = this.context.seeks(at);
    const isSought = () => this.context.seeks(at) !== seeks;
    const resolve = (offset: bigint) => {
      if (!isSought()) {
        commits.resolved.resolve(at, offset + 1n);
        payload.resolveOffset(offset);
      }
    };
    await config.eachBatch?.({
      batch,
      resolveOffset: (offset) => resolve(longOf(offset, 'offset')),
      heartbeat,
      pause: () => this.context.pause(at),
      commitOffsetsIfNecessary: async (offsets) => {
        if (offsets !== undefined && offsets !== null) {
          await commits.commit(consumer, () => offsetsOf(offsets));
        } else if (commits.isDue) {
          await commits.commit(consumer);
        }
      },
      uncommittedOffsets: () => shown(commits.resolved.uncommitted()),
      isRunning: payload.isRunning,
      isStale: () => isSought() || payload.isStale(),
    });
    if (config.eachBatchAutoResolve) {
      resolve(payload.batch.lastOffset());
    }
  }

  /** Commits the offsets before the message that failed. */
  private async failed({ topic, partition }: TopicPartition, error: unknown): Promise<void> {
    const { config, consumer, commits, logger } = this.context;
    const { message, stack } = kafkaJSError(error);
    const handler = config.eachMessage === undefined ? 'eachBatch' : 'eachMessage';
    logger.error(`Error when calling ${handler}: ${message}`, { topic, partition, stack });
    await commits.auto(consumer);
    this.context.failed(error);
  }
}

function progressOf(batch: KafkaBatch) {
  const { topic, partition, highWatermark: end } = batch;
  return {
    topic,
    partition,
    highWatermark: end,
    offsetLag: batch.offsetLag(),
    offsetLagLow: batch.offsetLagLow(),
    firstOffset: batch.firstOffset(),
    lastOffset: batch.lastOffset(),
  };
}

/** Offsets to commit, as kafkajs writes them. */
function offsetsOf({ topics }: Offsets): CommitOffset[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, offset, metadata }) => ({
      topic,
      partition,
      offset: longOf(offset, 'offset'),
      ...(typeof metadata === 'string' ? { metadata } : {}),
    })),
  );
}
