import { before, afterEach, after, test } from 'node:test';
import { expect } from 'expect';
import { connect } from 'headwater';
const [beforeAll, afterAll] = [before, after];
let service;
async function startService({ brokers }) {
  service = await connect(brokers);
  const orders = service.consumer({ topics: 'orders', groupId: 'service', value: 'json', autoOffsetReset: 'earliest' });
  const alerts = service.producer({ value: 'json' });
  orders.run({ eachMessage: ({ message: { value } }) => alerts.send({ topic: 'alerts', value: { order: value.id } }) });
}
after(() => service.close());
