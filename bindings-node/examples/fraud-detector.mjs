// Reads orders as a member of a group, and publishes an alert for each suspicious one. README.md says how to run it.

import { once } from 'node:events';
import { connect } from 'headwater';
import { ALERTS, createTopics, GROUP, ORDERS } from './topics.mjs';

const { KAFKA_BOOTSTRAP_SERVERS = '127.0.0.1:9092' } = process.env;
const AMOUNT_MAX = 10_000;

const client = await connect(KAFKA_BOOTSTRAP_SERVERS);
await createTopics(client);
const producer = client.producer({ key: 'string', value: 'json' });
const consumer = client.consumer({
  topics: ORDERS,
  groupId: GROUP,
  value: 'json',
  autoOffsetReset: 'earliest',
});

consumer.on('assign', (partitions) => {
  console.log(`Reads partitions ${partitions.map(({ partition }) => partition).join(', ')}`);
});

const running = consumer.run({
  concurrency: 3,
  retry: { retries: Infinity },
  eachMessage: async ({ message }) => {
    const { id, card, amount } = message.value;
    if (amount > AMOUNT_MAX) {
      // The order is finished when the alert is acknowledged.
      const value = { order: id, card, reason: `${amount} is more than ${AMOUNT_MAX}` };
      await producer.send({ topic: ALERTS, key: id, value });
    }
  },
});

await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT'), running]);
await consumer.close();
await running;
await client.close();
