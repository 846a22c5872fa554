// The connection that the producers, consumers and admins of one `Kafka` share.

import type { Client } from '../client.js';
import { AuthenticationError, UnknownTopicOrPartitionError } from '../errors.js';
import { connect } from '../open.js';
import type { Connection } from './connection.js';
import { kafkaJSError } from './convert_error.js';
import { KafkaJSConnectionError, KafkaJSNotImplemented } from './errors.js';
import { retried, retryPolicy } from './retry.js';
import type { PartitionMetadata } from './types.js';

/** Kafka's code of a partition that has no leader. */
const LEADER_NOT_AVAILABLE = 5;

/** Connects when the first user needs it, and closes when the last one has gone. May be used concurrently. */
export class Cluster {
  private users = 0;
  private connecting: Promise<Client> | undefined;

  constructor(readonly connection: Connection) {}

  /** Connects for one user more. */
  async acquire(): Promise<Client> {
    this.users++;
    this.connecting ??= this.connect();
    const { connecting } = this;
    try {
      return await connecting;
    } catch (error) {
      this.users--;
      if (this.connecting === connecting) {
        this.connecting = undefined;
      }
      throw error;
    }
  }

  /** One user less. */
  async release(): Promise<void> {
    this.users--;
    if (this.users === 0) {
      const { connecting } = this;
      this.connecting = undefined;
      const client = await connecting;
      if (this.connection.client === undefined) {
        await client?.close();
      }
    }
  }

  private connect(): Promise<Client> {
    const { client, brokers, config, retry } = this.connection;
    if (client !== undefined || brokers === undefined) {
      return Promise.resolve(client as Client);
    }
    return retried(retryPolicy(retry), async () => {
      try {
        return await connect(await brokers(), config);
      } catch (error) {
        // Without SASL it is the certificate that is refused.
        throw error instanceof AuthenticationError && config.saslMechanism === undefined
          ? new KafkaJSConnectionError(error, { cause: error })
          : error;
      }
    });
  }
}

/** The connection as one producer, consumer or admin uses it. */
export class Lease {
  private acquired: Promise<Client> | undefined;

  constructor(readonly cluster: Cluster) {}

  /** Whether `client()` was called since the last `release()`. */
  get isHeld(): boolean {
    return this.acquired !== undefined;
  }

  /** The client; connects at the first call. */
  async client(): Promise<Client> {
    this.acquired ??= this.cluster.acquire();
    const { acquired } = this;
    try {
      return await acquired;
    } catch (error) {
      if (this.acquired === acquired) {
        this.acquired = undefined;
      }
      throw kafkaJSError(error);
    }
  }

  /** Gives the connection up. Idempotent. */
  async release(): Promise<void> {
    const { acquired } = this;
    this.acquired = undefined;
    if (acquired !== undefined) {
      const client = await acquired.catch(() => undefined);
      if (client !== undefined) {
        await this.cluster.release();
      }
    }
  }
}

/** The partitions of a topic. */
export async function partitionsOf(client: Client, topic: string): Promise<PartitionMetadata[]> {
  const partitions = await client.topic(topic).describe();
  return partitions.map(({ partition, leader, replicas, inSyncReplicas, offlineReplicas }) => ({
    partitionErrorCode: leader === undefined ? LEADER_NOT_AVAILABLE : 0,
    partitionId: partition,
    leader: leader ?? -1,
    replicas,
    isr: inSyncReplicas,
    offlineReplicas,
  }));
}

/** {@link partitionsOf}. A missing topic is created, with the broker's defaults, if `mayCreate` is set. */
export async function partitionsOfNew(
  client: Client,
  topic: string,
  mayCreate: boolean,
): Promise<PartitionMetadata[]> {
  try {
    return await partitionsOf(client, topic);
  } catch (error) {
    if (!mayCreate || !(error instanceof UnknownTopicOrPartitionError)) {
      throw error;
    }
  }
  await client.createTopic(topic, { partitions: null, ifExists: 'ignore' });
  return partitionsOf(client, topic);
}

/** Stands in for the cluster when an assigner is made, of which only the name is read. */
export const NO_CLUSTER = {
  findTopicPartitionMetadata(): never {
    throw new KafkaJSNotImplemented(
      'Custom assigners cannot run: the native half assigns partitions. Use one of PartitionAssigners.',
    );
  },
};
