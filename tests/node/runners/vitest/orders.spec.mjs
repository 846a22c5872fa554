import { startBroker } from 'headwater/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startOrderService } from '../order_service.cjs';

const JSON_TEXT = { key: 'string', value: 'json' };

let broker;
let stop;

beforeAll(async () => {
  broker = await startBroker({ topics: { orders: { partitions: 3 }, confirmations: {} } });
  stop = await startOrderService(broker.brokers);
});

afterEach(() => broker.clear());

afterAll(async () => {
  await stop();
  await broker.close();
});

const order = (id) =>
  broker.client.producer({ value: 'json' }).send({ topic: 'orders', key: id, value: { id } });

test('an order is confirmed', async () => {
  await order('a');
  const confirmed = await broker.waitFor('confirmations', ({ key }) => key === 'a', JSON_TEXT);
  expect(confirmed.value).toEqual({ id: 'a', state: 'confirmed' });
});

test('the next test sees nothing of the one before', async () => {
  expect(await broker.messages('orders')).toEqual([]);
  await Promise.all([order('b'), order('c')]);
  const confirmed = await broker.waitFor('confirmations', 2, JSON_TEXT);
  expect(confirmed.map(({ key }) => key).sort()).toEqual(['b', 'c']);
});
