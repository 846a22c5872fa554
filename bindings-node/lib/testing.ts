/**
 * A Kafka broker in memory for the tests of services. It starts in milliseconds, and any Kafka client can use it.
 *
 * @module headwater/testing
 * @example
 * import { startBroker } from 'headwater/testing';
 *
 * const broker = await startBroker({ topics: { orders: { partitions: 3 } } });
 * const kafka = new Kafka({ brokers: broker.brokers }); // kafkajs, or any other client
 * // Run the service, then:
 * const [order] = await broker.waitFor('orders', 1, { value: 'json' });
 * await broker.close();
 */

import type { CreateTopicOptions, ServeOptions } from './client_options.js';
import { type KafkaConfig, pairs } from './config.js';
import { invalid } from './errors.js';
import { open } from './open.js';
import { type Check, object, optionsAndConfig, text, typeName } from './options.js';
import { TestBroker } from './test_broker.js';

export { TestBroker, type WaitForOptions } from './test_broker.js';

/** Topics to create: their names, or their options by name. */
export type TestTopics = readonly string[] | Readonly<Record<string, CreateTopicOptions>>;

/** The options of {@link startBroker}. Other keys are Kafka's broker configuration. */
export interface TestBrokerOptions extends KafkaConfig {
  /** Topics to create. Others are created when a client uses them, unless `autoCreateTopicsEnable` is false. */
  topics?: TestTopics;
  /** How it listens; at a free port of 127.0.0.1 by default. */
  serve?: ServeOptions;
}

/** Groups wait neither for more members nor for a heartbeat of some seconds, and tests may choose short time-outs. */
const CONFIG = {
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '1',
  'group.consumer.min.heartbeat.interval.ms': '1',
  'group.consumer.heartbeat.interval.ms': '50',
  'group.consumer.min.session.timeout.ms': '1',
  'offsets.topic.num.partitions': '1',
};

const topics: Check<Map<string, CreateTopicOptions>> = (value, name) => {
  if (Array.isArray(value)) {
    return new Map(value.map((topic, index) => [text(topic, `${name}[${index}]`), {}]));
  }
  if (value === null || typeof value !== 'object') {
    throw invalid(
      `${name} must be an array of names or an object of options by name, not ${typeName(value)}.`,
    );
  }
  return new Map(
    Object.entries(value).map(([topic, given]) => [topic, object(given, `${name}.${topic}`)]),
  );
};

/** Starts a broker in memory, at a free port. Nothing is written to the disk. */
export async function startBroker(given: TestBrokerOptions = {}): Promise<TestBroker> {
  const { known, rest } = optionsAndConfig('startBroker()', given, {
    topics,
    serve: object,
    config: object,
  });
  const config = { ...CONFIG, ...Object.fromEntries(pairs(known.config, rest)) };
  const client = await open(null, { config });
  try {
    const server = await client.serve({ port: 0, ...known.serve });
    const broker = new TestBroker(client, server, known.topics ?? new Map());
    await broker.createTopics();
    return broker;
  } catch (error) {
    await client.close();
    throw error;
  }
}
