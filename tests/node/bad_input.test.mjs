// Bad input and misuse: a typed error at the call, or a copy taken in time. The position is kept, nothing is lost, and the process goes on.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ClosedError, InvalidArgumentError, KafkaError, open } from 'headwater';
import {
  directory,
  fill,
  first,
  flights,
  name,
  numbered,
  offsets,
  onTargets,
  place,
  rejects,
  text,
  until,
  values,
} from './support.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const LONE = 'a\ud800';

onTargets(
  'a lone surrogate is refused wherever text is sent, and nothing is written',
  async (client) => {
    const topic = await client.createTopic(name('flights'));
    await using producer = client.producer();
    await using json = client.producer({ key: 'json', value: 'json' });
    for (const [record, field] of [
      [{ value: LONE }, /value/],
      [{ key: LONE }, /key/],
      [{ headers: { [LONE]: 'x' } }, /headers/],
      [{ headers: { a: LONE } }, /headers\.a/],
      [{ headers: [['a', LONE]] }, /headers\[0\]/],
      [{ headers: [[LONE, null]] }, /headers\[0\]/],
    ]) {
      const sent = producer.send({ topic: name('flights'), ...record });
      await rejects(sent, InvalidArgumentError, /lone surrogate/);
      await rejects(
        producer.sendBatch(name('flights'), [{ value: 'x' }, record]),
        InvalidArgumentError,
        field,
      );
    }
    await rejects(producer.send({ topic: LONE, value: 'x' }), InvalidArgumentError, /topic/);
    await rejects(producer.sendBatch(LONE, []), InvalidArgumentError, /topic/);
    await rejects(
      client.createTopic(name('t'), { config: { 'cleanup.policy': LONE } }),
      InvalidArgumentError,
    );
    assert.throws(() => client.consumer({ topics: [LONE] }), InvalidArgumentError);
    assert.throws(() => client.consumer({ groupId: LONE }), InvalidArgumentError);
    assert.equal(await topic.count(), 0);
    // JSON has escapes for it.
    await json.send({ topic: name('flights'), key: LONE, value: { text: LONE } });
    const [message] = await topic.head(1, { key: 'json', value: 'json' });
    assert.deepEqual([message.key, message.value], [LONE, { text: LONE }]);
  },
);

onTargets(
  'buffers that are detached or out of date are refused or copied in every part',
  async (client) => {
    const topic = await client.createTopic(name('flights'));
    await using producer = client.producer();
    const detached = () => {
      const bytes = new TextEncoder().encode('gone');
      structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
      return bytes;
    };
    for (const record of [
      { key: detached() },
      { value: detached() },
      { headers: { a: detached() } },
      { headers: [['a', detached()]] },
    ]) {
      await rejects(
        producer.send({ topic: name('flights'), ...record }),
        InvalidArgumentError,
        /detached/,
      );
      await rejects(
        producer.sendBatch(name('flights'), [record]),
        InvalidArgumentError,
        /messages\[0\].*detached/,
      );
    }
    await rejects(producer.sendBatch(name('flights'), detached()), InvalidArgumentError);

    const parts = numbered(3, () => Buffer.from('before'));
    const [key, value, header] = parts;
    const record = { key, value, headers: [['a', header]] };
    const sent = [
      producer.send({ topic: name('flights'), ...record }),
      producer.sendBatch(name('flights'), [record]),
    ];
    for (const part of parts) {
      part.fill('x');
    }
    record.headers.push(['b', 'late']);
    record.partition = 7;
    await Promise.all(sent);
    for (const message of await topic.head()) {
      assert.deepEqual([text(message.key), text(message.value)], ['before', 'before']);
      assert.deepEqual(message.headers, [['a', Buffer.from('before')]]);
    }
  },
);

onTargets('a buffer of Arrow that changes while it is sent does no harm', async (client) => {
  const topic = await flights(client);
  await using producer = client.producer();
  const stream = (await topic.head(10)).toArrowIPC();
  const sent = producer.sendBatch(name('flights'), stream, { key: 'key', value: 'value' });
  stream.fill(0);
  await sent;
  assert.deepEqual(
    values(await topic.tail(10)),
    numbered(10, (n) => `v${n}`),
  );
});

onTargets(
  'what a reader changes in its buffers changes nothing that others read',
  async (client) => {
    const topic = await flights(client);
    const batch = await topic.head(10);
    for (const message of batch) {
      message.value.fill('x');
      message.key.fill('x');
    }
    assert.deepEqual(
      values(await topic.head(10)),
      numbered(10, (n) => `v${n}`),
    );
    await using consumer = client.consumer({
      topics: name('flights'),
      autoOffsetReset: 'earliest',
    });
    for (const message of await first(consumer, 2)) {
      message.value.fill('x');
    }
    assert.deepEqual(
      (await first(consumer, 1)).map(({ value }) => text(value)),
      ['v2'],
    );
  },
);

onTargets('huge headers, and many, arrive whole', async (client) => {
  const topic = await client.createTopic(name('flights'), { maxMessageBytes: 8 << 20 });
  await using producer = client.producer({ maxRequestSize: 8 << 20 });
  const long = 'n'.repeat(40_000);
  const headers = numbered(10_000, (n) => [`h${n % 10}`, `${n}`]);
  await producer.send({ topic: name('flights'), headers: [[long, Buffer.alloc(4 << 20, 1)]] });
  await producer.send({ topic: name('flights'), headers });
  await producer.sendBatch(name('flights'), [{ headers }]);
  const [large, ...many] = await topic.head(3);
  assert.deepEqual([large.headers[0][0], large.headers[0][1].length], [long, 4 << 20]);
  for (const message of many) {
    assert.deepEqual(
      message.headers.map(([key, value]) => [key, text(value)]),
      headers,
    );
  }
  const tooMany = numbered(70_000, () => ['a', 'b']);
  await rejects(
    producer.sendBatch(name('flights'), [{ headers: tooMany }]),
    InvalidArgumentError,
    /65535/,
  );
});

onTargets(
  'times, partitions and values that cannot be are refused with their field',
  async (client) => {
    const topic = await client.createTopic(name('flights'));
    await using producer = client.producer();
    for (const timestamp of [Number.NaN, Infinity, -1, new Date(Number.NaN), '0', {}, 1n]) {
      await rejects(
        producer.send({ topic: name('flights'), timestamp }),
        InvalidArgumentError,
        /timestamp/,
      );
      await rejects(
        producer.sendBatch(name('flights'), [{ timestamp }]),
        InvalidArgumentError,
        /timestamp/,
      );
    }
    for (const partition of [Number.NaN, -1, 0.5, '0', 2 ** 31, 0n]) {
      await rejects(
        producer.send({ topic: name('flights'), partition }),
        InvalidArgumentError,
        /partition/,
      );
      await rejects(
        producer.sendBatch(name('flights'), [{ partition }]),
        InvalidArgumentError,
        /partition/,
      );
      await rejects(
        producer.sendBatch(name('flights'), [{}], { partition }),
        InvalidArgumentError,
        /partition/,
      );
    }
    const wrong = [
      1,
      true,
      {},
      Symbol('s'),
      () => {},
      new Map(),
      1n,
      new Date(0),
      new ArrayBuffer(1),
    ];
    for (const value of wrong) {
      for (const [record, field] of [
        [{ value }, /value must be/],
        [{ key: value }, /key must be/],
        [{ headers: { a: value } }, /headers\.a must be/],
        [{ headers: { a: [value] } }, /headers\.a must be/],
        [{ headers: [['a', value]] }, /headers\[0\] must be/],
      ]) {
        const sent = producer.send({ topic: name('flights'), ...record });
        await rejects(sent, InvalidArgumentError, field);
      }
    }
    assert.equal(await topic.count(), 0);
    await rejects(producer.sendBatch(name('flights'), [{ partition: 3 }]), KafkaError, /3/);
    assert.equal(await topic.count(), 0, 'all are checked before the first is written');
  },
);

onTargets(
  'values of JSON that throw while they are written are the error of the send',
  async (client) => {
    const topic = await client.createTopic(name('flights'));
    await using producer = client.producer({ value: 'json' });
    const refused = new Error('refused');
    const value = {
      toJSON() {
        throw refused;
      },
    };
    await assert.rejects(
      producer.send({ topic: name('flights'), value }),
      (error) => error === refused,
    );
    const record = {
      topic: name('flights'),
      get value() {
        throw refused;
      },
    };
    await assert.rejects(producer.send(record), (error) => error === refused);
    assert.equal(await topic.count(), 0);
  },
);

onTargets('a closed object refuses each call with ClosedError', async (client) => {
  await client.createTopic(name('flights'));
  const producer = client.producer();
  const consumer = client.consumer({ topics: name('flights'), groupId: name('readers') });
  await producer.close();
  await consumer.close();
  for (const call of [
    () => producer.send({ topic: name('flights'), value: 'x' }),
    () => producer.sendBatch(name('flights'), [{ value: 'x' }]),
    () => once(producer.writable(name('flights')).end({ value: 'x' }), 'finish'),
    () => consumer.poll(),
    () => consumer.messages().next(),
    () => consumer.batches().next(),
    () => consumer.readable().toArray(),
    () => consumer.run({ eachMessage: () => {} }),
    () => consumer.subscribe(name('flights')),
    () => consumer.unsubscribe(),
    () => consumer.assign(place(0)),
    () => consumer.assignment(),
    () => consumer.paused(),
    () => consumer.commit(),
    () => consumer.commit({ ...place(0), offset: 0n }),
    () => consumer.committed(),
    () => consumer.position(),
    () => consumer.lag(),
    () => consumer.seek(0),
    () => consumer.seek({ ...place(0), offset: 0n }),
    () => consumer.pause(),
    () => consumer.resume(),
  ]) {
    await rejects(call(), ClosedError, /closed/).catch((error) => {
      throw new Error(`${call}: ${error.message}`);
    });
  }
  // What may be said to a closed one.
  consumer.wakeup();
  await consumer.stop();
  await consumer.close();
  await producer.flush();
  await producer.close();
});

onTargets('a call that is refused keeps the position', async (client) => {
  await fill(
    client,
    numbered(10, (n) => `${n}`),
  );
  await using consumer = client.consumer({
    topics: name('flights'),
    groupId: name('readers'),
    autoOffsetReset: 'earliest',
    enableAutoCommit: false,
  });
  let next = 0;
  for (const call of [
    () => consumer.seek('noon'),
    () => consumer.seek(-1),
    () => consumer.seek({ ...place(0), partition: 9, offset: 0n }),
    () => consumer.seek([{ ...place(0), offset: Number.NaN }]),
    () => consumer.commit({ ...place(0), offset: -1n }),
    () => consumer.commit('all'),
    () => consumer.pause({ partitions: [{ ...place(0), partition: 9 }] }),
    () => consumer.poll({ timeoutMs: -1 }),
    () => consumer.run({ eachMessage: () => {}, eachBatch: () => {} }),
  ]) {
    assert.deepEqual(offsets(await first(consumer, 1)), [next++], `before ${call}`);
    await assert.rejects(call, KafkaError);
  }
  assert.deepEqual(offsets(await first(consumer, 1)), [next]);
});

onTargets('a handler may throw anything', async (client) => {
  await fill(
    client,
    numbered(5, (n) => `${n}`),
  );
  for (const thrown of [undefined, null, 'text', 0, Symbol('s'), Object.create(null)]) {
    await using consumer = client.consumer({
      topics: name('flights'),
      autoOffsetReset: 'earliest',
    });
    const run = consumer.run({
      retry: { retries: 0 },
      eachMessage: ({ message }) => {
        if (message.offset === 2n) {
          throw thrown;
        }
      },
    });
    const caught = await run.then(
      () => assert.fail('run() ended'),
      (error) => ({ error }),
    );
    assert.equal(caught.error, thrown);
    assert.deepEqual(offsets(await first(consumer, 1)), [2]);
  }
});

onTargets(
  'what is sent and dropped is written, and waits that are dropped end with their client',
  async (client) => {
    const topic = await client.createTopic(name('flights'));
    await client.createTopic(name('quiet'));
    const ends = [];
    const abandon = () => {
      client.producer({ lingerMs: 100 }).send({ topic: name('flights'), value: 'sent' });
      for (const wait of [
        client.consumer({ topics: name('quiet') }).poll({ timeoutMs: 60_000 }),
        client
          .consumer({ topics: name('quiet') })
          .messages()
          .next(),
        client
          .consumer({ topics: name('quiet') })
          .batches()
          .next(),
      ]) {
        wait.catch((error) => ends.push(error));
      }
    };
    for (let n = 0; n < 10; n++) {
      abandon();
      await sleep(1);
      global.gc();
    }
    await until(async () => (await topic.count()) === 10);
    await client.close();
    await until(() => ends.length === 30);
    assert.ok(ends.every((error) => error instanceof ClosedError));
  },
);

onTargets('a stream that fails says why, and ends', async (client) => {
  await client.createTopic(name('flights'));
  await using producer = client.producer();
  const stream = producer.writable(name('flights'));
  const failed = once(stream, 'error');
  stream.write({ value: 'a' });
  stream.write({ value: 7 });
  const [error] = await failed;
  assert.ok(error instanceof InvalidArgumentError, `${error}`);
  assert.ok(stream.destroyed);
});

/** Runs a program with the package to its end. */
async function program(source, ...args) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source, ...args], {
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
  const [code, signal] = await once(child, 'close');
  return { code, signal, output };
}

const OPEN = `
import { open } from 'headwater';
const client = await open(process.argv[1]);
await client.createTopic('flights', { ifExists: 'ignore' });
const producer = client.producer();
await producer.send({ topic: 'flights', value: 'acknowledged' });
`;

test('a rejection that nobody handles ends the process as Node does, and loses nothing', async (context) => {
  const path = await directory(context);
  const { code, signal, output } = await program(
    `${OPEN}producer.send({ topic: 'flights', value: 7 });`,
    path,
  );
  assert.deepEqual([code, signal], [1, null], output);
  assert.match(output, /InvalidArgumentError: value must be a Buffer/);
  await using client = await open(path);
  assert.equal(client.recovery, null);
  assert.deepEqual(values(await client.topic('flights').head()), ['acknowledged']);
});

test('a process that handles rejections itself goes on', async (context) => {
  const path = await directory(context);
  const source = `${OPEN}
process.on('unhandledRejection', (error) => console.log(error.name));
producer.send({ topic: 'flights', value: 7 });
client.topic('nowhere').head();
await new Promise((resolve) => setTimeout(resolve, 50));
console.log(await client.topic('flights').count());
`;
  const { code, output } = await program(source, path);
  assert.deepEqual([code, output], [0, 'InvalidArgumentError\nUnknownTopicOrPartitionError\n1\n']);
});

test('run() that is ended inside a handler lets the process end', async (context) => {
  const path = await directory(context);
  for (const how of ['stop', 'close']) {
    const source = `${OPEN}
const consumer = client.consumer({ topics: 'flights', groupId: 'readers', autoOffsetReset: 'earliest' });
await consumer.run({ eachMessage: () => consumer.${how}() });
await client.close();
console.log('ended');
`;
    const { code, output } = await program(source, path);
    assert.deepEqual([code, output], [0, 'ended\n']);
  }
});
