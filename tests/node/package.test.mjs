// The package from `npm pack`.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { directory } from './support.mjs';

const PACKAGE = fileURLToPath(new URL('../../../bindings-node', import.meta.url));

const SOURCE = `
const client = await open();
const topic = await client.createTopic('flights');
await client.producer().send({ topic: 'flights', value: 'late' });
console.log((await topic.head()).at(0).value.toString());
await client.close();
`;

test('npm pack creates a package that finds its binary', { timeout: 120_000 }, async (context) => {
  const path = await directory(context);
  const npm = (...args) =>
    execFileSync('npm', [...args, '--no-audit', '--no-fund', '--offline'], {
      cwd: path,
      encoding: 'utf8',
    });
  const [packed] = JSON.parse(npm('pack', PACKAGE, '--ignore-scripts', '--json'));
  const files = packed.files.map((file) => file.path);
  assert.ok(
    files.some((file) => /^headwater\.[a-z0-9-]+\.node$/.test(file)),
    files.join(),
  );
  assert.ok(!files.some((file) => file.endsWith('.ts') && !file.endsWith('.d.ts')), files.join());
  await writeFile(join(path, 'package.json'), '{"private": true}');
  npm('install', packed.filename);
  const version = execFileSync(join(path, 'node_modules/.bin/headwater'), ['--version']);
  assert.match(version.toString(), /^headwater \d/);
  const node = (...args) => execFileSync(process.execPath, args, { cwd: path, encoding: 'utf8' });
  assert.equal(
    node('--input-type=module', '-e', `import { open } from 'headwater';${SOURCE}`),
    'late\n',
  );
  const required = `const { open } = require('headwater'); (async () => {${SOURCE}})();`;
  assert.equal(node('--input-type=commonjs', '-e', required), 'late\n');
});
