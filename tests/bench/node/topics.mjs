// Makes the topics of a bench: `node topics.mjs ADDRESS` reads lines as {"create": "t"}, {"fill": "t", "records": 10, "bytes": 100} and
// {"delete": "t"}, and answers each with a line.

import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'headwater';
import { randomValues } from './values.mjs';

const MANY = 50_000;

const client = await connect(process.argv[2]);

/** Creates a topic of one partition, and waits until the broker knows its leader. */
async function create(name) {
  const topic = await client.createTopic(name);
  for (;;) {
    const partitions = await topic.describe().catch((error) => {
      if (!error.retriable) {
        throw error;
      }
      return [];
    });
    if (partitions.length === 1) {
      return;
    }
    await sleep(10);
  }
}

async function fill(name, records, bytes) {
  await create(name);
  const producer = client.producer();
  for (let sent = 0; sent < records; sent += MANY) {
    const values = randomValues(Math.min(MANY, records - sent), bytes);
    await producer.sendBatch(
      name,
      values.map((value) => ({ value })),
    );
  }
  await producer.close();
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.create !== undefined) {
    await create(request.create);
  } else if (request.fill !== undefined) {
    await fill(request.fill, request.records, request.bytes);
  } else {
    await client.deleteTopic(request.delete);
  }
  console.log('done');
}
await client.close();
