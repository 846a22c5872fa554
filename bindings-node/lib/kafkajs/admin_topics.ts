// The topics of the admin: creating, deleting, describing, offsets and records.

import type { Client } from '../client.js';
import { HeadwaterError, TopicAlreadyExistsError } from '../errors.js';
import { boolean, count, text } from '../options.js';
import { partitionsOf } from './cluster.js';
import { kafkaJSError, refused } from './convert_error.js';
import {
  KafkaJSAggregateError,
  KafkaJSBrokerNotFound,
  KafkaJSCreateTopicError,
  KafkaJSDeleteTopicRecordsError,
  KafkaJSError,
} from './errors.js';
import { anything, longOf, only, options, partitionOf, topicName, unsupported } from './options.js';
import type { ITopicMetadata, SeekEntry } from './types.js';

const CONTROLLER_PLACES = 'the controller places replicas.';

const TIMED = {
  timeout: count,
  validateOnly: only(false, 'the adapter cannot only validate: leave it out.'),
};

const TOPIC = {
  topic: text,
  numPartitions: anything,
  replicationFactor: anything,
  replicaAssignment: unsupported(CONTROLLER_PLACES),
  configEntries: anything,
};

function wait(timeout: number | undefined) {
  return timeout === undefined ? {} : { signal: AbortSignal.timeout(timeout) };
}

/** A list whose topics are named once. */
function listOfTopics<T>(list: unknown, what: string, nameOf: (item: T) => unknown): T[] {
  if (!Array.isArray(list)) {
    throw refused(`Invalid ${what} array ${String(list)}`);
  }
  const names = list.map(nameOf);
  if (names.some((name) => typeof name !== 'string')) {
    throw refused(`Invalid ${what} array, the topic names have to be a valid string`);
  }
  if (new Set(names).size < names.length) {
    throw refused(`Invalid ${what} array, it cannot have multiple entries for the same topic`);
  }
  return list;
}

/** -1 stands for the broker's default. */
function orDefault(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null || value === -1) {
    return undefined;
  }
  return count(value, name);
}

function configOf(entries: unknown, topic: string): Record<string, string> {
  if (entries === undefined || entries === null) {
    return {};
  }
  if (!Array.isArray(entries)) {
    throw refused(`Invalid configEntries for topic "${topic}", must be an array`);
  }
  return Object.fromEntries(
    entries.map((entry, index) => {
      if (typeof entry?.name !== 'string' || typeof entry?.value !== 'string') {
        throw refused(
          `Invalid configEntries for topic "${topic}". Entry ${index} must have a valid "name" and "value" property`,
        );
      }
      return [entry.name, entry.value];
    }),
  );
}

/** Creates topics. Whether one of them is new. */
export async function createTopics(client: Client, given: unknown): Promise<boolean> {
  const known = options('createTopics()', given, {
    ...TIMED,
    topics: anything,
    waitForLeaders: boolean,
  });
  const topics = listOfTopics<{ topic: string }>(known.topics, 'topics', (item) => item?.topic).map(
    (item) => options('a topic of createTopics()', item, TOPIC),
  );
  const checkedTopics = topics.map(({ topic = '', ...others }) => ({
    topic,
    partitions: orDefault(others.numPartitions, 'numPartitions') ?? null,
    replicationFactor: orDefault(others.replicationFactor, 'replicationFactor'),
    config: configOf(others.configEntries, topic),
  }));
  const results = await Promise.allSettled(
    checkedTopics.map(({ topic, replicationFactor, ...others }) =>
      client.createTopic(topic, {
        ...others,
        ...(replicationFactor === undefined ? {} : { replicationFactor }),
        ...wait(known.timeout),
      }),
    ),
  );
  const errors = results.flatMap((result, index) =>
    result.status === 'rejected'
      ? [{ error: result.reason as unknown, topic: checkedTopics[index]?.topic ?? '' }]
      : [],
  );
  if (errors.length === 0) {
    return true;
  }
  if (errors.every(({ error }) => error instanceof TopicAlreadyExistsError)) {
    return false;
  }
  throw new KafkaJSAggregateError(
    'Topic creation errors',
    errors.map(({ error, topic }) => createError(error, topic)),
  );
}

function createError(error: unknown, topic: string): Error {
  const converted = kafkaJSError(error);
  return error instanceof HeadwaterError
    ? new KafkaJSCreateTopicError(converted, topic)
    : converted;
}

/** Deletes topics. */
export async function deleteTopics(client: Client, given: unknown): Promise<void> {
  const known = options('deleteTopics()', given, { topics: anything, timeout: count });
  const topics = listOfTopics<string>(known.topics, 'topics', (name) => name);
  await Promise.all(topics.map((topic) => client.deleteTopic(topic, wait(known.timeout))));
}

/** Adds partitions to topics. `count` is the new number of all. */
export async function createPartitions(client: Client, given: unknown): Promise<boolean> {
  const known = options('createPartitions()', given, { ...TIMED, topicPartitions: anything });
  const listed = listOfTopics<{ topic: string }>(
    known.topicPartitions,
    'topic partitions',
    (item) => item?.topic,
  );
  if (listed.length === 0) {
    throw refused('Empty topic partitions array');
  }
  const topics = listed.map((item) =>
    options('a topic of createPartitions()', item, {
      topic: text,
      count,
      assignments: unsupported(CONTROLLER_PLACES),
    }),
  );
  for (const { topic = '', count: partitions } of topics) {
    if (partitions === undefined) {
      throw refused(`count is missing for topic "${topic}": give the new number of partitions`);
    }
    await client.alterTopic(topic, { partitions, ...wait(known.timeout) });
  }
  return true;
}

/** The partitions of the named topics, or of all. */
export async function fetchTopicMetadata(
  client: Client,
  given: unknown,
): Promise<{ topics: ITopicMetadata[] }> {
  const { topics = [] } = options('fetchTopicMetadata()', given, { topics: anything });
  const named = (topics as unknown[]).map(topicName);
  const names = named.length > 0 ? named : await listTopics(client);
  return {
    topics: await Promise.all(
      names.map(async (name) => ({ name, partitions: await partitionsOf(client, name) })),
    ),
  };
}

/** The names of all topics. */
export async function listTopics(client: Client): Promise<string[]> {
  return (await client.topics({ internal: true })).map(({ name }) => name);
}

/** The ends of a topic's partitions. */
export async function fetchTopicOffsets(client: Client, given: unknown) {
  const topic = client.topic(topicName(given));
  const [high, low] = await Promise.all([topic.offsets('latest'), topic.offsets('earliest')]);
  return [...high].map(([partition, end]) => ({
    partition,
    offset: String(end),
    high: String(end),
    low: String(low.get(partition) ?? end),
  }));
}

/** The offset of the first record that is not older than `timestamp` in each partition, or its end. */
export async function fetchTopicOffsetsByTimestamp(
  client: Client,
  given: unknown,
  timestamp: unknown,
): Promise<SeekEntry[]> {
  const topic = client.topic(topicName(given));
  const at = timestamp === undefined ? 'latest' : new Date(Number(timestamp));
  return [...(await topic.offsets(at))].map(([partition, offset]) => ({
    partition,
    offset: String(offset),
  }));
}

/** Offsets by partition; -1 is the end and -2 the start. */
export async function resolved(
  client: Client,
  topic: string,
  entries: readonly SeekEntry[],
): Promise<{ partition: number; offset: bigint }[]> {
  const known = entries.map(({ partition, offset }) => ({
    partition: partitionOf(partition),
    offset: longOf(offset, 'offset'),
  }));
  const needs = (special: bigint) => known.some(({ offset }) => offset === special);
  const handle = client.topic(topic);
  const high = needs(-1n) ? await handle.offsets('latest') : undefined;
  const low = needs(-2n) ? await handle.offsets('earliest') : undefined;
  return known.map(({ partition, offset }) => {
    const special = offset === -1n ? high : offset === -2n ? low : undefined;
    return { partition, offset: special?.get(partition) ?? offset };
  });
}

/** Deletes the records before an offset of each partition; -1 is the end. */
export async function deleteTopicRecords(client: Client, given: unknown): Promise<void> {
  const known = options('deleteTopicRecords()', given, { topic: anything, partitions: anything });
  const topic = topicName(known.topic);
  const entries = (known.partitions ?? []) as SeekEntry[];
  if (!Array.isArray(entries) || entries.length === 0) {
    throw refused('Invalid partitions');
  }
  const existing = await client.topic(topic).offsets('latest');
  const missing = entries.filter(({ partition }) => !existing.has(partition));
  if (missing.length > 0) {
    const error = new KafkaJSBrokerNotFound('Could not find the leader for the partition', {
      retriable: false,
    });
    throw new KafkaJSDeleteTopicRecordsError({
      topic,
      partitions: missing.map((entry) => ({ ...entry, error })),
    });
  }
  const before = await resolved(client, topic, entries);
  try {
    await client.deleteRecords(topic, before);
  } catch (thrown) {
    const error = kafkaJSError(thrown);
    throw error instanceof KafkaJSError
      ? new KafkaJSDeleteTopicRecordsError({
          topic,
          partitions: entries.map((entry) => ({ ...entry, error })),
        })
      : error;
  }
}
