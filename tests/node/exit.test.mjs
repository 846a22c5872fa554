// The end of processes and workers.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { open } from 'headwater';
import { directory, numbered, values } from './support.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** Runs a program with the package, and returns its exit code and its output. */
async function program(source, ...args) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source, ...args], {
    cwd: HERE,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output += data;
    });
  }
  const [code] = await once(child, 'close');
  return { code, output };
}

const OPEN = `
import { open } from 'headwater';
const path = process.argv[1];
const client = await open(path);
await client.createTopic('flights', { ifExists: 'ignore' });
const producer = client.producer({ lingerMs: 10_000, deliveryTimeoutMs: 120_000 });
`;

const ENDS = {
  'an open client lets the process end': ['', 0],
  'process.exit() loses nothing acknowledged': ['process.exit(0);', 0],
  'an uncaught exception loses nothing acknowledged': [
    "setImmediate(() => { throw new Error('oops'); });",
    1,
  ],
  'a kill loses nothing acknowledged': ["process.kill(process.pid, 'SIGKILL');", null],
};
const CONNECTED = `
import { connect } from 'headwater';
const client = await connect(process.argv[1]);
const consumer = client.consumer({ topics: 'flights', groupId: 'g', groupProtocol: process.argv[2] });
await consumer.poll({ timeoutMs: 100 });
const producer = client.producer();
await producer.send({ topic: 'flights', value: 'late' });
console.log('sent');
`;
for (const protocol of ['classic', 'consumer']) {
  test(`a connected client and a member let the process end (${protocol})`, {
    timeout: 60_000,
  }, async () => {
    await using engine = await open();
    await engine.createTopic('flights');
    await using server = await engine.serve({ port: 0 });
    const { code, output } = await program(CONNECTED, server.address, protocol);
    assert.deepEqual([code, output], [0, 'sent\n']);
    assert.deepEqual(values(await engine.topic('flights').head()), ['late']);
  });
}

for (const [name, [end, expected]] of Object.entries(ENDS)) {
  test(name, { timeout: 60_000 }, async (context) => {
    const path = await directory(context);
    const send =
      "await Promise.all(Array.from({ length: 100 }, (_, n) => producer.send({ topic: 'flights', value: String(n) })));";
    const { code, output } = await program(`${OPEN}${send}${end}`, path);
    assert.equal(code, expected, output);
    await using client = await open(path);
    assert.deepEqual(
      values(await client.topic('flights').head(100)),
      numbered(100, (n) => `${n}`),
    );
    if (expected !== null) {
      assert.equal(client.recovery, null, 'the engine was closed');
    }
  });
}

test('records that were not awaited are sent at exit', async (context) => {
  const path = await directory(context);
  const send =
    "for (let n = 0; n < 100; n++) { producer.send({ topic: 'flights', value: String(n) }); } process.exit(0);";
  const { code, output } = await program(`${OPEN}${send}`, path);
  assert.equal(code, 0, output);
  await using client = await open(path);
  assert.equal(await client.topic('flights').count(), 100);
});

test('the process does not end during a waiting poll, and ends after it', async (context) => {
  const path = await directory(context);
  const poll = `
const consumer = client.consumer({ topics: 'flights' });
const batch = await consumer.poll({ timeoutMs: 200 });
console.log('polled', batch.length);
`;
  const { code, output } = await program(`${OPEN}${poll}`, path);
  assert.deepEqual([code, output], [0, 'polled 0\n']);
});

test('waiting polls hold no thread of the pool', { timeout: 60_000 }, async (context) => {
  const path = await directory(context);
  const poll = `
import { stat } from 'node:fs/promises';
const consumers = Array.from({ length: 16 }, () => client.consumer({ topics: 'flights', fetchMaxWaitMs: 30_000 }));
const polls = Promise.allSettled(consumers.map((consumer) => consumer.poll({ timeoutMs: 30_000 })));
await new Promise((resolve) => setTimeout(resolve, 50));
await Promise.all(Array.from({ length: 100 }, () => stat('.')));
await Promise.all(consumers.map((consumer) => consumer.close()));
await polls;
console.log('done');
`;
  const { code, output } = await program(`${OPEN}${poll}`, path);
  assert.deepEqual([code, output], [0, 'done\n']);
});

test('import and require share one module', async () => {
  const { code, output } = await program(`
import { createRequire } from 'node:module';
import * as imported from 'headwater';
const required = createRequire(process.cwd() + '/x.js')('headwater');
console.log(imported.open === required.open, imported.Client === required.Client);
`);
  assert.deepEqual([code, output], [0, 'true true\n']);
});

const worker = (workerData) => new Worker(new URL('./worker.cjs', import.meta.url), { workerData });

test('workers load the package, one after the other and at the same time', {
  timeout: 60_000,
}, async (context) => {
  const paths = await Promise.all(numbered(3, () => directory(context)));
  for (const close of [true, false]) {
    const workers = paths.map((path) => worker({ path, last: 20, close }));
    await Promise.all(workers.map((started) => once(started, 'exit')));
  }
  for (const path of paths) {
    await using client = await open(path);
    assert.equal(await client.topic('flights').count(), 42);
    assert.equal(client.recovery, null);
  }
});

test('worker.terminate() loses nothing acknowledged', { timeout: 60_000 }, async (context) => {
  const path = await directory(context);
  const started = worker({ path, last: -1 });
  let acknowledged = -1;
  started.on('message', (n) => {
    acknowledged = n;
  });
  while (acknowledged < 50) {
    await once(started, 'message');
  }
  await started.terminate();
  await using client = await open(path);
  assert.ok((await client.topic('flights').count()) > acknowledged);
});

test('the event loop runs during heavy produce and consume load', {
  timeout: 60_000,
}, async (context) => {
  const path = await directory(context);
  await using client = await open(path, { config: { 'log.flush.interval.messages': 1 } });
  await client.createTopic('flights');
  await using producer = client.producer();
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const sent = numbered(50, () => producer.send({ topic: 'flights', value: Buffer.alloc(10_000) }));
  await Promise.all(sent);
  await new Promise((resolve) => setTimeout(resolve, 5));
  clearInterval(timer);
  assert.ok(turns > 0);
});
