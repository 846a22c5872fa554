// Checks the names and types of arguments before a call has any effect.

import { invalid } from './errors.js';
import { habit } from './habits.js';
import { native } from './native.js';

/** Checks a value, and converts it. */
export type Check<T> = (value: unknown, name: string) => T;

type Spec = Record<string, Check<unknown>>;
type Checked<S extends Spec> = { [K in keyof S]?: ReturnType<S[K]> };

/** The name of a value's type, for messages. */
export function typeName(value: unknown): string {
  if (value === null) {
    return 'null';
  }
  if (typeof value === 'object') {
    return value.constructor?.name ?? 'object';
  }
  return typeof value === 'number' && Number.isNaN(value) ? 'NaN' : typeof value;
}

/** The replacement of an option that other clients have. */
export type HabitOf = (call: string, name: string) => string | undefined;

/**
 * Checks the options of a call. Unknown ones are refused with a replacement or the most similar name; undefined ones
 * count as missing.
 */
export function options<S extends Spec>(
  call: string,
  given: unknown,
  spec: S,
  habitOf: HabitOf = habit,
): Checked<S> {
  const { known, rest } = split(call, given, spec);
  for (const name of Object.keys(rest)) {
    throw unknown(call, name, Object.keys(spec), habitOf);
  }
  return known;
}

/** Separates the options of a call from the configuration keys. */
export function optionsAndConfig<S extends Spec>(
  call: string,
  given: unknown,
  spec: S,
): { known: Checked<S>; rest: Record<string, unknown> } {
  const { known, rest } = split(call, given, spec);
  for (const name of Object.keys(rest)) {
    const near = nearest(name, Object.keys(spec));
    if (near !== undefined || habit(call, name) !== undefined) {
      throw unknown(call, name, near === undefined ? [] : [near], habit);
    }
  }
  return { known, rest };
}

function split<S extends Spec>(
  call: string,
  given: unknown,
  spec: S,
): { known: Checked<S>; rest: Record<string, unknown> } {
  if (given === undefined) {
    return { known: {}, rest: {} };
  }
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    throw invalid(`The options of ${call} must be an object, not ${typeName(given)}.`);
  }
  const known: Record<string, unknown> = {};
  const rest: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) {
      continue;
    }
    const check = Object.hasOwn(spec, name) ? spec[name] : undefined;
    if (check === undefined) {
      rest[name] = value;
    } else {
      known[name] = check(value, name);
    }
  }
  return { known: known as Checked<S>, rest };
}

function unknown(call: string, name: string, names: string[], habitOf: HabitOf): Error {
  const instead = habitOf(call, name);
  if (instead !== undefined) {
    return invalid(`${call} has no option \`${name}\`: ${instead}.`);
  }
  const near = nearest(name, names) ?? names.find((candidate) => distance(name, candidate) <= 4);
  const hint = near === undefined ? `It takes ${names.join(', ')}.` : `Did you mean \`${near}\`?`;
  return invalid(`${call} has no option \`${name}\`. ${hint}`);
}

/** The name that differs by at most two typing mistakes. */
function nearest(name: string, names: string[]): string | undefined {
  const near = names.map((candidate) => [distance(name, candidate), candidate] as const);
  near.sort(([a], [b]) => a - b);
  const best = near[0];
  return best !== undefined && best[0] <= 2 ? best[1] : undefined;
}

/** The number of letters to insert, remove or replace, ignoring case. */
function distance(a: string, b: string): number {
  const [from, to] = [a.toLowerCase(), b.toLowerCase()];
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[to.length] as number;
}

function wrong(name: string, what: string, value: unknown): Error {
  return invalid(`${name} must be ${what}, not ${typeName(value)}.`);
}

/** A string without lone surrogates, which UTF-8 cannot express. */
export const text: Check<string> = (value, name) => {
  if (typeof value !== 'string') {
    throw wrong(name, 'a string', value);
  }
  if (!isWellFormed(value)) {
    throw invalid(`${name} has a lone surrogate, which UTF-8 cannot express.`);
  }
  return value;
};

/** Whether a string has no lone surrogates. */
export function isWellFormed(value: string): boolean {
  return (value as string & { isWellFormed(): boolean }).isWellFormed();
}

export const boolean: Check<boolean> = (value, name) => {
  if (typeof value !== 'boolean') {
    throw wrong(name, 'a boolean', value);
  }
  return value;
};

/** A whole number. */
export const integer: Check<number> = (value, name) => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw wrong(name, 'a whole number', value);
  }
  return value;
};

/** A whole number that is not negative. */
export const count: Check<number> = (value, name) => {
  const number = integer(value, name);
  if (number < 0) {
    throw invalid(`${name} is ${number}: use a number that is not negative.`);
  }
  return number;
};

/** A number that is not negative; `Infinity` never ends. Or a duration such as "5s" or "1h30m". */
export const milliseconds: Check<number> = (value, name) => {
  if (typeof value === 'string') {
    return native.durationMs(text(value, name));
  }
  if (typeof value !== 'number' || Number.isNaN(value)) {
    throw wrong(name, 'a number of milliseconds or a duration such as "5s"', value);
  }
  if (value < 0) {
    throw invalid(`${name} is ${value}: use a number that is not negative.`);
  }
  return value;
};

/** The number of a partition. */
export const partition: Check<number> = (value, name) => {
  const number = count(value, name);
  if (number > 0x7fff_ffff) {
    throw invalid(`${name} is ${number}: the maximum is 2147483647.`);
  }
  return number;
};

/** An offset: a `bigint`, or a whole number. */
export const offset: Check<bigint> = (value, name) => {
  const isWhole = typeof value === 'number' && Number.isSafeInteger(value);
  if (typeof value !== 'bigint' && !isWhole) {
    throw wrong(name, 'an offset (a bigint)', value);
  }
  const number = BigInt(value as bigint | number);
  if (number < 0n) {
    throw invalid(
      `${name} is ${number}: offsets start at 0; "latest" is the end and "-15m" an age.`,
    );
  }
  if (number > 0x7fff_ffff_ffff_ffffn) {
    throw invalid(`${name} is ${number}: the maximum is 9223372036854775807.`);
  }
  return number;
};

function isoTime(value: string, name: string): number {
  try {
    return native.parseTimestamp(value);
  } catch (error) {
    throw invalid(`${name}: ${(error as Error).message}`);
  }
}

/** Milliseconds since 1970, a `Date`, or a date or time in ISO 8601. */
export const timestamp: Check<number> = (value, name) => {
  const number =
    value instanceof Date
      ? value.getTime()
      : typeof value === 'string'
        ? isoTime(value, name)
        : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) {
    throw invalid(
      `${name} must be a number of milliseconds since 1970, a valid Date or its ISO text, not ${
        value instanceof Date ? 'an invalid Date' : typeName(value)
      }.`,
    );
  }
  if (number < 0) {
    throw invalid(`${name} is negative: Kafka's timestamps start at 1970.`);
  }
  return Math.floor(number);
};

export const signal: Check<AbortSignal> = (value, name) => {
  if (!(value instanceof AbortSignal)) {
    throw wrong(name, 'an AbortSignal', value);
  }
  return value;
};

/** A list of values. */
export function listOf<T>(check: Check<T>): Check<T[]> {
  return (value, name) => {
    if (!Array.isArray(value)) {
      throw wrong(name, 'an array', value);
    }
    return value.map((item, index) => check(item, `${name}[${index}]`));
  };
}

const CHOICES = new Intl.ListFormat('en-GB', { type: 'disjunction' });

/** One of a few words. */
export function oneOf<T extends string>(...words: T[]): Check<T> {
  return (value, name) => {
    const found = words.find((word) => word === value);
    if (found === undefined) {
      const choices = CHOICES.format(words.map((word) => JSON.stringify(word)));
      const given = typeof value === 'string' ? JSON.stringify(value) : typeName(value);
      throw invalid(`${name} must be ${choices}, not ${given}.`);
    }
    return found;
  };
}

// biome-ignore lint/suspicious/noExplicitAny: any function
type AnyFunction = (...args: any[]) => unknown;

export const callback: Check<AnyFunction> = (value, name) => {
  if (typeof value !== 'function') {
    throw wrong(name, 'a function', value);
  }
  return value as AnyFunction;
};

/** An object that is checked elsewhere. */
export const object: Check<Record<string, unknown>> = (value, name) => {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw wrong(name, 'an object', value);
  }
  return value as Record<string, unknown>;
};
