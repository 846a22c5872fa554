// Shared helpers of the tests: engines, topics, and waiting.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isOwn, name } from './names.mjs';

export { KAFKA, name, place } from './names.mjs';
export {
  ENGINE,
  memberOf,
  onClusterAndProtocols,
  onProtocols,
  onTargets,
  PATIENCE,
} from './targets.mjs';

/** A topic of ten records with keys k0 and values v0, one second apart. */
export async function flights(client) {
  const topic = await client.createTopic(name('flights'));
  await using producer = client.producer();
  await producer.sendBatch(
    name('flights'),
    numbered(10, (n) => ({ key: `k${n}`, value: `v${n}`, timestamp: n * 1_000 })),
  );
  return topic;
}

/** The topics of this test, once there are so many: a broker of a cluster lists a topic perhaps a moment after its creation. */
export async function ownTopics(client, count) {
  let own = [];
  await until(async () => {
    own = (await client.topics()).filter(({ name }) => isOwn(name));
    return own.length >= count;
  });
  return own;
}

/** The groups of this test. */
export async function ownGroups(client) {
  return (await client.groups()).filter(({ groupId }) => isOwn(groupId));
}

/** The number of turns of the event loop while something is done. */
export async function turnsDuring(work) {
  let [turns, isOver] = [0, false];
  const turn = () => {
    turns++;
    if (!isOver) {
      setImmediate(turn);
    }
  };
  turn();
  await work();
  isOver = true;
  return turns;
}

export function numbered(count, make) {
  return Array.from({ length: count }, (_, n) => make(n));
}

/** Creates a topic with these values in partition 0. */
export async function fill(client, values, options = {}) {
  await client.createTopic(name('flights'), options);
  await using producer = client.producer();
  await producer.sendBatch(
    name('flights'),
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

/** A directory that is removed when the test ends. An engine whose opening was aborted may still be closing in it. */
export async function directory(context) {
  const path = await mkdtemp(join(tmpdir(), 'headwater-'));
  context.after(() => rm(path, { recursive: true, force: true, maxRetries: 10 }));
  return path;
}
