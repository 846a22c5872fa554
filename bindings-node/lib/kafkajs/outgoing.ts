// Messages to send, checked: every field that cannot be sent as it is given is an error that names it.

import { checkedBytes, type MessageToSend } from '../records.js';
import { checked, refused } from './convert_error.js';
import type { IHeaders, Message, TopicMessages } from './types.js';

type HeaderValue = Buffer | string | null;

/** The topics of a batch with their messages, each topic once. */
export function mergedTopics(topicMessages: readonly TopicMessages[]): TopicMessages[] {
  const merged = new Map<string, Message[]>();
  for (const { topic, messages } of topicMessages) {
    if (typeof topic !== 'string' || topic === '') {
      throw refused('Invalid topic');
    }
    if (!Array.isArray(messages)) {
      throw refused(`Invalid messages array [${String(messages)}] for topic "${topic}"`);
    }
    merged.set(topic, [...(merged.get(topic) ?? []), ...messages]);
  }
  return [...merged].map(([topic, messages]) => ({ topic, messages }));
}

/** A message as Headwater's producer takes it. */
export function outgoing(message: Message, topic: string, index: number): MessageToSend {
  if (message === null || typeof message !== 'object') {
    throw refused(`messages[${index}] for topic "${topic}" must be an object`);
  }
  if (message.value === undefined) {
    throw refused(
      `Invalid message without value for topic "${topic}": messages[${index}].value is undefined; null is a message without a value`,
    );
  }
  const name = `messages[${index}]`;
  const { partition } = message;
  return checked(() => ({
    value: part(message.value, `${name}.value`),
    key: part(message.key, `${name}.key`),
    headers: headersOf(message.headers, `${name}.headers`),
    ...(partition === undefined || partition === null
      ? {}
      : { partition: partitionOf(partition, `${name}.partition`) }),
    ...timestampOf(message.timestamp, `${name}.timestamp`),
  }));
}

function part(value: unknown, name: string): Buffer | string | null {
  return value === undefined || value === null
    ? null
    : (checkedBytes(value, name) as Buffer | string);
}

function partitionOf(value: unknown, name: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > 0x7fff_ffff) {
    throw refused(`${name} is ${String(value)}: it must be the number of a partition`);
  }
  return value as number;
}

function timestampOf(value: unknown, name: string): { timestamp?: number } {
  if (value === undefined || value === null) {
    return {};
  }
  const isText = typeof value === 'string' && /^\d+$/.test(value);
  const timestamp = isText ? Number(value) : value instanceof Date ? value.getTime() : value;
  if (!Number.isSafeInteger(timestamp) || (timestamp as number) < 0) {
    throw refused(`${name} is ${String(value)}: it must be milliseconds since 1970, as text`);
  }
  return { timestamp: timestamp as number };
}

function headersOf(given: IHeaders | null | undefined, name: string): [string, HeaderValue][] {
  if (given === undefined || given === null) {
    return [];
  }
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw refused(`${name} must be an object`);
  }
  return Object.entries(given).flatMap(([key, value]) => {
    const values: unknown[] = Array.isArray(value) ? value : [value];
    return values.map((item): [string, HeaderValue] => [key, headerValue(item, `${name}.${key}`)]);
  });
}

function headerValue(value: unknown, name: string): HeaderValue {
  if (value === undefined) {
    throw refused(`${name} is undefined: null is a header without a value`);
  }
  return value === null ? null : (checkedBytes(value, name) as Buffer | string);
}
