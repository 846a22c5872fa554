// The service that the suites of jest and vitest test. It uses kafkajs: the test broker is for any Kafka client.

const { Kafka, logLevel } = require('kafkajs');

/** Confirms each order in `confirmations`. Returns the function that stops it. */
async function startOrderService(brokers) {
  const kafka = new Kafka({ clientId: 'orders', brokers, logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  const consumer = kafka.consumer({ groupId: 'order-service', maxWaitTimeInMs: 100 });
  await Promise.all([producer.connect(), consumer.connect()]);
  await consumer.subscribe({ topic: 'orders', fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      const { id } = JSON.parse(message.value.toString());
      await producer.send({
        topic: 'confirmations',
        messages: [{ key: id, value: JSON.stringify({ id, state: 'confirmed' }) }],
      });
    },
  });
  return async () => {
    await consumer.disconnect();
    await producer.disconnect();
  };
}

module.exports = { startOrderService };
