// Our client, as its users take it: nothing is tuned.

import { connect } from 'headwater';

export class Client {
  static async connect(address) {
    return new Client(await connect(address));
  }

  constructor(client) {
    this.client = client;
    this.producer = client.producer();
  }

  async batches(topic, group, meter) {
    const consumer = this.consumer(topic, group);
    for await (const batch of consumer.batches()) {
      for (const message of batch) {
        meter.see(message.value);
      }
      if (meter.isDone) {
        break;
      }
    }
    await consumer.close();
  }

  async messages(topic, group, meter) {
    const consumer = this.consumer(topic, group);
    for await (const message of consumer) {
      meter.see(message.value);
      if (meter.isDone) {
        break;
      }
    }
    await consumer.close();
  }

  send(topic, value) {
    return this.producer.send({ topic, value });
  }

  sendMany(topic, values) {
    return this.producer.sendBatch(
      topic,
      values.map((value) => ({ value })),
    );
  }

  close() {
    return this.client.close();
  }

  consumer(topics, groupId) {
    return this.client.consumer({
      topics,
      groupId,
      autoOffsetReset: 'earliest',
      enableAutoCommit: false,
    });
  }
}
