// The admin of kafkajs.

import type { Client } from '../client.js';
import { describeCluster } from './admin_cluster.js';
import * as configs from './admin_configs.js';
import * as groups from './admin_groups.js';
import * as topics from './admin_topics.js';
import { type Cluster, Lease } from './cluster.js';
import { converted } from './convert_error.js';
import { KafkaJSNotImplemented, KafkaJSProtocolError } from './errors.js';
import { ADMIN_EVENTS, Events } from './events.js';
import { describeGroups } from './groups.js';
import { options } from './options.js';
import { type RetryPolicy, retried, retryOptions, retryPolicy } from './retry.js';
import type { Admin, AdminConfig, Logger } from './types.js';

const NO_ACLS = 'ACLs are not supported yet: Kafka’s kafka-acls.sh lists and changes them.';
const NO_REASSIGNMENTS =
  'Reassigning partitions is not supported: Kafka’s kafka-reassign-partitions.sh does it.';

function refusal(reason: string): () => Promise<never> {
  return async () => {
    throw new KafkaJSNotImplemented(reason);
  };
}

/** Whether the same call may succeed soon. */
function isTransient(error: Error): boolean {
  return error instanceof KafkaJSProtocolError && error.retriable;
}

/** Topics, groups and their configuration. */
export class KafkaAdmin implements Admin {
  readonly events = ADMIN_EVENTS;
  private readonly log: Logger;
  private readonly emitter: Events;
  private readonly lease: Lease;
  private readonly retry: RetryPolicy;

  constructor(cluster: Cluster, rootLogger: Logger, given: AdminConfig | undefined) {
    const { retry } = options('admin()', given, { retry: retryOptions });
    this.log = rootLogger.namespace('Admin');
    this.emitter = new Events(this.log, 'admin', ADMIN_EVENTS);
    this.lease = new Lease(cluster);
    this.retry = retryPolicy({ retries: 0 }, cluster.connection.retry, retry);
  }

  /** Connects to the cluster. */
  connect = async (): Promise<void> => {
    await this.lease.client();
    this.emitter.emit(ADMIN_EVENTS.CONNECT);
  };

  /** Gives the connection up. */
  disconnect = async (): Promise<void> => {
    await converted(() => this.lease.release());
    this.emitter.emit(ADMIN_EVENTS.DISCONNECT);
  };

  listTopics: Admin['listTopics'] = () => this.call(topics.listTopics);

  createTopics: Admin['createTopics'] = (given) =>
    this.call((client) => topics.createTopics(client, given));

  deleteTopics: Admin['deleteTopics'] = (given) =>
    this.call((client) => topics.deleteTopics(client, given));

  createPartitions: Admin['createPartitions'] = (given) =>
    this.call((client) => topics.createPartitions(client, given));

  fetchTopicMetadata: Admin['fetchTopicMetadata'] = (given) =>
    this.call((client) => topics.fetchTopicMetadata(client, given));

  fetchTopicOffsets: Admin['fetchTopicOffsets'] = (topic) =>
    this.call((client) => topics.fetchTopicOffsets(client, topic));

  fetchTopicOffsetsByTimestamp: Admin['fetchTopicOffsetsByTimestamp'] = (topic, timestamp) =>
    this.call((client) => topics.fetchTopicOffsetsByTimestamp(client, topic, timestamp));

  deleteTopicRecords: Admin['deleteTopicRecords'] = (given) =>
    this.call((client) => topics.deleteTopicRecords(client, given));

  listGroups: Admin['listGroups'] = () => this.call(groups.listGroups);

  describeGroups: Admin['describeGroups'] = (groupIds) =>
    this.call(async (client) => ({ groups: await describeGroups(client, groupIds) }));

  deleteGroups: Admin['deleteGroups'] = (groupIds) =>
    this.call((client) => groups.deleteGroups(client, groupIds));

  fetchOffsets: Admin['fetchOffsets'] = (given) =>
    this.call((client) => groups.fetchOffsets(client, given));

  setOffsets: Admin['setOffsets'] = (given) =>
    this.call((client) => groups.setOffsets(client, given));

  resetOffsets: Admin['resetOffsets'] = (given) =>
    this.call((client) => groups.resetOffsets(client, given));

  describeConfigs: Admin['describeConfigs'] = (given) =>
    this.call((client) => configs.describeConfigs(client, given));

  alterConfigs: Admin['alterConfigs'] = (given) =>
    this.call((client) => configs.alterConfigs(client, given));

  describeCluster: Admin['describeCluster'] = () => this.call(describeCluster);

  describeAcls: Admin['describeAcls'] = refusal(NO_ACLS);
  createAcls: Admin['createAcls'] = refusal(NO_ACLS);
  deleteAcls: Admin['deleteAcls'] = refusal(NO_ACLS);
  alterPartitionReassignments: Admin['alterPartitionReassignments'] = refusal(NO_REASSIGNMENTS);
  listPartitionReassignments: Admin['listPartitionReassignments'] = refusal(NO_REASSIGNMENTS);

  on: Admin['on'] = (name: string, listener: (event: never) => void) =>
    this.emitter.on(name, listener as never);

  logger = (): Logger => this.log;

  /** The native half retries what may succeed soon; `retry` tries the whole call again. */
  private call<T>(work: (client: Client) => Promise<T>): Promise<T> {
    return converted(async () => {
      const client = await this.lease.client();
      return this.retry.retries === 0
        ? work(client)
        : retried(this.retry, () => work(client), isTransient);
    });
  }
}
