// Trace contexts in headers, as the propagators of OpenTelemetry write and read them.

import type { Bytes, HeadersToSend } from './records.js';

/** Headers that {@link headersSetter} may change. */
export type HeadersCarrier =
  | [name: string, value: Bytes | null][]
  | Record<string, Bytes | null | readonly Bytes[]>;

/**
 * Reads headers: a `TextMapGetter` of OpenTelemetry. Of a name that repeats the last header counts.
 *
 * @example
 * const parent = propagation.extract(context.active(), message.headers, headersGetter);
 */
export const headersGetter = {
  /** The names. */
  keys(headers: HeadersToSend): string[] {
    return [...new Set(pairsOf(headers).map(([name]) => name))];
  },

  /** The text of a header; undefined if there is none, or if its value is null. */
  get(headers: HeadersToSend | undefined, name: string): string | undefined {
    const value = pairsOf(headers ?? []).findLast(([other]) => other === name)?.[1];
    if (value === undefined || value === null) {
      return undefined;
    }
    return typeof value === 'string' ? value : new TextDecoder().decode(value);
  },
};

/**
 * Writes headers: a `TextMapSetter` of OpenTelemetry. A header replaces those of its name.
 *
 * @example
 * const headers = [['gate', 'B7']];
 * propagation.inject(context.active(), headers, headersSetter);
 * await producer.send({ topic: 'flights', value: 'late', headers });
 */
export const headersSetter = {
  /** Sets a header. */
  set(headers: HeadersCarrier, name: string, value: string): void {
    if (!Array.isArray(headers)) {
      headers[name] = value;
      return;
    }
    const others = headers.filter(([other]) => other !== name);
    headers.splice(0, headers.length, ...others, [name, value]);
  },
};

function pairsOf(headers: HeadersToSend): (readonly [string, Bytes | null | undefined])[] {
  return isPairs(headers)
    ? [...headers]
    : Object.entries(headers).map(([name, value]) => [
        name,
        isBytes(value) ? value : value?.at(-1),
      ]);
}

function isPairs(
  headers: HeadersToSend,
): headers is readonly (readonly [name: string, value: Bytes | null])[] {
  return Array.isArray(headers);
}

function isBytes(value: Bytes | null | readonly Bytes[]): value is Bytes | null {
  return !Array.isArray(value);
}
