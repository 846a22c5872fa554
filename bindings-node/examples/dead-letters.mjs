// Reads typed JSON. Records that do not fit the schema go to a dead-letter topic, with the reason, and reading goes on.

import { DecodeError, open } from 'headwater';

const TOPIC = 'flights';
const DEAD_LETTERS = 'flights.dead';

const client = await open(null);
await client.createTopic(TOPIC);
await client.createTopic(DEAD_LETTERS);
const producer = client.producer();
const consumer = client.consumer({
  topics: TOPIC,
  autoOffsetReset: 'earliest',
  value: 'json',
  schema: { carrier: 'string', delay: 'int32' },
});
const rows = [
  '{"carrier":"UA","delay":12}',
  'no JSON',
  '{"delay":"late"}',
  '{"carrier":"DL","delay":0}',
];
await producer.sendBatch(
  TOPIC,
  rows.map((value) => ({ value })),
);

for (let isDone = false; !isDone; ) {
  try {
    for await (const batch of consumer.batches({ until: 'end' })) {
      for (const { offset, value } of batch) {
        console.log(`${offset} ${value.carrier} ${value.delay}`);
      }
    }
    isDone = true;
  } catch (error) {
    if (!(error instanceof DecodeError)) {
      throw error;
    }
    const { topic, partition, offset, key, value, message } = error;
    await producer.send({ topic: DEAD_LETTERS, key, value, headers: { reason: message } });
    await consumer.seek([{ topic, partition, offset: offset + 1n }]);
  }
}
for (const letter of await client.topic(DEAD_LETTERS).head()) {
  console.log(`dead: ${letter.value}`);
}
await client.close();
