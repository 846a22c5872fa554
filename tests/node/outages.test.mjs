// Brokers that are killed, connections that are reset, topics that are deleted: nothing is unhandled, and everything goes on by itself.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectSocket, createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect, open, TransportError } from 'headwater';
import { moverOf } from './moving.mjs';
import {
  directory,
  ENGINE,
  KAFKA,
  name,
  numbered,
  onClusterAndProtocols,
  onProtocols,
  onTargets,
  rejects,
  text,
  until,
  values,
} from './support.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const TIMES = { retryBackoffMs: 20, reconnectBackoffMs: 20, reconnectBackoffMaxMs: 100 };

const BROKER = `
import { open } from 'headwater';
const [path, port, config] = process.argv.slice(1);
const client = await open(path, JSON.parse(config));
const server = await client.serve({ port: Number(port) });
console.log(server.address);
setInterval(() => {}, 60_000);
`;

/** A broker in a process of its own. */
async function startBroker(context, path, port) {
  const args = ['--input-type=module', '--eval', BROKER, path, port, JSON.stringify(ENGINE)];
  const broker = spawn(process.execPath, args, { cwd: HERE, stdio: ['ignore', 'pipe', 'inherit'] });
  context.after(() => broker.kill('SIGKILL'));
  const [address] = await once(broker.stdout, 'data');
  return { broker, address: String(address).trim() };
}

/** Sends numbers one after the other, until it is stopped. */
function sendNumbers(producer) {
  const sent = [];
  let isStopped = false;
  const sending = (async () => {
    for (let n = 0; !isStopped; n++) {
      await producer.send({ topic: name('flights'), key: `${n % 17}`, value: `${n}` });
      sent.push(`${n}`);
      await sleep(1);
    }
  })();
  const stop = async () => {
    isStopped = true;
    await sending;
  };
  return { sent, stop };
}

for (const groupProtocol of ['classic', 'consumer']) {
  test(`a broker is killed and restarted under producers and members of a group (${groupProtocol})`, {
    timeout: 120_000,
  }, async (context) => {
    const path = await directory(context);
    let { broker, address } = await startBroker(context, path, '0');
    await using client = await connect(address, TIMES);
    await client.createTopic(name('flights'), { partitions: 3 });
    await using producer = client.producer();
    const read = new Set();
    const consumers = numbered(2, () =>
      client.consumer({
        topics: name('flights'),
        groupId: name('readers'),
        groupProtocol,
        autoOffsetReset: 'earliest',
      }),
    );
    const running = consumers.map((consumer) =>
      consumer.run({ eachMessage: ({ message }) => read.add(text(message.value)) }),
    );
    const { sent, stop } = sendNumbers(producer);
    for (const count of [100, 200]) {
      await until(() => sent.length >= count && read.size > 0);
      broker.kill('SIGKILL');
      await once(broker, 'close');
      await sleep(200);
      ({ broker } = await startBroker(context, path, address.split(':')[1]));
    }
    await until(() => sent.length >= 300);
    await stop();
    await until(() => sent.every((value) => read.has(value)));
    await Promise.all(consumers.map((consumer) => consumer.close()));
    await Promise.all(running);
  });
}

onClusterAndProtocols(
  'leaders move under a producer and members of a group',
  async (client, member) => {
    await using mover = await moverOf(KAFKA);
    await client.createTopic(name('flights'), { partitions: 3 });
    await using producer = client.producer();
    const read = new Set();
    const consumers = numbered(2, () => client.consumer({ topics: name('flights'), ...member }));
    const running = consumers.map((consumer) =>
      consumer.run({ eachMessage: ({ message }) => read.add(text(message.value)) }),
    );
    const { sent, stop } = sendNumbers(producer);
    for (let round = 1; round <= 2; round++) {
      await until(() => sent.length >= 100 * round && read.size >= 50 * round);
      await mover.moveLeaders(name('flights'));
    }
    const sentUntilNow = sent.length;
    await until(() => sent.length >= sentUntilNow + 50);
    await stop();
    await until(() => sent.every((value) => read.has(value)));
    await Promise.all(consumers.map((consumer) => consumer.close()));
    await Promise.all(running);
    const written = await client.topic(name('flights')).count();
    assert.equal(written, sent.length, 'nothing is lost or written twice');
  },
);

test('while nothing listens, sends wait or reject, and close() returns', {
  timeout: 60_000,
}, async (context) => {
  const path = await directory(context);
  const { broker, address } = await startBroker(context, path, '0');
  const client = await connect(address, { ...TIMES, requestTimeoutMs: 300 });
  await client.createTopic(name('flights'));
  const producer = client.producer({ deliveryTimeoutMs: 1_000, requestTimeoutMs: 300 });
  await producer.send({ topic: name('flights'), value: 'before' });
  // It limits the commit and the leaving of close().
  const consumer = client.consumer({
    topics: name('flights'),
    groupId: name('readers'),
    defaultApiTimeoutMs: 1_000,
  });
  const running = consumer.run({ eachMessage: () => {} });
  await sleep(100);
  broker.kill('SIGKILL');
  await once(broker, 'close');
  await assert.rejects(producer.send({ topic: name('flights'), value: 'lost' }), (error) => {
    assert.ok(error.retriable, `${error}`);
    return true;
  });
  // A service ends even if its broker is away.
  await consumer.close().catch(() => {});
  await running.catch(() => {});
  await client.close().catch(() => {});
});

/** A proxy in front of a broker: it cuts all connections when it is told. */
async function startProxy(context) {
  const target = { port: 0 };
  const sockets = new Set();
  const proxy = createServer((near) => {
    const far = connectSocket(target.port, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of sockets) {
      socket.resetAndDestroy();
    }
    sockets.clear();
  };
  context.after(() => {
    cut();
    proxy.close();
  });
  return { address: `127.0.0.1:${proxy.address().port}`, target, cut };
}

test('connections that are reset are made again', { timeout: 60_000 }, async (context) => {
  await using engine = await open(null, ENGINE);
  const { address, target, cut } = await startProxy(context);
  await using server = await engine.serve({ port: 0, advertised: address });
  target.port = Number(server.address.split(':')[1]);
  await using client = await connect(address, TIMES);
  await client.createTopic(name('flights'));
  await using producer = client.producer();
  await using consumer = client.consumer({
    topics: name('flights'),
    groupId: name('readers'),
    autoOffsetReset: 'earliest',
  });
  const read = [];
  const running = consumer.run({ eachMessage: ({ message }) => read.push(text(message.value)) });
  for (let round = 0; round < 5; round++) {
    const sending = producer.send({ topic: name('flights'), value: `${round}` });
    cut();
    await sending;
    await until(() => read.includes(`${round}`));
    cut();
  }
  await consumer.stop();
  await running;
  assert.deepEqual([...new Set(read)], ['0', '1', '2', '3', '4']);
  assert.equal(await client.topic(name('flights')).count(), 5, 'nothing is written twice');
});

test('connections that the broker ends because they are idle are made again', async () => {
  await using engine = await open(null, { ...ENGINE, connectionsMaxIdleMs: 100 });
  await using server = await engine.serve({ port: 0 });
  await using client = await connect(server.address, TIMES);
  await client.createTopic(name('flights'));
  await using producer = client.producer();
  await using consumer = client.consumer({ topics: name('flights'), autoOffsetReset: 'earliest' });
  const messages = consumer.messages();
  for (const value of ['a', 'b', 'c']) {
    await producer.send({ topic: name('flights'), value });
    assert.equal(text((await messages.next()).value.value), value);
    await sleep(300);
  }
});

onTargets(
  'a topic that is deleted and created again is read and written from its start',
  async (client) => {
    await client.createTopic(name('flights'));
    await client.createTopic(name('trains'));
    await using producer = client.producer();
    await using consumer = client.consumer({
      topics: [name('flights'), name('trains')],
      autoOffsetReset: 'earliest',
      metadataMaxAgeMs: 50,
    });
    const read = [];
    const running = consumer.run({
      eachMessage: ({ topic, message }) => read.push(`${topic} ${text(message.value)}`),
    });
    await producer.send({ topic: name('flights'), value: 'old' });
    await until(() => read.includes(`${name('flights')} old`));
    for (const round of ['first', 'second']) {
      await client.deleteTopic(name('flights'));
      await producer.send({ topic: name('trains'), value: round });
      await until(() => read.includes(`${name('trains')} ${round}`));
      await client.createTopic(name('flights'));
      await producer.send({ topic: name('flights'), value: round });
      await until(() => read.includes(`${name('flights')} ${round}`));
    }
    await consumer.stop();
    await running;
    assert.deepEqual(values(await client.topic(name('flights')).head()), ['second']);
  },
);

onProtocols(
  'a member of a group goes on with a topic that is created again',
  async (client, member) => {
    await client.createTopic(name('flights'));
    await using producer = client.producer();
    await using consumer = client.consumer({
      topics: name('flights'),
      ...member,
      metadataMaxAgeMs: 50,
    });
    const read = [];
    const running = consumer.run({ eachMessage: ({ message }) => read.push(text(message.value)) });
    await producer.send({ topic: name('flights'), value: 'old' });
    await until(() => read.includes('old'));
    await client.deleteTopic(name('flights'));
    await client.createTopic(name('flights'));
    await producer.send({ topic: name('flights'), value: 'new' });
    await until(() => read.includes('new'));
    await consumer.stop();
    await running;
  },
);

onProtocols(
  'messages of a deleted topic do not finish those of the topic that replaces it',
  async (client, member) => {
    await client.createTopic(name('flights'));
    await using producer = client.producer();
    const read = [];
    const consumer = client.consumer({
      topics: name('flights'),
      ...member,
      metadataMaxAgeMs: 50,
    });
    const running = consumer.run({
      retry: { retries: 0 },
      eachMessage: ({ message }) => {
        read.push(text(message.value));
        assert.ok(text(message.value) !== 'new', 'the handler fails');
      },
    });
    for (const value of ['old', 'older', 'oldest']) {
      await producer.send({ topic: name('flights'), value });
    }
    await until(() => read.length === 3);
    await client.deleteTopic(name('flights'));
    await client.createTopic(name('flights'));
    await producer.send({ topic: name('flights'), value: 'new' });
    await assert.rejects(running, /the handler fails/);
    await consumer.close();
    await using next = client.consumer({ topics: name('flights'), ...member });
    assert.deepEqual(values(await next.poll()), ['new']);
  },
);

test('an address that cannot be reached is named with the one that led to it', async () => {
  await using engine = await open();
  await using server = await engine.serve({ port: 0, advertised: '127.0.0.1:1' });
  const times = { socketConnectionSetupTimeoutMs: 200, requestTimeoutMs: 500 };
  const use = async () => {
    await using client = await connect(server.address, { ...times, defaultApiTimeoutMs: 1_000 });
    await using producer = client.producer({
      maxBlockMs: 500,
      requestTimeoutMs: 500,
      deliveryTimeoutMs: 1_000,
    });
    await client.createTopic(name('flights'));
    await producer.send({ topic: name('flights'), value: 'x' });
  };
  const error = await use().catch((error) => error);
  assert.ok(error instanceof TransportError, `${error}`);
  assert.match(error.message, /127\.0\.0\.1:1\b/);
  assert.ok(error.message.includes(server.address), error.message);
  await rejects(connect('nowhere.invalid:9092', times), TransportError, /nowhere\.invalid:9092/);
});
