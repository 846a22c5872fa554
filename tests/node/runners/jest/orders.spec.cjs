const { RequestTimedOutError } = require('headwater');
const { startBroker } = require('headwater/testing');
const { startOrderService } = require('../order_service.cjs');

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

test('errors are those of the package that the test loaded', async () => {
  const late = broker.waitFor('confirmations', 1, { timeoutMs: 20 });
  await expect(late).rejects.toThrow(RequestTimedOutError);
  await expect(broker.client.topic('nowhere').head()).rejects.toMatchObject({
    code: 'UNKNOWN_TOPIC_OR_PARTITION',
  });
});
