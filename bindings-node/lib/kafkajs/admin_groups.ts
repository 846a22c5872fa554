// The groups of the admin: their offsets, and deleting them.

import type { Client } from '../client.js';
import { boolean, text } from '../options.js';
import { resolved } from './admin_topics.js';
import { kafkaJSError, refused } from './convert_error.js';
import { KafkaJSDeleteGroupsError, KafkaJSError, KafkaJSProtocolError } from './errors.js';
import { describeGroup } from './groups.js';
import { anything, options, topicName } from './options.js';
import type { DeleteGroupsResult, FetchOffsetsPartition, SeekEntry } from './types.js';

function groupName(groupId: unknown): string {
  if (typeof groupId !== 'string' || groupId === '') {
    throw refused(`Invalid groupId ${String(groupId)}`);
  }
  return groupId;
}

/** All groups. */
export async function listGroups(client: Client) {
  const groups = await client.groups();
  return { groups: groups.map(({ groupId, protocolType }) => ({ groupId, protocolType })) };
}

/** The committed offsets of a group, -1 where there is none; of these topics, or of all that have one. */
export async function fetchOffsets(
  client: Client,
  given: unknown,
): Promise<{ topic: string; partitions: FetchOffsetsPartition[] }[]> {
  const known = options('fetchOffsets()', given, {
    groupId: anything,
    topics: anything,
    resolveOffsets: boolean,
  });
  const groupId = groupName(known.groupId);
  if (known.topics !== undefined && !Array.isArray(known.topics)) {
    throw refused('Expected topics array to be set');
  }
  const committed = await client.groupOffsets(groupId);
  const named = ((known.topics ?? []) as unknown[]).map(topicName);
  const topics = named.length > 0 ? named : [...new Set(committed.map(({ topic }) => topic))];
  return Promise.all(
    topics.map(async (topic) => {
      const own = new Map(
        committed.filter((entry) => entry.topic === topic).map((entry) => [entry.partition, entry]),
      );
      const numbers =
        named.length > 0
          ? [...(await client.topic(topic).offsets('latest')).keys()]
          : [...own.keys()];
      // A reset of kafkajs stores -1 and -2, which `resolveOffsets` replaces; here a reset stores offsets.
      const partitions = numbers.map((partition) => ({
        partition,
        offset: String(own.get(partition)?.committed ?? -1),
        metadata: own.get(partition)?.metadata || null,
      }));
      return { topic, partitions };
    }),
  );
}

/** Sets the committed offsets of a group without members. */
export async function setOffsets(client: Client, given: unknown): Promise<void> {
  const known = options('setOffsets()', given, {
    groupId: anything,
    topic: anything,
    partitions: anything,
  });
  const [groupId, topic] = [groupName(known.groupId), topicName(known.topic)];
  const entries = known.partitions as SeekEntry[] | undefined;
  if (!Array.isArray(entries) || entries.length === 0) {
    throw refused('Invalid partitions');
  }
  await refuseIfRunning(client, groupId);
  await client.resetGroupOffsets(groupId, topic, await resolved(client, topic, entries));
}

/** Sets the committed offsets of a group without members to the ends or the starts of a topic. */
export async function resetOffsets(client: Client, given: unknown): Promise<void> {
  const known = options('resetOffsets()', given, {
    groupId: anything,
    topic: anything,
    earliest: boolean,
  });
  const [groupId, topic] = [groupName(known.groupId), topicName(known.topic)];
  await refuseIfRunning(client, groupId);
  await client.resetGroupOffsets(groupId, topic, known.earliest === true ? 'earliest' : 'latest');
}

async function refuseIfRunning(client: Client, groupId: string): Promise<void> {
  const { state } = await describeGroup(client, groupId);
  if (state !== 'Empty' && state !== 'Dead') {
    throw refused(`The consumer group must have no running instances, current state: ${state}`);
  }
}

/** Deletes groups without members. */
export async function deleteGroups(client: Client, given: unknown): Promise<DeleteGroupsResult[]> {
  if (!Array.isArray(given)) {
    throw refused(`Invalid groupIds array ${String(given)}`);
  }
  const groupIds = given.map((groupId) => text(groupId, 'groupId'));
  const failed: { groupId: string; errorCode: number; error: KafkaJSError }[] = [];
  for (const groupId of groupIds) {
    try {
      await client.deleteGroup(groupId);
    } catch (thrown) {
      const error = kafkaJSError(thrown);
      if (!(error instanceof KafkaJSError)) {
        throw error;
      }
      const errorCode = error instanceof KafkaJSProtocolError ? error.code : -1;
      failed.push({ groupId, errorCode, error });
    }
  }
  if (failed.length > 0) {
    throw new KafkaJSDeleteGroupsError('Error in DeleteGroups', failed);
  }
  return groupIds.map((groupId) => ({ groupId, errorCode: 0 }));
}
