// The names and types of a table's columns.

import type { Schema as ArrowSchema } from 'apache-arrow';
import type { TableColumn, TableDescription } from '../native.js';
import { arrow } from './arrow.js';
import { described, INSPECT } from './inspection.js';

/** The columns of a table, before it is read: {@link Scan.schema}. Iterating it yields its columns. */
export class TableSchema implements Iterable<TableColumn> {
  /** @internal */
  constructor(private readonly native: TableDescription) {}

  /** The names of the columns, in order. */
  get names(): string[] {
    return this.native.columns.map(({ name }) => name);
  }

  /** The columns, in order. */
  [Symbol.iterator](): IterableIterator<TableColumn> {
    return this.native.columns[Symbol.iterator]();
  }

  /** As a schema of apache-arrow, which must be installed. */
  toArrow(): ArrowSchema {
    return arrow('the columns of this schema').tableFromIPC(this.native.emptyTable).schema;
  }

  /** The columns, as `console.log()` shows them. @hidden */
  [INSPECT](): string {
    return described(
      'TableSchema',
      ...this.native.columns.map(({ name, type }) => `${name}: ${type}`),
    );
  }
}
