// Groups as kafkajs describes them.

import type { Client } from '../client.js';
import type { ConsumerGroupState, GroupDescription } from './types.js';
import { unavailable } from './unavailable.js';

/** States of KIP-848, by their counterparts in kafkajs. */
const STATES: Readonly<Record<string, ConsumerGroupState>> = {
  Assigning: 'PreparingRebalance',
  Reconciling: 'CompletingRebalance',
  NotReady: 'CompletingRebalance',
};

const MEMBERS = {
  members:
    'The members of a group are not known to this adapter yet: `headwater group describe` lists them.',
  protocol:
    'The assignor of a group is not known to this adapter yet: `headwater group describe` names it.',
};

/** Describes groups. An unknown one is "Dead", as in Kafka. */
export async function describeGroups(
  client: Client,
  groupIds: readonly string[],
): Promise<GroupDescription[]> {
  const groups = new Map((await client.groups()).map((group) => [group.groupId, group]));
  return groupIds.map((groupId) => {
    const { state = 'Dead', protocolType = '' } = groups.get(groupId) ?? {};
    const known = {
      errorCode: 0,
      groupId,
      protocolType,
      state: STATES[state] ?? (state as ConsumerGroupState),
    };
    return unavailable(known, MEMBERS);
  });
}
