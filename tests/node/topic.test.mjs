// Topics, scans and batches: the cases of tests/python/test_topic.py, test_scan.py and test_batch.py.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import * as arrow from 'apache-arrow';
import {
  AbortError,
  DecodeError,
  InvalidArgumentError,
  OffsetOutOfRangeError,
  open,
} from 'headwater';
import {
  ENGINE,
  first,
  flights,
  name,
  numbered,
  offsets,
  onTargets,
  PATIENCE,
  place,
  rejects,
  values,
} from './support.mjs';

async function wide(client) {
  const topic = await client.createTopic(name('wide'), { partitions: 3 });
  await using producer = client.producer({ value: 'json' });
  for (let partition = 0; partition < 3; partition++) {
    const rows = numbered(4, (n) => ({ value: { n, p: partition } }));
    await producer.sendBatch(name('wide'), rows, { partition });
  }
  return topic;
}

/** The columns of a table of fields of values. */
function columns(batch) {
  const table = batch.toArrow();
  return Object.fromEntries(
    table.schema.fields.map(({ name }) => [name, [...table.getChild(name)]]),
  );
}

async function all(batches) {
  const read = [];
  for await (const batch of batches) {
    read.push(...batch);
  }
  return read;
}

onTargets('head and tail return the two ends', async (client) => {
  const topic = await flights(client);
  assert.deepEqual(values(await topic.head(3)), ['v0', 'v1', 'v2']);
  assert.deepEqual(values(await topic.tail(2)), ['v8', 'v9']);
  assert.equal((await topic.head(0)).length, 0);
});

onTargets('positions have offsets', async (client) => {
  const topic = await flights(client);
  assert.deepEqual(await topic.offsets('earliest'), new Map([[0, 0n]]));
  assert.deepEqual(await topic.offsets('latest'), new Map([[0, 10n]]));
  assert.deepEqual(await topic.offsets(new Date(5_000)), new Map([[0, 5n]]));
  assert.deepEqual(await topic.offsets({ 0: 3n }), new Map([[0, 3n]]));
});

onTargets('rate counts records and bytes over time', async (client) => {
  const topic = await flights(client);
  const table = (await topic.rate('5s')).toArrow();
  assert.equal(table.numRows, 2);
  const records = [...table.getChild('records')].map(Number);
  assert.equal(records[0] + records[1], 10);
  const intervals = [...(await topic.rate('5s'))].map(({ value }) => value);
  assert.equal(intervals[0].time, '1970-01-01T00:00:00Z');
  assert.deepEqual(
    intervals.map((interval) => interval.records),
    records,
  );
});

onTargets('a rate counts only what is in its range', async (client) => {
  const topic = await client.createTopic(name('t'));
  await using producer = client.producer();
  await producer.sendBatch(
    name('t'),
    numbered(100, (n) => ({ value: `${n}` })),
  );
  await client.deleteRecords(name('t'), 20);
  const records = async (range) =>
    [...(await topic.rate('1h', range)).toArrow().getChild('records')]
      .map(Number)
      .reduce((sum, count) => sum + count, 0);
  assert.equal(await topic.count(), 80);
  assert.equal(await records(), 80);
  assert.equal(await records({ start: 50, end: 60 }), 10);
  assert.equal(await topic.scan({ start: 50, end: 60 }).count(), 10);
});

onTargets('the schema is the documented one', async (client) => {
  const topic = await flights(client);
  const { schema } = (await topic.head(1)).toArrow();
  assert.deepEqual(
    schema.fields.map(({ name, type }) => `${name}: ${type}`),
    [
      'partition: Int32',
      'offset: Int64',
      'timestamp: Timestamp<MILLISECOND, UTC>',
      'key: Binary',
      'value: Binary',
      'headers: List<Struct<{key:Utf8, value:Binary}>>',
    ],
  );
});

onTargets('columns keep the order of the schema', async (client) => {
  const topic = await flights(client);
  const { schema } = (await topic.head(1, { columns: ['value', 'offset'] })).toArrow();
  assert.deepEqual(
    schema.fields.map(({ name }) => name),
    ['offset', 'value'],
  );
});

onTargets('ranges are half-open', async (client) => {
  const topic = await flights(client);
  const range = topic.scan({ start: 2n, end: 5 });
  assert.deepEqual(
    (await all(range)).map(({ offset }) => offset),
    [2n, 3n, 4n],
  );
  assert.equal(await range.count(), 3);
  assert.match(await range.explain(), /flights/);
  const { nextOffsets } = await topic.head(7);
  assert.equal(await topic.scan({ start: nextOffsets }).count(), 3);
});

onTargets('partitions are chosen', async (client) => {
  const topic = await wide(client);
  const read = await all(topic.scan({ partitions: [0, 2], value: 'json' }));
  assert.deepEqual(new Set(read.map(({ partition }) => partition)), new Set([0, 2]));
  assert.equal((await topic.scan({ limit: 5 }).collect()).length, 5);
});

onTargets('a scan can be read again and sees new records', async (client) => {
  const topic = await flights(client);
  const scan = topic.scan();
  assert.equal((await all(scan)).length, 10);
  await using producer = client.producer();
  await producer.send({ topic: name('flights'), value: 'new' });
  assert.equal((await all(scan)).length, 11);
});

onTargets('on error raises or nulls or skips', async (client) => {
  const topic = await client.createTopic(name('mixed'));
  await using producer = client.producer();
  await producer.sendBatch(name('mixed'), [
    { value: '{"n": 1}' },
    { value: 'no', key: 'k' },
    { value: '{"n": 2}' },
  ]);
  await assert.rejects(topic.scan({ value: 'json' }).collect(), (error) => {
    assert.ok(error instanceof DecodeError);
    assert.deepEqual([error.topic, error.partition, error.offset], [name('mixed'), 0, 1n]);
    assert.equal(error.value.toString(), 'no');
    return true;
  });
  const nulled = await topic.scan({ value: 'json', onError: 'null' }).collect();
  assert.deepEqual(
    [...nulled].map(({ value }) => value),
    [{ n: 1 }, null, { n: 2 }],
  );
  const skipped = await topic.scan({ value: 'json', onError: 'skip' }).collect();
  assert.deepEqual(
    [...skipped].map(({ value }) => value),
    [{ n: 1 }, { n: 2 }],
  );
});

onTargets('a scan before the start of the log is out of range', async (client) => {
  const topic = await flights(client);
  await client.deleteRecords(name('flights'), 5);
  await rejects(topic.scan({ start: 2 }).collect(), OffsetOutOfRangeError);
});

onTargets('a batch is a list of messages', async (client) => {
  const topic = await flights(client);
  const batch = await topic.head(3);
  assert.equal(batch.length, 3);
  assert.deepEqual(offsets(batch), [0, 1, 2]);
  assert.equal(batch.at(-1).offset, 2n);
  assert.equal(batch.at(3), undefined);
  assert.deepEqual(batch.nextOffsets, [{ ...place(0), offset: 3n }]);
  const { topic: topicName, partition, timestamp, key, value, headers } = batch.at(1);
  assert.deepEqual(
    [topicName, partition, timestamp, key.toString(), value.toString(), headers],
    [name('flights'), 0, 1_000, 'k1', 'v1', []],
  );
  await rejects(batch.commit(), InvalidArgumentError, /scan/);
});

onTargets('messages that are kept stay what they were', async (client) => {
  const count = 1_000;
  const topic = await client.createTopic(name('t'));
  await using producer = client.producer();
  await producer.sendBatch(
    name('t'),
    numbered(count, (n) => ({ value: `${n}` })),
  );
  const batch = await topic.head(count, { value: 'string' });
  const kept = [...batch].filter(({ offset }) => offset % 3n === 0n);
  assert.deepEqual(
    kept.map(({ value }) => value),
    numbered(count / 3 + 1, (n) => `${n * 3}`),
  );
  const [one, other] = [batch[Symbol.iterator](), batch[Symbol.iterator]()];
  assert.equal(one.next().value.offset, other.next().value.offset);
  assert.equal(one.next().value.offset, 1n);
  await using consumer = client.consumer({ topics: name('t'), autoOffsetReset: 'earliest' });
  const some = await first(consumer, count);
  assert.deepEqual(
    some.map(({ offset }) => Number(offset)),
    numbered(count, (n) => n),
  );
});

onTargets('a batch crosses as Arrow IPC', async (client) => {
  const topic = await flights(client);
  const batch = await topic.head(4, { value: 'string' });
  const table = arrow.tableFromIPC(batch.toArrowIPC());
  assert.deepEqual(
    table.schema.fields.map(({ name }) => name),
    ['partition', 'offset', 'timestamp', 'key', 'value', 'headers'],
  );
  assert.deepEqual([...table.getChild('value')], ['v0', 'v1', 'v2', 'v3']);
  assert.deepEqual([...batch.toArrow().getChild('offset')], [0n, 1n, 2n, 3n]);
});

onTargets('a column that was not read is an error with its name', async (client) => {
  const topic = await flights(client);
  const batch = await topic.head(1, { columns: ['offset', 'value'] });
  assert.equal(batch.at(0).offset, 0n);
  assert.throws(() => batch.at(0).key, /`key`.*columns/);
  assert.throws(() => batch.at(0).headers, /`headers`.*columns/);
});

onTargets('messages outlive their batch and their client', async (client) => {
  const topic = await flights(client);
  const message = (await topic.head(1)).at(0);
  await client.close();
  globalThis.gc?.();
  assert.equal(message.value.toString(), 'v0');
  assert.equal(message.value, message.value);
});

onTargets('an aborted read is an AbortError, and nothing is lost', async (client) => {
  const topic = await flights(client);
  const reason = new Error('enough');
  await assert.rejects(topic.head(1, { signal: AbortSignal.abort(reason) }), (error) => {
    assert.ok(error instanceof AbortError);
    assert.deepEqual([error.name, error.code, error.cause], ['AbortError', 'ABORT_ERR', reason]);
    return true;
  });
  assert.equal((await topic.head(1)).length, 1);
});

onTargets('a stream yields the messages of a scan', async (client) => {
  const topic = await flights(client);
  const read = [];
  for await (const message of topic.scan({ value: 'string' }).readable()) {
    read.push(message.value);
  }
  assert.deepEqual(
    read,
    numbered(10, (n) => `v${n}`),
  );
});

onTargets('json is typed by a schema or inferred', async (client) => {
  const topic = await wide(client);
  const formats = { value: 'json', schema: { n: 'int16', p: 'float' }, unnest: true };
  const table = (await topic.scan(formats).collect()).toArrow();
  const types = table.schema.fields.map(({ name, type }) => [name, String(type)]);
  assert.deepEqual(types.slice(4, 6), [
    ['n', 'Int16'],
    ['p', 'Float64'],
  ]);
});

const { Field, Schema } = arrow;
const required = createRequire(import.meta.url)('apache-arrow');
const SCHEMAS = {
  text: { n: 'int64' },
  'apache-arrow schema': new Schema([new Field('n', new arrow.Int64(), true)]),
  'schema of the other copy of apache-arrow': new required.Schema([
    new required.Field('n', new required.Int64(), true),
  ]),
};

for (const [form, schema] of Object.entries(SCHEMAS)) {
  onTargets(`schemas come in many forms: ${form}`, async (client) => {
    const topic = await wide(client);
    const batch = await topic
      .scan({ value: 'json', schema, unnest: true, columns: ['n'] })
      .collect();
    assert.deepEqual(Object.keys(columns(batch)), ['n']);
    assert.equal(
      columns(batch).n.reduce((sum, n) => sum + n, 0n),
      3n * (0n + 1n + 2n + 3n),
    );
    assert.deepEqual(batch.at(3).value, { n: 3n });
  });
}

onTargets('nested schemas are objects and lists', async (client) => {
  const topic = await client.createTopic(name('nested'));
  await using producer = client.producer();
  await producer.send({ topic: name('nested'), value: '{"a": {"b": 1}, "c": [1.5, 2]}' });
  const schema = { a: { b: 'int32' }, c: ['float64'] };
  const batch = await topic.scan({ value: 'json', schema, unnest: true }).collect();
  const { a, c } = columns(batch);
  assert.deepEqual([a[0].toJSON(), [...c[0]]], [{ b: 1 }, [1.5, 2]]);
});

onTargets('every type of apache-arrow that has a dtype is read as itself', async (client) => {
  const topic = await client.createTopic(name('types'));
  const types = {
    i: new arrow.Uint32(),
    f: new arrow.Float32(),
    s: new arrow.LargeUtf8(),
    t: new arrow.TimestampNanosecond('UTC'),
    d: new arrow.DateDay(),
    m: new arrow.Decimal(2, 9),
    l: new arrow.List(
      new Field('item', new arrow.Struct([new Field('b', new arrow.Bool(), true)]), true),
    ),
  };
  const schema = new Schema(
    Object.entries(types).map(([name, type]) => new Field(name, type, true)),
  );
  const batch = await topic.scan({ value: 'json', schema, unnest: true }).collect();
  const read = batch.toArrow().schema.fields.filter(({ name }) => name in types);
  assert.deepEqual(
    read.map(({ name, type }) => [name, String(type)]),
    Object.entries(types).map(([name, type]) => [name, String(type)]),
  );
  const union = new arrow.SparseUnion([0], [new Field('a', new arrow.Int8(), true)]);
  assert.throws(
    () => topic.scan({ value: 'json', schema: new Schema([new Field('u', union, true)]) }),
    /`u`.*Union/,
  );
});

onTargets('values become JavaScript objects', async (client) => {
  const topic = await client.createTopic(name('t'));
  await using producer = client.producer();
  await producer.send({
    topic: name('t'),
    value: `{"i": 1, "big": 9007199254740993, "u": 18446744073709551615, "f": 1.5, "s": "a\\"b", "b": true, "n": null,
      "l": [1, null], "o": {"x": "y", "bytes": "007f"}, "m": "0.10", "t": "2013-01-01T00:00:00.000001Z", "other": 1}`,
  });
  await producer.send({ topic: name('t'), value: null });
  const schema = {
    i: 'int8',
    big: 'int64',
    u: 'uint64',
    f: 'float64',
    s: 'string',
    b: 'bool',
    n: 'int64',
    l: ['int64'],
    o: { x: 'string', bytes: 'binary' },
    m: 'decimal(20, 2)',
    t: 'timestamp[us, UTC]',
  };
  const expected = {
    i: 1,
    big: 9_007_199_254_740_993n,
    u: 18_446_744_073_709_551_615n,
    f: 1.5,
    s: 'a"b',
    b: true,
    n: null,
    l: [1n, null],
    o: { x: 'y', bytes: Buffer.from([0, 127]) },
    m: '0.10',
    t: '2013-01-01T00:00:00.000001Z',
  };
  const batch = await topic.head(2, { value: 'json', schema });
  assert.deepEqual(batch.at(0).value, expected);
  assert.equal(batch.at(1).value, null);
  const [unnested] = await topic.tail(2, { value: 'json', schema, unnest: true });
  assert.deepEqual(unnested.value, expected);
  const inferred = await topic.head(1, {
    value: 'json',
    unnest: true,
    columns: ['offset', 'i', 'l'],
  });
  assert.deepEqual(inferred.at(0).value, { i: 1, l: [1, null] });
  const few = await topic.head(1, { value: 'json', schema, unnest: true, columns: ['offset'] });
  assert.throws(() => few.at(0).value, /`value`.*columns/);
});

onTargets('a schema decides which records are read', async (client) => {
  const topic = await client.createTopic(name('mixed'));
  await using producer = client.producer();
  await producer.sendBatch(name('mixed'), [
    { value: '{"a": 1}' },
    { value: '{' },
    { value: '{"a": 3}' },
  ]);
  const formats = { value: 'json', schema: { a: 'int64' } };
  await rejects(topic.scan(formats).collect(), DecodeError, /offset 1/);
  const read = (onError) => topic.scan({ ...formats, unnest: true, onError }).collect();
  assert.deepEqual(columns(await read('null')).a, [1n, null, 3n]);
  assert.deepEqual(columns(await read('skip')).offset, [0n, 2n]);
  assert.equal(await topic.scan({ ...formats, onError: 'skip' }).count(), 2);
  assert.match(await topic.scan({ ...formats, columns: ['offset'] }).explain(), /mixed/);
});

onTargets('progress is told up to the end', async (client) => {
  const topic = await wide(client);
  const told = [];
  const scan = topic.scan({ progress: (progress) => told.push(progress) });
  assert.equal((await scan.collect()).length, 12);
  assert.deepEqual(told.at(-1), { recordsDone: 12, recordsTotal: 12 });
  assert.deepEqual(
    told,
    told.toSorted((a, b) => a.recordsDone - b.recordsDone),
  );
  const collected = told.splice(0).length;
  assert.equal((await all(scan)).length, 12);
  assert.equal(told.length, collected);
  assert.deepEqual(told.at(-1), { recordsDone: 12, recordsTotal: 12 });
});

onTargets('an error in progress stops the scan', async (client) => {
  const topic = await wide(client);
  const scan = topic.scan({
    progress: () => {
      throw new TypeError('enough');
    },
  });
  await rejects(scan.collect(), TypeError, /enough/);
  await rejects(all(scan), TypeError, /enough/);
  const later = topic.scan({ progress: async () => Promise.reject(new TypeError('later')) });
  await rejects(later.collect(), TypeError, /later/);
});

test('dropped batches are freed without being asked for it', { timeout: PATIENCE }, async () => {
  await using client = await open(null, ENGINE);
  const topic = await client.createTopic('large');
  await using producer = client.producer({ compressionType: 'zstd' });
  await producer.sendBatch(
    'large',
    numbered(64, () => ({ value: Buffer.alloc(64 << 10, 'v') })),
  );
  let most = 0;
  const before = process.memoryUsage.rss();
  for (let n = 0; n < 400; n++) {
    assert.equal((await topic.head(64)).length, 64);
    most = Math.max(most, process.memoryUsage.rss());
  }
  // Of 1.6 GiB that were read. Batches that are not reported to V8 make it 1.2 GiB.
  assert.ok(most - before < 512 << 20, `${(most - before) >> 20} MiB`);
});
