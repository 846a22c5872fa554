// The options of `new Kafka()`.

import type * as net from 'node:net';
import type * as tls from 'node:tls';
import type { Client } from '../../client.js';
import type { logLevel } from '../enums.js';
import type { Logger, logCreator } from './logging.js';

export type BrokersFunction = () => string[] | Promise<string[]>;

export interface OauthbearerProviderResponse {
  value: string;
}

type SASLMechanismOptionsMap = {
  plain: { username: string; password: string };
  'scram-sha-256': { username: string; password: string };
  'scram-sha-512': { username: string; password: string };
  aws: {
    authorizationIdentity: string;
    accessKeyId: string;
    secretAccessKey: string;
    sessionToken?: string;
  };
  oauthbearer: { oauthBearerProvider: () => Promise<OauthbearerProviderResponse> };
};

export type SASLMechanism = keyof SASLMechanismOptionsMap;
type SASLMechanismOptions<T> = T extends SASLMechanism
  ? { mechanism: T } & SASLMechanismOptionsMap[T]
  : never;
/** "plain" and "scram-sha-…" are supported; the others are refused, with the alternative. */
export type SASLOptions = SASLMechanismOptions<SASLMechanism>;

type SaslAuthenticationRequest = { encode: () => Buffer | Promise<Buffer> };
type SaslAuthenticationResponse<ParseResult> = {
  decode: (rawResponse: Buffer) => Buffer | Promise<Buffer>;
  parse: (data: Buffer) => ParseResult;
};

export type Authenticator = { authenticate: () => Promise<void> };

export type SaslAuthenticateArgs<ParseResult> = {
  request: SaslAuthenticationRequest;
  response?: SaslAuthenticationResponse<ParseResult>;
};

export type AuthenticationProviderArgs = {
  host: string;
  port: number;
  logger: Logger;
  saslAuthenticate: <ParseResult>(
    args: SaslAuthenticateArgs<ParseResult>,
    // biome-ignore lint/suspicious/noConfusingVoidType: as in kafkajs
  ) => Promise<ParseResult | void>;
};

/** A mechanism of the caller's own, which is refused. */
export type Mechanism = {
  mechanism: string;
  authenticationProvider: (args: AuthenticationProviderArgs) => Authenticator;
};

export interface ISocketFactoryArgs {
  host: string;
  port: number;
  ssl: tls.ConnectionOptions;
  onConnect: () => void;
}

export type ISocketFactory = (args: ISocketFactoryArgs) => net.Socket;

export interface RetryOptions {
  /** The longest pause between two tries, in milliseconds; 30,000 by default. */
  maxRetryTime?: number;
  /** The first pause, in milliseconds; 300 by default. */
  initialRetryTime?: number;
  /** By which part of itself a pause varies; 0.2 by default. */
  factor?: number;
  /** The factor by which the pause grows each time; 2 by default. */
  multiplier?: number;
  /** How often it is tried again; 5 by default. */
  retries?: number;
  /** Whether a consumer that has crashed starts again. */
  restartOnFailure?: (error: Error) => Promise<boolean>;
}

export interface KafkaConfig {
  /** "HOST:PORT" of one or more brokers, or a function that returns them. */
  brokers?: string[] | BrokersFunction;
  /**
   * A client of `headwater`: an embedded engine, or a connection with options that kafkajs does not have. In the
   * place of `brokers` and of all options of connections. It is not closed.
   */
  client?: Client;
  ssl?: tls.ConnectionOptions | boolean;
  sasl?: SASLOptions | Mechanism;
  clientId?: string;
  /** How long opening a connection may take, in milliseconds. `authenticationTimeout` is added to it. */
  connectionTimeout?: number;
  authenticationTimeout?: number;
  reauthenticationThreshold?: number;
  /** How long to wait for a response, in milliseconds; 30,000 by default. */
  requestTimeout?: number;
  enforceRequestTimeout?: boolean;
  retry?: RetryOptions;
  socketFactory?: ISocketFactory;
  logLevel?: logLevel;
  logCreator?: logCreator;
}
