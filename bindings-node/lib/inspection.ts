// How `console.log()` and `util.inspect()` show the objects of the package.

import { inspect } from 'node:util';
import type { Consumer as NativeConsumer } from '../native.js';
import type { CheckedSubscription } from './subscription.js';

/** The method that they call. */
export const INSPECT: typeof inspect.custom = inspect.custom;

/** A string in quotes, as they show strings. */
export function quoted(text: string): string {
  return inspect(text);
}

/** A number of things: "1 record", "2 records". */
export function counted(count: number, thing: string): string {
  return `${count.toLocaleString('en')} ${thing}${count === 1 ? '' : 's'}`;
}

/** A class with the properties of an object: `Topic('flights')`. Leaves out undefined ones. */
export function described(name: string, ...parts: (string | undefined)[]): string {
  return `${name}(${parts.filter((part) => part !== undefined).join(', ')})`;
}

/** A consumer with its group, its topics and the number of its partitions. */
export function describedConsumer(
  native: NativeConsumer,
  topics: CheckedSubscription | undefined,
  show: (value: unknown) => string,
): string {
  const { names, pattern } = topics ?? {};
  const groupId = native.groupMetadata()?.groupId;
  return described(
    'Consumer',
    groupId === undefined ? undefined : `group ${quoted(groupId)}`,
    pattern === undefined ? names && show(names) : `/${pattern}/`,
    counted(native.partitionCount, 'partition'),
  );
}
