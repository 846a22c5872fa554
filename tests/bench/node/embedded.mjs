// Reads a directory's topic "bench" in batches, each of which crosses as Arrow IPC: `node embedded.mjs DIRECTORY RECORDS` prints records a second.

import { open } from 'headwater';

const ROUNDS = 3;

const [directory, count] = process.argv.slice(2);
const records = Number(count);
const client = await open(directory);

async function read() {
  const consumer = client.consumer({ autoOffsetReset: 'earliest' });
  await consumer.assign({ topic: 'bench', partition: 0 });
  const started = performance.now();
  let [seen, bytes] = [0, 0];
  for await (const batch of consumer.batches({ until: 'end' })) {
    seen += batch.length;
    bytes += batch.toArrowIPC().length;
  }
  const seconds = (performance.now() - started) / 1_000;
  await consumer.close();
  if (seen !== records || bytes < records * 100) {
    throw new Error(`${seen} of ${records} records were read, as ${bytes} bytes`);
  }
  return records / seconds;
}

let best = 0;
for (let round = 0; round < ROUNDS; round++) {
  best = Math.max(best, await read());
}
await client.close();
console.log(best);
