// The instrumentation events of kafkajs.

import { EventEmitter } from 'node:events';
import { refused } from './convert_error.js';
import { KafkaJSNotImplemented } from './errors.js';
import type {
  AdminEvents,
  ConsumerEvents,
  InstrumentationEvent,
  Logger,
  ProducerEvents,
} from './types.js';

export const PRODUCER_EVENTS: ProducerEvents = {
  CONNECT: 'producer.connect',
  DISCONNECT: 'producer.disconnect',
  REQUEST: 'producer.network.request',
  REQUEST_TIMEOUT: 'producer.network.request_timeout',
  REQUEST_QUEUE_SIZE: 'producer.network.request_queue_size',
};

export const ADMIN_EVENTS: AdminEvents = {
  CONNECT: 'admin.connect',
  DISCONNECT: 'admin.disconnect',
  REQUEST: 'admin.network.request',
  REQUEST_TIMEOUT: 'admin.network.request_timeout',
  REQUEST_QUEUE_SIZE: 'admin.network.request_queue_size',
};

export const CONSUMER_EVENTS: ConsumerEvents = {
  HEARTBEAT: 'consumer.heartbeat',
  COMMIT_OFFSETS: 'consumer.commit_offsets',
  GROUP_JOIN: 'consumer.group_join',
  FETCH: 'consumer.fetch',
  FETCH_START: 'consumer.fetch_start',
  START_BATCH_PROCESS: 'consumer.start_batch_process',
  END_BATCH_PROCESS: 'consumer.end_batch_process',
  CONNECT: 'consumer.connect',
  DISCONNECT: 'consumer.disconnect',
  STOP: 'consumer.stop',
  CRASH: 'consumer.crash',
  REBALANCING: 'consumer.rebalancing',
  RECEIVED_UNSUBSCRIBED_TOPICS: 'consumer.received_unsubscribed_topics',
  REQUEST: 'consumer.network.request',
  REQUEST_TIMEOUT: 'consumer.network.request_timeout',
  REQUEST_QUEUE_SIZE: 'consumer.network.request_queue_size',
};

/** Events of single requests, which the native half does not report. */
const OF_REQUESTS = /^(producer|consumer|admin)\.(network\.|fetch)/;

let lastId = 0;

type Listener = (event: InstrumentationEvent<unknown>) => unknown;

/** The listeners of one producer, consumer or admin. */
export class Events {
  private readonly emitter = new EventEmitter();
  private readonly names: ReadonlySet<string>;
  private readonly keys: string;

  constructor(
    private readonly logger: Logger,
    kind: 'producer' | 'consumer' | 'admin',
    events: object,
  ) {
    this.names = new Set(Object.values(events));
    this.keys = Object.keys(events)
      .map((key) => `${kind}.events.${key}`)
      .join(', ');
    this.emitter.setMaxListeners(0);
  }

  /** Adds a listener. The result removes it. */
  on(name: string, listener: Listener): () => void {
    if (!this.names.has(name)) {
      throw refused(`Event name should be one of ${this.keys}`);
    }
    if (OF_REQUESTS.test(name)) {
      throw new KafkaJSNotImplemented(
        `${name} is never emitted, because requests are sent by the native half: read requests, errors and latencies from client.metrics() of ` +
          'a client that you pass as new Kafka({ client }).',
      );
    }
    const call = (event: InstrumentationEvent<unknown>) => {
      try {
        Promise.resolve(listener(event)).catch((error: unknown) => this.failed(name, error));
      } catch (error) {
        this.failed(name, error);
      }
    };
    this.emitter.on(name, call);
    return () => this.emitter.off(name, call);
  }

  /** Calls the listeners. `payload` is made only if there are any. */
  emit(name: string, payload: () => unknown = () => null): void {
    if (this.emitter.listenerCount(name) > 0) {
      const event = { id: String(lastId++), type: name, timestamp: Date.now(), payload: payload() };
      this.emitter.emit(name, event);
    }
  }

  private failed(eventName: string, error: unknown): void {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    this.logger.error(`Failed to execute listener: ${message}`, { eventName, stack });
  }
}
