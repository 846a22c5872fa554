// An AbortSignal ends every call that waits.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AbortError, connect, open } from 'headwater';
import { directory, fill, memberOf, name, onTargets, place } from './support.mjs';

const reason = new Error('enough');
const aborted = { signal: AbortSignal.abort(reason) };

/** Expects the error of an aborted call. */
function isAborted(call, what) {
  return assert.rejects(call, (error) => {
    assert.ok(error instanceof AbortError, `${what}: ${error}`);
    assert.deepEqual([error.code, error.cause], ['ABORT_ERR', reason], what);
    return true;
  });
}

onTargets('every call that waits ends when its signal is aborted', async (client) => {
  await fill(client, ['{}']);
  const topic = client.topic(name('flights'));
  const batch = await topic.head();
  await using producer = client.producer();
  await using consumer = client.consumer({ ...memberOf('classic'), topics: name('flights') });
  await using alone = client.consumer();
  const calls = {
    createTopic: () => client.createTopic(name('t'), aborted),
    topics: () => client.topics(aborted),
    alterTopic: () => client.alterTopic(name('flights'), { partitions: 2, ...aborted }),
    deleteTopic: () => client.deleteTopic(name('flights'), aborted),
    deleteRecords: () => client.deleteRecords(name('flights'), 'latest', aborted),
    brokerConfig: () => client.brokerConfig(undefined, aborted),
    topicConfig: () => client.topicConfig(name('flights'), aborted),
    groups: () => client.groups(aborted),
    describeGroup: () => client.describeGroup(name('g'), aborted),
    groupOffsets: () => client.groupOffsets(name('g'), aborted),
    resetGroupOffsets: () =>
      client.resetGroupOffsets(name('g'), name('flights'), 'latest', aborted),
    deleteGroup: () => client.deleteGroup(name('g'), aborted),
    describeCluster: () => client.describeCluster(aborted),
    head: () => topic.head(1, aborted),
    tail: () => topic.tail(1, aborted),
    count: () => topic.count(aborted),
    offsets: () => topic.offsets('latest', aborted),
    rate: () => topic.rate('1m', aborted),
    describe: () => topic.describe(aborted),
    partitions: () => topic.partitions(aborted),
    sizeBytes: () => topic.sizeBytes(aborted),
    config: () => topic.config(aborted),
    'scan.collect': () => topic.scan().collect(aborted),
    'scan.count': () => topic.scan().count(aborted),
    'scan.explain': () => topic.scan().explain(aborted),
    'scan.schema': () => topic.scan().schema(aborted),
    'an iterated scan': () => topic.scan(aborted)[Symbol.asyncIterator]().next(),
    'a collected scan': () => topic.scan(aborted).collect(),
    'batch.decode': () => batch.decode({ value: 'json', ...aborted }),
    send: () => producer.send({ topic: name('flights'), value: 'x' }, aborted),
    sendBatch: () => producer.sendBatch(name('flights'), [{ value: 'x' }], aborted),
    'sendBatch of Arrow': () => producer.sendBatch(name('flights'), batch.toArrowIPC(), aborted),
    flush: () => producer.flush(aborted),
    poll: () => consumer.poll(aborted),
    batches: () => consumer.batches(aborted).next(),
    messages: () => consumer.messages(aborted).next(),
    readable: () => consumer.readable(aborted).toArray(),
    run: () => consumer.run({ eachMessage: () => {}, ...aborted }),
    assign: () => alone.assign(place(0), aborted),
    assignment: () => consumer.assignment(aborted),
    commit: () => consumer.commit({ ...place(0), offset: 0n }, aborted),
    committed: () => consumer.committed({ partitions: place(0), ...aborted }),
    position: () => consumer.position(aborted),
    lag: () => consumer.lag(aborted),
    seek: () => consumer.seek('earliest', aborted),
    pause: () => consumer.pause(aborted),
    resume: () => consumer.resume(aborted),
    paused: () => consumer.paused(aborted),
  };
  for (const [what, call] of Object.entries(calls)) {
    await isAborted(call(), what);
  }
  assert.equal(await topic.count(), 1, 'nothing was written or deleted');
});

test('an engine that is no longer waited for is closed', async (context) => {
  const path = await directory(context);
  const abort = new AbortController();
  const opening = open(path, { signal: abort.signal });
  abort.abort(reason);
  await isAborted(opening, 'open()');
  await isAborted(open(path, aborted), 'open()');
  await isAborted(connect('127.0.0.1:1', aborted), 'connect()');
  await using client = await open(path);
  assert.equal((await client.topics()).length, 0);
});
