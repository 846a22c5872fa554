// Builds the native half: compiles the crate, copies the library to the name that the loader expects, and writes the
// loader and its types.
//
// `napi build` always passes `--target`, which puts every crate into a separate directory and compiles Arrow and the
// engine again besides `cargo test`. Calling cargo without it shares the compiled crates; the other steps are the same
// as in `napi build`.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateTypeDef, parseTriple, writeJsBinding } from '@napi-rs/cli';

const CRATE = 'headwater-node';
const BINARY_NAME = 'headwater';

export async function buildNative({ here, profile, features }) {
  const typeDefDir = join(here, '..', 'build', 'node-types');
  rmSync(typeDefDir, { recursive: true, force: true });
  mkdirSync(typeDefDir, { recursive: true });
  const library = compile({ here, profile, features, typeDefDir });
  const { platformArchABI } = parseTriple(hostTriple());
  copyFileSync(library, join(here, `${BINARY_NAME}.${platformArchABI}.node`));

  const { dts, exports } = await generateTypeDef({ typeDefDir, cwd: here });
  writeFileSync(join(here, 'native.d.ts'), dts);
  const { name, version } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
  await writeJsBinding({
    platform: true,
    idents: exports,
    jsBinding: 'native.js',
    binaryName: BINARY_NAME,
    packageName: name,
    version,
    outputDir: here,
  });
}

function compile({ here, profile, features, typeDefDir }) {
  const args = [
    'build',
    '--package',
    CRATE,
    '--profile',
    profile,
    '--message-format',
    'json-render-diagnostics',
  ];
  if (features !== undefined) {
    args.push('--features', features);
  }
  // The macros write the types when they are expanded, so the crate itself must be compiled again.
  const env = {
    ...process.env,
    NAPI_TYPE_DEF_TMP_FOLDER: typeDefDir,
    NAPI_FORCE_BUILD_HEADWATER_NODE: Date.now().toString(),
  };
  const output = cargo(args, { cwd: here, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const artifacts = output
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const library = artifacts.find(
    ({ reason, target }) =>
      reason === 'compiler-artifact' &&
      target.kind.includes('cdylib') &&
      target.name === CRATE.replace('-', '_'),
  );
  if (library === undefined) {
    throw new Error(`cargo built no shared library of ${CRATE}.`);
  }
  return library.filenames.find((file) => /\.(so|dylib|dll)$/.test(file));
}

function hostTriple() {
  return cargo(['-vV'], { stdio: ['ignore', 'pipe', 'inherit'] }).match(/^host: (.*)$/m)[1];
}

function cargo(args, options) {
  const { status, error, stdout } = spawnSync('cargo', args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...options,
  });
  if (error !== undefined) {
    throw new Error(`cargo cannot be run (${error.message}): see CONTRIBUTING.md.`);
  }
  if (status !== 0) {
    process.exit(status ?? 1);
  }
  return stdout;
}
