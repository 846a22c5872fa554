// A program of a user of kafkajs, compiled with the types of the adapter and with those of kafkajs itself.

import {
  AssignerProtocol,
  CompressionTypes,
  ConfigResourceTypes,
  type Consumer,
  type ConsumerConfig,
  type ConsumerRunConfig,
  type EachBatchPayload,
  type EachMessagePayload,
  type ICustomPartitioner,
  type IHeaders,
  Kafka,
  type KafkaConfig,
  KafkaJSError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  type KafkaMessage,
  type LogEntry,
  logLevel,
  type Message,
  type PartitionAssigner,
  PartitionAssigners,
  Partitioners,
  type Producer,
  type ProducerRecord,
  type RecordMetadata,
} from 'kafkajs';

const creator = (level: logLevel) => (entry: LogEntry) => {
  const { namespace, label, log } = entry;
  console.log(level, namespace, label, log.message, log.timestamp);
};

const config: KafkaConfig = {
  clientId: 'my-app',
  brokers: async () => ['localhost:9092'],
  ssl: { ca: ['pem'], cert: 'pem', key: 'pem' },
  sasl: { mechanism: 'scram-sha-512', username: 'ada', password: 'secret' },
  connectionTimeout: 1_000,
  requestTimeout: 30_000,
  retry: { initialRetryTime: 100, retries: 8, restartOnFailure: async () => true },
  logLevel: logLevel.INFO,
  logCreator: creator,
};
const kafka = new Kafka(config);

const partitioner: ICustomPartitioner =
  () =>
  ({ topic, partitionMetadata, message }) => {
    console.log(topic, message.key);
    return partitionMetadata[0]?.partitionId ?? 0;
  };
const producer: Producer = kafka.producer({ createPartitioner: partitioner, idempotent: true });
kafka.producer({ createPartitioner: Partitioners.LegacyPartitioner });
const headers: IHeaders = { trace: 'x', tags: ['a', Buffer.from('b')] };
const messages: Message[] = [{ key: 'k', value: 'v', headers, timestamp: '1000', partition: 0 }];
const record: ProducerRecord = {
  topic: 'flights',
  messages,
  acks: -1,
  compression: CompressionTypes.GZIP,
};
const sent: RecordMetadata[] = await producer.send(record);
const offset: string | undefined = sent[0]?.baseOffset;
await producer.sendBatch({ topicMessages: [{ topic: 'flights', messages }] });
// @ts-expect-error: a value is text, bytes or null.
await producer.send({ topic: 'flights', messages: [{ value: 5 }] });
// @ts-expect-error: a message needs a value.
await producer.send({ topic: 'flights', messages: [{ key: 'k' }] });

const assigner: PartitionAssigner = ({ cluster, groupId, logger }) => ({
  name: 'Mine',
  version: 1,
  assign: async ({ members, topics }) => {
    logger.info(groupId, { partitions: cluster.findTopicPartitionMetadata(topics[0] ?? '') });
    return members.map(({ memberId }) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({
        version: 1,
        assignment: { flights: [0] },
        userData: Buffer.alloc(0),
      }),
    }));
  },
  protocol: ({ topics }) => ({
    name: 'Mine',
    metadata: AssignerProtocol.MemberMetadata.encode({
      version: 1,
      topics,
      userData: Buffer.alloc(0),
    }),
  }),
});
const group: ConsumerConfig = {
  groupId: 'g',
  partitionAssigners: [PartitionAssigners.roundRobin, assigner],
};
const consumer: Consumer = kafka.consumer(group);
await consumer.subscribe({ topics: ['flights', /x.*/], fromBeginning: true });
const removeListener: () => void = consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
  const partitions: number[] | undefined = payload.memberAssignment.flights;
  console.log(payload.groupId, partitions);
});
consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
  console.log(error instanceof KafkaJSNumberOfRetriesExceeded && error.retryCount, restart);
});
removeListener();

async function eachMessage({ topic, partition, message, heartbeat, pause }: EachMessagePayload) {
  const read: KafkaMessage = message;
  console.log(topic, partition, read.offset, read.key?.toString(), read.headers?.trace);
  await heartbeat();
  pause()();
}

async function eachBatch(payload: EachBatchPayload): Promise<void> {
  const { batch, resolveOffset, commitOffsetsIfNecessary, uncommittedOffsets } = payload;
  for (const message of batch.messages) {
    if (!payload.isRunning() || payload.isStale()) {
      break;
    }
    resolveOffset(message.offset);
  }
  const first: string | null = batch.firstOffset();
  console.log(first, batch.lastOffset(), batch.highWatermark, batch.offsetLag());
  await commitOffsetsIfNecessary(uncommittedOffsets());
}

const run: ConsumerRunConfig = {
  autoCommitInterval: 5_000,
  autoCommitThreshold: null,
  eachMessage,
};
await consumer.run(run);
await consumer.run({ eachBatch, partitionsConsumedConcurrently: 3, eachBatchAutoResolve: false });
consumer.seek({ topic: 'flights', partition: 0, offset: '12' });
consumer.pause([{ topic: 'flights' }]);
consumer.resume([{ topic: 'flights', partitions: [0] }]);
await consumer.commitOffsets([{ topic: 'flights', partition: 0, offset: '12' }]);
const { state, members } = await consumer.describeGroup();
console.log(state === 'Stable', members[0]?.memberId);

const admin = kafka.admin({ retry: { retries: 2 } });
const created: boolean = await admin.createTopics({
  topics: [{ topic: 'flights', numPartitions: 3, configEntries: [{ name: 'a', value: 'b' }] }],
});
for (const { partition, high, low } of await admin.fetchTopicOffsets('flights')) {
  console.log(partition, high, low);
}
const { resources } = await admin.describeConfigs({
  includeSynonyms: false,
  resources: [{ type: ConfigResourceTypes.TOPIC, name: 'flights' }],
});
console.log(created, offset, resources[0]?.configEntries[0]?.configValue);

try {
  await producer.connect();
} catch (error) {
  if (error instanceof KafkaJSProtocolError) {
    const { type, code, retriable }: { type: string; code: number; retriable: boolean } = error;
    console.log(type, code, retriable, error instanceof KafkaJSError);
  }
}

const { brokers, controller } = await kafka.admin().describeCluster();
const port: number | undefined = brokers.find(({ nodeId }) => nodeId === controller)?.port;
const subscribed = members.map(
  ({ memberMetadata }) => AssignerProtocol.MemberMetadata.decode(memberMetadata)?.topics,
);
await kafka
  .consumer({ groupId: 'g' })
  .commitOffsets([{ topic: 'flights', partition: 0, offset: '1', metadata: 'half' }]);
const { topics: described } = await kafka.admin().fetchTopicMetadata();
const isr: number[] | undefined = described[0]?.partitions[0]?.isr;
console.log(port, subscribed, isr);
