// The documentation of the API from the comments of `lib/`: whatever package.json exports. `headwater/kafkajs` has the API of kafkajs, whose
// documentation is its own.

import { readFileSync } from 'node:fs';

const { exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const modules = Object.entries(exports)
  .filter(([name]) => name !== './kafkajs')
  .map(([, entry]) => entry.require?.types)
  .filter((types) => types !== undefined)
  .map((types) => types.replace('./dist/', '../lib/').replace(/\.d\.ts$/, '.ts'));

export default {
  name: 'headwater',
  entryPoints: modules,
  tsconfig: '../tsconfig.json',
  readme: '../README.md',
  customCss: './typedoc.css',
  out: '../../build/node-docs',
  excludeInternal: true,
  excludePrivate: true,
  disableSources: true,
  githubPages: false,
  requiredToBeDocumented: [
    'Module',
    'Class',
    'Interface',
    'TypeAlias',
    'Enum',
    'EnumMember',
    'Variable',
    'Function',
    'Method',
    'Accessor',
    'Property',
  ],
  validation: { invalidLink: true, invalidPath: true, notDocumented: true, notExported: true },
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
};
