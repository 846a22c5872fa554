// Checks that the committed declarations are up to date: `native.d.ts`, which napi writes, and `index.d.ts`, with all
// public declarations. `--write` writes `index.d.ts`.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('..', import.meta.url));
const dist = join(here, 'dist');
const file = join(here, 'index.d.ts');

/** The declarations of all modules, in order of their names. */
function declarations() {
  const modules = readdirSync(dist, { recursive: true }).filter((name) => name.endsWith('.d.ts'));
  const part = (name) => `// ${name}\n\n${readFileSync(join(dist, name), 'utf8').trim()}\n`;
  const note =
    '// The public declarations, written by scripts/check-types.mjs. A diff of this file shows a change of the API.\n';
  return `${note}\n${modules.sort().map(part).join('\n')}`;
}

function fail(reason) {
  console.error(reason);
  process.exit(1);
}

const written = declarations();
if (process.argv.includes('--write')) {
  writeFileSync(file, written);
  process.exit();
}
if (readFileSync(file, 'utf8') !== written) {
  fail(
    'index.d.ts is not that of this build: run node scripts/check-types.mjs --write, and look at the difference.',
  );
}
const changed = execFileSync('git', ['status', '--porcelain', '--', 'native.d.ts'], { cwd: here });
if (changed.length > 0) {
  fail('native.d.ts is not that of this build: commit what the build wrote.');
}
