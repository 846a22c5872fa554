// The program `headwater`, which npm installs.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { open } from 'headwater';
import { directory, values } from './support.mjs';

const PROGRAM = fileURLToPath(new URL('../../../bindings-node/bin/headwater.js', import.meta.url));

/** Starts the program. */
function start(...args) {
  // A program that ignores a signal must not outlive its test.
  const child = spawn(PROGRAM, args, { timeout: 50_000, killSignal: 'SIGKILL' });
  const said = { output: '', errors: '' };
  child.stdout.on('data', (data) => {
    said.output += data;
  });
  child.stderr.on('data', (data) => {
    said.errors += data;
  });
  return { child, said, ended: once(child, 'close').then(([code, signal]) => code ?? signal) };
}

/** Runs the program with this input. */
async function run(input, ...args) {
  const { child, said, ended } = start(...args);
  child.stdin.end(input);
  return { code: await ended, ...said };
}

test('npm installs the command line', { timeout: 60_000 }, async (context) => {
  const data = await directory(context);
  const created = await run('', 'topic', 'create', 'flights', '--data', data);
  assert.equal(created.code, 0, created.errors);
  const produced = await run('late\non time\n', 'produce', 'flights', '--data', data);
  assert.equal(produced.code, 0, produced.errors);
  const consumed = await run('', 'consume', 'flights', '--data', data, '--until', 'end');
  assert.equal(consumed.code, 0, consumed.errors);
  const read = consumed.output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).value);
  assert.deepEqual(read, ['late', 'on time']);
  await using client = await open(data);
  assert.deepEqual(values(await client.topic('flights').head()), ['late', 'on time']);
});

test('the command line reports a wrong command', { timeout: 60_000 }, async () => {
  const { code, errors } = await run('', 'topics');
  assert.equal(code, 2);
  assert.match(errors, /topic/);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  test(`${signal} ends headwater serve`, { timeout: 60_000 }, async (context) => {
    const data = await directory(context);
    const { child, said, ended } = start('serve', '--data', data, '--listen', '127.0.0.1:0');
    while (!said.output.includes('ready on') && child.exitCode === null) {
      await once(child.stdout, 'data');
    }
    child.kill(signal);
    const end = await ended;
    assert.ok(end === 0 || end === signal, `${end}: ${said.errors}`);
    await using client = await open(data);
    assert.equal(client.recovery, null, 'the engine was closed');
  });
}
