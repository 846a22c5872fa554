// Names of other clients (kafkajs, node-rdkafka), with the names of this package.

import { invalid } from './errors.js';

const FROM_BEGINNING = "pass autoOffsetReset: 'earliest' to consumer()";
const TO_RUN = 'pass it to run() of the consumer';
const MAIN_GROUP = 'pass it to consumer()';
const SECURITY =
  "pass securityProtocol: 'SSL' or 'SASL_SSL' with sslTruststoreLocation, saslMechanism, saslUsername and saslPassword";

/**
 * Options that are named alike in all calls.
 *
 * @internal
 */
export const OPTIONS: Readonly<Record<string, string>> = {
  'bootstrap.servers': 'pass the addresses first, connect("host:9092", ...)',
  'metadata.broker.list': 'pass the addresses first, connect("host:9092", ...)',
  allowAutoTopicCreation: 'create the topic with createTopic(name, {ifExists: "ignore"})',
  autoCommit: 'pass enableAutoCommit to consumer()',
  autoCommitInterval: 'pass autoCommitIntervalMs to consumer()',
  autoCommitThreshold: 'pass autoCommitIntervalMs to consumer(), or call commit()',
  bootstrapServers: 'pass the addresses first, connect("host:9092", ...)',
  brokers: 'pass the addresses first, connect("host:9092", ...)',
  compression: 'pass compressionType to producer()',
  connectionTimeout: 'pass socketConnectionSetupTimeoutMs',
  createPartitioner: 'pass the partition of each record to send()',
  dr_cb: 'send() returns a promise of the result',
  dr_msg_cb: 'send() returns a promise of the result',
  eachBatch: TO_RUN,
  eachMessage: TO_RUN,
  fromBeginning: FROM_BEGINNING,
  groupId: MAIN_GROUP,
  heartbeatInterval: 'pass heartbeatIntervalMs to consumer()',
  idempotent: 'pass enableIdempotence to producer()',
  maxBytesPerPartition: 'pass maxPartitionFetchBytes to consumer()',
  maxInFlightRequests: 'pass maxInFlightRequestsPerConnection to producer()',
  maxWaitTimeInMs: 'pass fetchMaxWaitMs to consumer()',
  messages: 'send() takes one record, sendBatch(topic, messages) takes many',
  metadataMaxAge: 'pass metadataMaxAgeMs',
  minBytes: 'pass fetchMinBytes to consumer()',
  partitionAssigners: 'pass partitionAssignmentStrategy to consumer()',
  partitionsConsumedConcurrently: 'pass concurrency to run()',
  rebalanceTimeout: 'pass maxPollIntervalMs to consumer()',
  rebalance_cb: 'pass onAssign and onRevoke to subscribe(), or call on("assign", ...)',
  requestTimeout: 'pass requestTimeoutMs',
  sasl: SECURITY,
  sessionTimeout: 'pass sessionTimeoutMs to consumer()',
  ssl: SECURITY,
  topicMessages: 'call sendBatch(topic, messages) for each topic',
};

const CREATING = {
  configEntries: 'pass the keys themselves, such as retentionMs: "7d"',
  numPartitions: 'pass partitions',
  waitForLeaders: 'leave it out, the call waits for them',
};

/** Options that are refused in one call only, because others have them. */
const OF_CALL: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'alterTopic()': CREATING,
  'consumer()': { maxBytes: 'pass fetchMaxBytes' },
  'createTopic()': CREATING,
  'send()': { acks: 'pass it to producer()' },
  'sendBatch()': { acks: 'pass it to producer()' },
};

/** The replacement of another client's option. */
export function habit(call: string, name: string): string | undefined {
  const ofCall = OF_CALL[call];
  if (ofCall !== undefined && Object.hasOwn(ofCall, name)) {
    return ofCall[name];
  }
  return Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
}

const CONNECTS = 'leave it out, the client is connected';
const CLOSE = 'call close()';

/**
 * Methods of other clients, by class, with their replacements.
 *
 * @internal
 */
export const METHODS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Client: {
    admin: 'the client has its methods itself, such as createTopic() and groups()',
    alterConfigs: 'call alterTopic(name, config)',
    connect: CONNECTS,
    createPartitions: 'call alterTopic(name, {partitions})',
    createTopics: 'call createTopic(name) for each topic',
    deleteGroups: 'call deleteGroup(groupId) for each group',
    deleteTopicRecords: 'call deleteRecords(topic, before)',
    deleteTopics: 'call deleteTopic(name) for each topic',
    describeConfigs: 'call topicConfig(name)',
    describeGroups: 'call describeGroup(groupId) for each group',
    disconnect: CLOSE,
    fetchOffsets: 'call groupOffsets(groupId)',
    fetchTopicMetadata: 'call topics(), or describe() of a topic',
    fetchTopicOffsets: 'call offsets("latest") of the topic',
    fetchTopicOffsetsByTimestamp: 'call offsets(new Date(...)) of the topic',
    getMetadata: 'call topics() and describeCluster()',
    listGroups: 'call groups()',
    listTopics: 'call topics()',
    resetOffsets: 'call resetGroupOffsets(groupId, topic, "earliest")',
    setOffsets: 'call resetGroupOffsets(groupId, topic, offsets)',
  },
  Consumer: {
    commitMessage: 'call commit(message)',
    commitMessageSync: 'call commit(message)',
    commitOffsets: 'call commit(offsets)',
    commitSync: 'call commit(offsets)',
    connect: CONNECTS,
    consume: 'call poll(), or iterate with "for await (const message of consumer)"',
    describeGroup: 'call describeGroup(groupId) of the client',
    disconnect: CLOSE,
    getWatermarkOffsets: 'call offsets("earliest") and offsets("latest") of the topic',
    incrementalAssign: 'call assign() with all partitions',
    logger: 'errors are thrown, and metrics() of the client has the rest',
    offsetsForTimes: 'call offsets(new Date(...)) of the topic',
    offsetsStore: 'call commit(offsets, {wait: false})',
    queryWatermarkOffsets: 'call offsets("earliest") and offsets("latest") of the topic',
    subscription: 'call assignment()',
    unassign: 'call unsubscribe()',
  },
  Producer: {
    beginTransaction:
      'transactions are not supported yet: enableIdempotence avoids duplicates of a retry',
    connect: CONNECTS,
    disconnect: CLOSE,
    initTransactions:
      'transactions are not supported yet: enableIdempotence avoids duplicates of a retry',
    isIdempotent: 'pass enableIdempotence to producer()',
    on: 'send() returns a promise of the result',
    poll: 'leave it out, promises settle by themselves',
    produce: 'call send({topic, key, value, partition, timestamp})',
    setPollInterval: 'leave it out, promises settle by themselves',
    transaction:
      'transactions are not supported yet: enableIdempotence avoids duplicates of a retry',
  },
  Topic: {
    getPartitions: 'call partitions()',
    metadata: 'call describe()',
  },
};

/**
 * Gives a class the methods that users of other clients look for. They throw an error with the name to use. Types do
 * not have them.
 */
export function refuseForeignMethods(name: string, { prototype }: { prototype: object }): void {
  for (const [method, instead] of Object.entries(METHODS[name] ?? {})) {
    Object.defineProperty(prototype, method, {
      configurable: true,
      writable: true,
      value: () => {
        throw invalid(`${name} has no method ${method}(): ${instead}.`);
      },
    });
  }
}
