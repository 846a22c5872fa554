// The slowest requests in a directory: `node slowest_requests.mjs DIRECTORY`.

import { open } from 'headwater';

const client = await open(process.argv[2]);
const slowest = [];
for await (const batch of client.topic('requests').scan({ value: 'json' })) {
  for (const { partition, offset, value } of batch) {
    slowest.push({ partition, offset, ...value });
  }
}
slowest.sort((a, b) => b.milliseconds - a.milliseconds);
for (const { partition, offset, route, milliseconds } of slowest.slice(0, 3)) {
  console.log(`${milliseconds.toFixed(1)} ms  ${route}  partition ${partition}, offset ${offset}`);
}
await client.close();
