// The options of the calls of a client.

import type { WaitOptions } from './abort.js';
import type { ConfigValue, KafkaConfig } from './config.js';
import type { Format, FormatOptions } from './formats.js';
import type { Schema } from './schema.js';
import type { Subscription } from './subscription.js';

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
