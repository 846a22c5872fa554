// What console.log() shows of the objects of the package.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { open } from 'headwater';
import { directory, ENGINE, memberOf, numbered, PATIENCE, until } from './support.mjs';

const OPTIONS = { timeout: PATIENCE };

test('a client shows its place and its topics', OPTIONS, async (context) => {
  const path = await directory(context);
  const client = await open(path);
  assert.equal(inspect(client), `Client('${path}', 0 topics)`);
  await client.createTopic('one');
  assert.equal(inspect(client), `Client('${path}', 1 topic)`);
  await client.close();
  assert.equal(inspect(client), 'Client(closed)');
  await using memory = await open(null);
  assert.equal(inspect(memory), 'Client(in memory, 0 topics)');
  await using server = await memory.serve({ port: 0 });
  assert.equal(inspect(server), `Server('${server.address}')`);
});

test('a connected client shows its addresses', OPTIONS, async () => {
  const { connect } = await import('headwater');
  await using engine = await open(null);
  await using server = await engine.serve({ port: 0 });
  await using client = await connect([server.address]);
  assert.equal(inspect(client), `Client('${server.address}')`);
});

test('topics and scans show their names and ranges', OPTIONS, async () => {
  await using client = await open(null);
  const topic = await client.createTopic('orders', { partitions: 3 });
  assert.equal(inspect(topic), "Topic('orders')");
  assert.equal(inspect(topic.scan()), "Scan('orders', earliest to latest)");
  assert.equal(inspect(topic.scan({ start: 5n })), "Scan('orders', offset 5 to latest)");
  const schema = await topic.scan({ columns: ['offset'] }).schema();
  assert.equal(inspect(schema), 'TableSchema(offset: Int64)');
  assert.equal(inspect(client.producer({ value: 'json' })), 'Producer(key: bytes, value: json)');
});

test('a consumer shows its group, its topics and its partitions', OPTIONS, async () => {
  await using client = await open(null, ENGINE);
  await client.createTopic('orders', { partitions: 4 });
  const consumer = client.consumer({ ...memberOf('classic'), groupId: 'g', topics: 'orders' });
  assert.equal(inspect(consumer), "Consumer(group 'g', [ 'orders' ], 0 partitions)");
  await until(async () => {
    await consumer.poll({ timeoutMs: 20 });
    return (await consumer.assignment()).length === 4;
  });
  assert.equal(inspect(consumer), "Consumer(group 'g', [ 'orders' ], 4 partitions)");
  // Also while a call waits.
  const waiting = consumer.poll({ timeoutMs: 200 });
  assert.equal(inspect(consumer), "Consumer(group 'g', [ 'orders' ], 4 partitions)");
  await waiting;
  await consumer.close();
  assert.equal(inspect(consumer), 'Consumer(closed)');
  await using other = client.consumer({ groupId: 'h', topics: /ord.*/ });
  assert.equal(inspect(other), "Consumer(group 'h', /ord.*/, 0 partitions)");
  await using alone = client.consumer();
  await alone.assign([{ topic: 'orders', partition: 1 }]);
  assert.equal(inspect(alone), "Consumer([ 'orders' ], 1 partition)");
});

test('a batch shows its first messages', OPTIONS, async () => {
  await using client = await open(null);
  const topic = await client.createTopic('orders');
  assert.equal(inspect(await topic.head()), 'Batch(0 records)');
  await using producer = client.producer();
  await producer.sendBatch(
    'orders',
    numbered(1_200, (n) => ({ key: `k${n}`, value: `v${n}` })),
  );
  const shown = inspect(await topic.head(1_200, { key: 'string', value: 'string' }));
  assert.match(shown, /^Batch\(1,200 records\) \[\n {2}Message \{/);
  assert.match(shown, /value: 'v4'/);
  assert.doesNotMatch(shown, /value: 'v5'/);
  assert.match(shown, /\n {2}\.\.\. 1,195 more records\n\]$/);
  const one = inspect(await topic.head(1, { columns: ['offset', 'value'], value: 'string' }));
  assert.match(one, /offset: 0n/);
});
