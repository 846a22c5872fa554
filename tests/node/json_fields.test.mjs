// Fields of JSON: names of record columns, what a type does not name, skipped records. Dates, times and durations as
// text. The cases of tests/python/test_json_fields.py and test_durations.py.

import assert from 'node:assert/strict';
import { ConfigError, InvalidArgumentError } from 'headwater';
import { fill, name, onTargets, rejects } from './support.mjs';

const LINES = ['{"a":1,"timestamp":7}', '{"a":2,"b":"x"}', 'no JSON', '{"a":3}'];

/** The values of a column of a table. */
function column(batch, named) {
  return [...batch.toArrow().getChild(named)];
}

onTargets('fields with the name of a record column have a prefix', async (client) => {
  await fill(client, LINES);
  const topic = client.topic(name('flights'));
  const options = { value: 'json', unnest: true, onError: 'skip' };
  const batch = await topic.scan({ ...options, columns: ['offset', 'json_timestamp'] }).collect();
  assert.deepEqual(column(batch, 'json_timestamp'), [7n, null, null]);
  const other = await topic.scan({ ...options, unnestPrefix: 'of_' }).collect();
  assert.deepEqual(column(other, 'of_timestamp'), [7n, null, null]);
  await rejects(topic.head(1, { unnestPrefix: 'of_' }), InvalidArgumentError, /without unnest/);
});

onTargets('the rest is what the type does not name', async (client) => {
  await fill(client, LINES);
  const topic = client.topic(name('flights'));
  const options = { value: 'json', unnest: true, onError: 'skip', rest: 'rest' };
  const inferred = await topic.scan({ ...options, inferRecords: 1 }).collect();
  assert.deepEqual(column(inferred, 'rest'), [null, '{"b":"x"}', null]);
  const schema = { a: 'int64' };
  const declared = await topic.scan({ ...options, schema }).collect();
  assert.deepEqual(column(declared, 'rest'), ['{"timestamp":7}', '{"b":"x"}', null]);
  assert.throws(() => topic.scan({ value: 'json', schema, inferRecords: 1 }), InvalidArgumentError);
  assert.throws(() => topic.scan({ value: 'json', inferRecords: 0 }), InvalidArgumentError);
});

onTargets('skipped records are counted', async (client) => {
  await fill(client, LINES);
  const topic = client.topic(name('flights'));
  const options = { value: 'json', onError: 'skip' };
  const scan = topic.scan(options);
  const batch = await scan.collect();
  assert.deepEqual([batch.length, batch.skipped, scan.skipped], [3, 1, 1]);
  await using consumer = client.consumer({
    topics: name('flights'),
    autoOffsetReset: 'earliest',
    ...options,
  });
  let read = 0;
  while (read < 3) {
    read += (await consumer.poll()).length;
  }
  assert.equal(consumer.skipped, 1);
  const metrics = client.metrics();
  assert.equal(metrics['records-skipped-total'], 2);
  assert.equal(metrics.consumers[0]['records-skipped-total'], 1);
});

onTargets('positions and timestamps are dates and times as text', async (client) => {
  const topic = await client.createTopic(name('times'));
  await using producer = client.producer();
  for (const timestamp of ['2026-01-31', '2026-01-31T10:00:00Z', '2026-02-01T00:00:00+01:00']) {
    await producer.send({ topic: topic.name, value: 'x', timestamp });
  }
  const times = [...(await topic.head())].map((message) => message.timestamp);
  const expected = ['2026-01-31', '2026-01-31T10:00:00Z', '2026-01-31T23:00:00Z'].map(Date.parse);
  assert.deepEqual(times, expected);
  assert.deepEqual(await topic.offsets('2026-01-31T09:00:00Z'), new Map([[0, 1n]]));
  assert.deepEqual(await topic.offsets('2026-02-01'), new Map([[0, 3n]]));
  await rejects(topic.offsets('2026-01-31T09:00:00'), InvalidArgumentError, /no time zone/);
  const naive = { topic: topic.name, value: 'x', timestamp: '2026-01-31T09:00:00' };
  await rejects(producer.send(naive), InvalidArgumentError, /no time zone/);
});

onTargets('durations are taken for milliseconds', async (client) => {
  await client.createTopic(name('a'), { retentionMs: '7d', config: { 'segment.ms': '1h30m' } });
  await using producer = client.producer({ lingerMs: '5ms' });
  await producer.flush();
  const wrong = client.createTopic(name('b'), { segmentBytes: '7d' });
  await assert.rejects(wrong, ConfigError);
});
