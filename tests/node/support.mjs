// Shared helpers of the tests: engines, topics, and waiting.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, open } from 'headwater';

/** Long enough for any machine; passing tests never wait that long. */
export const PATIENCE = 60_000;

/** An engine whose groups do not wait for more members. */
export const ENGINE = {
  groupInitialRebalanceDelayMs: 0,
  groupMinSessionTimeoutMs: 100,
  groupConsumerMinHeartbeatIntervalMs: 20,
  groupConsumerHeartbeatIntervalMs: 20,
};

/** The options of a member of a group, by protocol. */
export const MEMBERS = {
  classic: {
    groupId: 'readers',
    autoOffsetReset: 'earliest',
    heartbeatIntervalMs: 20,
    metadataMaxAgeMs: 50,
  },
  consumer: { groupId: 'readers', autoOffsetReset: 'earliest', groupProtocol: 'consumer' },
};

const TARGETS = {
  async embedded(use) {
    await using client = await open(null, ENGINE);
    await use(client);
  },
  async served(use) {
    await using engine = await open(null, ENGINE);
    await using server = await engine.serve({ port: 0 });
    await using client = await connect(server.address);
    await use(client);
  },
};

/** A test that runs with an embedded engine, and with a client over TCP. */
export function onTargets(name, run) {
  for (const [target, start] of Object.entries(TARGETS)) {
    test(`${name} (${target})`, { timeout: PATIENCE }, () => start(run));
  }
}

/** {@link onTargets} for both protocols of groups. */
export function onProtocols(name, run) {
  for (const [protocol, member] of Object.entries(MEMBERS)) {
    onTargets(`${name} (${protocol})`, (client) => run(client, member, protocol));
  }
}

/** A topic of ten records with keys k0 and values v0, one second apart. */
export async function flights(client) {
  const topic = await client.createTopic('flights');
  await using producer = client.producer();
  await producer.sendBatch(
    'flights',
    numbered(10, (n) => ({ key: `k${n}`, value: `v${n}`, timestamp: n * 1_000 })),
  );
  return topic;
}

export function numbered(count, make) {
  return Array.from({ length: count }, (_, n) => make(n));
}

/** Creates a topic with these values in partition 0. */
export async function fill(client, values, options = {}) {
  await client.createTopic('flights', options);
  await using producer = client.producer();
  await producer.sendBatch(
    'flights',
    values.map((value) => ({ value })),
    { partition: 0 },
  );
}

export const offsets = (batch) => [...batch].map((message) => Number(message.offset));
export const values = (batch) => [...batch].map((message) => text(message.value));
export const text = (bytes) => (bytes === null ? null : bytes.toString());

/** The next messages, one at a time. */
export async function first(consumer, count) {
  const messages = consumer.messages();
  const read = [];
  for (let n = 0; n < count; n++) {
    read.push((await messages.next()).value);
  }
  return read;
}

/** Polls all consumers in turn until `done`; returns the values that were read. */
export async function pollUntil(done, ...consumers) {
  const read = [];
  while (!(await done())) {
    for (const consumer of consumers) {
      read.push(...values(await consumer.poll({ timeoutMs: 20 })));
    }
    if (consumers.length === 0) {
      await sleep(5);
    }
  }
  return read;
}

/** Waits until a condition holds. */
export async function until(condition) {
  while (!(await condition())) {
    await sleep(5);
  }
}

/** Expects a rejection with an error of this class whose message matches. */
export function rejects(promise, kind, pattern = /./) {
  return assert.rejects(promise, (error) => {
    assert.ok(error instanceof kind, `${error?.name}: ${error?.message}`);
    assert.match(error.message, pattern);
    return true;
  });
}

/** A directory that is removed when the test ends. */
export async function directory(context) {
  const path = await mkdtemp(join(tmpdir(), 'headwater-'));
  context.after(() => rm(path, { recursive: true, force: true }));
  return path;
}
