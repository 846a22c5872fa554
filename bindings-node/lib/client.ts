// The client, and everything that is made from it.

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
export interface CreateTopicOptions extends WaitOptions, KafkaConfig {
  /** The number of partitions; 1 by default, `null` for the broker's `num.partitions`. */
  partitions?: number;
  /** The number of replicas; the broker's default by default. */
  replicationFactor?: number;
  /** Whether a topic that exists is an error, or is taken as it is; "error" by default. */
  ifExists?: 'error' | 'ignore';
}

/** The changes of {@link Client.alterTopic}. Other keys are configuration; `null` puts one back to its default. */
export interface AlterTopicOptions extends WaitOptions {
  /** The new number of partitions, which must be larger. */
  partitions?: number;
  /** Configuration keys as Kafka spells them. */
  config?: Record<string, ConfigValue | null>;
  [key: string]: ConfigValue | null | object | undefined;
}

/** The options of {@link Client.producer}. Other keys are Kafka's producer configuration. */
export interface ProducerOptions<K extends Format = Format, V extends Format = Format>
  extends KafkaConfig {
  /** What keys are: bytes or text ("bytes", the default), text ("string"), or anything that JSON can express ("json"). */
  key?: K;
  /** What values are; see `key`. */
  value?: V;
}

/** The options of {@link Client.consumer}. Other keys are Kafka's consumer configuration. */
export interface ConsumerOptions<
  K extends Format = Format,
  V extends Format = Format,
  S extends Schema | undefined = Schema | undefined,
> extends FormatOptions<K, V, S>,
    Omit<KafkaConfig, 'key' | 'value' | 'schema' | 'unnest' | 'onError'> {
  /** The topics to read; a regular expression needs a group. */
  topics?: Subscription;
  /** The group that the consumer is a member of. */
  groupId?: string;
}

/** The options of {@link Client.serve}. */
export interface ServeOptions {
  /** The host to listen at; "127.0.0.1" by default. */
  host?: string;
  /** The port; 9092 by default, 0 takes a free one. */
  port?: number;
  /** The "HOST:PORT" that clients connect to; where it listens by default. */
  advertised?: string;
  /** How connections are secured; "PLAINTEXT" by default. */
  securityProtocol?: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  /** The certificate chain, a PEM file. */
  tlsCert?: string;
  /** The private key of the certificate, a PEM file. */
  tlsKey?: string;
  /** The SASL mechanisms that users may choose; all by default. */
  saslMechanisms?: string[];
  /** Whether other machines may connect without TLS and SASL; false by default. */
  allowInsecure?: boolean;
}

/** The way to an engine or a cluster: makes topics, producers and consumers. */
export class Client implements AsyncDisposable {
  /** @internal */
  constructor(private readonly native: NativeClient) {}

  /** Creates a topic. */
  async createTopic(name: string, given: CreateTopicOptions = {}): Promise<Topic> {
    const { known, rest } = optionsAndConfig('createTopic()', given, {
      signal,
      partitions: count,
      replicationFactor: count,
      ifExists: oneOf('error', 'ignore'),
      config: object,
    });
    const topic = text(name, 'name');
    const config = pairs(known.config, rest);
    await abortable(known.signal, (abort) =>
      this.native.createTopic(
        topic,
        known.partitions ?? 1,
        known.replicationFactor,
        known.ifExists ?? 'error',
        config,
        abort,
      ),
    );
    return this.topic(topic);
  }

  /** A handle on a topic. An unknown topic fails at the first use. */
  topic(name: string): Topic {
    return new Topic(this.native.topic(text(name, 'name')));
  }

  /** The topics, by name. */
  async topics(given: WaitOptions & { internal?: boolean } = {}): Promise<TopicInfo[]> {
    const known = options('topics()', given, { signal, internal: boolean });
    return abortable(known.signal, (abort) => this.native.topics(known.internal ?? false, abort));
  }

  /** Adds partitions, and sets configuration keys; `null` puts one back to its default. */
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

  /** Deletes a topic with its records. The result is whether it existed, which is an error unless `missingOk` is set. */
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

  /** Deletes the records before a position. The result is the first offset of each partition. */
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

  /** The committed offsets of a group, with the end of each partition and the lag. An unknown group has committed nothing. */
  async groupOffsets(groupId: string, given: WaitOptions = {}): Promise<GroupOffset[]> {
    const known = options('groupOffsets()', given, { signal });
    const group = text(groupId, 'groupId');
    return abortable(known.signal, (abort) => this.native.groupOffsets(group, abort));
  }

  /**
   * Sets the committed offsets of a group for a topic, and returns them. An offset outside the log becomes its start or its end. The group must
   * have no members; an unknown group is created.
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
   * A consumer of topics; without topics, `assign()` names the partitions. With `groupId` it shares them with the other members of the group
   * and starts at the committed offsets. An unknown topic fails at the first read.
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

  /** Opens the engine to any Kafka client. The client of a cluster refuses. */
  serve(given: ServeOptions = {}): Promise<Server> {
    return this.serveWith(given);
  }

  /** What the client has done, in numbers. Sends no request. */
  metrics(): Metrics {
    return this.native.metrics() as Metrics;
  }

  /** What opening the directory found, if its last owner did not close it or something was missing or damaged. */
  get recovery(): RecoveryReport | null {
    return this.native.recovery();
  }

  /**
   * Sends what producers hold, then closes the client and everything that was made from it. The engine closes with its last client. Rejects if
   * records could not be sent: the error counts them. Idempotent.
   */
  close(): Promise<void> {
    return this.native.close();
  }

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
      throw invalid(`port is ${known.port}: the largest port is 65535.`);
    }
    const server = await this.native.serve({
      host: '127.0.0.1',
      port: 9092,
      securityProtocol: 'PLAINTEXT',
      allowInsecure: false,
      ...(known as Partial<ServeArguments>),
    });
    return new Server(server);
  }
}

/**
 * Opens an embedded engine and returns the client on it. `path` is its directory, made if it is missing; `null` keeps everything in memory until
 * the client is closed. The same path twice in one process is the same engine; a second process gets `LockedError`.
 */
export async function open(path: string | null = null, given: KafkaConfig = {}): Promise<Client> {
  const { known, rest } = optionsAndConfig('open()', given, { config: object });
  const directory = path === null ? undefined : text(path, 'path');
  return new Client(await native.open(directory, pairs(known.config, rest)));
}

/**
 * Connects to a Kafka cluster and returns the client on it. `bootstrapServers` is one or more "HOST:PORT", separated by commas or in an array;
 * one broker that can be reached is enough. Rejects with `TransportError` if none can be reached.
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
