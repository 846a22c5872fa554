// The examples of kafkajs's documentation, with kafkajs and with the adapter.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { open } from 'headwater';
import * as namespace from 'headwater/kafkajs';
import kafkajs from 'kafkajs';
import {
  adminOf,
  committed,
  consumeUntil,
  eventsOf,
  fill,
  onAll,
  onServed,
  producerOf,
  text,
} from './kafkajs_support.mjs';
import { ENGINE, numbered, PATIENCE, until } from './support.mjs';

const require = createRequire(import.meta.url);
const imported = { ...namespace };

onAll('getting started', async ({ kafka }) => {
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: 'test-topic', messages: [{ value: 'Hello KafkaJS user!' }] });
  await producer.disconnect();

  const consumer = kafka.consumer({ groupId: 'test-group' });
  await consumer.connect();
  await consumer.subscribe({ topic: 'test-topic', fromBeginning: true });
  const values = [];
  await consumer.run({
    eachMessage: async ({ topic, partition, message }) => {
      assert.deepEqual([topic, partition], ['test-topic', 0]);
      values.push(message.value.toString());
    },
  });
  await until(() => values.length > 0);
  assert.deepEqual(values, ['Hello KafkaJS user!']);
  await consumer.disconnect();
  assert.deepEqual(await committed(kafka, 'test-group', 'test-topic'), { 0: '1' });
});

test("the example of kafkajs's README runs with another import", {
  timeout: PATIENCE,
}, async (context) => {
  const readme = await readFile(require.resolve('kafkajs/README.md'), 'utf8');
  const [, example] = readme.match(/```javascript\n(.+?)```/s);
  await using engine = await open(null, ENGINE);
  await using server = await engine.serve({ port: 0 });
  const changes = [
    ["require('kafkajs')", "require('headwater/kafkajs')"],
    ["['kafka1:9092', 'kafka2:9092']", JSON.stringify([server.address])],
  ];
  const program = changes.reduce((text, [theirs, ours]) => {
    assert.ok(text.includes(theirs), theirs);
    return text.replace(theirs, ours);
  }, example);
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  const child = spawn(process.execPath, ['--input-type=commonjs', '--eval', program], { cwd });
  context.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  await until(() => output.includes('Hello') || child.exitCode !== null);
  // The client logs to the same stream, as kafkajs does.
  const printed = output.split('\n').filter((line) => line.startsWith('{ '));
  assert.deepEqual(printed, ["{ partition: 0, offset: '0', value: 'Hello KafkaJS user!' }"]);
});

onAll('a message has the properties that handlers read', async ({ kafka }) => {
  const producer = await fill(kafka, 'flights', []);
  await producer.send({
    topic: 'flights',
    messages: [
      {
        key: 'UA',
        value: Buffer.from('late'),
        timestamp: '1000',
        headers: { gate: 'B7', tags: ['a', Buffer.from('b')] },
      },
      { key: null, value: null, headers: {} },
      { key: '', value: '' },
    ],
  });
  const messages = [];
  await consumeUntil(kafka.consumer({ groupId: 'g' }), ['flights'], () => messages.length === 3, {
    eachMessage: async ({ message }) => messages.push({ ...message }),
  });
  const read = messages.map(({ key, value, headers, offset, magicByte, isControlRecord }) => {
    return [text(key), text(value), headers, offset, magicByte, isControlRecord];
  });
  const headers = { gate: Buffer.from('B7'), tags: [Buffer.from('a'), Buffer.from('b')] };
  assert.deepEqual(read, [
    ['UA', 'late', headers, '0', 2, false],
    [null, null, {}, '1', 2, false],
    ['', '', {}, '2', 2, false],
  ]);
  assert.equal(messages[0].timestamp, '1000');
  assert.match(messages[1].timestamp, /^\d{13}$/);
});

onAll('producing: keys, partitions and topics', async ({ kafka }) => {
  const admin = await adminOf(kafka);
  await admin.createTopics({
    topics: [
      { topic: 'topic-a', numPartitions: 3 },
      { topic: 'topic-b', numPartitions: 1 },
    ],
  });
  const producer = await producerOf(kafka);
  const sent = await producer.sendBatch({
    topicMessages: [
      {
        topic: 'topic-a',
        messages: [
          { value: 'one', partition: 2 },
          { value: 'two', partition: 2 },
          { value: 'three', partition: 1 },
        ],
      },
      { topic: 'topic-b', messages: [{ key: 'key', value: 'hello topic-b' }] },
    ],
  });
  const places = sent.map(({ topicName, partition, errorCode, baseOffset }) => {
    return [topicName, partition, errorCode, baseOffset].join(' ');
  });
  assert.deepEqual(places.sort(), ['topic-a 1 0 0', 'topic-a 2 0 0', 'topic-b 0 0 0']);
  const [{ baseOffset }] = await producer.send({
    topic: 'topic-a',
    messages: [{ value: 'four', partition: 2 }],
    acks: 1,
    timeout: 30_000,
  });
  assert.equal(baseOffset, '2');
  assert.deepEqual(
    await producer.send({ topic: 'topic-a', messages: [{ value: 'five' }], acks: 0 }),
    [],
  );
});

onAll(
  'messages without a key take turns, and those with one go where Java sends them',
  async ({ kafka }) => {
    const producer = await fill(kafka, 'flights', [], 5);
    const [even, odd] = [0, 1].map((rest) => numbered(10, (n) => ({ value: `${n * 2 + rest}` })));
    const counts = new Map();
    for (const messages of [even, odd]) {
      for (const { partition } of await producer.send({ topic: 'flights', messages })) {
        counts.set(partition, (counts.get(partition) ?? 0) + 1);
      }
    }
    assert.deepEqual([...counts.values()], [2, 2, 2, 2, 2], 'each send reaches each partition');
    const partitionOf = async (key) => {
      const [{ partition }] = await producer.send({
        topic: 'flights',
        messages: [{ key, value: '' }],
      });
      return partition;
    };
    const partitions = [];
    for (const key of ['UA', 'AA', 'B6', 'DL', 'a longer key', 'ключ', '']) {
      partitions.push(await partitionOf(key));
    }
    assert.deepEqual(partitions, [3, 1, 4, 0, 4, 4, 1]);
  },
);

onAll('custom partitioners', async ({ kafka }) => {
  const producer = await fill(kafka, 'flights', [], 4);
  await producer.disconnect();
  const seen = [];
  const last = await producerOf(kafka, {
    createPartitioner:
      () =>
      ({ topic, partitionMetadata, message }) => {
        seen.push([topic, message.value]);
        return Math.max(...partitionMetadata.map(({ partitionId }) => partitionId));
      },
  });
  const [{ partition }] = await last.send({ topic: 'flights', messages: [{ value: 'x' }] });
  assert.equal(partition, 3);
  assert.deepEqual(seen, [['flights', 'x']]);
});

onAll('eachBatch with all of its helpers', async ({ kafka }) => {
  await fill(
    kafka,
    'flights',
    numbered(20, (n) => `${n}`),
  );
  const consumer = kafka.consumer({ groupId: 'g' });
  const values = [];
  const facts = [];
  await consumeUntil(consumer, ['flights'], () => values.length === 20, {
    eachBatchAutoResolve: true,
    eachBatch: async ({
      batch,
      resolveOffset,
      heartbeat,
      commitOffsetsIfNecessary,
      uncommittedOffsets,
      isRunning,
      isStale,
      pause,
    }) => {
      assert.equal(typeof pause, 'function');
      for (const message of batch.messages) {
        assert.deepEqual([isRunning(), isStale()], [true, false]);
        values.push(text(message.value));
        resolveOffset(message.offset);
        await heartbeat();
      }
      const { topics } = uncommittedOffsets();
      facts.push([
        batch.topic,
        batch.partition,
        batch.firstOffset(),
        batch.lastOffset(),
        batch.highWatermark,
        batch.offsetLag(),
        batch.offsetLagLow(),
        batch.isEmpty(),
        topics[0].topic,
        topics[0].partitions[0].offset,
      ]);
      await commitOffsetsIfNecessary();
      await commitOffsetsIfNecessary(uncommittedOffsets());
    },
  });
  assert.deepEqual(
    values,
    numbered(20, (n) => `${n}`),
  );
  assert.deepEqual(facts, [['flights', 0, '0', '19', '20', '0', '19', false, 'flights', '20']]);
  assert.deepEqual(await committed(kafka, 'g', 'flights'), { 0: '20' });
});

onAll('manual commits', async ({ kafka }) => {
  await fill(kafka, 'flights', ['a', 'b', 'c']);
  const consumer = kafka.consumer({ groupId: 'g' });
  let seen = 0;
  await consumeUntil(consumer, ['flights'], () => seen === 3, {
    autoCommit: false,
    eachMessage: async () => {
      seen++;
    },
  });
  assert.deepEqual(await committed(kafka, 'g', 'flights'), { 0: '-1' });
  await consumer.commitOffsets([{ topic: 'flights', partition: 0, offset: '2' }]);
  assert.deepEqual(await committed(kafka, 'g', 'flights'), { 0: '2' });
  await consumer.disconnect();
  assert.deepEqual(await committed(kafka, 'g', 'flights'), { 0: '2' });
});

onAll('seek right after run(), as the documentation shows it', async ({ kafka }) => {
  await fill(
    kafka,
    'flights',
    numbered(10, (n) => `${n}`),
  );
  const consumer = kafka.consumer({ groupId: 'g' });
  await consumer.connect();
  await consumer.subscribe({ topics: ['flights'], fromBeginning: true });
  const offsets = [];
  const running = consumer.run({
    eachMessage: async ({ message }) => offsets.push(message.offset),
  });
  consumer.seek({ topic: 'flights', partition: 0, offset: '7' });
  await running;
  await until(() => offsets.length >= 3);
  assert.deepEqual(offsets, ['7', '8', '9']);
});

onAll('pause and resume, of a topic and of partitions', async ({ kafka }) => {
  const producer = await fill(kafka, 'jobs', [], 2);
  const consumer = kafka.consumer({ groupId: 'g' });
  const values = [];
  await consumeUntil(consumer, ['jobs'], () => true, {
    eachMessage: async ({ message }) => values.push(text(message.value)),
  });
  const send = (value, partition) =>
    producer.send({ topic: 'jobs', messages: [{ value, partition }] });
  assert.deepEqual(consumer.paused(), []);
  consumer.pause([{ topic: 'jobs', partitions: [0] }]);
  assert.deepEqual(consumer.paused(), [{ topic: 'jobs', partitions: [0] }]);
  await send('a', 0);
  await send('b', 1);
  await until(() => values.length === 1);
  assert.deepEqual(values, ['b']);
  consumer.pause([{ topic: 'jobs' }]);
  assert.deepEqual(consumer.paused(), [{ topic: 'jobs', partitions: [0, 1] }]);
  consumer.resume([{ topic: 'jobs' }]);
  assert.deepEqual(consumer.paused(), []);
  await until(() => values.length === 2);
  assert.deepEqual(values, ['b', 'a']);
});

onAll('topics by regular expression', async ({ kafka }) => {
  await fill(kafka, 'topic-eu', ['eu']);
  await fill(kafka, 'topic-us', ['us']);
  await fill(kafka, 'other', ['no']);
  const values = [];
  const consumer = kafka.consumer({ groupId: 'g' });
  await consumeUntil(consumer, [/topic-(eu|us)/i], () => values.length === 2, {
    eachMessage: async ({ message }) => values.push(text(message.value)),
  });
  assert.deepEqual(values.sort(), ['eu', 'us']);
});

onAll('the events of a run', async ({ kafka }) => {
  await fill(kafka, 'flights', ['a', 'b']);
  const consumer = kafka.consumer({ groupId: 'g' });
  const names = ['CONNECT', 'DISCONNECT', 'STOP', 'GROUP_JOIN', 'COMMIT_OFFSETS', 'CRASH'];
  const [connects, disconnects, stops, joins, commits, crashes] = names.map((name) =>
    eventsOf(consumer, name),
  );
  const starts = eventsOf(consumer, 'START_BATCH_PROCESS');
  const ends = eventsOf(consumer, 'END_BATCH_PROCESS');
  await consumeUntil(consumer, ['flights'], () => commits.length > 0, {
    eachMessage: async () => {},
  });
  await consumer.disconnect();
  assert.deepEqual(
    [connects, disconnects, stops, joins, crashes].map((events) => events.length),
    [2, 1, 1, 1, 0],
  );
  assert.equal(joins[0].groupId, 'g');
  assert.deepEqual(joins[0].memberAssignment, { flights: [0] });
  const { topic, partition, highWatermark, offsetLag, offsetLagLow, batchSize } = starts[0];
  assert.deepEqual(
    [topic, partition, highWatermark, offsetLag, offsetLagLow, batchSize],
    ['flights', 0, '2', '0', '1', 2],
  );
  assert.deepEqual([ends[0].firstOffset, ends[0].lastOffset], ['0', '1']);
  assert.equal(typeof ends[0].duration, 'number');
  assert.deepEqual(commits[0].topics[0].partitions[0].offset, '2');
});

onAll('loggers: creators, namespaces and levels', async ({ kafkaWith, library }) => {
  const entries = [];
  const kafka = kafkaWith({
    logLevel: library.logLevel.INFO,
    logCreator: (level) => {
      assert.equal(level, library.logLevel.INFO);
      return (entry) => entries.push(entry);
    },
  });
  kafka.logger().info('hello', { detail: 1 });
  kafka.logger().debug('too much');
  kafka.producer().logger().warn('careful');
  kafka.logger().namespace('Own').error('bad');
  kafka.logger().setLogLevel(library.logLevel.ERROR);
  kafka.logger().info('not any more');
  const read = entries.map(({ namespace, level, label, log }) => {
    return [namespace ?? '', level, label, log.message];
  });
  assert.deepEqual(read.slice(0, 3), [
    ['', library.logLevel.INFO, 'INFO', 'hello'],
    ['Producer', library.logLevel.WARN, 'WARN', 'careful'],
    ['Own', library.logLevel.ERROR, 'ERROR', 'bad'],
  ]);
  assert.equal(read.length, 3);
  assert.equal(entries[0].log.detail, 1);
  assert.match(entries[0].log.timestamp, /^\d{4}-/);
});

onServed('the package exports what kafkajs exports, for import and require', async () => {
  const required = require('headwater/kafkajs');
  for (const name of Object.keys(kafkajs)) {
    assert.equal(typeof imported[name], typeof kafkajs[name], name);
    assert.equal(required[name], imported[name], name);
  }
  for (const name of ['logLevel', 'CompressionTypes', 'ConfigResourceTypes', 'ConfigSource']) {
    for (const [key, value] of Object.entries(kafkajs[name])) {
      assert.equal(imported[name][key], value, `${name}.${key}`);
    }
  }
});

onServed('errors are kafkajs’s classes with its fields', async () => {
  const { KafkaJSError, KafkaJSNonRetriableError, KafkaJSProtocolError, ...errors } = imported;
  const error = new errors.KafkaJSNumberOfRetriesExceeded(new KafkaJSError('why'), {
    retryCount: 5,
    retryTime: 300,
  });
  assert.ok(error instanceof KafkaJSNonRetriableError && error instanceof KafkaJSError);
  assert.deepEqual(
    [error.name, error.message, error.retriable, error.retryCount, error.cause.message],
    ['KafkaJSNumberOfRetriesExceeded', 'why', false, 5, 'why'],
  );
  const refused = { message: 'no', type: 'NOT_CONTROLLER', code: 41, retriable: true };
  for (const { KafkaJSProtocolError: kind } of [imported, kafkajs]) {
    const { name, message, type, code, retriable } = new kind(refused);
    assert.deepEqual(
      { name, message, type, code, retriable },
      { ...refused, name: 'KafkaJSProtocolError' },
    );
  }
  assert.ok(new KafkaJSProtocolError(refused) instanceof KafkaJSError);
});

onServed('what members tell each other is encoded as in kafkajs', async () => {
  const metadata = { version: 1, topics: ['a', 'ключ'], userData: Buffer.from('{"x":1}') };
  const assignment = { version: 2, assignment: { a: [0, 2], b: [] }, userData: Buffer.alloc(0) };
  for (const [kind, value] of Object.entries({
    MemberMetadata: metadata,
    MemberAssignment: assignment,
  })) {
    const ours = imported.AssignerProtocol[kind];
    const theirs = kafkajs.AssignerProtocol[kind];
    assert.deepEqual(ours.encode(value), theirs.encode(value));
    assert.deepEqual(ours.decode(theirs.encode(value)), theirs.decode(theirs.encode(value)));
  }
  assert.equal(imported.AssignerProtocol.MemberAssignment.decode(Buffer.alloc(0)), null);
});

onServed('partitioners choose as those of kafkajs', async () => {
  const partitionMetadata = numbered(7, (partitionId) => ({
    partitionId,
    leader: partitionId % 3,
  }));
  for (const name of ['DefaultPartitioner', 'LegacyPartitioner', 'JavaCompatiblePartitioner']) {
    const ours = imported.Partitioners[name]();
    const theirs = kafkajs.Partitioners[name]();
    for (let length = 0; length < 40; length++) {
      for (const key of ['x'.repeat(length), Buffer.alloc(length, 0x80 + length)]) {
        const given = { topic: 't', partitionMetadata, message: { key, value: '' } };
        assert.equal(ours(given), theirs(given), `${name} ${length}`);
      }
    }
    const own = { topic: 't', partitionMetadata, message: { partition: 5, key: 'x', value: '' } };
    assert.equal(ours(own), 5);
  }
});
