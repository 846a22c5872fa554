// The producer of kafkajs.

import type { Client } from '../client.js';
import type { ProducerOptions } from '../client_options.js';
import { UnknownTopicOrPartitionError } from '../errors.js';
import { boolean, count, milliseconds } from '../options.js';
import type { Producer as HeadwaterProducer } from '../producer.js';
import type { MessageToSend } from '../records.js';
import { type Cluster, Lease } from './cluster.js';
import { backoff } from './connection.js';
import { converted, refused } from './convert_error.js';
import { KafkaJSError, KafkaJSNotImplemented } from './errors.js';
import { Events, PRODUCER_EVENTS } from './events.js';
import { anything, options, unsupported } from './options.js';
import { mergedTopics, outgoing } from './outgoing.js';
import { Partitioners, RoundRobin } from './partitioners.js';
import { retryOptions } from './retry.js';
import { type SendOptions, SendProducers, sendOptions } from './send_producers.js';
import { Topics } from './topics.js';
import type {
  ICustomPartitioner,
  Logger,
  PartitionMetadata,
  Producer,
  ProducerBatch,
  ProducerConfig,
  ProducerRecord,
  RecordMetadata,
  TopicMessages,
  Transaction,
} from './types.js';

const NO_TRANSACTIONS =
  'transactions are not supported yet; a producer with idempotent: true writes each record once, and in order.';

const OPTIONS = {
  createPartitioner: anything,
  retry: retryOptions,
  metadataMaxAge: milliseconds,
  allowAutoTopicCreation: boolean,
  idempotent: boolean,
  transactionalId: unsupported(NO_TRANSACTIONS),
  transactionTimeout: unsupported(NO_TRANSACTIONS),
  maxInFlightRequests: count,
};

const SEND_OPTIONS = { acks: anything, timeout: anything, compression: anything };
const SEND = { ...SEND_OPTIONS, topic: anything, messages: anything };
const SEND_BATCH = { ...SEND_OPTIONS, topicMessages: anything };

/** Records of one topic, ready to be sent. */
interface TopicRecords {
  topic: string;
  messages: TopicMessages['messages'];
  records: MessageToSend[];
}

/** Sends messages. */
export class KafkaProducer {
  readonly events = PRODUCER_EVENTS;
  private readonly log: Logger;
  private readonly emitter: Events;
  private readonly lease: Lease;
  private readonly topics: Topics;
  private readonly producers: SendProducers;
  private readonly idempotent: boolean;
  /** A partitioner of the caller's; none if Headwater's does the same. */
  private readonly partitioner: ReturnType<ICustomPartitioner> | undefined;
  private readonly turns = new RoundRobin();
  private readonly inFlight = new Set<Promise<unknown>>();
  private state: 'disconnected' | 'connected' | 'disconnecting' = 'disconnected';

  constructor(cluster: Cluster, rootLogger: Logger, given: ProducerConfig | undefined) {
    const known = options('producer()', given, OPTIONS);
    this.idempotent = known.idempotent ?? false;
    if (this.idempotent && known.retry?.retries !== undefined && known.retry.retries < 1) {
      throw refused('Idempotent producer must allow retries to protect against transient errors');
    }
    this.log = rootLogger.namespace('Producer');
    this.emitter = new Events(this.log, 'producer', PRODUCER_EVENTS);
    this.lease = new Lease(cluster);
    this.topics = new Topics(known.allowAutoTopicCreation ?? true, known.metadataMaxAge);
    this.producers = new SendProducers(producerConfig(known, this.idempotent));
    const create = (known.createPartitioner ??
      Partitioners.DefaultPartitioner) as ICustomPartitioner;
    this.partitioner = create === Partitioners.DefaultPartitioner ? undefined : create();
  }

  /** Connects to the cluster. */
  connect = async (): Promise<void> => {
    await this.lease.client();
    this.state = 'connected';
    this.emitter.emit(PRODUCER_EVENTS.CONNECT);
  };

  /** Waits for the sends in flight, and gives the connection up. */
  disconnect = async (): Promise<void> => {
    this.state = 'disconnecting';
    this.topics.clear();
    try {
      await Promise.allSettled(this.inFlight);
      await converted(() => this.producers.close());
    } finally {
      await this.lease.release();
      this.state = 'disconnected';
      this.emitter.emit(PRODUCER_EVENTS.DISCONNECT);
    }
  };

  /** Sends messages of one topic, and waits until all are acknowledged. */
  send = async (record: ProducerRecord): Promise<RecordMetadata[]> => {
    const { topic, messages, ...others } = options('send()', record, SEND);
    return this.sendTopics(
      [{ topic, messages } as TopicMessages],
      sendOptions(others, this.idempotent),
    );
  };

  /** Sends messages of several topics, all checked first, and waits until all are acknowledged. */
  sendBatch = async (batch: ProducerBatch): Promise<RecordMetadata[]> => {
    const { topicMessages = [], ...others } = options('sendBatch()', batch, SEND_BATCH);
    return this.sendTopics(topicMessages as TopicMessages[], sendOptions(others, this.idempotent));
  };

  isIdempotent = (): boolean => this.idempotent;

  /** Rejects: there are no transactions yet. */
  transaction = async (): Promise<Transaction> => {
    throw new KafkaJSNotImplemented(NO_TRANSACTIONS);
  };

  on: Producer['on'] = (name: string, listener: (event: never) => void) =>
    this.emitter.on(name, listener as never);

  logger = (): Logger => this.log;

  private async sendTopics(
    topicMessages: readonly TopicMessages[],
    given: SendOptions,
  ): Promise<RecordMetadata[]> {
    const topics = mergedTopics(topicMessages).map(({ topic, messages }) => ({
      topic,
      messages,
      records: messages.map((message, index) => outgoing(message, topic, index)),
    }));
    this.refuseUnlessConnected();
    const sent = converted(() => this.sendAll(topics, given));
    this.inFlight.add(sent);
    try {
      return await sent;
    } finally {
      this.inFlight.delete(sent);
    }
  }

  private async sendAll(topics: TopicRecords[], given: SendOptions): Promise<RecordMetadata[]> {
    const client = await this.lease.client();
    const producer = this.producers.of(client, given);
    const sent = await Promise.all(topics.map((topic) => this.sendTopic(client, producer, topic)));
    return given.acks === 0 ? [] : sent.flat();
  }

  private refuseUnlessConnected(): void {
    if (this.state === 'disconnecting') {
      throw refused(
        "The producer is disconnecting; therefore, it can't safely accept messages anymore",
      );
    }
    if (this.state === 'disconnected') {
      throw new KafkaJSError('The producer is disconnected');
    }
  }

  private async sendTopic(
    client: Client,
    producer: HeadwaterProducer,
    { topic, messages, records }: TopicRecords,
  ): Promise<RecordMetadata[]> {
    const partitions = await this.topics.partitions(client, topic);
    for (const [index, record] of records.entries()) {
      this.choosePartition(topic, partitions, messages[index] as never, record);
    }
    try {
      return records.length === 1
        ? [await sendOne(producer, topic, records[0] as MessageToSend)]
        : await sendMany(producer, topic, records);
    } catch (error) {
      if (error instanceof UnknownTopicOrPartitionError) {
        this.topics.forget(topic);
      }
      throw error;
    }
  }

  /** Sets the partition of a record, unless Headwater chooses the same one. */
  private choosePartition(
    topic: string,
    partitionMetadata: PartitionMetadata[],
    message: TopicMessages['messages'][number],
    record: MessageToSend,
  ): void {
    if (this.partitioner !== undefined) {
      const partition = this.partitioner({ topic, partitionMetadata, message });
      if (!Number.isSafeInteger(partition) || partition < 0) {
        throw refused(
          `The partitioner returned ${String(partition)} for a message of topic "${topic}": it must be the number of a partition`,
        );
      }
      record.partition = partition;
    } else if (record.partition === undefined && record.key === null) {
      record.partition = this.turns.next(topic, partitionMetadata);
    }
  }
}

function producerConfig(
  known: { [option: string]: unknown; retry?: { retries?: number } },
  idempotent: boolean,
): ProducerOptions {
  const { retry, metadataMaxAge, maxInFlightRequests } = known;
  const retries = retry?.retries;
  return {
    ...backoff(retry),
    ...(retries === undefined ? {} : { retries: Math.min(retries, 0x7fff_ffff) }),
    ...(metadataMaxAge === undefined ? {} : { metadataMaxAgeMs: metadataMaxAge as number }),
    ...(maxInFlightRequests === undefined
      ? {}
      : { config: { 'max.in.flight.requests.per.connection': maxInFlightRequests as number } }),
    ...(idempotent ? { enableIdempotence: true } : {}),
  };
}

async function sendOne(
  producer: HeadwaterProducer,
  topic: string,
  record: MessageToSend,
): Promise<RecordMetadata> {
  const { partition, offset } = await producer.send({ topic, ...record });
  return metadata(topic, partition, offset);
}

async function sendMany(
  producer: HeadwaterProducer,
  topic: string,
  records: MessageToSend[],
): Promise<RecordMetadata[]> {
  const { offsets } = await producer.sendBatch(topic, records);
  const first = new Map<number, bigint>();
  for (const { partition, start } of offsets) {
    if (!first.has(partition)) {
      first.set(partition, start);
    }
  }
  return [...first].map(([partition, start]) => metadata(topic, partition, start));
}

function metadata(
  topicName: string,
  partition: number,
  offset: bigint | undefined,
): RecordMetadata {
  const baseOffset = offset === undefined ? {} : { baseOffset: String(offset) };
  return { topicName, partition, errorCode: 0, ...baseOffset };
}
