// A client with the surface of kafkajs: kafkajs itself, or our adapter.

/** A client whose classes come from `{ Kafka, logLevel, Partitioners }`. */
export function clientOf({ Kafka, logLevel, Partitioners }) {
  return class Client {
    static async connect(address) {
      const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING });
      const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
      await producer.connect();
      return new Client(kafka, producer);
    }

    constructor(kafka, producer) {
      this.kafka = kafka;
      this.producer = producer;
    }

    batches(topic, group, meter) {
      return this.run(topic, group, meter, {
        eachBatch: async ({ batch }) => {
          for (const { value } of batch.messages) {
            meter.see(value);
          }
        },
      });
    }

    messages(topic, group, meter) {
      return this.run(topic, group, meter, {
        eachMessage: async ({ message }) => meter.see(message.value),
      });
    }

    send(topic, value) {
      return this.producer.send({ topic, messages: [{ value }] });
    }

    sendMany(topic, values) {
      return this.producer.send({ topic, messages: values.map((value) => ({ value })) });
    }

    close() {
      return this.producer.disconnect();
    }

    async run(topic, groupId, meter, handler) {
      // At the end of the topic a fetch waits so long, and with it the end of the consumer.
      const consumer = this.kafka.consumer({ groupId, maxWaitTimeInMs: 500 });
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({ autoCommit: false, ...handler });
      await meter.done;
      await consumer.disconnect();
    }
  };
}
