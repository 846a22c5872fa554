// The memory of a client that reads a topic of one partition again and again: `node memory.mjs ADDRESS WAY TOPIC BYTES` prints by how many bytes the
// peak of what is resident grew after the first tenth of the bytes.

import { connect } from 'headwater';

const LOOK_EVERY_BYTES = 1 << 20;

const [address, way, topic, total] = process.argv.slice(2);
const client = await connect(address);
const consumer = client.consumer({ topics: topic, autoOffsetReset: 'earliest' });
const records = await client.topic(topic).count();
const bytes = Number(total);
let [seen, read, looked] = [0, 0, 0];
let [peakOfFirstTenth, peak] = [0, 0];

/** Counts a value, and looks at the memory from time to time. */
function see(value) {
  seen++;
  read += value.length;
  if (read - looked >= LOOK_EVERY_BYTES) {
    looked = read;
    peak = Math.max(peak, process.memoryUsage.rss());
    if (read <= bytes / 10) {
      peakOfFirstTenth = peak;
    }
  }
}

async function readBatches() {
  for await (const batch of consumer.batches()) {
    for (const message of batch) {
      see(message.value);
    }
    if (read >= bytes) {
      return;
    }
    if (seen % records === 0) {
      await consumer.seek('earliest');
    }
  }
}

async function readMessages() {
  for await (const message of consumer) {
    see(message.value);
    if (read >= bytes) {
      return;
    }
    if (seen % records === 0) {
      await consumer.seek('earliest');
    }
  }
}

await (way === 'batches' ? readBatches() : readMessages());
await client.close();
console.log(peak - peakOfFirstTenth);
