// The options of `new Kafka()` that connections have, as Kafka's keys.

import { Client } from '../client.js';
import type { KafkaConfig as HeadwaterConfig } from '../config.js';
import { listOf, milliseconds, text } from '../options.js';
import { checked, refused } from './convert_error.js';
import { KafkaJSNotImplemented } from './errors.js';
import { anything, only, options, unsupported } from './options.js';
import { retryOptions } from './retry.js';
import type { BrokersFunction, RetryOptions } from './types.js';

/** How the cluster is reached. */
export interface Connection {
  /** A client of the caller's, which is not closed. */
  client: Client | undefined;
  brokers: (() => Promise<string[]>) | undefined;
  config: HeadwaterConfig;
  retry: RetryOptions | undefined;
  requestTimeoutMs: number | undefined;
}

/** The way out for options that connections do not have. */
const PASS_A_CLIENT =
  'connect with Headwater’s connect() and pass the client as new Kafka({ client }).';

const CONNECTION = {
  brokers: anything,
  client: anything,
  ssl: anything,
  sasl: anything,
  clientId: text,
  connectionTimeout: milliseconds,
  authenticationTimeout: milliseconds,
  reauthenticationThreshold: unsupported(
    'connections are authenticated again before their session ends.',
  ),
  requestTimeout: milliseconds,
  enforceRequestTimeout: only(true, 'requests always have a time limit; raise requestTimeout.'),
  retry: retryOptions,
  socketFactory: unsupported('connections are opened by the native half.'),
};

/** Checks the options of connections. */
export function connectionOf(given: Record<string, unknown>): Connection {
  const known = options('new Kafka()', given, CONNECTION);
  const retry = known.retry;
  if (known.client !== undefined) {
    return {
      client: clientOf(known),
      brokers: undefined,
      config: {},
      retry,
      requestTimeoutMs: undefined,
    };
  }
  const config = {
    ...(known.clientId === undefined ? {} : { clientId: known.clientId }),
    ...(known.requestTimeout === undefined ? {} : { requestTimeoutMs: known.requestTimeout }),
    ...setupTimeout(known.connectionTimeout, known.authenticationTimeout, known.sasl !== undefined),
    ...backoff(retry),
    ...securityOf(known.ssl, known.sasl),
  };
  const brokers = brokersOf(known.brokers);
  return { client: undefined, brokers, config, retry, requestTimeoutMs: known.requestTimeout };
}

/** The pauses between the retries of a request. */
export function backoff(retry: RetryOptions | undefined): HeadwaterConfig {
  const { initialRetryTime, maxRetryTime } = retry ?? {};
  return {
    ...(initialRetryTime === undefined ? {} : { retryBackoffMs: Math.round(initialRetryTime) }),
    ...(maxRetryTime === undefined ? {} : { retryBackoffMaxMs: Math.round(maxRetryTime) }),
  };
}

function clientOf(known: { client?: unknown; [option: string]: unknown }): Client {
  const { client, retry: _retry, ...others } = known;
  if (!(client instanceof Client)) {
    throw refused('client must be a client of headwater: open() and connect() return one.');
  }
  const [other] = Object.keys(others);
  if (other !== undefined) {
    throw refused(`${other} has no effect with client, which is connected already: leave it out.`);
  }
  return client;
}

function brokersOf(given: unknown): () => Promise<string[]> {
  if (given === undefined) {
    throw refused('Failed to connect: expected brokers array and got nothing');
  }
  const checkedList = (brokers: unknown): string[] => {
    const list = checked(() => listOf(text)(brokers, 'brokers'));
    if (list.length === 0) {
      throw refused('Failed to connect: brokers array is empty');
    }
    return list;
  };
  if (typeof given === 'function') {
    const find = given as BrokersFunction;
    return async () => checkedList(await find());
  }
  const list = checkedList(given);
  return async () => list;
}

/** kafkajs limits connecting and authenticating separately; here both have one limit. */
function setupTimeout(
  connecting: number | undefined,
  authenticating: number | undefined,
  isSasl: boolean,
): HeadwaterConfig {
  if (connecting === undefined && authenticating === undefined) {
    return {};
  }
  const sum = (connecting ?? 1_000) + (isSasl ? (authenticating ?? 10_000) : 0);
  return { socketConnectionSetupTimeoutMs: Math.max(1, Math.round(sum)) };
}

function securityOf(ssl: unknown, sasl: unknown): HeadwaterConfig {
  const isTls = ssl !== undefined && ssl !== false;
  const isSasl = sasl !== undefined;
  const protocol = `${isSasl ? 'SASL_' : ''}${isTls ? 'SSL' : 'PLAINTEXT'}`;
  return {
    securityProtocol: protocol,
    ...(isTls && ssl !== true ? tlsOf(ssl) : {}),
    ...(isSasl ? saslOf(sasl) : {}),
  };
}

function pem(value: unknown, name: string): string {
  const parts = Array.isArray(value) ? value : [value];
  const texts = parts.map((part) => {
    if (typeof part === 'string') {
      return part;
    }
    if (part instanceof Uint8Array) {
      return Buffer.from(part).toString();
    }
    throw refused(`${name} must be PEM: a string, a Buffer or an array of them.`);
  });
  return texts.join('\n');
}

const TLS = {
  ca: pem,
  cert: pem,
  key: pem,
  rejectUnauthorized: only(true, 'give the certificate of the broker’s authority as ssl.ca.'),
  passphrase: unsupported('give a private key that is not encrypted (openssl pkey decrypts it).'),
  pfx: unsupported('give cert and key in PEM.'),
  servername: unsupported('the name of the broker is the one that it advertises.'),
  checkServerIdentity: unsupported(
    `set ssl.endpoint.identification.algorithm to "" to accept any name: ${PASS_A_CLIENT}`,
  ),
};

function tlsOf(ssl: unknown): HeadwaterConfig {
  const { ca, cert, key } = options('ssl', ssl, TLS);
  return {
    ...(ca === undefined ? {} : { sslTruststoreCertificates: ca }),
    ...(cert === undefined ? {} : { sslKeystoreCertificateChain: cert }),
    ...(key === undefined ? {} : { sslKeystoreKey: key }),
  };
}

const PASSWORD_MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'];

function saslOf(given: unknown): HeadwaterConfig {
  const mechanism = String((given as { mechanism?: unknown } | null)?.mechanism).toUpperCase();
  if (!PASSWORD_MECHANISMS.includes(mechanism)) {
    const instead =
      mechanism === 'OAUTHBEARER'
        ? 'give sasl.oauthbearer.token.endpoint.url and the client’s id and secret: '
        : 'use plain, scram-sha-256 or scram-sha-512, or for OAUTHBEARER ';
    throw new KafkaJSNotImplemented(
      `sasl.mechanism ${mechanism} is not supported: ${instead}${PASS_A_CLIENT}`,
    );
  }
  const { username, password } = options('sasl', given, {
    mechanism: text,
    username: text,
    password: text,
  });
  if (username === undefined || password === undefined) {
    throw refused(`SASL ${mechanism}: Missing username or password`);
  }
  return { saslMechanism: mechanism, saslUsername: username, saslPassword: password };
}
