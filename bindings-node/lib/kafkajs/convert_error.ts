// Headwater's errors as those of kafkajs.

import {
  AbortError,
  AuthenticationError,
  ClosedError,
  ConfigError,
  HeadwaterError,
  InvalidArgumentError,
  OffsetOutOfRangeError,
  TransportError,
} from '../errors.js';
import { errorCode } from './error_codes.js';
import {
  KafkaJSConnectionError,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSOffsetOutOfRange,
  KafkaJSProtocolError,
  KafkaJSSASLAuthenticationError,
  KafkaJSTimeout,
} from './errors.js';

/** Refuses an argument. The message names it. */
export function refused(message: string): KafkaJSNonRetriableError {
  return new KafkaJSNonRetriableError(message);
}

/** The error of kafkajs. An error that is not Headwater's stays as it is. */
export function kafkaJSError(error: unknown): Error {
  if (error instanceof AbortError) {
    return new KafkaJSTimeout('The call did not finish within its timeout.', { cause: error });
  }
  if (!(error instanceof HeadwaterError)) {
    return error instanceof Error ? error : new Error(textOf(error));
  }
  if (error instanceof InvalidArgumentError || error instanceof ConfigError) {
    return new KafkaJSNonRetriableError(error, { cause: error });
  }
  if (error instanceof AuthenticationError) {
    return new KafkaJSSASLAuthenticationError(error, { cause: error });
  }
  if (error instanceof TransportError) {
    return new KafkaJSConnectionError(error, { cause: error });
  }
  if (error instanceof ClosedError) {
    return new KafkaJSError(error, { retriable: false, cause: error });
  }
  return protocolError(error);
}

/** The text of a thrown value that is not an error. */
function textOf(thrown: unknown): string {
  const { message } = (thrown ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : String(thrown);
}

/** Runs a call, and converts its error. */
export async function converted<T>(call: () => T | Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw kafkaJSError(error);
  }
}

/** {@link converted} for a call that returns at once. */
export function checked<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw kafkaJSError(error);
  }
}

function protocolError(error: HeadwaterError): KafkaJSProtocolError {
  const { message, retriable, topic, partition } = error;
  const failure = { message, retriable, ...errorCode(error.code) };
  if (error instanceof OffsetOutOfRangeError && topic !== undefined && partition !== undefined) {
    return new KafkaJSOffsetOutOfRange(failure, { topic, partition });
  }
  return new KafkaJSProtocolError(failure, { cause: error });
}
