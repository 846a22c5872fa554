// Producing: the cases of tests/python/test_producer.py, and buffers that change.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { Binary, Table, tableFromArrays, tableToIPC, vectorFromArray } from 'apache-arrow';
import {
  AbortError,
  ClosedError,
  InvalidArgumentError,
  RecordTooLargeError,
  UnknownTopicOrPartitionError,
} from 'headwater';
import { flights, name, numbered, onTargets, rejects, text, until, values } from './support.mjs';

async function only(topic, options) {
  return (await topic.head(1, options)).at(0);
}

onTargets('values and keys are anything that holds bytes', async (client) => {
  await using producer = client.producer();
  for (const [kind, value] of [
    ['buffer', Buffer.from('bytes')],
    ['array', new TextEncoder().encode('bytes')],
    ['text', 'bytes'],
    ['view', new Uint8Array(new TextEncoder().encode('--bytes--').buffer, 2, 5)],
  ]) {
    const topic = await client.createTopic(name(kind));
    const sent = await producer.send({ topic: name(kind), key: value, value });
    assert.deepEqual([sent.topic, sent.partition, sent.offset], [name(kind), 0, 0n]);
    const message = await only(topic);
    assert.deepEqual([text(message.key), text(message.value)], ['bytes', 'bytes']);
  }
});

onTargets('null and empty differ', async (client) => {
  const topic = await client.createTopic(name('t'));
  await using producer = client.producer();
  await producer.send({ topic: name('t') });
  await producer.send({
    topic: name('t'),
    key: null,
    value: null,
    headers: null,
    partition: null,
    timestamp: null,
  });
  await producer.send({
    topic: name('t'),
    key: '',
    value: Buffer.alloc(0),
    headers: { a: '', b: null },
  });
  const [first, second, third] = await topic.head(3);
  assert.deepEqual([first.key, first.value, second.value], [null, null, null]);
  assert.deepEqual([third.key.length, third.value.length], [0, 0]);
  assert.deepEqual(third.headers, [
    ['a', Buffer.alloc(0)],
    ['b', null],
  ]);
});

onTargets('headers keep their order and may repeat', async (client) => {
  const topic = await client.createTopic(name('t'));
  await using producer = client.producer();
  await producer.send({
    topic: name('t'),
    value: 'x',
    headers: [
      ['b', '1'],
      ['a', Buffer.from('2')],
      ['b', null],
    ],
  });
  await producer.sendBatch(name('t'), [
    {
      value: 'y',
      headers: [
        ['b', '1'],
        ['ä', '2'],
        ['b', null],
      ],
    },
  ]);
  const [sent, batched] = await topic.head(2);
  assert.deepEqual(sent.headers, [
    ['b', Buffer.from('1')],
    ['a', Buffer.from('2')],
    ['b', null],
  ]);
  assert.deepEqual(batched.headers, [
    ['b', Buffer.from('1')],
    ['ä', Buffer.from('2')],
    ['b', null],
  ]);
  assert.equal(sent.header('a').toString(), '2');
  assert.equal(sent.header('b'), null);
  assert.equal(sent.header('c'), undefined);
});

onTargets('a timestamp is milliseconds or a Date', async (client) => {
  const topic = await client.createTopic(name('t'));
  await using producer = client.producer();
  assert.equal((await producer.send({ topic: name('t'), timestamp: 1_234.9 })).timestamp, 1_234);
  await producer.sendBatch(name('t'), [{ timestamp: new Date(0) }]);
  assert.deepEqual(
    [...(await topic.head(2))].map(({ timestamp }) => timestamp),
    [1_234, 0],
  );
  for (const timestamp of [Number.NaN, Infinity, -1, new Date('never'), '2026']) {
    await rejects(
      producer.send({ topic: name('t'), timestamp }),
      InvalidArgumentError,
      /timestamp/,
    );
  }
});

onTargets('keys choose partitions as Java does', async (client) => {
  await client.createTopic(name('wide'), { partitions: 7 });
  await using producer = client.producer();
  // murmur2 of Java's client for these keys, modulo seven.
  for (const [key, partition] of [
    ['21', -973932308],
    ['foobar', -790332482],
    ['abc', 479470107],
  ].map(([key, hash]) => [key, (hash & 0x7fffffff) % 7])) {
    assert.equal(
      (await producer.send({ topic: name('wide'), key, value: 'x' })).partition,
      partition,
    );
  }
});

onTargets('records of a topic keep their order', async (client) => {
  const topic = await client.createTopic(name('t'));
  await using producer = client.producer();
  const sent = await Promise.all(
    numbered(5_000, (n) => producer.send({ topic: name('t'), value: `${n}` })),
  );
  assert.deepEqual(
    sent.map(({ offset }) => Number(offset)),
    numbered(5_000, (n) => n),
  );
  assert.deepEqual(
    values(await topic.head(5_000)),
    numbered(5_000, (n) => `${n}`),
  );
});

onTargets('flush waits for all', async (client) => {
  const topic = await client.createTopic(name('t'));
  const producer = client.producer({ lingerMs: 60_000, deliveryTimeoutMs: 120_000 });
  let settled = 0;
  for (const n of numbered(100, (n) => n)) {
    producer.send({ topic: name('t'), value: `${n}` }).then(() => settled++);
  }
  await producer.flush();
  assert.equal(await topic.count(), 100);
  await until(() => settled === 100);
  await producer.close();
});

onTargets('linger sends without anybody waiting', async (client) => {
  const topic = await client.createTopic(name('t'));
  await using producer = client.producer({ lingerMs: 1 });
  let isSent = false;
  producer.send({ topic: name('t'), value: 'x' }).then(() => {
    isSent = true;
  });
  await until(() => isSent);
  assert.equal(await topic.count(), 1);
});

onTargets('closing sends what is in flight, and every promise settles', async (client) => {
  const topic = await client.createTopic(name('t'));
  const producer = client.producer();
  const sent = numbered(1_000, (n) => producer.send({ topic: name('t'), value: `${n}` }));
  await producer.close();
  await producer.close();
  await Promise.all(sent);
  assert.equal(await topic.count(), 1_000);
  await rejects(producer.send({ topic: name('t') }), ClosedError, /producer is closed/);
});

onTargets('a buffer that changes or is detached while it is sent was copied', async (client) => {
  const topic = await client.createTopic(name('t'));
  await using producer = client.producer();
  const changed = Buffer.from('before');
  const detached = new TextEncoder().encode('before');
  const sent = [
    producer.send({ topic: name('t'), value: changed }),
    producer.send({ topic: name('t'), value: detached }),
    producer.sendBatch(name('t'), [{ value: changed }]),
  ];
  changed.fill('x');
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  await Promise.all(sent);
  assert.deepEqual(new Set(values(await topic.head(3))), new Set(['before']));
  await rejects(
    producer.send({ topic: name('t'), value: detached }),
    InvalidArgumentError,
    /value is detached/,
  );
});

onTargets('a value column goes as it is', async (client) => {
  const topic = await client.createTopic(name('t'));
  await using producer = client.producer();
  const table = tableFromArrays({ key: ['a', 'b'], value: ['x', 'y'] });
  const result = await producer.sendBatch(name('t'), table, { key: 'key', value: 'value' });
  assert.equal(result.records, 2);
  assert.deepEqual(result.offsets, [{ partition: 0, start: 0n, end: 2n }]);
  const read = await topic.head(2, { key: 'string', value: 'string' });
  assert.deepEqual(
    [...read].map(({ key, value }) => [key, value]),
    [
      ['a', 'x'],
      ['b', 'y'],
    ],
  );
});

onTargets('the columns of a table become JSON', async (client) => {
  const topic = await client.createTopic(name('t'));
  await using producer = client.producer();
  const stream = tableToIPC(
    tableFromArrays({ carrier: ['UA', 'AA'], delay: new Int32Array([12, 0]) }),
    'stream',
  );
  assert.equal((await producer.sendBatch(name('t'), stream)).records, 2);
  assert.deepEqual(
    [...(await topic.head(2, { value: 'json' }))].map(({ value }) => value),
    [
      { carrier: 'UA', delay: 12 },
      { carrier: 'AA', delay: 0 },
    ],
  );
  await rejects(
    producer.sendBatch(name('t'), stream, { key: 'gone' }),
    InvalidArgumentError,
    /gone/,
  );
  await rejects(
    producer.sendBatch(name('t'), Buffer.from('no arrow')),
    InvalidArgumentError,
    /Arrow IPC/,
  );
});

onTargets('a batch of a scan is sent back unchanged', async (client) => {
  await flights(client);
  const copy = await client.createTopic(name('copy'));
  await using producer = client.producer();
  const batch = await client.topic(name('flights')).head(10);
  await producer.sendBatch(name('copy'), batch.toArrowIPC(), {
    key: 'key',
    value: 'value',
    timestamp: 'timestamp',
  });
  const read = await copy.head(10);
  assert.deepEqual(
    [...read].map(({ timestamp }) => timestamp),
    numbered(10, (n) => n * 1_000),
  );
  assert.deepEqual(
    values(read),
    numbered(10, (n) => `v${n}`),
  );
});

onTargets('many messages are sent at once', async (client) => {
  const topic = await client.createTopic(name('wide'), { partitions: 2 });
  await using producer = client.producer();
  const rows = numbered(50_000, (n) => ({ value: `${n}`, partition: n % 2 }));
  const result = await producer.sendBatch(name('wide'), rows);
  assert.equal(result.records, 50_000);
  assert.equal(await topic.count(), 50_000);
  assert.deepEqual(values(await topic.scan({ partitions: [1], limit: 3 }).collect()), [
    '1',
    '3',
    '5',
  ]);
});

onTargets('values of JSON are exact, or an error names the field', async (client) => {
  const topic = await client.createTopic(name('t'));
  await using producer = client.producer({ key: 'string', value: 'json' });
  await producer.send({
    topic: name('t'),
    key: 'k',
    value: { n: 1, list: [true, null], text: 'ä' },
  });
  const message = await only(topic, { key: 'string', value: 'json' });
  assert.deepEqual([message.key, message.value], ['k', { n: 1, list: [true, null], text: 'ä' }]);
  for (const [value, field] of [
    [{ a: { id: 1n } }, /value\.a\.id is a BigInt/],
    [{ a: [0, Number.NaN] }, /value\.a\.1 is NaN/],
    [() => 1, /value is function/],
  ]) {
    await rejects(producer.send({ topic: name('t'), value }), InvalidArgumentError, field);
    await rejects(
      producer.sendBatch(name('t'), [{ value }]),
      InvalidArgumentError,
      /messages\[0\]\.value/,
    );
  }
  const cycle = {};
  cycle.self = cycle;
  await rejects(producer.send({ topic: name('t'), value: cycle }), InvalidArgumentError, /value/);
});

onTargets('a record over the limit is refused and its neighbours are not', async (client) => {
  const topic = await client.createTopic(name('t'));
  await using producer = client.producer();
  const [before, large, after] = await Promise.allSettled([
    producer.send({ topic: name('t'), value: 'a' }),
    producer.send({ topic: name('t'), value: Buffer.alloc(2 << 20) }),
    producer.send({ topic: name('t'), value: 'b' }),
  ]);
  assert.deepEqual([before.status, after.status], ['fulfilled', 'fulfilled']);
  assert.ok(large.reason instanceof RecordTooLargeError);
  assert.equal(large.reason.topic, name('t'));
  assert.deepEqual(values(await topic.head()), ['a', 'b']);
});

onTargets('a send to an unknown topic fails', async (client) => {
  await using producer = client.producer({ maxBlockMs: 5_000 });
  await client.createTopic(name('t'));
  await rejects(
    producer.send({ topic: name('nowhere'), value: 'x' }),
    UnknownTopicOrPartitionError,
    /nowhere/,
  );
  await rejects(
    producer.send({ topic: name('t'), value: 'x', partition: 7 }),
    UnknownTopicOrPartitionError,
    /7/,
  );
});

onTargets('an aborted send has not stopped the record', async (client) => {
  const topic = await client.createTopic(name('t'));
  await using producer = client.producer();
  await rejects(
    producer.send({ topic: name('t'), value: 'a' }, { signal: AbortSignal.abort() }),
    AbortError,
  );
  const abort = new AbortController();
  const sent = producer.send({ topic: name('t'), value: 'b' }, { signal: abort.signal });
  abort.abort();
  await rejects(sent, AbortError);
  await producer.flush();
  assert.deepEqual(values(await topic.head()), ['b']);
});

onTargets('a stream sends what is written to it', async (client) => {
  const topic = await client.createTopic(name('t'));
  await using producer = client.producer();
  const stream = producer.writable(name('t'));
  for (const n of numbered(3_000, (n) => n)) {
    if (!stream.write({ value: `${n}` })) {
      await new Promise((resolve) => stream.once('drain', resolve));
    }
  }
  await new Promise((resolve, reject) =>
    stream.end((error) => (error ? reject(error) : resolve())),
  );
  assert.deepEqual(
    values(await topic.head(3_000)),
    numbered(3_000, (n) => `${n}`),
  );
});

onTargets('a vector of bytes is a column of values', async (client) => {
  const topic = await client.createTopic(name('t'));
  await using producer = client.producer();
  const value = vectorFromArray([Buffer.from([0, 255]), null], new Binary());
  const table = new Table({ value });
  await producer.sendBatch(name('t'), table, { value: 'value' });
  const [first, second] = await topic.head(2);
  assert.deepEqual([first.value, second.value], [Buffer.from([0, 255]), null]);
});

onTargets('tables of both modules of apache-arrow are sent', async (client) => {
  const topic = await client.createTopic('t');
  await using producer = client.producer();
  const required = createRequire(import.meta.url)('apache-arrow');
  assert.notEqual(required.tableFromArrays, tableFromArrays, 'the modules for import and require');
  for (const make of [tableFromArrays, required.tableFromArrays]) {
    // The text is a dictionary.
    await producer.sendBatch('t', make({ value: ['a', 'b'] }), { value: 'value' });
  }
  assert.deepEqual(values(await topic.head()), ['a', 'b', 'a', 'b']);
});
