// Names that users of other clients try give an error that has ours.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, InvalidArgumentError, open } from 'headwater';
import { name, onTargets } from './support.mjs';

/** Methods of kafkajs and node-rdkafka, with what the error must say. */
const METHODS = {
  client: {
    admin: /createTopic\(\)/,
    connect: /the client is connected/,
    createTopics: /createTopic\(name\)/,
    deleteTopics: /deleteTopic\(name\)/,
    describeConfigs: /topicConfig\(name\)/,
    describeGroups: /describeGroup\(groupId\)/,
    disconnect: /close\(\)/,
    fetchOffsets: /groupOffsets\(groupId\)/,
    fetchTopicMetadata: /describe\(\)/,
    fetchTopicOffsets: /offsets\("latest"\)/,
    getMetadata: /topics\(\) and describeCluster\(\)/,
    listGroups: /groups\(\)/,
    listTopics: /topics\(\)/,
    resetOffsets: /resetGroupOffsets/,
  },
  producer: {
    connect: /the client is connected/,
    disconnect: /close\(\)/,
    on: /returns a promise/,
    poll: /promises settle/,
    produce: /send\(\{topic, key, value, partition, timestamp\}\)/,
    transaction: /enableIdempotence/,
  },
  consumer: {
    commitMessage: /commit\(message\)/,
    commitOffsets: /commit\(offsets\)/,
    connect: /the client is connected/,
    consume: /poll\(\), or iterate/,
    describeGroup: /of the client/,
    disconnect: /close\(\)/,
    offsetsForTimes: /offsets\(new Date/,
    queryWatermarkOffsets: /offsets\("earliest"\)/,
  },
};

onTargets('a method of another client is an error that names ours', async (client) => {
  await using producer = client.producer();
  await using consumer = client.consumer();
  const objects = { client, producer, consumer };
  for (const [kind, methods] of Object.entries(METHODS)) {
    for (const [method, pattern] of Object.entries(methods)) {
      assert.throws(
        () => objects[kind][method]({}),
        (error) => {
          assert.ok(error instanceof InvalidArgumentError, `${kind}.${method}`);
          assert.match(error.message, new RegExp(`has no method ${method}\\(\\)`));
          assert.match(error.message, pattern, `${kind}.${method}`);
          return true;
        },
      );
    }
    assert.ok(
      Object.keys(methods).every((method) => !Object.keys(objects[kind]).includes(method)),
      'they are not listed',
    );
  }
});

test('each method and option of the tables is refused with a replacement that exists', async (context) => {
  const tables = await import('../../../bindings-node/dist/habits.js');
  const client = await open();
  context.after(() => client.close());
  const topic = await client.createTopic('t');
  const objects = {
    Client: client,
    Consumer: client.consumer({ groupId: 'g' }),
    Producer: client.producer(),
    Topic: topic,
  };
  const has = (method) =>
    Object.values(objects).some((object) => typeof object[method] === 'function');
  const refused = (call, expected) =>
    assert.throws(call, (error) => {
      assert.ok(error instanceof InvalidArgumentError, `${error}`);
      assert.ok(error.message.includes(expected), error.message);
      return true;
    });
  const replacements = Object.values(tables.OPTIONS);
  for (const [kind, methods] of Object.entries(tables.METHODS)) {
    for (const [method, instead] of Object.entries(methods)) {
      refused(() => objects[kind][method]({}), `${kind} has no method ${method}(): ${instead}`);
      replacements.push(instead);
    }
  }
  for (const [option, instead] of Object.entries(tables.OPTIONS)) {
    // consumer() has a groupId of its own.
    const create = option === 'groupId' ? 'producer' : 'consumer';
    refused(() => client[create]({ [option]: 1 }), instead);
  }
  assert.ok(replacements.length > 70, `${replacements.length}`);
  for (const instead of replacements) {
    for (const [, method] of instead.matchAll(/\b([a-z]\w+)\(/g)) {
      assert.ok(has(method) || method === 'connect', `${method}() in "${instead}"`);
    }
  }
});

onTargets('an option of another client is an error that names ours', async (client) => {
  await client.createTopic(name('t'));
  await using producer = client.producer();
  await using consumer = client.consumer({ groupId: name('g') });
  const calls = [
    [() => client.consumer({ eachMessage: async () => {} }), /`eachMessage`: pass it to run\(\)/],
    [() => client.consumer({ fromBeginning: true }), /autoOffsetReset: 'earliest'/],
    [() => client.consumer({ topic: name('t') }), /Did you mean `topics`/],
    [() => client.consumer({ sessionTimeout: 1 }), /pass sessionTimeoutMs/],
    [() => client.producer({ groupId: 'g' }), /`groupId`: pass it to consumer\(\)/],
    [() => client.producer({ idempotent: true }), /pass enableIdempotence/],
    [() => client.createTopic(name('u'), { numPartitions: 3 }), /pass partitions/],
    [() => client.createTopic(name('u'), { configEntries: [] }), /retentionMs: "7d"/],
    [() => consumer.run({ groupId: 'g', eachMessage() {} }), /pass it to consumer\(\)/],
    [() => consumer.run({ autoCommit: false, eachMessage() {} }), /enableAutoCommit/],
    [
      () => consumer.run({ partitionsConsumedConcurrently: 2, eachMessage() {} }),
      /pass concurrency/,
    ],
    [() => consumer.subscribe({ topic: name('t'), fromBeginning: true }), /autoOffsetReset/],
    [() => consumer.subscribe([name('t')], { fromBeginning: true }), /autoOffsetReset/],
    [
      () => producer.send({ topic: name('t'), messages: [{ value: 'x' }] }),
      /sendBatch\(topic, messages\)/,
    ],
    [() => producer.sendBatch({ topicMessages: [] }), /sendBatch\(topic, messages\)/],
    [() => producer.sendBatch(name('t'), [{ value: 'x' }], { acks: 1 }), /pass it to producer\(\)/],
  ];
  for (const [call, pattern] of calls) {
    await assert.rejects(
      async () => call(),
      (error) => {
        assert.ok(error instanceof InvalidArgumentError, `${call}: ${error}`);
        assert.match(error.message, pattern, `${call}`);
        return true;
      },
    );
  }
});

test('connect() of another client is an error that shows ours', async () => {
  const given = { clientId: 'orders', brokers: ['127.0.0.1:9092'] };
  await assert.rejects(connect(given), /connect\("host:9092", \{clientId: "orders"\}\)/);
  await assert.rejects(connect('127.0.0.1:1', { brokers: [] }), /pass the addresses first/);
  await assert.rejects(connect('127.0.0.1:1', { ssl: true }), /securityProtocol/);
  await assert.rejects(open(null, { 'metadata.broker.list': 'x' }), /addresses first/);
});

onTargets('durations are milliseconds or text', async (client) => {
  await client.createTopic(name('t'));
  await using consumer = client.consumer({ topics: name('t') });
  const since = performance.now();
  assert.equal((await consumer.poll({ timeoutMs: '60ms' })).length, 0);
  assert.ok(performance.now() - since >= 50);
  for (const timeoutMs of ['7x', '', '-1s', 'soon']) {
    await assert.rejects(consumer.poll({ timeoutMs }), (error) => {
      assert.ok(error instanceof InvalidArgumentError);
      assert.match(error.message, /duration/);
      return true;
    });
  }
  await assert.rejects(consumer.poll({ timeoutMs: null }), /a duration such as "5s"/);
});
