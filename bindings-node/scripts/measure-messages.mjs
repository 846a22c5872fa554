// Compares two ways to pass messages: the flat buffer of the package, and Arrow IPC read by apache-arrow.
//
//     node --expose-gc scripts/measure-messages.mjs [records] [rounds]

import { tableFromIPC } from 'apache-arrow';
import { open } from '../dist/index.js';

const [records = 1_000_000, rounds = 5] = process.argv.slice(2).map(Number);
const BATCH = 65_536;

const client = await open();
const topic = await client.createTopic('measured');
const producer = client.producer();
for (let sent = 0; sent < records; sent += BATCH) {
  const rows = Array.from({ length: Math.min(BATCH, records - sent) }, (_, n) => ({
    key: `key-${n % 1_000}`,
    value: Buffer.alloc(100, n),
  }));
  await producer.sendBatch('measured', rows);
}

const WAYS = {
  flat(batch) {
    let sum = 0;
    for (const message of batch) {
      sum += message.value.length + Number(message.offset & 1n) + (message.timestamp % 2);
    }
    return sum;
  },
  'arrow-ipc'(batch) {
    const table = tableFromIPC(batch.toArrowIPC());
    let sum = 0;
    for (const part of table.batches) {
      const [value, offset, timestamp] = ['value', 'offset', 'timestamp'].map((name) =>
        part.getChild(name),
      );
      for (let row = 0; row < part.numRows; row++) {
        sum +=
          value.get(row).length + Number(offset.get(row) & 1n) + (Number(timestamp.get(row)) % 2);
      }
    }
    return sum;
  },
};

for (let round = 0; round < rounds; round++) {
  const figures = [];
  for (const [name, read] of Object.entries(WAYS)) {
    globalThis.gc?.();
    let [elapsed, sum] = [0, 0];
    for await (const batch of topic.scan()) {
      const started = performance.now();
      sum += read(batch);
      elapsed += performance.now() - started;
    }
    figures.push(`${name} ${(records / elapsed / 1_000).toFixed(2)} M/s (${sum})`);
  }
  console.log(figures.join('   '));
}
await client.close();
