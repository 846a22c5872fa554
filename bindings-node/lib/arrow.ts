// The package apache-arrow, which the caller may have installed.

import type { Table } from 'apache-arrow';
import { HeadwaterError } from './errors.js';

/** The package; `instead` does without it. */
export function arrow(instead: string): typeof import('apache-arrow') {
  try {
    return require('apache-arrow');
  } catch (error) {
    const missing = new HeadwaterError(
      `The package apache-arrow is not installed: npm install apache-arrow, or use ${instead}.`,
    );
    missing.cause = error;
    throw missing;
  }
}

/**
 * The stream of a table of apache-arrow. Its modules for `import` and `require` do not recognise each other's tables.
 */
export async function tableStream(table: object): Promise<Uint8Array | undefined> {
  for (const load of [() => import('apache-arrow'), async () => arrow('its bytes')]) {
    const copy = await load().catch(() => undefined);
    // `instanceof` takes the tables of another copy for its own, and writes a wrong schema of them.
    if (copy !== undefined && Object.prototype.isPrototypeOf.call(copy.Table.prototype, table)) {
      return copy.tableToIPC(table as Table, 'stream');
    }
  }
  return undefined;
}
