// `new Kafka()`: makes producers, consumers and admins, which share one connection.

import { KafkaAdmin } from './admin.js';
import { Cluster } from './cluster.js';
import { connectionOf } from './connection.js';
import { KafkaConsumer } from './consumer.js';
import { refused } from './convert_error.js';
import { logLevel } from './enums.js';
import { consoleLogCreator, createLogger } from './logger.js';
import { KafkaProducer } from './producer.js';
import type {
  Admin,
  AdminConfig,
  Consumer,
  ConsumerConfig,
  KafkaConfig,
  Logger,
  Producer,
  ProducerConfig,
} from './types.js';

/** A cluster, or an embedded engine, with the API of kafkajs. */
export class Kafka {
  private readonly cluster: Cluster;
  private readonly rootLogger: Logger;

  constructor(config: KafkaConfig) {
    if (config === null || typeof config !== 'object') {
      throw refused('new Kafka() takes an object: new Kafka({ brokers: ["localhost:9092"] })');
    }
    const { logLevel: level, logCreator, ...connection } = config;
    this.cluster = new Cluster(connectionOf(connection));
    this.rootLogger = createLogger(level ?? logLevel.INFO, logCreator ?? consoleLogCreator);
  }

  /** A producer. */
  producer(config?: ProducerConfig): Producer {
    return new KafkaProducer(this.cluster, this.rootLogger, config);
  }

  /** A consumer, a member of a group. */
  consumer(config: ConsumerConfig): Consumer {
    return new KafkaConsumer(this.cluster, this.rootLogger, config);
  }

  /** An admin. */
  admin(config?: AdminConfig): Admin {
    return new KafkaAdmin(this.cluster, this.rootLogger, config);
  }

  /** The logger. */
  logger(): Logger {
    return this.rootLogger;
  }
}
