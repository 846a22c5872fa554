// Groups, members and the cluster through the adapter, compared with kafkajs.

import assert from 'node:assert/strict';
import * as imported from 'headwater/kafkajs';
import kafkajs from 'kafkajs';
import { adminOf, consumeUntil, eventsOf, fill, onAll, onServed } from './kafkajs_support.mjs';
import { numbered, rejects, until } from './support.mjs';

const TEN = numbered(10, (n) => `${n}`);
const P0 = { topic: 'flights', partition: 0 };
const IGNORE = { eachMessage: async () => {} };

onAll('events name the member, its generation and the leader', async ({ kafka }) => {
  await fill(kafka, 'flights', TEN);
  const consumer = kafka.consumer({ groupId: 'g', heartbeatInterval: 20, maxWaitTimeInMs: 50 });
  const [joins, heartbeats, commits, rebalances] = [
    'GROUP_JOIN',
    'HEARTBEAT',
    'COMMIT_OFFSETS',
    'REBALANCING',
  ].map((name) => eventsOf(consumer, name));
  await consumeUntil(
    consumer,
    ['flights'],
    () => commits.length > 0 && heartbeats.length > 0,
    IGNORE,
  );
  const [{ memberId, leaderId, isLeader, groupProtocol }] = joins;
  assert.ok(memberId.length > 10, memberId);
  assert.deepEqual([leaderId, isLeader, typeof groupProtocol], [memberId, true, 'string']);
  for (const event of [heartbeats[0], commits[0]]) {
    assert.deepEqual([event.groupId, event.memberId], ['g', memberId]);
    assert.ok(event.groupGenerationId >= 1, `${event.groupGenerationId}`);
  }
  const other = kafka.consumer({ groupId: 'g', heartbeatInterval: 20, maxWaitTimeInMs: 50 });
  const otherJoins = eventsOf(other, 'GROUP_JOIN');
  await other.subscribe({ topics: ['flights'] });
  await other.run(IGNORE);
  await until(() => otherJoins.length > 0 && joins.length > 1 && rebalances.length > 0);
  assert.equal(rebalances[0].memberId, memberId);
  assert.notEqual(otherJoins[0].memberId, memberId);
  assert.deepEqual([otherJoins[0].leaderId, otherJoins[0].isLeader], [memberId, false]);
});

onAll('a group is described with its members', async ({ kafka, library }) => {
  await fill(kafka, 'flights', TEN, 2);
  const admin = await adminOf(kafka);
  const consumer = kafka.consumer({ groupId: 'g' });
  const joins = eventsOf(consumer, 'GROUP_JOIN');
  await consumeUntil(consumer, ['flights'], () => joins.length > 0, IGNORE);
  const { groups } = await admin.describeGroups(['g', 'nobody']);
  const described = await consumer.describeGroup();
  assert.deepEqual(described, groups[0]);
  const { groupId, state, protocolType, members, errorCode, protocol } = described;
  assert.deepEqual([groupId, state, protocolType, errorCode], ['g', 'Stable', 'consumer', 0]);
  assert.equal(protocol, joins[0].groupProtocol);
  const [member, ...others] = members;
  assert.deepEqual([member.memberId, others], [joins[0].memberId, []]);
  assert.equal(typeof member.clientHost, 'string');
  assert.equal(typeof member.clientId, 'string');
  const { MemberAssignment, MemberMetadata } = library.AssignerProtocol;
  assert.deepEqual(MemberAssignment.decode(member.memberAssignment).assignment, {
    flights: [0, 1],
  });
  assert.deepEqual(MemberMetadata.decode(member.memberMetadata).topics, ['flights']);
  assert.deepEqual(groups[1].members, []);
  assert.deepEqual([groups[1].groupId, groups[1].state], ['nobody', 'Dead']);
});

onAll('an offset is committed with metadata', async ({ kafka }) => {
  await fill(kafka, 'flights', TEN);
  const admin = await adminOf(kafka);
  const stored = async () => {
    const [{ partitions }] = await admin.fetchOffsets({ groupId: 'g', topics: ['flights'] });
    return partitions.map(({ offset, metadata }) => [offset, metadata]);
  };
  const consumer = kafka.consumer({ groupId: 'g' });
  await consumeUntil(consumer, ['flights'], () => true, { ...IGNORE, autoCommit: false });
  await consumer.commitOffsets([{ ...P0, offset: '3', metadata: '{"step": "ключ"}' }]);
  assert.deepEqual(await stored(), [['3', '{"step": "ключ"}']]);
  await consumer.commitOffsets([{ ...P0, offset: '4', metadata: null }]);
  const [[offset, metadata]] = await stored();
  assert.equal(offset, '4');
  assert.ok(!metadata, 'the text belongs to its offset');
});

onServed('metadata that is no text is refused', async ({ kafka, library }) => {
  await fill(kafka, 'flights', TEN);
  const consumer = kafka.consumer({ groupId: 'g' });
  await consumeUntil(consumer, ['flights'], () => true, IGNORE);
  await rejects(
    consumer.commitOffsets([{ ...P0, offset: '3', metadata: 7 }]),
    library.KafkaJSNonRetriableError,
    /metadata must be a string/,
  );
});

onAll('the cluster is described with its brokers', async ({ kafka, server }) => {
  const admin = await adminOf(kafka);
  const { brokers, controller, clusterId } = await admin.describeCluster();
  const [{ nodeId, host, port }] = brokers;
  assert.equal(brokers.length, 1);
  assert.deepEqual([typeof nodeId, typeof host, typeof port], ['number', 'string', 'number']);
  assert.equal(controller, nodeId);
  assert.ok(clusterId.length > 0);
  assert.ok(server.address.length > 0);
});

onServed('the cluster and its topics are described as kafkajs does', async ({ kafka, server }) => {
  await fill(kafka, 'flights', TEN, 3);
  const theirs = new kafkajs.Kafka({ brokers: [server.address], logLevel: 0 }).admin();
  await theirs.connect();
  const ours = await adminOf(kafka);
  try {
    assert.deepEqual(await ours.describeCluster(), await theirs.describeCluster());
    const partitionsOf = async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: ['flights'] });
      return topics[0].partitions.sort((one, other) => one.partitionId - other.partitionId);
    };
    const partitions = await partitionsOf(ours);
    assert.deepEqual(partitions, await partitionsOf(theirs));
    assert.deepEqual(partitions[0].replicas, [partitions[0].leader]);
    assert.deepEqual(partitions[0].isr, partitions[0].replicas);
  } finally {
    await theirs.disconnect();
  }
});

onServed('clients have the members that those of kafkajs have', async ({ kafka, server }) => {
  const theirs = new kafkajs.Kafka({ brokers: [server.address], logLevel: 0 });
  const pairs = {
    producer: [kafka.producer(), theirs.producer()],
    consumer: [kafka.consumer({ groupId: 'g' }), theirs.consumer({ groupId: 'g' })],
    admin: [kafka.admin(), theirs.admin()],
  };
  for (const [kind, [own, other]] of Object.entries(pairs)) {
    for (const [name, value] of Object.entries(other)) {
      assert.equal(typeof own[name], typeof value, `${kind}.${name}`);
    }
    assert.deepEqual({ ...own.events }, { ...other.events }, `the events of a ${kind}`);
  }
  for (const name of Object.getOwnPropertyNames(kafkajs.Kafka.prototype)) {
    assert.equal(typeof imported.Kafka.prototype[name], 'function', `Kafka.${name}`);
  }
});

onServed('an option in the wrong place is refused with the right one', async ({ kafka }) => {
  const misplaced = {
    'subscribe()': () => kafka.consumer({ groupId: 'g', fromBeginning: true }),
    'run()': () => kafka.consumer({ groupId: 'g', eachMessage: async () => {} }),
    'consumer()': () => kafka.producer({ groupId: 'g' }),
    'new Kafka()': () => kafka.producer({ clientId: 'c' }),
  };
  for (const [call, make] of Object.entries(misplaced)) {
    assert.throws(make, (error) => error.message.includes(`pass it to ${call}`), call);
  }
});
