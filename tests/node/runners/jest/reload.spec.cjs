// A second file: jest loads the package anew for it, in the same process.

const headwater = require('headwater');
const { startBroker } = require('headwater/testing');

test('a package that is loaded again works, with errors of its own', async () => {
  const broker = await startBroker({ topics: ['orders'] });
  const producer = broker.client.producer();
  await producer.send({ topic: 'orders', value: Buffer.from('a') });
  const [{ value }] = await broker.messages('orders', { value: 'string' });
  expect(value).toBe('a');
  const failed = broker.client.topic('nowhere').head();
  await expect(failed).rejects.toBeInstanceOf(headwater.UnknownTopicOrPartitionError);
  const abort = AbortSignal.timeout(10);
  const waiting = broker.waitFor('orders', 2, { signal: abort });
  await expect(waiting).rejects.toBeInstanceOf(headwater.AbortError);
  await broker.close();
});
