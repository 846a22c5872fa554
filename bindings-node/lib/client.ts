// The client, which creates topics, producers, consumers and servers.

import type {
  ConfigEntry,
  GroupInfo,
  GroupOffset,
  Client as NativeClient,
  RecoveryReport,
  ServeArguments,
  TopicInfo,
} from '../native.js';
import { abortable, type WaitOptions } from './abort.js';
import { type ConfigValue, changes, type KafkaConfig, pairs, valueText } from './config.js';
import { Consumer } from './consumer.js';
import { invalid } from './errors.js';
import { type Decoded, decoding, FORMATS, type Format, type FormatOptions } from './formats.js';
import type { Metrics } from './metrics.js';
import { native } from './native.js';
import {
  boolean,
  type Check,
  count,
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
import { type Subscription, subscription } from './subscription.js';
import { Topic } from './topic.js';

/** The options of {@link Client.createTopic}. Other keys are the topic's configuration. */
export interface CreateTopicOptions extends WaitOptions {
  /** The number of partitions; 1 by default, `null` for the broker's `num.partitions`. */
  partitions?: number | null;
  /** The number of replicas; the broker's default by default. */
  replicationFactor?: number;
  /** Whether an existing topic is an error, or is used unchanged; "error" by default. */
  ifExists?: 'error' | 'ignore';
  /** Configuration keys as Kafka spells them. */
  config?: Record<string, ConfigValue>;
  [key: string]: ConfigValue | object | null | undefined;
}

/** The changes of {@link Client.alterTopic}. Other keys are configuration; `null` resets a key to its default. */
export interface AlterTopicOptions extends WaitOptions {
  /** The new number of partitions, which must be larger. */
  partitions?: number;
  /** Configuration keys in Kafka's spelling. */
  config?: Record<string, ConfigValue | null>;
  [key: string]: ConfigValue | null | object | undefined;
}

/** The options of {@link Client.producer}. Other keys are Kafka's producer configuration. */
export interface ProducerOptions<K extends Format = Format, V extends Format = Format>
  extends KafkaConfig {
  /** The format of keys: bytes or text ("bytes", the default), text ("string"), or any JSON value ("json"). */
  key?: K;
  /** The format of values; see `key`. */
  value?: V;
}

/** The options of {@link Client.consumer}. Other keys are Kafka's consumer configuration. */
export interface ConsumerOptions<
  K extends Format = Format,
  V extends Format = Format,
  S extends Schema | undefined = Schema | undefined,
> extends FormatOptions<K, V, S>,
    Omit<KafkaConfig, 'key' | 'value' | 'schema' | 'unnest' | 'unnestPrefix' | 'rest' | 'onError'> {
  /** The topics to read; a regular expression needs a group. */
  topics?: Subscription;
  /** The group of the consumer. */
  groupId?: string;
}

/** The options of {@link Client.serve}. */
export interface ServeOptions {
  /** The host to listen on; "127.0.0.1" by default. */
  host?: string;
  /** The port; 9092 by default, 0 uses a free port. */
  port?: number;
  /** The "HOST:PORT" that clients connect to; the listening address by default. */
  advertised?: string;
  /** The security of connections; "PLAINTEXT" by default. */
  securityProtocol?: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  /** The certificate chain, a PEM file. */
  tlsCert?: string;
  /** The private key of the certificate, a PEM file. */
  tlsKey?: string;
  /** The allowed SASL mechanisms; all by default. */
  saslMechanisms?: string[];
  /** Whether other machines may connect without TLS and SASL; false by default. */
  allowInsecure?: boolean;
}

const countOrNull: Check<number | null> = (value, name) =>
  value === null ? null : count(value, name);

/** The way to an engine or a cluster: makes topics, producers and consumers. */
export class Client implements AsyncDisposable {
  private readonly servers: Server[] = [];

  /** @internal */
  constructor(private readonly native: NativeClient) {}

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

  /** The consumer groups, by name. */
  async groups(given: WaitOptions = {}): Promise<GroupInfo[]> {
    const known = options('groups()', given, { signal });
    return abortable(known.signal, (abort) => this.native.groups(abort));
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
    return new Consumer(consumer, formats, isMember);
  }

  /** Opens the engine to any Kafka client. The client of a cluster refuses this call. */
  serve(given: ServeOptions = {}): Promise<Server> {
    return this.serveWith(given);
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

/**
 * Opens an embedded engine and returns the client on it. `path` is its directory, which is created if missing; `null`
 * keeps everything in memory until the client is closed. Opening the same path again in one process returns the same
 * engine; a second process gets `LockedError`.
 */
export async function open(path: string | null = null, given: KafkaConfig = {}): Promise<Client> {
  const { known, rest } = optionsAndConfig('open()', given, { config: object });
  const directory = path === null ? undefined : text(path, 'path');
  return new Client(await native.open(directory, pairs(known.config, rest)));
}

/**
 * Connects to a Kafka cluster and returns the client on it. `bootstrapServers` is one or more "HOST:PORT", separated by
 * commas or in an array; one reachable broker is enough. Rejects with `TransportError` if none can be reached.
 */
export async function connect(
  bootstrapServers: string | readonly string[],
  given: KafkaConfig & WaitOptions = {},
): Promise<Client> {
  const { known, rest } = optionsAndConfig('connect()', given, { config: object, signal });
  const servers = valueText('bootstrapServers', bootstrapServers);
  const config = pairs(known.config, rest);
  return new Client(
    await abortable(known.signal, (abort) => native.connect(servers, config, abort)),
  );
}
