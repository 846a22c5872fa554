// Clients and topics: the cases of tests/python/test_client.py.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ClosedError,
  ConfigError,
  HeadwaterError,
  InvalidArgumentError,
  open,
  TopicAlreadyExistsError,
  UnknownTopicOrPartitionError,
} from 'headwater';
import {
  directory,
  flights,
  name,
  onTargets,
  ownTopics,
  rejects,
  until,
  values,
} from './support.mjs';

test('a directory keeps its records', async (context) => {
  const path = await directory(context);
  {
    await using client = await open(path);
    await flights(client);
  }
  await using client = await open(path);
  assert.equal(await client.topic('flights').count(), 10);
  assert.equal(client.recovery, null);
});

test('the same path twice is the same engine', async (context) => {
  const path = await directory(context);
  const one = await open(path);
  const two = await open(path);
  await one.createTopic('flights');
  await one.close();
  assert.deepEqual(
    (await two.topics()).map(({ name }) => name),
    ['flights'],
  );
  await two.close();
});

test('two engines in memory share nothing', async () => {
  await using one = await open();
  await using two = await open(null);
  await one.createTopic('flights');
  assert.deepEqual(await two.topics(), []);
});

onTargets('ifExists takes the topic that is there', async (client) => {
  await client.createTopic(name('flights'), { partitions: 3 });
  await rejects(client.createTopic(name('flights')), TopicAlreadyExistsError);
  const topic = await client.createTopic(name('flights'), { ifExists: 'ignore' });
  assert.equal(topic.name, name('flights'));
  assert.equal((await topic.describe()).length, 3);
});

onTargets('configuration is taken as Kafka spells it and in camelCase', async (client) => {
  await client.createTopic(name('flights'), {
    retentionMs: 1_000,
    config: { 'cleanup.policy': 'compact' },
  });
  const config = new Map(
    (await client.topicConfig(name('flights'))).map((entry) => [entry.name, entry]),
  );
  assert.equal(config.get('retention.ms').value, '1000');
  assert.equal(config.get('cleanup.policy').value, 'compact');
});

onTargets('a broker tells its configuration', async (client) => {
  const { brokers } = await client.describeCluster();
  const lowest = brokers.map(({ id }) => id).sort((a, b) => a - b)[0];
  const [own, byId] = [await client.brokerConfig(), await client.brokerConfig(lowest)];
  assert.deepEqual(own, byId);
  const retention = own.find((entry) => entry.name === 'log.retention.hours');
  assert.deepEqual([retention.value, retention.source], ['168', 'DEFAULT_CONFIG']);
  await rejects(client.brokerConfig(lowest + 1_000), HeadwaterError);
  await rejects(client.brokerConfig('one'), InvalidArgumentError, /broker/);
});

onTargets('an unknown topic key is named with the nearest one', async (client) => {
  await rejects(
    client.createTopic(name('trains'), { retentionMz: 1 }),
    ConfigError,
    /retention\.ms/,
  );
});

onTargets('preallocate can only be false', async (client) => {
  await rejects(
    client.createTopic(name('t'), { preallocate: true }),
    ConfigError,
    /preallocate can only be false/,
  );
});

onTargets('topics have ids of their own', async (client) => {
  await client.createTopic(name('flights'));
  await client.createTopic(name('trains'), { partitions: 2 });
  const topics = await ownTopics(client, 2);
  assert.deepEqual(
    topics.map(({ name, partitions, internal }) => [name, partitions, internal]),
    [
      [name('flights'), 1, false],
      [name('trains'), 2, false],
    ],
  );
  assert.notEqual(topics[0].topicId, topics[1].topicId);
});

onTargets('alter adds partitions and puts keys back', async (client) => {
  const topic = await client.createTopic(name('flights'), { segmentMs: 1_000 });
  await client.alterTopic(name('flights'), {
    partitions: 3,
    segmentMs: null,
    maxMessageBytes: 5_000,
  });
  assert.equal((await topic.describe()).length, 3);
  const config = new Map(
    (await client.topicConfig(name('flights'))).map(({ name, value }) => [name, value]),
  );
  assert.equal(config.get('segment.ms'), '604800000');
  assert.equal(config.get('max.message.bytes'), '5000');
});

onTargets('a topic is deleted once', async (client) => {
  await client.createTopic(name('flights'));
  assert.equal(await client.deleteTopic(name('flights')), true);
  await rejects(client.deleteTopic(name('flights')), UnknownTopicOrPartitionError);
  assert.equal(await client.deleteTopic(name('flights'), { missingOk: true }), false);
});

onTargets('records before a position are deleted', async (client) => {
  const topic = await flights(client);
  assert.deepEqual(await client.deleteRecords(name('flights'), 4), new Map([[0, 4n]]));
  assert.equal(await topic.count(), 6);
  assert.deepEqual(values(await topic.head(1)), ['v4']);
});

test('metrics count the removed records of logs', async () => {
  await using client = await open();
  assert.equal(client.metrics()['retention-time-deleted-bytes-total'], 0);
});

onTargets('metrics count requests, and show producers and lag', async (client) => {
  const topic = await flights(client);
  const producer = client.producer({ clientId: 'counted' });
  const consumer = client.consumer({ topics: name('flights'), autoOffsetReset: 'earliest' });
  const { length } = await consumer.poll({ maxRecords: 4 });
  assert.equal(length, 4);
  await consumer.poll({ maxRecords: 1 });
  // A connection to another broker of a cluster may just have begun.
  const haveAnswered = (one) => one['incoming-byte-total'] > 0;
  await until(() => Object.values(client.metrics().brokers).every(haveAnswered));
  const metrics = client.metrics();
  assert.ok(metrics['request-total'] > 0);
  assert.equal(metrics['request-error-total'], 0);
  const mine = metrics.producers.find((one) => one['client-id'] === 'counted');
  assert.deepEqual(mine, { 'client-id': 'counted', 'queued-records': 0, 'queued-bytes': 0 });
  assert.deepEqual(
    metrics.consumers.map((one) => one['records-lag']),
    [{ [name('flights')]: { 0: 5 } }],
  );
  const brokers = Object.values(metrics.brokers);
  assert.equal(metrics['connection-count'] > 0, brokers.length > 0);
  for (const broker of brokers) {
    assert.ok(broker['incoming-byte-total'] > 0);
    assert.ok(broker['request-latency-max-ms'] >= broker['request-latency-p50-ms']);
  }
  await consumer.close();
  await producer.close();
  assert.equal(await topic.count(), 10);
});

test('closing twice is allowed and use after it is not', async () => {
  const client = await open();
  const topic = await client.createTopic('flights');
  const producer = client.producer();
  const consumer = client.consumer({ topics: 'flights' });
  await client.close();
  await client.close();
  for (const use of [
    () => client.topics(),
    () => client.createTopic('trains'),
    () => topic.head(),
    () => producer.send({ topic: 'flights', value: 'x' }),
    () => consumer.poll(),
    async () => client.topic('flights'),
    async () => client.producer(),
  ]) {
    await rejects(use(), ClosedError, /closed/);
  }
  await producer.close();
  await consumer.close();
});

test('an abandoned client releases its directory', async (context) => {
  const path = await directory(context);
  const client = await open(path);
  assert.ok(client);
  await assert.rejects(open(path, { numPartitions: 7 }), HeadwaterError);
  await client.close();
  await (await open(path, { numPartitions: 7 })).close();
});
