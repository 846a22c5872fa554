// The client, which creates topics, producers, consumers and servers.

import type {
  ClusterDescription,
  ConfigEntry,
  GroupDescription,
  GroupInfo,
  GroupOffset,
  Client as NativeClient,
  RecoveryReport,
  ServeArguments,
  TopicInfo,
} from '../native.js';
import { abortable, type WaitOptions } from './abort.js';
import type {
  AlterTopicOptions,
  ConsumerOptions,
  CreateTopicOptions,
  ProducerOptions,
  ServeOptions,
} from './client_options.js';
import { changes, pairs } from './config.js';
import { Consumer } from './consumer.js';
import { invalid } from './errors.js';
import { type Decoded, decoding, FORMATS, type Format } from './formats.js';
import { refuseForeignMethods } from './habits.js';
import { counted, described, INSPECT, quoted } from './inspection.js';
import type { Metrics } from './metrics.js';
import {
  boolean,
  type Check,
  count,
  integer,
  listOf,
  object,
  oneOf,
  options,
  optionsAndConfig,
  signal,
  text,
} from './options.js';
import { byNumber, type Position, position } from './positions.js';
import { Producer } from './producer.js';
import type { Schema } from './schema.js';
import { Server } from './server.js';
import { subscription } from './subscription.js';
import { Topic } from './topic.js';

const countOrNull: Check<number | null> = (value, name) =>
  value === null ? null : count(value, name);

/** A connection to an engine or a cluster: creates topics, producers and consumers. */
export class Client implements AsyncDisposable {
  private readonly servers: Server[] = [];

  /** @internal */
  constructor(
    private readonly native: NativeClient,
    /** Its directory or its bootstrap servers; undefined in memory. */
    private readonly place: string | undefined,
  ) {}

  /** Creates a topic. */
  async createTopic(name: string, given: CreateTopicOptions = {}): Promise<Topic> {
    const { known, rest } = optionsAndConfig('createTopic()', given, {
      signal,
      partitions: countOrNull,
      replicationFactor: count,
      ifExists: oneOf('error', 'ignore'),
      config: object,
    });
    const topic = text(name, 'name');
    const config = pairs(known.config, rest);
    await abortable(known.signal, (abort) =>
      this.native.createTopic(
        topic,
        known.partitions === undefined ? 1 : known.partitions,
        known.replicationFactor,
        known.ifExists ?? 'error',
        config,
        abort,
      ),
    );
    return this.topic(topic);
  }

  /** A handle on a topic. An unknown topic fails on first use. */
  topic(name: string): Topic {
    return new Topic(this.native.topic(text(name, 'name')));
  }

  /** The topics, by name. */
  async topics(given: WaitOptions & { internal?: boolean } = {}): Promise<TopicInfo[]> {
    const known = options('topics()', given, { signal, internal: boolean });
    return abortable(known.signal, (abort) => this.native.topics(known.internal ?? false, abort));
  }

  /** Adds partitions, and sets configuration keys; `null` resets a key to its default. */
  async alterTopic(name: string, given: AlterTopicOptions): Promise<void> {
    const { known, rest } = optionsAndConfig('alterTopic()', given, {
      signal,
      partitions: count,
      config: object,
    });
    const topic = text(name, 'name');
    const config = changes(known.config, rest);
    await abortable(known.signal, (abort) =>
      this.native.alterTopic(topic, known.partitions, config, abort),
    );
  }

  /**
   * Deletes a topic with its records. Returns whether it existed; an unknown topic is an error unless `missingOk` is
   * set.
   */
  async deleteTopic(
    name: string,
    given: WaitOptions & { missingOk?: boolean } = {},
  ): Promise<boolean> {
    const known = options('deleteTopic()', given, { signal, missingOk: boolean });
    const topic = text(name, 'name');
    return abortable(known.signal, (abort) =>
      this.native.deleteTopic(topic, known.missingOk ?? false, abort),
    );
  }

  /** Deletes the records before a position. Returns the new start offset of each partition. */
  async deleteRecords(
    name: string,
    before: Position,
    given: WaitOptions = {},
  ): Promise<Map<number, bigint>> {
    const known = options('deleteRecords()', given, { signal });
    const [topic, until] = [text(name, 'name'), position(before, 'before')];
    return byNumber(
      await abortable(known.signal, (abort) => this.native.deleteRecords(topic, until, abort)),
    );
  }

  /** The configuration of a topic, with the source of each value. */
  async topicConfig(name: string, given: WaitOptions = {}): Promise<ConfigEntry[]> {
    const known = options('topicConfig()', given, { signal });
    const topic = text(name, 'name');
    return abortable(known.signal, (abort) => this.native.topicConfig(topic, abort));
  }

  /** The configuration of a broker, by default of the one with the lowest id, with the source of each value. */
  async brokerConfig(broker?: number, given: WaitOptions = {}): Promise<ConfigEntry[]> {
    const known = options('brokerConfig()', given, { signal });
    const id = broker === undefined ? undefined : integer(broker, 'broker');
    return abortable(known.signal, (abort) => this.native.brokerConfig(id, abort));
  }

  /** The consumer groups, by name. */
  async groups(given: WaitOptions = {}): Promise<GroupInfo[]> {
    const known = options('groups()', given, { signal });
    return abortable(known.signal, (abort) => this.native.groups(abort));
  }

  /** A group with its members and their partitions. An unknown group is an error. */
  async describeGroup(groupId: string, given: WaitOptions = {}): Promise<GroupDescription> {
    const known = options('describeGroup()', given, { signal });
    const group = text(groupId, 'groupId');
    return abortable(known.signal, (abort) => this.native.describeGroup(group, abort));
  }

  /** The committed offsets of a group, with the end of each partition and the lag. Empty for an unknown group. */
  async groupOffsets(groupId: string, given: WaitOptions = {}): Promise<GroupOffset[]> {
    const known = options('groupOffsets()', given, { signal });
    const group = text(groupId, 'groupId');
    return abortable(known.signal, (abort) => this.native.groupOffsets(group, abort));
  }

  /**
   * Sets the committed offsets of a group for a topic, and returns them. An offset outside the log becomes its start
   * or its end. The group must have no members; an unknown group is created.
   */
  async resetGroupOffsets(
    groupId: string,
    topic: string,
    to: Position,
    given: WaitOptions = {},
  ): Promise<Map<number, bigint>> {
    const known = options('resetGroupOffsets()', given, { signal });
    const [group, name, at] = [text(groupId, 'groupId'), text(topic, 'topic'), position(to, 'to')];
    return byNumber(
      await abortable(known.signal, (abort) =>
        this.native.resetGroupOffsets(group, name, at, abort),
      ),
    );
  }

  /** Deletes a group with its committed offsets. It must have no members. */
  async deleteGroup(groupId: string, given: WaitOptions = {}): Promise<void> {
    const known = options('deleteGroup()', given, { signal });
    const group = text(groupId, 'groupId');
    await abortable(known.signal, (abort) => this.native.deleteGroup(group, abort));
  }

  /** A producer. */
  producer<K extends Format = 'bytes', V extends Format = 'bytes'>(
    given: ProducerOptions<K, V> = {},
  ): Producer<K, V> {
    const { known, rest } = optionsAndConfig('producer()', given, {
      key: FORMATS.key,
      value: FORMATS.value,
      config: object,
    });
    const formats = { key: known.key ?? 'bytes', value: known.value ?? 'bytes' };
    return new Producer<K, V>(this.native.producer(pairs(known.config, rest)), formats);
  }

  /**
   * A consumer of topics; without topics, pass the partitions to `assign()`. With `groupId` it shares them with the
   * other members of the group and starts at the committed offsets. An unknown topic fails at the first read.
   */
  consumer<
    K extends Format = 'bytes',
    V extends Format = 'bytes',
    const S extends Schema | undefined = undefined,
  >(given: ConsumerOptions<K, V, S> = {}): Consumer<Decoded<K>, Decoded<V, S>> {
    const { known, rest } = optionsAndConfig('consumer()', given, {
      ...FORMATS,
      topics: subscription,
      groupId: text,
      config: object,
    });
    const config = pairs(known.config, rest);
    if (known.groupId !== undefined) {
      config.push(['group.id', known.groupId]);
    }
    const { decode, formats } = decoding(known);
    const { names, pattern } = known.topics ?? {};
    const consumer = this.native.consumer(names, pattern, config, decode);
    const isMember = config.some(([key]) => key === 'group.id' || key === 'group_id');
    return new Consumer(consumer, formats, isMember, known.topics);
  }

  /** Opens the engine to any Kafka client. The client of a cluster refuses this call. */
  serve(given: ServeOptions = {}): Promise<Server> {
    return this.serveWith(given);
  }

  /** The brokers of the cluster, and the controller among them. */
  async describeCluster(given: WaitOptions = {}): Promise<ClusterDescription> {
    const known = options('describeCluster()', given, { signal });
    return abortable(known.signal, (abort) => this.native.describeCluster(abort));
  }

  /** The metrics of this client. Sends no request. */
  metrics(): Metrics {
    return this.native.metrics() as Metrics;
  }

  /** The report of opening the directory; `null` if it was closed in order, and nothing was missing or damaged. */
  get recovery(): RecoveryReport | null {
    return this.native.recovery();
  }

  /**
   * Sends the queued records of producers, then closes the client and everything created from it. The engine closes
   * with its last client. Rejects if records could not be sent: the error has their number. Idempotent.
   */
  close(): Promise<void> {
    for (const server of this.servers) {
      server.forget();
    }
    return this.native.close();
  }

  /** Closes it: `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Where its data is, and the number of topics of an embedded engine, as `console.log()` shows them. @hidden */
  [INSPECT](): string {
    if (this.native.isClosed) {
      return described('Client', 'closed');
    }
    const { place } = this;
    const topics = this.native.topicCount();
    return described(
      'Client',
      place === undefined ? 'in memory' : quoted(place),
      topics === null ? undefined : counted(topics, 'topic'),
    );
  }

  private async serveWith(given: ServeOptions): Promise<Server> {
    const known = options('serve()', given, {
      host: text,
      port: count,
      advertised: text,
      securityProtocol: oneOf('PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'),
      tlsCert: text,
      tlsKey: text,
      saslMechanisms: listOf(text),
      allowInsecure: boolean,
    });
    if (known.port !== undefined && known.port > 65_535) {
      throw invalid(`port is ${known.port}: the maximum is 65535.`);
    }
    const native = await this.native.serve({
      host: '127.0.0.1',
      port: 9092,
      securityProtocol: 'PLAINTEXT',
      allowInsecure: false,
      ...(known as Partial<ServeArguments>),
    });
    const server = new Server(native);
    this.servers.push(server);
    return server;
  }
}

refuseForeignMethods('Client', Client);
