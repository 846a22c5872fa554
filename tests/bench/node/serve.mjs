// Our broker in a process of its own: `node serve.mjs DIRECTORY PORT`, until SIGTERM.

import { open } from 'headwater';

const [directory, port] = process.argv.slice(2);
const client = await open(directory, { groupInitialRebalanceDelayMs: 0 });
await client.serve({ port: Number(port) });
// An open client alone lets the process end.
const stay = setInterval(() => {}, 60_000);
process.once('SIGTERM', async () => {
  clearInterval(stay);
  await client.close();
});
