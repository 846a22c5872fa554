// Builds the package in a checkout: the native half with cargo, then the TypeScript half. `npm install` runs it.
//
// HEADWATER_PROFILE is the cargo profile: `release` by default, `quick` for tests, `dist` for publishing.
// HEADWATER_FEATURES are cargo features.

import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('..', import.meta.url));
const profile = process.env.HEADWATER_PROFILE ?? 'release';
const features = process.env.HEADWATER_FEATURES;

function run(command, ...args) {
  const options = { cwd: here, stdio: 'inherit', shell: process.platform === 'win32' };
  const { status, error } = spawnSync(command, args, options);
  if (error !== undefined) {
    throw new Error(`${command} cannot be run (${error.message}): see CONTRIBUTING.md.`);
  }
  if (status !== 0) {
    process.exit(status ?? 1);
  }
}

function tool(name, ...args) {
  run(process.execPath, join(here, 'node_modules', ...name), ...args);
}

// A package that links to this directory has not installed the tools.
if (!existsSync(join(here, 'node_modules', 'typescript'))) {
  run('npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error');
}
const { buildNative } = await import('./native.mjs');
await buildNative({ here, profile, features });
rmSync(join(here, 'dist'), { recursive: true, force: true });
tool(['typescript', 'bin', 'tsc']);
