// What the tests of the adapter share: the same test with kafkajs and with the adapter.

import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { open } from 'headwater';
import * as adapter from 'headwater/kafkajs';
import kafkajs from 'kafkajs';
import { ENGINE, PATIENCE, until } from './support.mjs';

process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';

/** An engine, and what makes a `Kafka` of a package on it. */
async function start(use, library, connection) {
  await using engine = await open(null, ENGINE);
  await using server = await engine.serve({ port: 0 });
  const clients = [];
  const kafkaWith = (options = {}) => {
    const kafka = new library.Kafka({
      ...connection(engine, server),
      logLevel: library.logLevel.NOTHING,
      ...options,
    });
    for (const kind of ['producer', 'consumer', 'admin']) {
      const make = kafka[kind].bind(kafka);
      kafka[kind] = (...args) => {
        const client = make(...args);
        clients.push(client);
        return client;
      };
    }
    return kafka;
  };
  try {
    await use({ library, engine, server, kafkaWith, kafka: kafkaWith() });
  } finally {
    await Promise.all(clients.map((client) => client.disconnect().catch(() => {})));
  }
}

const served = (_engine, server) => ({ brokers: [server.address], clientId: 'test' });
const embedded = (engine) => ({ client: engine });

const LIBRARIES = {
  kafkajs: (use) => start(use, kafkajs, served),
  served: (use) => start(use, adapter, served),
  embedded: (use) => start(use, adapter, embedded),
};

function on(names) {
  return (name, use) => {
    for (const library of names) {
      test(`${name} (${library})`, { timeout: PATIENCE }, () => LIBRARIES[library](use));
    }
  };
}

/** A test of what kafkajs does, and of the adapter. */
export const onAll = on(['kafkajs', 'served', 'embedded']);
/** A test of the adapter, where it differs from kafkajs. */
export const onAdapter = on(['served', 'embedded']);
/** A test of the adapter over the wire, where the target makes no difference. */
export const onServed = on(['served']);

/** A connected producer. */
export async function producerOf(kafka, options) {
  const producer = kafka.producer(options);
  await producer.connect();
  return producer;
}

/** A connected admin. */
export async function adminOf(kafka) {
  const admin = kafka.admin();
  await admin.connect();
  return admin;
}

/** A topic whose partition 0 has these values. */
export async function fill(kafka, topic, values, numPartitions = 1) {
  const admin = await adminOf(kafka);
  await admin.createTopics({ topics: [{ topic, numPartitions }] });
  const producer = await producerOf(kafka);
  if (values.length > 0) {
    const messages = values.map((value) => ({ value, partition: 0 }));
    await producer.send({ topic, messages });
  }
  return producer;
}

/** Runs a consumer of these topics until `done`. */
export async function consumeUntil(consumer, topics, done, run) {
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await consumer.run(run);
  await until(done);
}

/** The committed offsets of a group by partition. */
export async function committed(kafka, groupId, topic) {
  const admin = await adminOf(kafka);
  const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] });
  return Object.fromEntries(partitions.map(({ partition, offset }) => [partition, offset]));
}

/** The payloads of events, as they come. */
export function eventsOf(client, name) {
  const payloads = [];
  client.on(client.events[name], ({ payload }) => payloads.push(payload));
  return payloads;
}

/** Whether a promise settles within two seconds. */
export async function settlesSoon(promise) {
  return Promise.race([
    promise.then(
      () => true,
      () => true,
    ),
    sleep(2_000, false),
  ]);
}

export const text = (bytes) => (bytes === null ? null : bytes.toString());
