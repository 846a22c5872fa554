// An engine served over TCP: the cases of tests/python/test_serve.py, with kafkajs as the foreign client.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, InvalidArgumentError, KafkaError, open, TransportError } from 'headwater';
import kafkajs from 'kafkajs';
import { numbered, rejects, until, values } from './support.mjs';

const { Kafka, logLevel } = kafkajs;

async function served(run) {
  await using client = await open();
  await using server = await client.serve({ port: 0 });
  await run(client, server);
}

test('records produced by kafkajs are scanned here', () =>
  served(async (client, server) => {
    const topic = await client.createTopic('flights');
    const producer = new Kafka({
      brokers: [server.bootstrapServers],
      logLevel: logLevel.NOTHING,
    }).producer();
    await producer.connect();
    await producer.send({
      topic: 'flights',
      messages: numbered(10, (n) => ({ value: `${n}`, headers: { a: 'b' } })),
    });
    await producer.disconnect();
    const batch = await topic.head(10);
    assert.deepEqual(
      values(batch),
      numbered(10, (n) => `${n}`),
    );
    assert.deepEqual(batch.at(0).headers, [['a', Buffer.from('b')]]);
  }));

test('records produced here are consumed by kafkajs', () =>
  served(async (client, server) => {
    await client.createTopic('flights');
    await using producer = client.producer();
    await producer.sendBatch(
      'flights',
      numbered(10, (n) => ({ value: `${n}` })),
    );
    const kafka = new Kafka({ brokers: [server.bootstrapServers], logLevel: logLevel.NOTHING });
    const consumer = kafka.consumer({ groupId: 'foreign' });
    await consumer.connect();
    await consumer.subscribe({ topic: 'flights', fromBeginning: true });
    const read = [];
    await consumer.run({ eachMessage: async ({ message }) => read.push(message.value.toString()) });
    await until(() => read.length === 10);
    await consumer.disconnect();
    assert.deepEqual(
      read,
      numbered(10, (n) => `${n}`),
    );
  }));

test('a connected client refuses to serve', () =>
  served(async (_client, server) => {
    await using connected = await connect([server.address]);
    await rejects(connected.serve({ port: 0 }), KafkaError, /serve|embedded|cluster/);
  }));

test('an address other than loopback is refused', () =>
  served(async (client) => {
    await rejects(client.serve({ host: '0.0.0.0', port: 0 }), KafkaError, /allowInsecure/);
    await using insecure = await client.serve({
      host: '0.0.0.0',
      port: 0,
      allowInsecure: true,
      advertised: '127.0.0.1:9',
    });
    assert.equal(insecure.bootstrapServers, '127.0.0.1:9');
  }));

test('a port in use is an error with the port', () =>
  served(async (client, server) => {
    const port = Number(server.address.split(':')[1]);
    await rejects(client.serve({ port }), TransportError, new RegExp(`${port}`));
  }));

test('wrong arguments are errors with advice', () =>
  served(async (client) => {
    await rejects(client.serve({ port: 70_000 }), InvalidArgumentError, /port is 70000/);
    await rejects(
      client.serve({ port: 0, tlsCert: 'cert.pem' }),
      InvalidArgumentError,
      /belong together/,
    );
    await rejects(
      client.serve({ port: 0, advertised: 'nowhere' }),
      InvalidArgumentError,
      /nowhere/,
    );
    await rejects(client.serve({ prt: 0 }), InvalidArgumentError, /`prt`.*`port`/);
    await rejects(
      client.serve({ port: 0, securityProtocol: 'TLS' }),
      InvalidArgumentError,
      /securityProtocol/,
    );
  }));

test('a closed server frees its port and the client stays open', () =>
  served(async (client) => {
    const server = await client.serve({ port: 0 });
    const port = Number(server.address.split(':')[1]);
    await server.close();
    await server.close();
    await using again = await client.serve({ port });
    assert.equal(again.address, `127.0.0.1:${port}`);
    assert.deepEqual(await client.topics(), []);
  }));

test('a broker that goes and comes back is found again', async () => {
  await using client = await open();
  await client.createTopic('flights');
  let server = await client.serve({ port: 0 });
  const port = Number(server.address.split(':')[1]);
  await using connected = await connect(server.address);
  await using producer = connected.producer();
  await producer.send({ topic: 'flights', value: 'before' });
  await server.close();
  const sent = producer.send({ topic: 'flights', value: 'after' });
  server = await client.serve({ port });
  await sent;
  assert.deepEqual(values(await client.topic('flights').head()), ['before', 'after']);
  await server.close();
});

test('a server that the program has dropped goes on', async () => {
  const serve = async () => {
    const client = await open();
    return (await client.serve({ port: 0 })).address;
  };
  const address = await serve();
  for (let n = 0; n < 10; n++) {
    global.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await using connected = await connect(address);
  assert.deepEqual(await connected.topics(), []);
});
