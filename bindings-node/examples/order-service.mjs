// Takes orders by HTTP, and publishes them. Shows the alerts of the fraud detector. README.md says how to run it.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { connect, open } from 'headwater';
import { ALERTS, createTopics, ORDERS } from './topics.mjs';

const {
  KAFKA_BOOTSTRAP_SERVERS,
  DATA = './data',
  KAFKA_PORT = '9092',
  PORT = '8080',
} = process.env;

/** The client of the cluster, or of an engine of our own that other services reach. */
async function start() {
  if (KAFKA_BOOTSTRAP_SERVERS !== undefined) {
    return connect(KAFKA_BOOTSTRAP_SERVERS);
  }
  const client = await open(DATA);
  const server = await client.serve({ port: Number(KAFKA_PORT) });
  console.log(`Kafka at ${server.bootstrapServers}`);
  return client;
}

const client = await start();
await createTopics(client);
const producer = client.producer({ key: 'string', value: 'json' });
const consumer = client.consumer({ topics: ALERTS, value: 'json', autoOffsetReset: 'earliest' });

/** The alerts by order: one that comes again is the same. */
const alerts = new Map();
const following = consumer.run({
  eachMessage: ({ message }) => {
    alerts.set(message.value.order, message.value);
  },
});

/** An order that may be published, or undefined. */
function parse(body) {
  try {
    const { card, amount } = JSON.parse(body);
    return typeof card === 'string' && amount > 0 ? { card, amount } : undefined;
  } catch {
    return undefined;
  }
}

const ROUTES = {
  'POST /orders': async (request) => {
    const order = parse(await text(request));
    if (order === undefined) {
      return [
        400,
        { error: 'An order has a card and an amount: {"card": "4711", "amount": 12.5}' },
      ];
    }
    const value = { id: randomUUID(), ...order };
    await producer.send({ topic: ORDERS, key: order.card, value });
    return [201, value];
  },
  'GET /alerts': async () => [200, [...alerts.values()]],
};

const http = createServer(async (request, response) => {
  const route = ROUTES[`${request.method} ${request.url}`];
  const answer = route?.(request) ?? [404, { error: 'Not found' }];
  const [status, body] = await Promise.resolve(answer).catch((error) => {
    console.error(error);
    return [503, { error: error.message }];
  });
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});
http.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`HTTP at http://127.0.0.1:${http.address().port}`);
});

await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
// Requests that have begun are answered first: their orders are acknowledged.
http.close();
await once(http, 'close');
await consumer.close();
await following;
await client.close();
