// Messages that were read, as kafkajs hands them over.

import type { Message } from '../message.js';
import type { IHeaders, KafkaMessage } from './types.js';

/** Plain objects with their own properties: handlers copy them and add to them. */
export function incoming(message: Message): KafkaMessage {
  return {
    magicByte: 2,
    attributes: 0,
    timestamp: String(message.timestamp),
    offset: String(message.offset),
    key: message.key,
    value: message.value,
    headers: headersOf(message),
    isControlRecord: false,
  } as KafkaMessage;
}

/** Headers by name; the values of a name that repeats are an array. */
function headersOf({ headers }: Message): IHeaders {
  if (headers.length === 0) {
    return {};
  }
  const byName = new Map<string, unknown>();
  for (const [name, value] of headers) {
    const before = byName.get(name);
    byName.set(
      name,
      !byName.has(name) ? value : Array.isArray(before) ? [...before, value] : [before, value],
    );
  }
  return Object.fromEntries(byName) as IHeaders;
}
