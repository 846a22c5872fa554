// A user's program for the TypeScript compiler. `make test-node` checks it with --strict.

import { tracingChannel } from 'node:diagnostics_channel';
import { context, propagation } from '@opentelemetry/api';
import { Field, Int64, Schema } from 'apache-arrow';
import {
  type Batch,
  type ConsumeEvent,
  connect,
  type GroupMetadata,
  headersGetter,
  headersSetter,
  type Message,
  open,
  type ProduceEvent,
  type RecordMetadata,
  type StatsListener,
  type TopicPartition,
} from 'headwater';
import { startBroker, type TestBroker } from 'headwater/testing';

await using client = await open('./data', { numPartitions: 3 });
await using cluster = await connect(['localhost:9092'], { clientId: 'types' });
await client.createTopic('flights', { partitions: 3, retentionMs: -1, ifExists: 'ignore' });

const bytes = client.producer({ lingerMs: 5, compressionType: 'zstd' });
const sent: RecordMetadata = await bytes.send({
  topic: 'flights',
  key: 'UA',
  value: Buffer.from('late'),
});
const offset: bigint | undefined = sent.offset;

const json = cluster.producer({ key: 'string', value: 'json' });
await json.send({
  topic: 'flights',
  key: 'UA',
  value: { delay: 11 },
  headers: { trace: 'x' },
  timestamp: new Date(),
});
// @ts-expect-error: an object needs the format "json".
await bytes.send({ topic: 'flights', value: { delay: 11 } });
// @ts-expect-error: a key of format "string" is text.
await json.send({ topic: 'flights', key: 7, value: 1 });

const consumer = client.consumer({
  topics: /flights-.*/,
  groupId: 'readers',
  key: 'string',
  value: 'json',
});
for await (const message of consumer) {
  const key: string | null = message.key;
  const delay: number = message.value.delay;
  const at: bigint = message.offset;
  console.log(key, delay, at, message.header('trace'));
}
await consumer.run({
  concurrency: 3,
  eachMessage: async ({ message, heartbeat }) => {
    const text: string | null = message.key;
    console.log(text);
    await heartbeat();
  },
});

const typed = client.topic('flights').scan({
  value: 'json',
  schema: { delay: 'int64', origin: { code: 'string' }, stops: ['string'], late: 'bool' },
  progress: ({ recordsDone, recordsTotal }) => console.log(recordsDone / recordsTotal),
});
for await (const flights of typed) {
  for (const { value } of flights) {
    const delay: bigint | null | undefined = value?.delay;
    const code: string | null | undefined = value?.origin?.code;
    const stops: (string | null)[] | null | undefined = value?.stops;
    // @ts-expect-error: a boolean is not text.
    const late: string | null | undefined = value?.late;
    console.log(delay, code, stops, late);
  }
}
const members = client.consumer({ topics: 'flights', value: 'json', schema: { n: 'double' } });
const [first] = await members.poll();
const number: number | null | undefined = first?.value?.n;
const arrowSchema = new Schema([new Field('n', new Int64(), true)]);
const untyped = await client.topic('flights').tail(1, { value: 'json', schema: arrowSchema });
console.log(number, untyped.at(0)?.value.anything);

const batch: Batch = await client.topic('flights').head(10);
const message: Message | undefined = batch.at(0);
const value: Buffer | null | undefined = message?.value;
const rows: number = batch.toArrow().numRows;
// @ts-expect-error: "xml" is not a format.
client.topic('flights').scan({ value: 'xml' });
console.log(offset, value, rows);

const decoded = await batch.decode({ key: 'string', value: 'json', schema: { delay: 'int64' } });
const delayed: bigint | null | undefined = decoded.slice(0, -1).at(0)?.value?.delay;
const keyOfDecoded: string | null | undefined = decoded.at(0)?.key;
// @ts-expect-error: the schema has no such field.
console.log(delayed, keyOfDecoded, decoded.at(0)?.value?.distance);
const columns: string[] = (await client.topic('flights').scan().schema()).names;
const member: GroupMetadata | null = consumer.groupMetadata();
await consumer.commit({ topic: 'flights', partition: 0, offset: 1n, metadata: 'half' });
const { members: described } = await client.describeGroup('readers');
const assigned: TopicPartition[] | undefined = described[0]?.assignment;
const hosts: string[] = (await client.describeCluster()).brokers.map(({ host }) => host);
const listener: StatsListener = (metrics) => console.log(metrics['request-total']);
await open(null, { stats: listener, statisticsIntervalMs: 1_000 });
// @ts-expect-error: stats is a function.
await open(null, { stats: 5 });
const size: number | null = await client.topic('flights').sizeBytes();
console.log(columns, member?.memberId, assigned, hosts, size);

const broker: TestBroker = await startBroker({
  topics: { orders: { partitions: 3 } },
  numPartitions: 2,
});
const [order] = await broker.waitFor('orders', 1, { key: 'string', value: 'json' });
const id: string | null | undefined = order?.key;
const alert = await broker.waitFor('alerts', (message) => message.key === id, { key: 'string' });
const bytesOfAlert: Buffer | null = alert.value;
// @ts-expect-error: a number of messages or a function.
await broker.waitFor('orders', 'all');
const texts: (string | null)[] = (await broker.messages('orders', { value: 'string' })).map(
  (message) => message.value,
);
console.log(bytesOfAlert, texts, broker.address, broker.brokers[0]);

const headers: [string, string | Buffer][] = [['gate', Buffer.from('B7')]];
propagation.inject(context.active(), headers, headersSetter);
await bytes.send({ topic: 'flights', value: 'late', headers });
for await (const { headers } of consumer) {
  propagation.extract(context.active(), headers, headersGetter);
}
tracingChannel<unknown, ProduceEvent>('headwater:produce').subscribe({
  start({ messages = [] }) {
    for (const message of messages) {
      propagation.inject(context.active(), message.headers, headersSetter);
    }
  },
  asyncEnd: ({ result }) => console.log(result),
  end() {},
  asyncStart() {},
  error: ({ error }) => console.error(error),
});
tracingChannel<unknown, ConsumeEvent>('headwater:consume').start.subscribe((event) => {
  console.log((event as ConsumeEvent).operation);
});
