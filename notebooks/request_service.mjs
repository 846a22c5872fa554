// A web service that publishes an event for each request it has answered: `node request_service.mjs HOST:PORT REQUESTS`. It calls itself, so that the
// notebook has something to look at.

import { once } from 'node:events';
import { createServer, get } from 'node:http';
import { gzipSync } from 'node:zlib';
import { connect } from 'headwater';

const [bootstrapServers, requests] = process.argv.slice(2);
const ROUTES = ['/health', '/orders', '/report'];

const client = await connect(bootstrapServers);
const producer = client.producer({ key: 'string', value: 'json' });

/** What a route answers. A report takes longer than the others, and the longer the more are asked for. */
function answer(route) {
  const rows = route === '/report' ? 5_000 : route === '/orders' ? 50 : 1;
  return gzipSync(JSON.stringify(Array.from({ length: rows }, (_, id) => ({ id, price: id / 7 }))));
}

const server = createServer((request, response) => {
  const started = performance.now();
  response.end(answer(request.url));
  response.once('finish', () => {
    const milliseconds = performance.now() - started;
    // Nothing waits for the acknowledgement: close() does.
    producer.send({
      topic: 'requests',
      key: request.url,
      value: { route: request.url, milliseconds, in_flight: inFlight },
      headers: { service: 'shop' },
    });
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');

let inFlight = 0;

async function call(route) {
  inFlight++;
  const [response] = await once(get({ port: server.address().port, path: route }), 'response');
  response.resume();
  await once(response, 'end');
  inFlight--;
}

/** Asks for one page after the other, as a visitor does. */
async function visit(pages) {
  for (let page = 0; page < pages; page++) {
    const dice = Math.random();
    await call(ROUTES[dice < 0.5 ? 0 : dice < 0.95 ? 1 : 2]);
  }
}

const VISITORS = 16;
await Promise.all(Array.from({ length: VISITORS }, () => visit(Number(requests) / VISITORS)));
server.close();
await client.close();
