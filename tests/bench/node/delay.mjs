// The delay of the event loop while an embedded engine that syncs each append produces and consumes at full rate:
// `node delay.mjs DIRECTORY WAY SECONDS` prints the 99th percentile in milliseconds, and the records that were written and read.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { open } from 'headwater';
import { randomValues } from './values.mjs';

const [directory, way, seconds] = process.argv.slice(2);
const TOPIC = 'synced';
/** As many as `run()` takes: the loop over a batch is the caller's, and holds the event loop. */
const BATCH = 8_192;

const client = await open(directory);
await client.createTopic(TOPIC, { flushMessages: 1 });
const producer = client.producer();
const consumer = client.consumer({ topics: TOPIC, autoOffsetReset: 'earliest' });
const values = randomValues(1_000, 100);
const until = performance.now() + Number(seconds) * 1_000;
const isOver = () => performance.now() > until;
let [written, read] = [0, 0];

const WAYS = {
  messages: {
    async produce() {
      const some = values.slice(0, 100);
      await Promise.all(some.map((value) => producer.send({ topic: TOPIC, value })));
      written += some.length;
    },
    async consume() {
      let bytes = 0;
      for await (const message of consumer) {
        bytes += message.value.length;
        if (++read % 100 === 0 && isOver()) {
          return bytes;
        }
      }
    },
  },
  batches: {
    async produce() {
      await producer.sendBatch(
        TOPIC,
        values.map((value) => ({ value })),
      );
      written += values.length;
    },
    async consume() {
      let bytes = 0;
      for await (const batch of consumer.batches({ maxRecords: BATCH })) {
        for (const message of batch) {
          bytes += message.value.length;
        }
        read += batch.length;
        if (isOver()) {
          return bytes;
        }
      }
    },
  },
};

async function produce() {
  while (!isOver()) {
    await WAYS[way].produce();
  }
}

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const consuming = WAYS[way].consume();
await produce();
delay.disable();
// One more, for a consumer that has read everything.
await WAYS[way].produce();
await consuming;
await consumer.close();
await client.close();
console.log(JSON.stringify({ p99: delay.percentile(99) / 1e6, written, read }));
