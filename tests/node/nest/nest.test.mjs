// NestJS's Kafka transport through the adapter: `kafkajs` in package.json is a folder that exports `headwater/kafkajs`.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientKafka,
  Ctx,
  EventPattern,
  KafkaRetriableException,
  MessagePattern,
  Payload,
  Transport,
} from '@nestjs/microservices';
import { open } from 'headwater';
import { lastValueFrom } from 'rxjs';

const PATIENCE = 60_000;
const ENGINE = { groupInitialRebalanceDelayMs: 0, groupMinSessionTimeoutMs: 100 };

async function until(condition) {
  while (!(await condition())) {
    await sleep(5);
  }
}

/** What decorators do, for a class in JavaScript. */
function decorate(type, decorators) {
  Controller()(type);
  for (const [name, decorator] of Object.entries(decorators)) {
    decorator(type.prototype, name, Object.getOwnPropertyDescriptor(type.prototype, name));
  }
  const Root = class {};
  Module({ controllers: [type] })(Root);
  return Root;
}

/** A service with this controller, an engine for it, and a maker of clients. */
async function serving(root, use, { logger = false, consumer = {} } = {}) {
  const engine = await open(null, ENGINE);
  const server = await engine.serve({ port: 0 });
  const brokers = [server.address];
  await engine.createTopic('orders.total.reply', { partitions: 2 });
  const app = await NestFactory.createMicroservice(root, {
    transport: Transport.KAFKA,
    options: {
      client: { brokers },
      consumer: { groupId: 'orders', ...consumer },
      subscribe: { fromBeginning: true },
    },
    logger,
  });
  const clients = [];
  const connected = async () => {
    const client = new ClientKafka({
      client: { brokers, logCreator: () => () => {} },
      consumer: { groupId: 'shops', heartbeatInterval: 20 },
    });
    clients.push(client);
    client.subscribeToResponseOf('orders.total');
    await client.connect();
    return client;
  };
  try {
    await app.listen();
    await use({ connected, engine, app });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await app.close();
    await server.close();
    await engine.close();
  }
}

class Orders {
  total({ items }) {
    return { total: items.reduce((sum, item) => sum + item, 0) };
  }
}

const OrdersRoot = decorate(Orders, { total: MessagePattern('orders.total') });

test('a request gets its response', { timeout: PATIENCE }, () =>
  serving(OrdersRoot, async ({ connected }) => {
    const client = await connected();
    const answers = await Promise.all(
      [1, 2, 3].map((n) => lastValueFrom(client.send('orders.total', { items: [n, 10] }))),
    );
    assert.deepEqual(answers, [{ total: 11 }, { total: 12 }, { total: 13 }]);
  }),
);

test('each of two clients has a partition of the reply topic', { timeout: PATIENCE }, () =>
  serving(OrdersRoot, async ({ connected }) => {
    const clients = [await connected(), await connected()];
    const assigned = () =>
      clients.map((client) => client.getConsumerAssignments()['orders.total.reply']);
    await until(() => [...assigned()].sort().join() === '0,1');
    for (const [n, client] of clients.entries()) {
      const answer = client.send('orders.total', { items: [n, 10] });
      assert.deepEqual(await lastValueFrom(answer), { total: n + 10 });
    }
  }),
);

test('an event comes with its context, and again if its handler throws', {
  timeout: PATIENCE,
}, async () => {
  const seen = [];
  class Events {
    async placed(order, context) {
      seen.push([order, context.getTopic(), context.getPartition(), context.getMessage().offset]);
      await context.getHeartbeat()();
      if (seen.length < 3) {
        throw new KafkaRetriableException('not yet');
      }
    }
  }
  Payload()(Events.prototype, 'placed', 0);
  Ctx()(Events.prototype, 'placed', 1);
  const root = decorate(Events, { placed: EventPattern('orders.placed') });
  const retry = { retries: 5, initialRetryTime: 1 };
  await serving(
    root,
    async ({ connected, engine }) => {
      const client = await connected();
      await lastValueFrom(client.emit('orders.placed', { id: 7 }));
      await until(() => seen.length === 3);
      const place = [{ id: 7 }, 'orders.placed', 0, '0'];
      assert.deepEqual(seen, [place, place, place]);
      await until(async () => {
        const offsets = await engine.groupOffsets('orders-server');
        return offsets.some(({ committed }) => committed === 1n);
      });
    },
    { consumer: { retry } },
  );
});

test('the log of the adapter goes to Nest’s logger', { timeout: PATIENCE }, async () => {
  const lines = [];
  const note = (line) => lines.push(String(line));
  const logger = { log: note, warn: note, error: note, debug: note, verbose: note, fatal: note };
  await serving(OrdersRoot, async () => {}, { logger });
  assert.ok(
    lines.some((line) => line.includes('[Consumer] Consumer has joined the group')),
    lines.join('\n'),
  );
});
