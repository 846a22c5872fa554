// Connecting with the adapter: options, security, failures.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, open } from 'headwater';
import {
  Kafka,
  KafkaJSConnectionError,
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSSASLAuthenticationError,
  logLevel,
} from 'headwater/kafkajs';
import { onServed, producerOf } from './kafkajs_support.mjs';
import { directory, ENGINE, PATIENCE, rejects } from './support.mjs';

const BROKERS = ['127.0.0.1:9092'];

const REFUSED = {
  'no brokers': [{}, KafkaJSNonRetriableError, /expected brokers array/],
  'an empty list of brokers': [{ brokers: [] }, KafkaJSNonRetriableError, /brokers array is empty/],
  'a broker that is not text': [{ brokers: [9092] }, KafkaJSNonRetriableError, /brokers\[0\]/],
  'an unknown option': [
    { brokers: BROKERS, clientID: 'x' },
    KafkaJSNonRetriableError,
    /Did you mean `clientId`/,
  ],
  'a socket factory': [
    { brokers: BROKERS, socketFactory: () => {} },
    KafkaJSNotImplemented,
    /socketFactory is not supported/,
  ],
  'requests without a limit': [
    { brokers: BROKERS, enforceRequestTimeout: false },
    KafkaJSNotImplemented,
    /raise requestTimeout/,
  ],
  'TLS that trusts anybody': [
    { brokers: BROKERS, ssl: { rejectUnauthorized: false } },
    KafkaJSNotImplemented,
    /ssl\.ca/,
  ],
  'OAUTHBEARER with a function': [
    { brokers: BROKERS, sasl: { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({}) } },
    KafkaJSNotImplemented,
    /new Kafka\(\{ client \}\)/,
  ],
  'AWS IAM': [
    { brokers: BROKERS, sasl: { mechanism: 'aws' } },
    KafkaJSNotImplemented,
    /plain, scram-sha-256/,
  ],
  'a user without a password': [
    { brokers: BROKERS, sasl: { mechanism: 'plain', username: 'ada' } },
    KafkaJSNonRetriableError,
    /Missing username or password/,
  ],
  'a client that is none': [{ client: {} }, KafkaJSNonRetriableError, /open\(\) and connect\(\)/],
};

for (const [name, [config, kind, pattern]] of Object.entries(REFUSED)) {
  test(`${name}: refused when it is given`, () => {
    assert.throws(
      () => new Kafka(config),
      (error) => {
        assert.ok(error instanceof kind, `${error.name}: ${error.message}`);
        assert.match(error.message, pattern);
        return true;
      },
    );
  });
}

onServed('brokers may be found by a function', async ({ server, library }) => {
  const kafka = new Kafka({
    brokers: async () => [server.address],
    logLevel: library.logLevel.NOTHING,
  });
  const producer = await producerOf(kafka);
  await producer.send({ topic: 'flights', messages: [{ value: 'x' }] });
  await producer.disconnect();
});

onServed('a client of the caller stays open', async ({ engine, server }) => {
  await using client = await connect(server.address);
  const kafka = new Kafka({ client, logLevel: logLevel.NOTHING });
  const producer = await producerOf(kafka);
  await producer.send({ topic: 'flights', messages: [{ value: 'x' }] });
  await producer.disconnect();
  assert.equal(await client.topic('flights').count(), 1);
  assert.throws(() => new Kafka({ client: engine, clientId: 'x' }), /clientId has no effect/);
});

test('an address that cannot be reached: tried again, then an error that names it', {
  timeout: PATIENCE,
}, async () => {
  const listener = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.once('listening', resolve));
  const address = `127.0.0.1:${listener.address().port}`;
  await new Promise((resolve) => listener.close(resolve));
  const kafka = new Kafka({
    brokers: [address],
    connectionTimeout: 200,
    retry: { retries: 2, initialRetryTime: 1 },
    logLevel: logLevel.NOTHING,
  });
  await assert.rejects(kafka.producer().connect(), (error) => {
    assert.ok(error instanceof KafkaJSNumberOfRetriesExceeded, error.name);
    assert.ok(error.cause instanceof KafkaJSConnectionError, error.cause?.name);
    assert.equal(error.retryCount, 2);
    assert.ok(error.message.includes(address), error.message);
    return true;
  });
});

test('SASL: an unknown user is refused at once', {
  timeout: PATIENCE,
}, async () => {
  await using engine = await open(null, ENGINE);
  await using server = await engine.serve({ port: 0, securityProtocol: 'SASL_PLAINTEXT' });
  for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512']) {
    const kafka = new Kafka({
      brokers: [server.address],
      sasl: { mechanism, username: 'ada', password: 'wrong' },
      logLevel: logLevel.NOTHING,
    });
    await rejects(kafka.admin().connect(), KafkaJSSASLAuthenticationError);
  }
});

test('TLS: with the certificate of the authority, and not without', {
  timeout: PATIENCE,
}, async (context) => {
  const path = await directory(context);
  const [key, cert] = [join(path, 'key.pem'), join(path, 'cert.pem')];
  execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-keyout', key, '-out', cert, '-days', '1', '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE'],
  ]);
  await using engine = await open(null, ENGINE);
  const tls = { port: 0, securityProtocol: 'SSL', tlsCert: cert, tlsKey: key };
  await using server = await engine.serve(tls);
  const kafkaWith = (ssl) =>
    new Kafka({
      brokers: [server.address],
      ssl,
      retry: { retries: 0 },
      logLevel: logLevel.NOTHING,
    });
  const ca = await readFile(cert);
  for (const given of [ca, ca.toString(), [ca]]) {
    const admin = kafkaWith({ ca: given }).admin();
    await admin.connect();
    assert.deepEqual(await admin.listTopics(), []);
    await admin.disconnect();
  }
  await assert.rejects(kafkaWith(true).admin().connect(), (error) => {
    assert.ok(error.cause instanceof KafkaJSConnectionError, error.cause?.name);
    assert.match(error.message, /certificate/);
    return true;
  });
});
