// The package in a bundle of esbuild, away from its checkout: also in a worker, and with a table of apache-arrow.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { directory, PATIENCE } from './support.mjs';

const PACKAGE = fileURLToPath(new URL('../../../bindings-node', import.meta.url));
const TESTS = fileURLToPath(new URL('..', import.meta.url));

const PROGRAM = `
import { isMainThread, Worker } from 'node:worker_threads';
import { tableFromArrays } from 'apache-arrow';
import { open, UnknownTopicOrPartitionError } from 'headwater';
import { startBroker } from 'headwater/testing';

async function main() {
  const client = await open();
  const topic = await client.createTopic('flights');
  await client.producer().send({ topic: 'flights', value: 'late' });
  await client.producer().sendBatch('flights', tableFromArrays({ value: ['on time'] }), { value: 'value' });
  const batch = await topic.head(2, { value: 'string' });
  const failed = await client.topic('nowhere').head().catch((error) => error);
  const broker = await startBroker({ topics: ['orders'] });
  console.log(
    isMainThread ? 'main' : 'worker',
    [...batch].map(({ value }) => value).join(),
    batch.toArrow().numRows,
    failed instanceof UnknownTopicOrPartitionError && failed.name,
    (await broker.messages('orders')).length,
  );
  await broker.close();
  await client.close();
  if (isMainThread) {
    new Worker(process.argv[1]);
  }
}

main();
`;

const PRINTED = [
  'main late,on time 2 UnknownTopicOrPartitionError 0',
  'worker late,on time 2 UnknownTopicOrPartitionError 0',
  '',
].join('\n');

/** Bundles the program into a directory; returns what esbuild warned of. */
async function bundle(path, name, options) {
  const { warnings } = await build({
    stdin: { contents: PROGRAM, resolveDir: TESTS },
    bundle: true,
    platform: 'node',
    target: 'node20',
    outfile: join(path, name),
    logLevel: 'silent',
    ...options,
  });
  return warnings.map(({ text }) => text);
}

async function run(path, name) {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(path, name)], {
    cwd: path,
    encoding: 'utf8',
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  return [stdout, stderr];
}

/** Copies the native half next to the bundle, under its own name. */
async function copyNative(path) {
  for (const name of await readdir(PACKAGE)) {
    if (name.endsWith('.node')) {
      await copyFile(join(PACKAGE, name), join(path, name));
    }
  }
}

/** An ES module has no `require`, which modules of CommonJS in it need: the banner that esbuild's users know. */
const REQUIRE =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

const BUNDLES = {
  'CommonJS, with the native half copied by its loader': [
    'program.cjs',
    { format: 'cjs', loader: { '.node': 'copy' } },
  ],
  'CommonJS, with the native half external': [
    'program.cjs',
    { format: 'cjs', external: ['*.node'] },
  ],
  'an ES module, with the native half external': [
    'program.mjs',
    { format: 'esm', external: ['*.node'], banner: { js: REQUIRE } },
  ],
  'CommonJS, minified': ['program.cjs', { format: 'cjs', external: ['*.node'], minify: true }],
};

for (const [name, [file, options]] of Object.entries(BUNDLES)) {
  test(`esbuild bundles the package: ${name}`, { timeout: PATIENCE }, async (context) => {
    const path = await directory(context);
    assert.deepEqual(await bundle(path, file, options), []);
    if (options.external !== undefined) {
      await copyNative(path);
    }
    assert.deepEqual(await run(path, file), [PRINTED, '']);
  });
}

test('a bundle may leave the package out', { timeout: PATIENCE }, async () => {
  // It is found where the bundle is.
  const path = join(TESTS, 'build');
  for (const [file, format] of Object.entries({ 'bundle.cjs': 'cjs', 'bundle.mjs': 'esm' })) {
    const external = ['headwater', 'headwater/testing', 'apache-arrow'];
    assert.deepEqual(await bundle(path, file, { format, external }), []);
    assert.deepEqual(await run(path, file), [PRINTED, '']);
  }
});
