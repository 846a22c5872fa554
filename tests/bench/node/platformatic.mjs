// @platformatic/kafka. Its consumer is a stream of messages; it has no batches, so that the events of the stream stand for them.

import { Consumer, ProduceAcks, Producer } from '@platformatic/kafka';

export class Client {
  static async connect(address) {
    return new Client(address);
  }

  constructor(address) {
    this.options = { clientId: 'bench', bootstrapBrokers: [address] };
    this.producer = new Producer({ ...this.options, acks: ProduceAcks.ALL });
  }

  async batches(topic, group, meter) {
    await this.reading(topic, group, async (stream) => {
      stream.on('data', ({ value }) => meter.see(value));
      await meter.done;
    });
  }

  async messages(topic, group, meter) {
    await this.reading(topic, group, async (stream) => {
      for await (const { value } of stream) {
        meter.see(value);
        if (meter.isDone) {
          return;
        }
      }
    });
  }

  send(topic, value) {
    return this.producer.send({ messages: [{ topic, value }] });
  }

  sendMany(topic, values) {
    return this.producer.send({ messages: values.map((value) => ({ topic, value })) });
  }

  close() {
    return this.producer.close();
  }

  async reading(topic, groupId, read) {
    const consumer = new Consumer({ ...this.options, groupId });
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'earliest',
      autocommit: false,
      maxWaitTime: 500,
    });
    await read(stream);
    await consumer.close(true);
  }
}
