// Descriptions of topics, groups, members and the cluster.

import assert from 'node:assert/strict';
import { InvalidArgumentError, KafkaError } from 'headwater';
import {
  fill,
  name,
  numbered,
  onProtocols,
  onTargets,
  place,
  pollUntil,
  rejects,
} from './support.mjs';

onTargets('a topic has partitions, a size and a configuration', async (client) => {
  await fill(
    client,
    numbered(10, (n) => `v${n}`),
    { partitions: 3, retentionMs: 86_400_000 },
  );
  const topic = client.topic(name('flights'));
  assert.deepEqual(await topic.partitions(), [0, 1, 2]);
  assert.ok((await topic.sizeBytes()) > 0);
  const described = await topic.describe();
  const sizes = described.map(({ sizeBytes }) => sizeBytes);
  assert.equal(
    await topic.sizeBytes(),
    sizes.reduce((sum, size) => sum + size, 0),
  );
  for (const { leader, replicas, inSyncReplicas, offlineReplicas } of described) {
    assert.ok(replicas.includes(leader));
    assert.ok(inSyncReplicas.includes(leader));
    assert.deepEqual(offlineReplicas, []);
  }
  const config = await topic.config();
  const retention = config.find((entry) => entry.name === 'retention.ms');
  assert.deepEqual([retention.value, retention.source], ['86400000', 'DYNAMIC_TOPIC_CONFIG']);
  assert.deepEqual(config, await client.topicConfig(name('flights')));
  for (const call of ['partitions', 'sizeBytes', 'config']) {
    const unknown = client.topic(name('nothing'));
    await assert.rejects(unknown[call](), { code: 'UNKNOWN_TOPIC_OR_PARTITION' }, call);
    await rejects(topic[call]({ signl: 1 }), InvalidArgumentError, /`signal`/);
  }
});

onTargets('a cluster has brokers and a controller', async (client) => {
  const { clusterId, controller, brokers } = await client.describeCluster();
  assert.ok(clusterId.length > 0);
  assert.ok(brokers.some(({ nodeId }) => nodeId === controller));
  for (const { host, port } of brokers) {
    assert.equal(typeof host, 'string');
    assert.equal(typeof port, 'number');
  }
});

onProtocols('a member has its id and its generation', async (client, member, protocol) => {
  await fill(client, ['a']);
  await using alone = client.consumer();
  assert.equal(alone.groupMetadata(), null);
  await using consumer = client.consumer({ ...member, topics: name('flights') });
  const before = consumer.groupMetadata();
  assert.deepEqual([before.groupId, before.memberId], [name('readers'), '']);
  assert.equal(before.generationId, -1);
  await pollUntil(async () => (await consumer.assignment()).length === 1, consumer);
  const { groupId, memberId, generationId, leaderId, assignor } = consumer.groupMetadata();
  assert.equal(groupId, name('readers'));
  assert.ok(memberId.length > 10);
  assert.ok(generationId >= 1);
  assert.equal(leaderId, protocol === 'classic' ? memberId : undefined);
  assert.equal(typeof assignor, protocol === 'classic' ? 'string' : 'undefined');
  await consumer.unsubscribe();
  assert.deepEqual(consumer.groupMetadata().generationId, -1);
});

onProtocols('a group is described with its members', async (client, member, protocol) => {
  await fill(client, ['a'], { partitions: 2 });
  await using consumer = client.consumer({
    ...member,
    clientId: 'reader',
    topics: name('flights'),
  });
  await pollUntil(async () => (await consumer.assignment()).length === 2, consumer);
  const group = await client.describeGroup(name('readers'));
  assert.deepEqual(
    [group.groupId, group.groupType, group.protocolType],
    [name('readers'), protocol, 'consumer'],
  );
  assert.equal(group.state, 'Stable');
  const [{ memberId, clientId, topics, assignment }, ...others] = group.members;
  assert.deepEqual(others, []);
  assert.deepEqual([memberId, clientId], [consumer.groupMetadata().memberId, 'reader']);
  assert.deepEqual(topics, [name('flights')]);
  assert.deepEqual(assignment, [place(0), place(1)]);
});

onTargets('an unknown group is not described', async (client) => {
  await assert.rejects(client.describeGroup(name('nobody')), (error) => {
    assert.ok(error instanceof KafkaError);
    assert.equal(error.code, 'GROUP_ID_NOT_FOUND');
    return true;
  });
  await rejects(client.describeGroup(7), InvalidArgumentError, /groupId must be a string/);
});

onTargets('an offset is committed with metadata', async (client) => {
  await fill(
    client,
    numbered(3, (n) => `v${n}`),
  );
  await using consumer = client.consumer({ groupId: name('g') });
  await consumer.assign([place(0)]);
  const stored = async () => {
    const offsets = await client.groupOffsets(name('g'));
    return offsets.map(({ committed, metadata }) => [committed, metadata]);
  };
  await consumer.commit({ ...place(0), offset: 1n, metadata: 'половина' });
  assert.deepEqual(await stored(), [[1n, 'половина']]);
  await consumer.commit([{ ...place(0), offset: 2n, metadata: 'later' }], { wait: false });
  await consumer.commit({ ...place(0), offset: 3n, metadata: null });
  assert.deepEqual(await stored(), [[3n, '']], 'the text belongs to its offset');
  await rejects(
    consumer.commit({ ...place(0), offset: 1n, metadata: 7 }),
    InvalidArgumentError,
    /metadata must be a string/,
  );
  await rejects(
    consumer.seek({ ...place(0), offset: 1n, metadata: 'x' }),
    InvalidArgumentError,
    /no option `metadata`/,
  );
  await assert.rejects(consumer.commit({ ...place(0), offset: 1n, metadata: 'x'.repeat(5_000) }), {
    code: 'OFFSET_METADATA_TOO_LARGE',
  });
});
