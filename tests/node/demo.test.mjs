// The demo: notebooks/first_stream.mjs.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { open } from 'headwater';
import { directory, numbered, until } from './support.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2013, 0, 1);
const CARRIERS = ['AA', 'B6', 'UA'];
const COUNT = 300;

/** The program with its package, and a directory with the flights of ten days. */
async function prepare(context) {
  const path = await directory(context);
  await mkdir(join(path, 'node_modules'));
  await symlink(join(ROOT, 'bindings-node'), join(path, 'node_modules', 'headwater'));
  await copyFile(join(ROOT, 'notebooks', 'first_stream.mjs'), join(path, 'first_stream.mjs'));
  const data = join(path, 'data');
  const client = await open(data);
  await client.createTopic('flights', { partitions: 4, retentionMs: -1 });
  const producer = client.producer({ key: 'string', value: 'json' });
  await producer.sendBatch(
    'flights',
    numbered(COUNT, (event) => ({
      key: CARRIERS[event % 3],
      value: { event, dep_delay: event % 30 < 3 ? null : (event % 3) * 10 },
      timestamp: START_MS + Math.floor(event / 30) * DAY_MS,
    })),
  );
  await client.close();
  return { path, data };
}

/** Runs the program. `ready` is a text after which it is interrupted. */
async function run({ path, data }, ready, ...options) {
  const child = spawn(process.execPath, ['first_stream.mjs', '--data', data, ...options], {
    cwd: path,
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (text) => {
    output += text;
  });
  child.stderr.on('data', (text) => {
    errors += text;
  });
  const closed = once(child, 'close');
  if (ready !== undefined) {
    await until(() => output.includes(ready) || child.exitCode !== null);
    await sleep(3_000);
    child.kill('SIGINT');
  }
  const [code] = await closed;
  return { code, output, errors };
}

test('the demo streams the flights and prints a table', { timeout: 60_000 }, async (context) => {
  const at = await prepare(context);
  const { code, output, errors } = await run(at, undefined, '--days-per-second', '1000');
  assert.deepEqual([code, errors], [0, '']);
  assert.match(output, /^0 events are in the log, 300 are to be replayed\n/);
  assert.match(output, /following {3}2013-01-10 +300 records +[\d,]+ a second {3}lag +0/);
  const rows = output.split('\n').map((row) => row.trim().split(/\s{2,}/));
  assert.deepEqual(
    rows.filter(([carrier]) => CARRIERS.includes(carrier)),
    [
      ['AA', '100', '10.0 %', '0', '0.0'],
      ['B6', '100', '10.0 %', '10', '10.0'],
      ['UA', '100', '10.0 %', '20', '20.0'],
    ],
  );
});

test('Ctrl-C ends the demo with a line, and the next run goes on', {
  timeout: 60_000,
}, async (context) => {
  const at = await prepare(context);
  const slow = ['--days-per-second', '1'];
  const stopped = await run(at, 'are to be replayed', ...slow, '--fresh');
  assert.deepEqual([stopped.code, stopped.errors], [130, '']);
  const [, last] = stopped.output.match(/^Stopped\..* To go on: (.*)\n$/m);
  assert.match(last, /^node .*first_stream\.mjs --data \S+ --days-per-second 1$/);
  const { code, output } = await run(at, undefined, '--days-per-second', '1000');
  const [, stored, missing] = output.match(/^(\d+) events are in the log, (\d+) are to be/);
  assert.equal(code, 0);
  assert.ok(Number(stored) > 0 && Number(missing) > 0, output);
  assert.equal(Number(stored) + Number(missing), COUNT);
  assert.match(output, /UA +100 /);
});

test('the demo says what to run first', { timeout: 60_000 }, async (context) => {
  const at = await prepare(context);
  const empty = join(at.path, 'empty');
  await (await open(empty)).close();
  for (const data of [empty, join(at.path, 'nothing')]) {
    const { code, errors } = await run({ ...at, data });
    assert.equal(code, 1);
    assert.match(errors, /^There are no flights in .* yet: `make demo`/);
  }
  const { code, errors } = await run(at, undefined, '--days-per-second', '0');
  assert.deepEqual([code, errors], [2, '--days-per-second must be a positive number.\n']);
});
