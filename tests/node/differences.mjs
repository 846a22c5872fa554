// The known differences between targets, tests/differences.toml: what must fail there, and why that is right.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parse } from 'smol-toml';

const LIST = new URL('../../differences.toml', import.meta.url);

const { difference: DIFFERENCES = [] } = parse(readFileSync(LIST, 'utf8'));

/** Runs a test on a target. A test that is listed for the target must fail, and say what the list says. */
export async function checked(context, name, target, run) {
  const test = `${basename(testFile())}::${name}`;
  const difference = DIFFERENCES.find((one) => one.test === test && one.target === target);
  if (difference === undefined) {
    return run();
  }
  try {
    await run();
  } catch (error) {
    if (!`${error?.message}`.includes(difference.shows)) {
      throw error;
    }
    context.skip(difference.reason);
    return;
  }
  assert.fail(`${test} passes on ${target}: remove it from tests/differences.toml`);
}

/** The file that runs. In Bun one process runs all of them, and its arguments begin with the first. */
function testFile() {
  return globalThis.Bun?.main ?? process.argv[1];
}
