// The member of a consumer, as the events of kafkajs name it.

import type { Consumer as HeadwaterConsumer } from '../consumer.js';

/** The member in the events of heartbeats and commits. */
export function memberOf(consumer: HeadwaterConsumer) {
  const { groupId = '', memberId = '', generationId = -1 } = consumer.groupMetadata() ?? {};
  return { groupId, memberId, groupGenerationId: generationId };
}

/** The member in the event of joining. Without topics there is no consumer; where the broker assigns, none leads. */
export function joinedMemberOf(consumer: HeadwaterConsumer | undefined, strategy: string) {
  const { memberId, leaderId, assignor } = consumer?.groupMetadata() ?? {};
  return {
    memberId: memberId ?? '',
    leaderId: leaderId ?? '',
    isLeader: leaderId !== undefined && leaderId === memberId,
    groupProtocol: assignor ?? strategy,
  };
}
