// Assigners of partitions.

import type { Logger } from './logging.js';
import type { PartitionMetadata } from './messages.js';

/** The view of the cluster that assigners have. */
export type Cluster = {
  findTopicPartitionMetadata(topic: string): PartitionMetadata[];
};

export type Assignment = { [topic: string]: number[] };

export type GroupMember = { memberId: string; memberMetadata: Buffer };

export type GroupMemberAssignment = { memberId: string; memberAssignment: Buffer };

export type GroupState = { name: string; metadata: Buffer };

export type Assigner = {
  name: string;
  version: number;
  assign(group: { members: GroupMember[]; topics: string[] }): Promise<GroupMemberAssignment[]>;
  protocol(subscription: { topics: string[] }): GroupState;
};

export type PartitionAssigner = (config: {
  cluster: Cluster;
  groupId: string;
  logger: Logger;
}) => Assigner;

export interface ISerializer<T> {
  encode(value: T): Buffer;
  decode(buffer: Buffer): T | null;
}

export type MemberMetadata = { version: number; topics: string[]; userData: Buffer };

export type MemberAssignment = { version: number; assignment: Assignment; userData: Buffer };
