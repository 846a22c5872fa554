// Groups as kafkajs describes them.

import type { GroupMember } from '../../native.js';
import type { Client } from '../client.js';
import { KafkaError } from '../errors.js';
import { AssignerProtocol } from './assigner_protocol.js';
import { byTopic } from './pauses.js';
import type {
  Assignment,
  ConsumerGroupState,
  GroupDescription,
  MemberDescription,
} from './types.js';

/** States of KIP-848, by their counterparts in kafkajs. */
const STATES: Readonly<Record<string, ConsumerGroupState>> = {
  Assigning: 'PreparingRebalance',
  Reconciling: 'CompletingRebalance',
  NotReady: 'CompletingRebalance',
};

const NO_USER_DATA = Buffer.alloc(0);

/** Describes groups. An unknown one is "Dead", as in Kafka. */
export async function describeGroups(
  client: Client,
  groupIds: readonly string[],
): Promise<GroupDescription[]> {
  return Promise.all(groupIds.map((groupId) => describeGroup(client, groupId)));
}

/** Describes a group. */
export async function describeGroup(client: Client, groupId: string): Promise<GroupDescription> {
  try {
    const group = await client.describeGroup(groupId);
    const state = STATES[group.state] ?? (group.state as ConsumerGroupState);
    return {
      errorCode: 0,
      groupId,
      members: group.members.map(memberOf),
      protocol: group.assignor,
      protocolType: group.protocolType,
      state,
    };
  } catch (error) {
    if (!(error instanceof KafkaError && error.code === 'GROUP_ID_NOT_FOUND')) {
      throw error;
    }
    return { errorCode: 0, groupId, members: [], protocol: '', protocolType: '', state: 'Dead' };
  }
}

/** The subscription and the assignment are those of Kafka's consumer protocol. */
function memberOf({
  memberId,
  clientId,
  host,
  topics,
  assignment,
}: GroupMember): MemberDescription {
  const partitions: Assignment = Object.fromEntries(
    byTopic(assignment).map(({ topic, partitions }) => [topic, partitions]),
  );
  const { MemberAssignment, MemberMetadata } = AssignerProtocol;
  return {
    memberId,
    clientId,
    clientHost: host,
    memberMetadata: MemberMetadata.encode({ version: 1, topics, userData: NO_USER_DATA }),
    memberAssignment: MemberAssignment.encode({
      version: 1,
      assignment: partitions,
      userData: NO_USER_DATA,
    }),
  };
}
