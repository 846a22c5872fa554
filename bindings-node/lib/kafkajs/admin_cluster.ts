// The brokers of the cluster.

import type { Client } from '../client.js';

/** The brokers, and the controller among them. */
export async function describeCluster(client: Client) {
  const { brokers, controller, clusterId } = await client.describeCluster();
  return {
    brokers: brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port })),
    controller: controller ?? null,
    clusterId: clusterId ?? '',
  };
}
