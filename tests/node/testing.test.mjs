// `headwater/testing`: the broker for tests of services, under node:test, jest and vitest.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import {
  AbortError,
  ClosedError,
  ConfigError,
  connect,
  InvalidArgumentError,
  KafkaError,
  RequestTimedOutError,
  UnknownTopicOrPartitionError,
} from 'headwater';
import { startBroker } from 'headwater/testing';
import kafkajs from 'kafkajs';
import { numbered, PATIENCE, rejects, text, values } from './support.mjs';

const { Kafka, logLevel } = kafkajs;
const HERE = fileURLToPath(new URL('..', import.meta.url));

function kafkaOf(broker) {
  return new Kafka({ brokers: broker.brokers, logLevel: logLevel.NOTHING });
}

async function send(broker, topic, ...rows) {
  await using producer = broker.client.producer();
  await producer.sendBatch(
    topic,
    rows.map((value) => ({ value })),
  );
}

test('a broker starts in milliseconds', async (context) => {
  const times = [];
  for (let n = 0; n < 20; n++) {
    const started = performance.now();
    await using broker = await startBroker({ topics: { orders: { partitions: 3 } } });
    times.push(performance.now() - started);
    assert.match(broker.address, /^127\.0\.0\.1:\d+$/);
    assert.deepEqual(broker.brokers, [broker.address]);
    assert.equal((await broker.client.topic('orders').describe()).length, 3);
  }
  const [first, ...others] = times;
  const median = others.sort((a, b) => a - b)[Math.floor(others.length / 2)];
  const [one, all] = [first, median].map((time) => time.toFixed(1));
  context.diagnostic(`the first start took ${one} ms, the median of the others is ${all} ms`);
});

test('kafkajs produces and consumes, and its group does not wait', async (context) => {
  await using broker = await startBroker({ topics: ['orders'] });
  const kafka = kafkaOf(broker);
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({
    topic: 'orders',
    messages: numbered(10, (n) => ({ key: `k${n}`, value: `${n}` })),
  });
  await producer.disconnect();
  const messages = await broker.messages('orders', { key: 'string', value: 'string' });
  assert.deepEqual(
    messages.map(({ key, value }) => [key, value]),
    numbered(10, (n) => [`k${n}`, `${n}`]),
  );
  const consumer = kafka.consumer({
    groupId: 'readers',
    sessionTimeout: 500,
    heartbeatInterval: 100,
  });
  const started = performance.now();
  await consumer.connect();
  await consumer.subscribe({ topic: 'orders', fromBeginning: true });
  const { promise, resolve } = deferred();
  await consumer.run({ eachMessage: async ({ message }) => resolve(text(message.value)) });
  assert.equal(await promise, '0');
  context.diagnostic(
    `the first message of a group came after ${(performance.now() - started).toFixed(0)} ms`,
  );
  await consumer.disconnect();
});

function deferred() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

test('topics that were not declared are created by their first use, unless that is switched off', async () => {
  for (const autoCreateTopicsEnable of [true, false]) {
    await using broker = await startBroker({ autoCreateTopicsEnable });
    const kafka = kafkaOf(broker);
    const producer = kafka.producer({ retry: { retries: 1, initialRetryTime: 1 } });
    await producer.connect();
    const sent = producer.send({ topic: 'orders', messages: [{ value: 'a' }] });
    if (autoCreateTopicsEnable) {
      await broker.waitFor('orders', 1);
      await sent;
    } else {
      await assert.rejects(sent);
      await rejects(broker.messages('orders'), UnknownTopicOrPartitionError, /orders/);
    }
    await producer.disconnect();
  }
});

test('waitFor() waits for a number of messages, or for one', async () => {
  await using broker = await startBroker({ topics: { orders: { partitions: 2 } } });
  await send(broker, 'orders', 'a');
  const three = broker.waitFor('orders', 3, { value: 'string' });
  const wanted = broker.waitFor('orders', async ({ value }) => value === 'c', { value: 'string' });
  await send(broker, 'orders', 'b', 'c');
  assert.deepEqual((await three).map(({ value }) => value).sort(), ['a', 'b', 'c']);
  assert.equal((await wanted).value, 'c');
  assert.deepEqual(await broker.waitFor('orders', 0), []);
});

test('waitFor() says what was missing', async () => {
  await using broker = await startBroker({ topics: ['orders'] });
  await send(broker, 'orders', 'a');
  const soon = { timeoutMs: 20 };
  await assert.rejects(broker.waitFor('orders', 2, soon), (error) => {
    assert.ok(error instanceof RequestTimedOutError);
    assert.equal(error.message, 'The topic `orders` has 1 of 2 messages after 20 ms.');
    assert.deepEqual([error.code, error.topic], ['REQUEST_TIMED_OUT', 'orders']);
    return true;
  });
  await rejects(
    broker.waitFor('orders', () => false, soon),
    RequestTimedOutError,
    /None of the 1 messages of the topic `orders` is accepted/,
  );
  await rejects(broker.waitFor('trains', 1, soon), RequestTimedOutError, /`trains` does not exist/);
  const abort = AbortSignal.timeout(20);
  await rejects(broker.waitFor('orders', 2, { signal: abort }), AbortError);
  const refused = new Error('refused');
  const refusing = () => {
    throw refused;
  };
  await assert.rejects(broker.waitFor('orders', refusing), (error) => error === refused);
});

test('clear() deletes records, and connected clients go on', async () => {
  await using broker = await startBroker({
    topics: { orders: {}, states: { cleanupPolicy: 'compact' } },
  });
  await using client = await connect(broker.address);
  await using producer = client.producer();
  await using consumer = client.consumer({
    topics: ['orders', 'states'],
    groupId: 'readers',
    autoOffsetReset: 'earliest',
  });
  const read = consumer.messages();
  for (const round of ['first', 'second']) {
    for (const topic of ['orders', 'states']) {
      await producer.send({ topic, key: 'k', value: round });
      assert.deepEqual(values(await broker.messages(topic)), [round]);
      assert.equal(text((await read.next()).value.value), round);
    }
    await broker.clear();
    assert.deepEqual(await broker.messages('orders'), []);
    assert.deepEqual(await broker.messages('states'), []);
  }
  const policies = await broker.client.topicConfig('states');
  assert.equal(policies.find(({ name }) => name === 'cleanup.policy').value, 'compact');
});

test('reset() starts over', async () => {
  await using broker = await startBroker({ topics: { orders: { partitions: 2 } } });
  await broker.client.createTopic('trains');
  await send(broker, 'orders', 'a');
  {
    await using consumer = broker.client.consumer({
      topics: 'orders',
      groupId: 'readers',
      autoOffsetReset: 'earliest',
    });
    await consumer.messages().next();
    await rejects(broker.reset(), KafkaError, /readers/);
  }
  await broker.reset();
  assert.deepEqual(
    (await broker.client.topics()).map(({ name, partitions }) => [name, partitions]),
    [['orders', 2]],
  );
  assert.deepEqual(await broker.client.groups(), []);
  await send(broker, 'orders', 'b');
  const [message] = await broker.messages('orders');
  assert.equal(message.offset, 0n);
});

test('brokers share nothing, and a closed one lets its port go', async () => {
  await using one = await startBroker({ topics: ['orders'] });
  await using two = await startBroker({ topics: ['orders'] });
  await send(one, 'orders', 'a');
  assert.deepEqual(await two.messages('orders'), []);
  const port = Number(one.address.split(':')[1]);
  const waiting = rejects(one.waitFor('orders', 2), ClosedError);
  await one.close();
  await one.close();
  await waiting;
  await rejects(one.messages('orders'), ClosedError);
  await using again = await startBroker({ serve: { port } });
  assert.equal(again.address, `127.0.0.1:${port}`);
});

test('options are checked, and nothing stays open when one is wrong', async () => {
  await rejects(startBroker({ topic: 'orders' }), InvalidArgumentError, /`topic`.*`topics`/);
  await rejects(startBroker({ topics: 'orders' }), InvalidArgumentError, /topics must be an array/);
  await rejects(startBroker({ topics: ['orders', 7] }), InvalidArgumentError, /topics\[1\]/);
  await rejects(startBroker({ topics: { orders: 3 } }), InvalidArgumentError, /topics\.orders/);
  await rejects(startBroker({ topics: ['no/name'] }), KafkaError, /no\/name/);
  await rejects(startBroker({ numPartitionz: 3 }), ConfigError, /num\.partitions/);
  await rejects(startBroker({ serve: { prt: 0 } }), InvalidArgumentError, /`prt`.*`port`/);
  await using broker = await startBroker({ config: { 'num.partitions': 4 }, topics: ['orders'] });
  await rejects(broker.waitFor('orders', -1), InvalidArgumentError, /messages is -1/);
  await rejects(broker.waitFor('orders', 'a'), InvalidArgumentError, /messages must be/);
  await rejects(
    broker.waitFor('orders', 1, { timeout: 1 }),
    InvalidArgumentError,
    /`timeout`.*`timeoutMs`/,
  );
});

/** Runs a test runner on its suite, until it ends by itself. */
async function run(...args) {
  const child = spawn(process.execPath, args, {
    cwd: HERE,
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output += data;
    });
  }
  const [code] = await once(child, 'close');
  return { code, output: stripVTControlCharacters(output) };
}

for (const how of ['--runInBand', '--detectOpenHandles']) {
  test(`jest runs suites on it in one process, which ends by itself (${how})`, {
    timeout: 2 * PATIENCE,
  }, async () => {
    const jest = ['node_modules/jest/bin/jest.js', '--config=runners/jest/jest.config.cjs'];
    const { code, output } = await run(...jest, how);
    assert.equal(code, 0, output);
    assert.match(output, /Tests: +4 passed, 4 total/);
    assert.doesNotMatch(output, /open handle|did not exit|leak/i, output);
  });
}

test('vitest runs a suite on it, in processes and in threads', {
  timeout: 2 * PATIENCE,
}, async () => {
  for (const pool of ['forks', 'threads']) {
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--root=runners/vitest'];
    const { code, output } = await run(...vitest, `--pool=${pool}`);
    assert.equal(code, 0, output);
    assert.match(output, /Tests +2 passed \(2\)/);
    assert.doesNotMatch(output, /error|hanging/i, output);
  }
});
