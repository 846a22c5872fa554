// Batches: decoding them later, slices of them, and the columns of a scan.

import assert from 'node:assert/strict';
import { tableFromIPC } from 'apache-arrow';
import { DecodeError, InvalidArgumentError, TableSchema } from 'headwater';
import { fill, memberOf, name, numbered, offsets, onTargets, rejects, until } from './support.mjs';

onTargets('a batch is decoded later', async (client) => {
  const topic = await client.createTopic(name('t'), { partitions: 2 });
  await using producer = client.producer();
  await producer.send({ topic: name('t'), value: '{"a": 1}', key: 'k', partition: 0 });
  await producer.send({ topic: name('t'), value: '{', partition: 1 });
  await producer.send({ topic: name('t'), value: '{"a": 3}', partition: 1 });
  const batch = await topic.head();
  const schema = { a: 'int64' };
  await assert.rejects(batch.decode({ value: 'json', schema }), (error) => {
    assert.ok(error instanceof DecodeError, error.message);
    assert.deepEqual([error.topic, error.partition, error.offset], [name('t'), 1, 0n]);
    return true;
  });
  const nulls = await batch.decode({
    key: 'string',
    value: 'json',
    schema,
    unnest: true,
    onError: 'null',
  });
  assert.deepEqual(nulls.columns, ['partition', 'offset', 'timestamp', 'key', 'a', 'headers']);
  assert.deepEqual(
    [...nulls].map(({ partition, offset, key, value }) => [partition, offset, key, value]),
    [
      [0, 0n, 'k', { a: 1n }],
      [1, 0n, null, { a: null }],
      [1, 1n, null, { a: 3n }],
    ],
  );
  const skipped = await batch.decode({ value: 'json', schema, onError: 'skip' });
  assert.deepEqual(
    [...skipped].map(({ partition, offset, value }) => [partition, offset, value]),
    [
      [0, 0n, { a: 1n }],
      [1, 1n, { a: 3n }],
    ],
  );
  assert.deepEqual(skipped.nextOffsets, batch.nextOffsets);
  await rejects(skipped.decode({ value: 'json' }), InvalidArgumentError, /already decoded/);
});

onTargets(
  'a batch that is decoded later without a schema is what JSON.parse gives',
  async (client) => {
    await fill(client, ['{"a": [1, {"b": null}]}', '7', '"text"']);
    const batch = await client.topic(name('flights')).head();
    const decoded = await batch.decode({ value: 'json' });
    assert.deepEqual(
      [...decoded].map(({ value }) => value),
      [{ a: [1, { b: null }] }, 7, 'text'],
    );
  },
);

onTargets('a decoded batch of a consumer commits itself', async (client) => {
  await fill(client, ['{"a": 1}', '{"a": 2}']);
  await using consumer = client.consumer({ ...memberOf('classic'), topics: name('flights') });
  let batch = await consumer.poll({ timeoutMs: 100 });
  await until(async () => {
    batch = batch.length === 0 ? await consumer.poll({ timeoutMs: 100 }) : batch;
    return batch.length > 0;
  });
  await (await batch.decode({ value: 'json', schema: { a: 'int32' } })).slice(0, 1).commit();
  const [{ offset }] = await consumer.committed();
  assert.equal(offset, 1n);
});

onTargets('what cannot be decoded is refused by name', async (client) => {
  await fill(client, ['{}']);
  const batch = await client.topic(name('flights')).head();
  await rejects(batch.decode({ vale: 'json' }), InvalidArgumentError, /`value`/);
  await rejects(batch.decode({ value: 'avro' }), InvalidArgumentError, /value must be/);
  await rejects(batch.decode({ schema: { a: 'int64' } }), InvalidArgumentError, /value: "json"/);
  await rejects(
    batch.decode({ value: 'json', schema: { a: 'int65' } }),
    InvalidArgumentError,
    /int65/,
  );
});

onTargets('a slice is a batch of its messages', async (client) => {
  await fill(
    client,
    numbered(10, (n) => `v${n}`),
    { partitions: 2 },
  );
  await using producer = client.producer();
  await producer.sendBatch(
    name('flights'),
    numbered(5, (n) => ({ value: `w${n}` })),
    { partition: 1 },
  );
  const batch = await client.topic(name('flights')).scan().collect();
  const texts = (part) => [...part].map(({ value }) => `${value}`);
  const all = texts(batch);
  for (const [start, end] of [[2, 5], [-3], [0, -1], [8, 12], [5, 2], [20], [0, 0], [], [-99, 3]]) {
    assert.deepEqual(texts(batch.slice(start, end)), all.slice(start, end), `${start} ${end}`);
  }
  const next = (part) => part.nextOffsets.map(({ partition, offset }) => [partition, offset]);
  assert.deepEqual(next(batch.slice(2, 5)), [[0, 5n]]);
  assert.deepEqual(next(batch.slice(8, 12)), [
    [0, 10n],
    [1, 2n],
  ]);
  assert.deepEqual(next(batch.slice(3, 3)), []);
  assert.deepEqual(batch.slice().nextOffsets, batch.nextOffsets);
  const part = batch.slice(4, 8).slice(1, 3);
  assert.deepEqual(offsets(part), [5, 6]);
  assert.deepEqual([part.length, `${part.at(-1).value}`], [2, 'v6']);
  assert.equal(tableFromIPC(part.toArrowIPC()).numRows, 2);
  for (const wrong of ['1', 1.5, Number.NaN, null]) {
    assert.throws(() => batch.slice(wrong), InvalidArgumentError);
  }
});

onTargets('slices of a batch of several topics have the offsets of each', async (client) => {
  await fill(client, ['a', 'b', 'c']);
  await client.createTopic(name('trains'));
  await using producer = client.producer();
  await producer.sendBatch(name('trains'), [{ value: 'x' }, { value: 'y' }]);
  const topics = [name('flights'), name('trains')];
  await using consumer = client.consumer({ topics, autoOffsetReset: 'earliest' });
  const [batch] = [await consumer.batches({ until: 'end' }).next()].map(({ value }) => value);
  assert.equal(batch.length, 5);
  const at = (part) => part.nextOffsets.map(({ topic, offset }) => [topic, offset]);
  assert.deepEqual(at(batch.slice(1, 4)), [
    [name('flights'), 3n],
    [name('trains'), 1n],
  ]);
});

onTargets('a scan shows its columns before it is read', async (client) => {
  await fill(client, ['{"delay": 11, "carrier": "UA"}']);
  const topic = client.topic(name('flights'));
  const schema = await topic.scan({ columns: ['offset', 'value'] }).schema();
  assert.ok(schema instanceof TableSchema);
  assert.deepEqual(schema.names, ['offset', 'value']);
  assert.deepEqual(
    [...schema],
    [
      { name: 'offset', type: 'Int64' },
      { name: 'value', type: 'Binary' },
    ],
  );
  const scan = topic.scan({ value: 'json', unnest: true });
  const inferred = await scan.schema();
  assert.deepEqual(inferred.names.slice(-3), ['delay', 'carrier', 'headers']);
  const { schema: read } = (await scan.collect()).toArrow();
  assert.deepEqual(`${inferred.toArrow()}`, `${read}`);
  const fixed = await topic
    .scan({ value: 'json', schema: { delay: 'int32' }, unnest: true })
    .schema();
  assert.ok([...fixed].some(({ name, type }) => name === 'delay' && type === 'Int32'));
});

onTargets(
  'the columns of an unknown topic are an error only where they are inferred',
  async (client) => {
    const scan = client.topic(name('nothing')).scan({ value: 'json' });
    await assert.rejects(scan.schema(), { code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    await rejects(scan.schema({ signl: 1 }), InvalidArgumentError, /`signal`/);
  },
);

onTargets('a scan stops at its limit', async (client) => {
  await fill(
    client,
    numbered(10, (n) => `v${n}`),
  );
  const topic = client.topic(name('flights'));
  for (const [limit, records] of [
    [3, 3],
    [0, 0],
    [100, 10],
  ]) {
    const scan = topic.scan({ limit });
    assert.equal((await scan.collect()).length, records);
    assert.equal(await scan.count(), records);
    let read = 0;
    for await (const batch of scan) {
      read += batch.length;
    }
    assert.equal(read, records);
  }
  assert.throws(() => topic.scan({ limit: -1 }), InvalidArgumentError);
});

onTargets('a message is decoded when it is read, and once', async (client) => {
  await fill(client, ['{"a": 1}', '{"a": 2}', '{"a": 3}']);
  const batch = await client.topic(name('flights')).head(10, { value: 'json' });
  const { parse } = JSON;
  let parsed = 0;
  JSON.parse = (...args) => {
    parsed++;
    return parse(...args);
  };
  try {
    const messages = [...batch];
    assert.equal(parsed, 0);
    assert.equal(messages[1].value, messages[1].value);
    assert.equal(parsed, 1);
  } finally {
    JSON.parse = parse;
  }
});
