// Services under strain: handlers that compute, large messages, much data, codecs, groups that change.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { open } from 'headwater';
import {
  directory,
  fill,
  first,
  name,
  numbered,
  onProtocols,
  onTargets,
  place,
  text,
  until,
  values,
} from './support.mjs';

const reader = () => ({ topics: name('flights'), autoOffsetReset: 'earliest' });

onProtocols(
  'a handler that computes for longer than the session lasts keeps its partitions',
  async (client, member) => {
    await fill(
      client,
      numbered(5, (n) => `${n}`),
    );
    const times = member.groupProtocol === 'consumer' ? {} : { sessionTimeoutMs: 300 };
    const read = [];
    const lost = [];
    {
      await using consumer = client.consumer({ topics: name('flights'), ...member, ...times });
      consumer.on('lost', (partitions) => lost.push(...partitions));
      consumer.on('revoke', (partitions) => read.length < 5 && lost.push(...partitions));
      const running = consumer.run({
        eachMessage: ({ message }) => {
          if (message.offset === 1n) {
            // The event loop does not turn.
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
          }
          read.push(text(message.value));
        },
      });
      await until(() => read.length === 5);
      await consumer.stop();
      await running;
    }
    assert.deepEqual([read, lost], [['0', '1', '2', '3', '4'], []]);
    const [{ committed }] = await client.groupOffsets(name('readers'));
    assert.equal(committed, 5n);
  },
);

onTargets('a message of 5 MB is read with a small fetch size', async (client) => {
  const topic = await client.createTopic(name('flights'), { maxMessageBytes: 8 << 20 });
  await using producer = client.producer({ maxRequestSize: 8 << 20 });
  const large = randomBytes(5 << 20);
  for (const value of [Buffer.from('before'), large, Buffer.from('after')]) {
    await producer.send({ topic: name('flights'), value });
  }
  await using consumer = client.consumer({
    ...reader(),
    maxPartitionFetchBytes: 1_024,
    fetchMaxBytes: 1_024,
  });
  const read = await first(consumer, 3);
  assert.deepEqual(
    read.map(({ value }) => value.length),
    [6, 5 << 20, 5],
  );
  assert.ok(read[1].value.equals(large));
  assert.ok((await topic.head(2)).at(1).value.equals(large));
});

onTargets('all codecs write and read without a plugin', async (client) => {
  const sent = numbered(1_000, (n) => `value ${n}`);
  const sizes = {};
  for (const compressionType of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    const topic = await client.createTopic(name(compressionType));
    await using producer = client.producer({ compressionType, lingerMs: 5 });
    await producer.sendBatch(
      name(compressionType),
      sent.map((value) => ({ value })),
    );
    const [{ sizeBytes }] = await topic.describe();
    sizes[compressionType] = sizeBytes;
    await Promise.all(sent.map((value) => producer.send({ topic: name(compressionType), value })));
    assert.deepEqual(values(await topic.head(2_000)), [...sent, ...sent]);
    await using consumer = client.consumer({ ...reader(), topics: name(compressionType) });
    assert.deepEqual(values(await first(consumer, 1_000)), sent);
  }
  const { none, ...others } = sizes;
  assert.ok(
    Object.values(others).every((size) => size < none),
    JSON.stringify(sizes),
  );
});

/** The memory of the process that is its own, in bytes: pages of mapped files are the system's. */
async function ownMemory() {
  const status = await readFile('/proc/self/status', 'utf8');
  return Number(status.match(/^RssAnon:\s+(\d+) kB$/m)[1]) * 1_024;
}

test('a slow handler over much data keeps the memory flat', {
  timeout: 120_000,
  skip: process.platform !== 'linux' && 'it reads /proc',
}, async (context) => {
  const path = await directory(context);
  await using client = await open(path);
  await client.createTopic(name('flights'), { partitions: 2 });
  await using producer = client.producer();
  const [rows, bytes] = [256, 4_096];
  const batch = numbered(rows, (n) => ({ value: randomBytes(bytes), partition: n % 2 }));
  const batches = 256;
  for (let n = 0; n < batches; n++) {
    await producer.sendBatch(name('flights'), batch);
  }
  await producer.close();
  await using consumer = client.consumer(reader());
  let handled = 0;
  const running = consumer.run({
    concurrency: 2,
    eachMessage: async ({ message }) => {
      assert.equal(message.value.length, bytes);
      handled++;
      if (handled % 256 === 0) {
        await sleep(1);
      }
    },
  });
  await until(() => handled > (rows * batches) / 16);
  const samples = [];
  while (handled < rows * batches) {
    global.gc();
    samples.push(await ownMemory());
    await sleep(20);
  }
  await consumer.stop();
  await running;
  const [low, high] = [Math.min(...samples), Math.max(...samples)];
  const mib = (n) => `${(n / (1 << 20)).toFixed(0)} MiB`;
  context.diagnostic(
    `${mib(rows * batches * bytes)} read with ${mib(low)} to ${mib(high)} of memory`,
  );
  assert.ok(high - low < 128 << 20, `${mib(low)} to ${mib(high)}`);
});

onProtocols('paused() tells the truth after a rebalance', async (client, member) => {
  await client.createTopic(name('flights'), { partitions: 2 });
  await using producer = client.producer();
  await using one = client.consumer({ topics: name('flights'), ...member });
  const read = [];
  const running = [one.run({ eachMessage: ({ message }) => read.push(text(message.value)) })];
  await until(async () => (await one.assignment()).length === 2);
  await one.pause();
  assert.equal((await one.paused()).length, 2);
  await using two = client.consumer({ topics: name('flights'), ...member });
  running.push(two.run({ eachMessage: ({ message }) => read.push(text(message.value)) }));
  await until(async () => (await one.assignment()).length === 1);
  await until(async () => (await two.assignment()).length === 1);
  const paused = await one.paused();
  const [mine] = await one.assignment();
  assert.ok(
    paused.every(({ partition }) => partition === mine.partition),
    'only what is assigned is paused',
  );
  assert.deepEqual(await two.paused(), []);
  // What it says is what it does.
  for (const partition of [0, 1]) {
    await producer.send({ topic: name('flights'), partition, value: `${partition}` });
  }
  const others = ['0', '1'].filter((value) => paused.length === 0 || value !== `${mine.partition}`);
  await until(() => others.every((value) => read.includes(value)));
  await sleep(100);
  assert.deepEqual(read.sort(), others);
  await one.resume();
  await until(() => read.length === 2);
  await two.close();
  await one.stop();
  await Promise.all(running);
});

onTargets('a seek backwards in a handler reads the messages again', async (client) => {
  await fill(
    client,
    numbered(6, (n) => `${n}`),
  );
  await using consumer = client.consumer(reader());
  const read = [];
  const running = consumer.run({
    eachMessage: async ({ message }) => {
      read.push(Number(message.offset));
      if (read.length === 4) {
        await consumer.seek({ ...place(0), offset: 1n });
      }
    },
  });
  await until(() => read.length === 9);
  await consumer.stop();
  await running;
  assert.deepEqual(read, [0, 1, 2, 3, 1, 2, 3, 4, 5]);
});

test('a service that ends with work in flight loses nothing, and starts again at once', async (context) => {
  const path = await directory(context);
  const read = new Set();
  const acknowledged = [];
  for (let round = 0; round < 5; round++) {
    const client = await open(path);
    await client.createTopic(name('flights'), { partitions: 2, ifExists: 'ignore' });
    const producer = client.producer({ lingerMs: 5 });
    const consumer = client.consumer({
      ...reader(),
      groupId: name('readers'),
      fetchMaxWaitMs: 30_000,
    });
    const running = consumer.run({
      concurrency: 2,
      eachMessage: async ({ message }) => {
        read.add(text(message.value));
        await sleep(1);
      },
    });
    const sends = numbered(200, (n) => {
      const value = `${round}/${n}`;
      return producer.send({ topic: name('flights'), value }).then(() => acknowledged.push(value));
    });
    await sleep(20);
    // Without waiting for sends or handlers.
    await client.close();
    await Promise.allSettled(sends);
    await running;
  }
  await using client = await open(path);
  assert.equal(client.recovery, null);
  assert.equal(acknowledged.length, 1_000, 'what was sent is written before the end');
  assert.equal(await client.topic(name('flights')).count(), 1_000);
  await using consumer = client.consumer({ ...reader(), groupId: name('readers') });
  for await (const batch of consumer.batches({ until: 'end' })) {
    for (const value of values(batch)) {
      read.add(value);
    }
  }
  assert.equal(read.size, 1_000);
});
