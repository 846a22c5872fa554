// Errors and bad input: the cases of tests/python/test_errors.py.

import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import * as headwater from 'headwater';
import {
  AbortError,
  ConfigError,
  CorruptLogError,
  DecodeError,
  HeadwaterError,
  InvalidArgumentError,
  InvalidTopicError,
  KafkaError,
  NotADataDirectoryError,
  open,
  TopicAlreadyExistsError,
  TransportError,
  UnknownTopicOrPartitionError,
} from 'headwater';
import { directory, name, onTargets, rejects } from './support.mjs';

test('the tree is the documented one', () => {
  const classes = Object.entries(headwater).filter(([name]) => name.endsWith('Error'));
  assert.equal(classes.length, 24);
  for (const [name, kind] of classes) {
    const error = new kind('what happened');
    assert.ok(error instanceof Error);
    assert.equal(error.name, name);
    if (name !== 'AbortError') {
      assert.ok(error instanceof HeadwaterError);
    }
  }
  assert.ok(!(new AbortError() instanceof HeadwaterError));
  assert.ok(new UnknownTopicOrPartitionError('') instanceof KafkaError);
});

onTargets('every error has its fields', async (client) => {
  await assert.rejects(client.topic(name('nowhere')).head(), (error) => {
    assert.ok(error instanceof UnknownTopicOrPartitionError);
    const { code, retriable, fatal, topic } = error;
    assert.deepEqual(
      [code, retriable, fatal, topic],
      ['UNKNOWN_TOPIC_OR_PARTITION', true, false, name('nowhere')],
    );
    return true;
  });
});

test('advice names the options of this package', async () => {
  await using client = await open(null);
  await client.createTopic('flights');
  await rejects(client.createTopic('flights'), TopicAlreadyExistsError, /ifExists: 'ignore'/);
  await using producer = client.producer();
  const sent = producer.send({ topic: 'flights', value: 'late', partition: 7 });
  await rejects(sent, UnknownTopicOrPartitionError, /alterTopic\(\)/);
  const served = client.serve({ host: '0.0.0.0', port: 0 });
  await rejects(served, KafkaError, /insist with allowInsecure: true/);
});

onTargets('bad input is refused', async (client) => {
  for (const [call, kind, pattern] of [
    [() => client.createTopic('no/name'), InvalidTopicError, /no\/name/],
    [() => client.createTopic('t', { partitions: 0 }), KafkaError, /partitions/],
    [
      () => client.createTopic('t', { partitons: 1 }),
      InvalidArgumentError,
      /`partitons`.*`partitions`/,
    ],
    [
      () => client.createTopic('t', { ifExists: 'maybe' }),
      InvalidArgumentError,
      /ifExists must be "error" or "ignore", not "maybe"/,
    ],
    [() => client.createTopic(7), InvalidArgumentError, /name must be a string, not number/],
    [() => client.createTopic('\ud800'), InvalidArgumentError, /lone surrogate/],
    [() => client.topics({ interal: true }), InvalidArgumentError, /`interal`.*`internal`/],
    [() => client.topics(true), InvalidArgumentError, /must be an object, not boolean/],
    [async () => client.producer({ lingerMz: 1 }), ConfigError, /linger\.ms/],
    [async () => client.producer({ lingerMs: {} }), InvalidArgumentError, /lingerMs.*Object/],
    [async () => client.producer({ lingerMs: 'soon' }), ConfigError, /linger\.ms/],
    [
      async () => client.consumer({ value: 'xml' }),
      InvalidArgumentError,
      /value must be "bytes", "string" or "json"/,
    ],
    [async () => client.consumer({ topic: 't' }), InvalidArgumentError, /`topic`.*`topics`/],
    [async () => client.consumer({ topics: 7 }), InvalidArgumentError, /topics must be a name/],
    [
      async () => client.consumer({ config: { 'auto.ofset.reset': 'earliest' } }),
      ConfigError,
      /auto\.offset\.reset/,
    ],
    [
      async () => client.topic('t').scan({ start: {}, end: [1] }),
      InvalidArgumentError,
      /partition/,
    ],
    [async () => client.topic('t').scan({ columns: ['vale'] }), InvalidArgumentError, /vale/],
    [
      async () => client.topic('t').scan({ value: 'json', schema: { a: 'integr' } }),
      InvalidArgumentError,
      /integr/,
    ],
    [
      async () => client.topic('t').scan({ value: 'json', schema: 5 }),
      InvalidArgumentError,
      /schema must be an object of names and dtypes or a Schema of apache-arrow, not number/,
    ],
    [
      async () => client.consumer({ value: 'json', schema: { a: { b: [64] } } }),
      InvalidArgumentError,
      /schema\.a\.b\[0\] must be a dtype .*not number/,
    ],
    [
      () => client.topic('t').head(1, { schema: { a: 'int64' } }),
      InvalidArgumentError,
      /schema needs a format that has fields: pass value: "json"/,
    ],
    [async () => client.consumer({ unnest: 'yes' }), InvalidArgumentError, /unnest.*boolean/],
    [async () => client.consumer({ unnest: true }), InvalidArgumentError, /unnest.*json/],
    [
      async () => client.topic('t').scan({ progress: true }),
      InvalidArgumentError,
      /progress must be a function/,
    ],
    [() => client.topic('t').head(-1), InvalidArgumentError, /n is -1/],
    [() => client.topic('t').rate('often'), KafkaError, /often/],
    [() => client.deleteRecords('t', Number.NaN), InvalidArgumentError, /before must be an offset/],
    [() => client.deleteRecords('t', new Date('never')), InvalidArgumentError, /invalid Date/],
    [() => client.deleteRecords('t', 2n ** 63n), InvalidArgumentError, /the maximum is/],
    [
      () => client.producer().send('flights'),
      InvalidArgumentError,
      /must be an object, not string/,
    ],
    [() => client.producer().send({ value: 'x' }), InvalidArgumentError, /needs a topic/],
    [
      () => client.producer().send({ topic: 't', vale: 'x' }),
      InvalidArgumentError,
      /`vale`.*`value`/,
    ],
    [
      () => client.producer().send({ topic: 't', value: { a: 1 } }),
      InvalidArgumentError,
      /value must be a Buffer.*not Object/,
    ],
    [
      () => client.producer().send({ topic: 't', key: 7 }),
      InvalidArgumentError,
      /key must be a Buffer.*not number/,
    ],
    [
      () => client.producer().send({ topic: 't', value: 'a\udc00' }),
      InvalidArgumentError,
      /value has a lone surrogate/,
    ],
    [
      () => client.producer().send({ topic: 't', partition: -1 }),
      InvalidArgumentError,
      /partition is -1/,
    ],
    [
      () => client.producer().send({ topic: 't', headers: [['a']] }),
      InvalidArgumentError,
      /headers\[0\] must be a pair/,
    ],
    [
      () => client.producer().send({ topic: 't', headers: [[1, 'x']] }),
      InvalidArgumentError,
      /name of headers\[0\]/,
    ],
    [
      () => client.producer().send({ topic: 't', headers: { a: undefined } }),
      InvalidArgumentError,
      /headers\.a is undefined/,
    ],
    [() => client.producer().sendBatch('t', 'rows'), InvalidArgumentError, /array of messages/],
    [
      () => client.producer().sendBatch('t', [{ value: 1n }]),
      InvalidArgumentError,
      /messages\[0\]\.value/,
    ],
  ]) {
    await rejects(call(), kind, pattern);
  }
});

onTargets('a huge header is sent, or refused with its size', async (client) => {
  const topic = await client.createTopic(name('t'));
  await using producer = client.producer();
  await producer.send({ topic: name('t'), headers: { large: Buffer.alloc(500_000, 'x') } });
  assert.equal((await topic.head(1)).at(0).header('large').length, 500_000);
  await rejects(
    producer.send({ topic: name('t'), headers: { large: Buffer.alloc(2 << 20) } }),
    KafkaError,
    /2\d{6} bytes/,
  );
});

test('a flipped byte is found when it is read', async (context) => {
  const path = await directory(context);
  {
    await using client = await open(path);
    await client.createTopic('t');
    const producer = client.producer();
    await producer.sendBatch('t', [{ value: 'first' }]);
    await producer.sendBatch('t', [{ value: 'second'.repeat(10) }]);
  }
  const files = await readdir(join(path, 't-0'));
  const log = join(
    path,
    't-0',
    files.find((file) => file.endsWith('.log')),
  );
  const bytes = await readFile(log);
  bytes[bytes.length - 5] ^= 1;
  await writeFile(log, bytes);
  await using client = await open(path);
  const topic = client.topic('t');
  await assert.rejects(topic.scan().collect(), (error) => {
    assert.ok(error instanceof CorruptLogError || error instanceof DecodeError, error);
    assert.deepEqual([error.topic, error.partition], ['t', 0]);
    return true;
  });
  assert.equal((await topic.head(1)).at(0).value.toString(), 'first');
});

test('a name that does not resolve is named', async () => {
  await rejects(
    headwater.connect('no-such-host.invalid:9092'),
    TransportError,
    /no-such-host\.invalid:9092.*does not resolve.*correct it/,
  );
});

test('an advertised listener that cannot be reached is named with the bootstrap address', async () => {
  await using engine = await open();
  await engine.createTopic('t');
  await using server = await engine.serve({ port: 0, advertised: 'kafka.invalid:9092' });
  await using client = await headwater.connect(server.address, { defaultApiTimeoutMs: 500 });
  await assert.rejects(client.topic('t').count(), (error) => {
    assert.ok(error instanceof TransportError, error);
    for (const part of ['kafka.invalid:9092', server.address, 'advertised.listeners']) {
      assert.ok(error.message.includes(part), error.message);
    }
    return true;
  });
});

test('wrong keys of open() and connect() are refused', async () => {
  await rejects(open(null, { numPartitionz: 3 }), ConfigError, /num\.partitions/);
  await rejects(open(7), InvalidArgumentError, /path must be a string/);
  await rejects(headwater.connect('127.0.0.1:1', { clientIdd: 'x' }), ConfigError, /client\.id/);
  await rejects(headwater.connect('nowhere'), KafkaError, /bootstrap\.servers/);
  await rejects(headwater.connect({}), InvalidArgumentError, /bootstrapServers/);
});

test('an address without a listener rejects with the address', async () => {
  const refused = headwater.connect('127.0.0.1:1', { socketConnectionSetupTimeoutMs: 500 });
  await rejects(refused, TransportError, /127\.0\.0\.1:1/);
  const abort = headwater.connect('127.0.0.1:1', { signal: AbortSignal.abort() });
  await rejects(abort, AbortError);
});

test('a directory with other files is left unchanged', async (context) => {
  const path = await directory(context);
  await writeFile(join(path, 'diary.txt'), 'dear diary');
  await rejects(open(path), NotADataDirectoryError, /diary|empty|directory/);
});
