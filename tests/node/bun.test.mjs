// Bun runs what Node runs: the README's example here, and the whole suite in `make test-bun`.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { directory, PATIENCE } from './support.mjs';

const BUN = fileURLToPath(new URL('../node_modules/.bin/bun', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../../../bindings-node', import.meta.url));

test("Bun runs the README's example", { timeout: PATIENCE }, async (context) => {
  const path = await directory(context);
  await mkdir(join(path, 'node_modules'));
  await symlink(PACKAGE, join(path, 'node_modules', 'headwater'));
  const readme = await readFile(join(PACKAGE, 'README.md'), 'utf8');
  const [, example] = readme.match(/^```ts\n(.*?)^```/ms);
  await writeFile(join(path, 'example.ts'), example);

  const bun = spawn(BUN, ['example.ts'], { cwd: path, stdio: ['ignore', 'pipe', 'inherit'] });
  // The example follows the topic, and so does not end by itself.
  const [output] = await once(bun.stdout, 'data');
  bun.kill();
  await once(bun, 'exit');
  assert.match(`${output}`, /^[0-3] 0n 1\.5\n/);
});
