// The admin of the adapter.

import assert from 'node:assert/strict';
import {
  ConfigResourceTypes,
  ConfigSource,
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
} from 'headwater/kafkajs';
import {
  adminOf,
  committed,
  consumeUntil,
  eventsOf,
  fill,
  onAdapter,
  onAll,
  onServed,
} from './kafkajs_support.mjs';
import { numbered, rejects } from './support.mjs';

const TEN = numbered(10, (n) => `${n}`);
const TOPIC = ConfigResourceTypes.TOPIC;

onAll('creates, lists, grows and deletes topics', async ({ kafka, library }) => {
  const admin = await adminOf(kafka);
  const topics = [
    { topic: 'a', numPartitions: 3, configEntries: [{ name: 'retention.ms', value: '1000' }] },
    { topic: 'b' },
  ];
  assert.equal(await admin.createTopics({ topics, waitForLeaders: true, timeout: 5_000 }), true);
  assert.equal(await admin.createTopics({ topics }), false, 'they exist');
  assert.deepEqual((await admin.listTopics()).sort(), ['a', 'b']);
  await admin.createPartitions({ topicPartitions: [{ topic: 'a', count: 5 }] });
  const { topics: described } = await admin.fetchTopicMetadata({ topics: ['a'] });
  assert.equal(described[0].name, 'a');
  const numbers = described[0].partitions.map(({ partitionId }) => partitionId);
  assert.deepEqual(
    numbers.sort(),
    numbered(5, (n) => n),
  );
  assert.ok(described[0].partitions.every(({ leader }) => leader >= 0));
  await admin.deleteTopics({ topics: ['a', 'b'] });
  assert.deepEqual(await admin.listTopics(), []);
  const invalid = admin.createTopics({ topics: [{ topic: 'not valid!' }] });
  await assert.rejects(invalid, (error) => {
    assert.ok(error instanceof library.KafkaJSAggregateError);
    const [{ type, topic, name }] = error.errors;
    assert.deepEqual(
      [type, topic, name],
      ['INVALID_TOPIC_EXCEPTION', 'not valid!', 'KafkaJSCreateTopicError'],
    );
    return true;
  });
});

onAll('the offsets of a topic', async ({ kafka }) => {
  const producer = await fill(kafka, 'flights', [], 2);
  const messages = numbered(10, (n) => ({ value: 'x', partition: 0, timestamp: `${n * 1_000}` }));
  await producer.send({ topic: 'flights', messages });
  const admin = await adminOf(kafka);
  const byPartition = (entries) => entries.sort((a, b) => a.partition - b.partition);
  assert.deepEqual(byPartition(await admin.fetchTopicOffsets('flights')), [
    { partition: 0, offset: '10', high: '10', low: '0' },
    { partition: 1, offset: '0', high: '0', low: '0' },
  ]);
  const at = async (time) =>
    byPartition(await admin.fetchTopicOffsetsByTimestamp('flights', time)).map(
      ({ offset }) => offset,
    );
  assert.deepEqual(await at(3_500), ['4', '0']);
  assert.deepEqual(await at(99_000), ['10', '0'], 'the end, if all records are older');
});

onAll('deletes records', async ({ kafka }) => {
  await fill(kafka, 'flights', TEN);
  const admin = await adminOf(kafka);
  const low = async () => (await admin.fetchTopicOffsets('flights'))[0].low;
  // kafkajs finds the leader only of topics that it has asked for before.
  await low();
  await admin.deleteTopicRecords({
    topic: 'flights',
    partitions: [{ partition: 0, offset: '4' }],
  });
  assert.equal(await low(), '4');
  await admin.deleteTopicRecords({
    topic: 'flights',
    partitions: [{ partition: 0, offset: '-1' }],
  });
  assert.equal(await low(), '10');
});

onAll('deletes no records of a partition that does not exist', async ({ kafka, library }) => {
  await fill(kafka, 'flights', TEN);
  const admin = await adminOf(kafka);
  await admin.fetchTopicOffsets('flights');
  const partitions = [{ partition: 7, offset: '4' }];
  await assert.rejects(admin.deleteTopicRecords({ topic: 'flights', partitions }), (error) => {
    assert.ok(error instanceof library.KafkaJSDeleteTopicRecordsError);
    const [{ partition, offset, error: why }] = error.partitions;
    assert.deepEqual([partition, offset, why.name], [7, '4', 'KafkaJSBrokerNotFound']);
    return true;
  });
});

onAll('sets, resets and fetches the offsets of a group', async ({ kafka, library }) => {
  const producer = await fill(kafka, 'flights', TEN, 2);
  await producer.send({ topic: 'flights', messages: [{ value: 'x', partition: 1 }] });
  const admin = await adminOf(kafka);
  const of = { groupId: 'g', topic: 'flights' };
  assert.deepEqual(await committed(kafka, 'g', 'flights'), { 0: '-1', 1: '-1' });
  await admin.setOffsets({ ...of, partitions: [{ partition: 0, offset: '6' }] });
  assert.deepEqual(await committed(kafka, 'g', 'flights'), { 0: '6', 1: '-1' });
  const resolved = async (earliest) => {
    await admin.resetOffsets({ ...of, earliest });
    const [{ topic, partitions }] = await admin.fetchOffsets({
      groupId: 'g',
      topics: ['flights'],
      resolveOffsets: true,
    });
    assert.equal(topic, 'flights');
    return partitions
      .sort((a, b) => a.partition - b.partition)
      .map(({ offset, metadata }) => [offset, metadata]);
  };
  assert.deepEqual(await resolved(true), [
    ['0', null],
    ['0', null],
  ]);
  assert.deepEqual(await resolved(false), [
    ['10', null],
    ['1', null],
  ]);
  const consumer = kafka.consumer({ groupId: 'g' });
  await consumeUntil(consumer, ['flights'], () => true, { eachMessage: async () => {} });
  const running = admin.setOffsets({ ...of, partitions: [{ partition: 0, offset: '6' }] });
  await rejects(running, library.KafkaJSNonRetriableError, /no running instances/);
});

onAll('lists, describes and deletes groups', async ({ kafka, library }) => {
  await fill(kafka, 'flights', TEN);
  const admin = await adminOf(kafka);
  const consumer = kafka.consumer({ groupId: 'g' });
  let seen = 0;
  await consumeUntil(consumer, ['flights'], () => seen === 10, {
    eachMessage: async () => {
      seen++;
    },
  });
  assert.deepEqual(await admin.listGroups(), {
    groups: [{ groupId: 'g', protocolType: 'consumer' }],
  });
  const states = async () =>
    (await admin.describeGroups(['g'])).groups.map(({ groupId, state }) => [groupId, state]);
  assert.deepEqual(await states(), [['g', 'Stable']]);
  await assert.rejects(admin.deleteGroups(['g', 'nobody']), (error) => {
    assert.ok(error instanceof library.KafkaJSDeleteGroupsError);
    const [{ groupId, errorCode, error: why }] = error.groups;
    assert.deepEqual([groupId, errorCode, why.type], ['g', 68, 'NON_EMPTY_GROUP']);
    return true;
  });
  await consumer.disconnect();
  assert.deepEqual(await states(), [['g', 'Empty']]);
  const [{ groupId, errorCode }] = await admin.deleteGroups(['g']);
  assert.deepEqual([groupId, errorCode], ['g', 0]);
  assert.deepEqual(await admin.listGroups(), { groups: [] });
  assert.deepEqual(await states(), [['g', 'Dead']]);
});

onAll('describes and alters the configuration of a topic', async ({ kafka }) => {
  const admin = await adminOf(kafka);
  const configEntries = [{ name: 'retention.ms', value: '1000' }];
  await admin.createTopics({ topics: [{ topic: 'a', configEntries }] });
  const entryOf = async (name) => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: TOPIC, name: 'a', configNames: [name] }],
    });
    const [{ configEntries: entries, errorCode, resourceName, resourceType }] = resources;
    assert.deepEqual([errorCode, resourceName, resourceType], [0, 'a', TOPIC]);
    const [{ configName, configValue, isDefault, configSource, isSensitive, readOnly }] = entries;
    assert.deepEqual([configName, isSensitive, readOnly], [name, false, false]);
    return [configValue, isDefault, configSource];
  };
  assert.deepEqual(await entryOf('retention.ms'), ['1000', false, ConfigSource.TOPIC_CONFIG]);
  await admin.alterConfigs({
    validateOnly: false,
    resources: [
      { type: TOPIC, name: 'a', configEntries: [{ name: 'cleanup.policy', value: 'compact' }] },
    ],
  });
  const changed = ['compact', false, ConfigSource.TOPIC_CONFIG];
  assert.deepEqual(await entryOf('cleanup.policy'), changed);
  const [value, isDefault] = await entryOf('retention.ms');
  assert.deepEqual([value, isDefault], ['604800000', true], 'the others are reset');
});

onAll('events', async ({ kafka }) => {
  const admin = kafka.admin();
  const [connects, disconnects] = ['CONNECT', 'DISCONNECT'].map((name) => eventsOf(admin, name));
  await admin.connect();
  await admin.disconnect();
  assert.deepEqual([connects.length, disconnects.length], [1, 1]);
});

onAll('bad arguments are errors', async ({ kafka, library }) => {
  const admin = await adminOf(kafka);
  const calls = {
    createTopics: [{}, { topics: [{ topic: 'a' }, { topic: 'a' }] }],
    deleteTopics: [{}, { topics: [5] }],
    createPartitions: [{ topicPartitions: [] }],
    fetchTopicOffsets: [''],
    setOffsets: [{ groupId: 'g', topic: 'a', partitions: [] }, { topic: 'a' }],
    resetOffsets: [{ groupId: 'g' }],
    fetchOffsets: [{}],
    describeConfigs: [{ resources: [] }, { resources: [{ type: 77, name: 'a' }] }],
    alterConfigs: [{ resources: [{ type: TOPIC, name: 'a' }] }],
    deleteGroups: ['g'],
    deleteTopicRecords: [{ topic: 'a', partitions: [] }],
  };
  for (const [call, all] of Object.entries(calls)) {
    for (const given of all) {
      await assert.rejects(
        admin[call](given),
        (error) => error instanceof library.KafkaJSNonRetriableError,
        `${call} ${JSON.stringify(given)}`,
      );
    }
  }
});

onAdapter('features that are missing are refused, with the alternative', async ({ kafka }) => {
  const admin = await adminOf(kafka);
  await admin.createTopics({ topics: [{ topic: 'a' }] });
  const refused = [
    admin.describeAcls({}),
    admin.createAcls({ acl: [] }),
    admin.deleteAcls({ filters: [] }),
    admin.alterPartitionReassignments({ topics: [] }),
    admin.listPartitionReassignments({}),
    admin.createTopics({ topics: [{ topic: 'b' }], validateOnly: true }),
    admin.createTopics({ topics: [{ topic: 'b', replicaAssignment: [] }] }),
    admin.describeConfigs({ resources: [{ type: ConfigResourceTypes.BROKER, name: '0' }] }),
    admin.describeConfigs({ resources: [{ type: TOPIC, name: 'a' }], includeSynonyms: true }),
  ];
  for (const call of refused) {
    await rejects(call, KafkaJSNotImplemented, /: |supported/);
  }
});

onServed('an unknown option is refused with the nearest name', async ({ kafka }) => {
  const admin = await adminOf(kafka);
  const given = { topics: [{ topic: 'a', numPartition: 1 }] };
  await rejects(admin.createTopics(given), KafkaJSNonRetriableError, /`numPartitions`/);
});
