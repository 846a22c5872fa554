// The topics of the two services.

const prefix = process.env.TOPIC_PREFIX ?? '';

export const ORDERS = `${prefix}orders`;
export const ALERTS = `${prefix}alerts`;
export const GROUP = `${prefix}fraud-detector`;

/** Creates the topics that are missing: either service may start first. */
export async function createTopics(client) {
  await client.createTopic(ORDERS, { partitions: 3, ifExists: 'ignore' });
  await client.createTopic(ALERTS, { ifExists: 'ignore' });
}
