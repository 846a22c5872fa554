// Moves leaders on a cluster, which is kafkajs's part: Headwater's clients have no call for it.

import kafkajs from 'kafkajs';
import { until } from './support.mjs';

/** A client that moves leaders until it is disposed. */
export async function moverOf(bootstrap) {
  const kafka = new kafkajs.Kafka({
    brokers: bootstrap.split(','),
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = kafka.admin();
  await admin.connect();
  return {
    moveLeaders: (topic) => moveLeaders(admin, topic),
    [Symbol.asyncDispose]: () => admin.disconnect(),
  };
}

/** Moves all leaders of a topic: each loses its replica, and gets it back when another one leads. */
async function moveLeaders(admin, topic) {
  const before = await partitionsOf(admin, topic);
  const reassign = (replicasOf) => {
    const partitionAssignment = before.map((partition) => ({
      partition: partition.partitionId,
      replicas: replicasOf(partition),
    }));
    return admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] });
  };
  const others = ({ leader, replicas }) => replicas.filter((replica) => replica !== leader);
  const hasMoved = ({ partitionId, leader }) =>
    before.some((one) => one.partitionId === partitionId && one.leader !== leader && leader >= 0);
  await reassign(others);
  await until(async () => (await partitionsOf(admin, topic)).every(hasMoved));
  await reassign((partition) => [...others(partition), partition.leader]);
  await until(async () => (await partitionsOf(admin, topic)).every(({ isr }) => isr.length === 3));
}

async function partitionsOf(admin, topic) {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  return topics[0].partitions;
}
