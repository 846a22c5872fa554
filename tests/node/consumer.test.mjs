// Consuming: the cases of tests/python/test_consumer.py.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AbortError,
  ClosedError,
  DecodeError,
  InvalidArgumentError,
  OffsetOutOfRangeError,
  UnknownTopicOrPartitionError,
  WakeupError,
} from 'headwater';
import {
  fill,
  first,
  flights,
  name,
  numbered,
  offsets,
  onTargets,
  place,
  rejects,
  turnsDuring,
  values,
} from './support.mjs';

const at = (offset) => [{ ...place(0), offset }];

/** A test with a consumer of ten records. */
function reading(title, run) {
  onTargets(title, async (client) => {
    const topic = await flights(client);
    await using consumer = client.consumer({
      topics: name('flights'),
      autoOffsetReset: 'earliest',
    });
    await run(consumer, client, topic);
  });
}

/** Messages of one letter. */
function alike(count) {
  return numbered(count, () => ({ value: 'x' }));
}

async function sizes(batches) {
  const read = [];
  for await (const batch of batches) {
    read.push(batch.length);
  }
  return read;
}

reading('poll returns each record once', async (consumer) => {
  assert.deepEqual(offsets(await consumer.poll({ maxRecords: 4 })), [0, 1, 2, 3]);
  assert.deepEqual(offsets(await consumer.poll()), [4, 5, 6, 7, 8, 9]);
  assert.equal((await consumer.poll({ timeoutMs: 0 })).length, 0);
});

onTargets('the default start is the end', async (client) => {
  await flights(client);
  await using consumer = client.consumer({ topics: [name('flights')] });
  await using producer = client.producer();
  assert.equal((await consumer.poll({ timeoutMs: 0 })).length, 0);
  await producer.send({ topic: name('flights'), value: 'new' });
  assert.deepEqual(values(await consumer.poll({ timeoutMs: 10_000 })), ['new']);
});

reading('poll waits for new records', async (consumer, client) => {
  await consumer.seek('latest');
  await using producer = client.producer();
  const waiting = consumer.poll({ timeoutMs: 60_000 });
  await sleep(50);
  await producer.send({ topic: name('flights'), value: 'new' });
  assert.deepEqual(values(await waiting), ['new']);
});

reading('positions move and lag shrinks', async (consumer) => {
  assert.deepEqual(await consumer.position(), at(0n));
  assert.deepEqual(await consumer.lag(), [{ ...place(0), lag: 10n }]);
  const batch = await consumer.poll({ maxRecords: 4 });
  assert.deepEqual(await consumer.position(), at(4n));
  assert.deepEqual(batch.nextOffsets, at(4n));
  assert.deepEqual(await consumer.lag(), [{ ...place(0), lag: 6n }]);
});

reading('seek goes to any position', async (consumer) => {
  await consumer.seek(7n);
  assert.deepEqual(offsets(await consumer.poll()), [7, 8, 9]);
  await consumer.seek('earliest');
  assert.deepEqual(await consumer.position(), at(0n));
  await consumer.seek({ ...place(0), offset: 9n });
  assert.deepEqual(offsets(await consumer.poll()), [9]);
  await consumer.seek(new Date(5_000), { partitions: place(0) });
  assert.deepEqual(offsets(await consumer.poll({ maxRecords: 1 })), [5]);
  await consumer.seek('latest');
  assert.deepEqual(await consumer.position(), at(10n));
});

reading('a batch has the next offsets', async (consumer) => {
  const batch = await consumer.poll({ maxRecords: 3 });
  await consumer.seek('latest');
  await consumer.seek(batch.nextOffsets);
  assert.deepEqual(offsets(await consumer.poll({ maxRecords: 1 })), [3]);
});

reading('paused partitions rest', async (consumer) => {
  await consumer.pause({ partitions: [place(0)] });
  assert.deepEqual(await consumer.paused(), [place(0)]);
  assert.equal((await consumer.poll({ timeoutMs: 50 })).length, 0);
  await consumer.resume();
  assert.deepEqual(await consumer.paused(), []);
  assert.equal((await consumer.poll()).length, 10);
});

onTargets('assign names partitions', async (client) => {
  await client.createTopic(name('wide'), { partitions: 3 });
  await using producer = client.producer();
  await Promise.all(
    [0, 1, 2].map((partition) =>
      producer.send({ topic: name('wide'), value: `${partition}`, partition }),
    ),
  );
  await using consumer = client.consumer({ autoOffsetReset: 'earliest' });
  const wide = (partition) => place(partition, 'wide');
  await consumer.assign([wide(1), wide(2)]);
  assert.deepEqual(await consumer.assignment(), [wide(1), wide(2)]);
  const seen = (await first(consumer, 2)).map(({ value }) => value.toString());
  assert.deepEqual(seen.sort(), ['1', '2']);
  await consumer.assign([wide(0), wide(1)]);
  assert.deepEqual(values(await consumer.poll()), ['0']);
  await rejects(consumer.assign([wide(7)]), UnknownTopicOrPartitionError);
});

onTargets('several topics are distinguished', async (client) => {
  await using producer = client.producer();
  const topics = ['a', 'b', 'c'].map(name);
  for (const topic of topics) {
    await client.createTopic(topic);
    await producer.send({ topic, value: topic });
  }
  await using consumer = client.consumer({ topics, autoOffsetReset: 'earliest' });
  const messages = await first(consumer, 3);
  const seen = messages.map(({ topic, value }) => [topic, value.toString()]);
  assert.deepEqual(
    seen.sort(),
    topics.map((topic) => [topic, topic]),
  );
});

reading('batches end at the end', async (consumer) => {
  assert.deepEqual(await sizes(consumer.batches({ maxRecords: 4, until: 'end' })), [4, 4, 2]);
});

reading('iterating yields each message once whatever calls come in between', async (consumer) => {
  const next = async () => Number((await first(consumer, 1))[0].offset);
  const seen = [await next(), await next(), await next()];
  assert.deepEqual(await consumer.position(), at(3n));
  assert.deepEqual(await consumer.lag(), [{ ...place(0), lag: 7n }]);
  seen.push(...offsets(await consumer.poll({ maxRecords: 2 })));
  assert.deepEqual(await consumer.position(), at(5n));
  seen.push(await next());
  await consumer.assign([place(0)]);
  seen.push(await next());
  await consumer.pause();
  await consumer.resume();
  for await (const batch of consumer.batches({ until: 'end' })) {
    seen.push(...offsets(batch));
  }
  assert.deepEqual(
    seen,
    numbered(10, (n) => n),
  );
});

onTargets('the event loop has its turns while messages are iterated', async (client) => {
  const count = 20_000;
  await fill(
    client,
    numbered(count, (n) => `${n}`),
  );
  await using consumer = client.consumer({
    topics: name('flights'),
    autoOffsetReset: 'earliest',
  });
  const turns = await turnsDuring(() => first(consumer, count));
  assert.ok(turns >= 50, `${turns} turns`);
});

reading('two loops share the messages of a consumer', async (consumer) => {
  const read = [];
  const loop = async () => {
    for await (const message of consumer) {
      read.push(Number(message.offset));
      await sleep(1);
      if (read.length >= 10) {
        await consumer.close();
      }
    }
  };
  await Promise.allSettled([loop(), loop()]);
  assert.deepEqual(
    read.sort((a, b) => a - b),
    numbered(10, (n) => n),
  );
});

onTargets('formats are those of a scan', async (client) => {
  await flights(client);
  await using consumer = client.consumer({
    topics: name('flights'),
    key: 'string',
    value: 'string',
    autoOffsetReset: 'earliest',
  });
  const [message] = await first(consumer, 1);
  assert.deepEqual([message.key, message.value], ['k0', 'v0']);
});

onTargets('an offset out of range is an error without a reset rule', async (client) => {
  await flights(client);
  await client.deleteRecords(name('flights'), 5);
  await using consumer = client.consumer({ topics: name('flights'), autoOffsetReset: 'none' });
  await consumer.seek(2);
  await assert.rejects(consumer.poll(), (error) => {
    assert.ok(error instanceof OffsetOutOfRangeError);
    assert.equal(error.code, 'OFFSET_OUT_OF_RANGE');
    return true;
  });
  await consumer.seek(5);
  assert.deepEqual(offsets(await consumer.poll()), [5, 6, 7, 8, 9]);
});

onTargets('a closed consumer reads nothing', async (client) => {
  await flights(client);
  const consumer = client.consumer({ topics: name('flights') });
  await consumer.close();
  await consumer.close();
  await rejects(consumer.poll({ timeoutMs: 0 }), ClosedError, /consumer/);
  await rejects(first(consumer, 1), ClosedError, /consumer/);
});

onTargets('records fetched ahead are neither lost nor repeated', async (client) => {
  const count = 100_000;
  await client.createTopic(name('many'));
  await using producer = client.producer();
  await producer.sendBatch(
    name('many'),
    numbered(count, (n) => ({ value: `${n}` })),
  );
  await using consumer = client.consumer({ topics: name('many'), autoOffsetReset: 'earliest' });
  const seen = [];
  const take = async (n) =>
    seen.push(...(await first(consumer, n)).map(({ offset }) => Number(offset)));
  await take(10);
  assert.deepEqual(await consumer.position(), [{ ...place(0, 'many'), offset: 10n }]);
  assert.deepEqual(await consumer.lag(), [{ ...place(0, 'many'), lag: BigInt(count - 10) }]);
  await take(40_000);
  seen.push(...offsets(await consumer.poll({ maxRecords: 5 })));
  await consumer.pause();
  assert.equal((await consumer.poll({ timeoutMs: 0 })).length, 0);
  await consumer.resume();
  await take(40_000);
  await consumer.assign([place(0, 'many')]);
  for await (const batch of consumer.batches({ until: 'end' })) {
    seen.push(...offsets(batch));
  }
  assert.deepEqual(
    seen,
    numbered(count, (n) => n),
  );
});

onTargets('each stream to the end sees what came since the last', async (client) => {
  await client.createTopic(name('growing'));
  await using producer = client.producer();
  await using consumer = client.consumer({
    topics: name('growing'),
    autoOffsetReset: 'earliest',
  });
  const toTheEnd = () => consumer.batches({ until: 'end', maxRecords: 8_000 });
  for (const count of [20_000, 10, 30_000]) {
    await producer.sendBatch(name('growing'), alike(count));
    const { value: batch } = await toTheEnd().next();
    const rest = await sizes(toTheEnd());
    assert.equal(
      rest.reduce((sum, size) => sum + size, batch.length),
      count,
    );
    assert.equal((await consumer.poll({ timeoutMs: 0 })).length, 0);
  }
});

onTargets('each iterator has its own end', async (client) => {
  await client.createTopic(name('growing'));
  await using producer = client.producer();
  await producer.sendBatch(name('growing'), alike(20_000));
  await using consumer = client.consumer({
    topics: name('growing'),
    autoOffsetReset: 'earliest',
  });
  const toTheEnd = () => consumer.batches({ until: 'end', maxRecords: 8_000 });
  const next = async (batches) => (await batches.next()).value.length;
  const early = toTheEnd();
  assert.equal(await next(early), 8_000);
  await producer.sendBatch(name('growing'), alike(5_000));
  await consumer.seek(0);
  const late = toTheEnd();
  assert.deepEqual([await next(late), await next(early), await next(late)], [8_000, 8_000, 8_000]);
  assert.deepEqual(await sizes(early), []);
  assert.deepEqual(await sizes(late), [1_000]);
  assert.deepEqual(await sizes(toTheEnd()), []);
});

onTargets('without a rule the caller says where to start', async (client) => {
  await flights(client);
  await using consumer = client.consumer({ topics: name('flights'), autoOffsetReset: 'none' });
  await rejects(consumer.poll({ timeoutMs: 0 }), OffsetOutOfRangeError, /Seek/);
  await rejects(first(consumer, 1), OffsetOutOfRangeError);
  await rejects(consumer.position(), OffsetOutOfRangeError);
  await consumer.seek(3);
  assert.equal((await first(consumer, 1))[0].offset, 3n);
});

for (const limits of [
  { maxRecords: 0 },
  { maxBytes: 0 },
  { maxRecords: -1 },
  { maxBytes: 1.5 },
  { maxWaitMs: -1 },
  { until: 'noon' },
]) {
  const [option] = Object.keys(limits);
  reading(`limits that let nothing through are refused: ${JSON.stringify(limits)}`, (consumer) => {
    const snake = option.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    assert.throws(() => consumer.batches(limits), new RegExp(`${option}|${snake}`));
  });
}

onTargets('an unknown topic fails at the first read', async (client) => {
  await using consumer = client.consumer({ topics: name('nowhere') });
  await rejects(consumer.poll(), UnknownTopicOrPartitionError, /nowhere/);
});

onTargets('added partitions are read', async (client) => {
  await client.createTopic(name('wide'));
  await using consumer = client.consumer({ topics: name('wide') });
  await using producer = client.producer();
  assert.equal((await consumer.poll({ timeoutMs: 0 })).length, 0);
  await client.alterTopic(name('wide'), { partitions: 3 });
  await Promise.all(
    [0, 1, 2].map((partition) =>
      producer.send({ topic: name('wide'), value: `${partition}`, partition }),
    ),
  );
  assert.deepEqual(
    (await consumer.lag()).map(({ lag }) => lag),
    [1n, 1n, 1n],
  );
  const seen = [];
  for await (const batch of consumer.batches({ until: 'end' })) {
    seen.push(...values(batch));
  }
  assert.deepEqual(seen.sort(), ['0', '1', '2']);
});

const READS = {
  poll: (consumer) => consumer.poll({ timeoutMs: 60_000 }),
  messages: (consumer) => first(consumer, 1),
  batches: (consumer) => consumer.batches().next(),
};
const ENDS = {
  wakeup: [(consumer) => consumer.wakeup(), WakeupError],
  close: [(consumer) => consumer.close(), ClosedError],
  'client.close': [(_consumer, client) => client.close(), ClosedError],
};
for (const [how, read] of Object.entries(READS)) {
  for (const [end, [interrupt, expected]] of Object.entries(ENDS)) {
    onTargets(`a waiting reader is ended: ${how}, ${end}`, async (client) => {
      await flights(client);
      const consumer = client.consumer({
        topics: name('flights'),
        fetchMaxWaitMs: 2_000,
      });
      const waiting = rejects(read(consumer), expected);
      await sleep(50);
      const started = performance.now();
      await interrupt(consumer, client);
      await waiting;
      assert.ok(performance.now() - started < 30_000);
      if (end === 'wakeup') {
        await consumer.seek('earliest');
        // The broker may first respond to the earlier fetch.
        assert.equal((await consumer.poll({ timeoutMs: 30_000 })).length, 10);
        await consumer.close();
      } else {
        await rejects(read(consumer), ClosedError);
      }
    });
  }
  reading(`an abort ends a wait and loses nothing: ${how}`, async (consumer) => {
    await consumer.seek('latest');
    const abort = new AbortController();
    const options = { signal: abort.signal, timeoutMs: 60_000 };
    const waiting = {
      poll: () => consumer.poll(options),
      messages: () => consumer.messages({ signal: abort.signal }).next(),
      batches: () => consumer.batches({ signal: abort.signal }).next(),
    }[how]();
    setTimeout(() => abort.abort(new Error('enough')), 20);
    await rejects(waiting, AbortError);
    await consumer.seek(3);
    assert.deepEqual(offsets(await consumer.poll()), [3, 4, 5, 6, 7, 8, 9]);
  });
}

onTargets('a reader that was woken reads elsewhere at once', async (client) => {
  await flights(client);
  await using consumer = client.consumer({ topics: name('flights'), fetchMaxWaitMs: 60_000 });
  const waiting = rejects(consumer.poll({ timeoutMs: 60_000 }), WakeupError);
  await sleep(100);
  consumer.wakeup();
  await waiting;
  await consumer.seek('earliest');
  const { length } = await consumer.poll();
  assert.equal(length, 10, 'one fetch waits, and no other is sent');
});

reading('a wakeup is not lost between two calls', async (consumer) => {
  const messages = consumer.messages();
  assert.equal((await messages.next()).value.offset, 0n);
  consumer.wakeup();
  await rejects(messages.next(), WakeupError);
  assert.equal((await messages.next()).value.offset, 1n);
});

reading('a loop that was left continues at its position', async (consumer) => {
  for await (const message of consumer) {
    if (message.offset === 3n) {
      break;
    }
  }
  for await (const message of consumer.readable()) {
    assert.equal(message.offset, 4n);
    break;
  }
});

onTargets('a message of JSON is what JSON.parse gives', async (client) => {
  await client.createTopic(name('t'));
  await using producer = client.producer();
  const texts = ['{"a": 1}', '[1, "x"]', '"text"', '12.5', 'null', '{"a": {"b": [true]}}'];
  await producer.sendBatch(
    name('t'),
    texts.map((value) => ({ value })),
  );
  await using consumer = client.consumer({
    topics: name('t'),
    value: 'json',
    autoOffsetReset: 'earliest',
  });
  const read = await first(consumer, texts.length);
  assert.deepEqual(
    read.map(({ value }) => value),
    texts.map((value) => JSON.parse(value)),
  );
});

onTargets('a decode error comes after what was before it and can be passed', async (client) => {
  await client.createTopic(name('t'));
  await using producer = client.producer();
  await producer.sendBatch(name('t'), [
    { value: '{"n": 0}' },
    { value: 'no' },
    { value: '{"n": 2}' },
  ]);
  await using consumer = client.consumer({
    topics: name('t'),
    value: 'json',
    autoOffsetReset: 'earliest',
  });
  const messages = consumer.messages();
  assert.deepEqual((await messages.next()).value.value, { n: 0 });
  const error = await messages.next().catch((error) => error);
  assert.ok(error instanceof DecodeError);
  const { topic, partition, offset } = error;
  assert.deepEqual([topic, partition, offset, `${error.value}`], [name('t'), 0, 1n, 'no']);
  await consumer.seek({ topic, partition, offset: offset + 1n });
  assert.deepEqual((await messages.next()).value.value, { n: 2 });
});

reading('wrong arguments are errors with their name', async (consumer) => {
  for (const [call, pattern] of [
    [() => consumer.poll({ timeout: 1 }), /no option `timeout`.*timeoutMs/],
    [() => consumer.poll({ maxRecords: 0 }), /max_records|maxRecords/],
    [() => consumer.poll({ signal: {} }), /signal must be an AbortSignal/],
    [() => consumer.seek(-1), /to is -1: offsets start at 0/],
    [() => consumer.seek('noon'), /noon/],
    [() => consumer.seek([place(0)]), /offset/],
    [() => consumer.pause({ partitions: [0] }), /partitions\[0\]/],
    [() => consumer.assign([{ ...place(0), partition: 1.5 }]), /partition/],
    [() => consumer.commit('all'), /what\[0\]/],
    [() => consumer.run({}), /eachMessage or eachBatch/],
    [() => consumer.run({ eachMessage: 1 }), /eachMessage must be a function/],
  ]) {
    await rejects(call(), InvalidArgumentError, pattern);
  }
  assert.throws(() => consumer.on('rebalance', () => {}), /event must be "assign"/);
});

reading('an iteration whose signal is aborted skips no message', async (consumer) => {
  const abort = new AbortController();
  const messages = consumer.messages({ signal: abort.signal });
  assert.equal((await messages.next()).value.offset, 0n);
  abort.abort();
  await rejects(messages.next(), AbortError);
  await rejects(messages.next(), AbortError);
  assert.deepEqual(offsets(await first(consumer, 2)), [1, 2]);
});

onTargets('a schema types the messages of a consumer', async (client) => {
  const topic = await client.createTopic(name('json'));
  await using producer = client.producer();
  await producer.sendBatch(
    name('json'),
    numbered(600, (n) => ({
      value: `{"n": ${9_007_199_254_740_993n + BigInt(n)}, "s": ["${n}"]}`,
    })),
  );
  const expected = numbered(600, (n) => ({ n: 9_007_199_254_740_993n + BigInt(n), s: [`${n}`] }));
  for (const unnest of [false, true]) {
    await using consumer = client.consumer({
      topics: topic.name,
      value: 'json',
      schema: { n: 'int64', s: ['string'] },
      unnest,
      autoOffsetReset: 'earliest',
    });
    const polled = [];
    while (polled.length < 600) {
      polled.push(...[...(await consumer.poll({ maxRecords: 7 }))].map(({ value }) => value));
    }
    assert.deepEqual(polled, expected);
    await consumer.seek('earliest');
    const messages = (await first(consumer, 600)).map(({ value }) => value);
    assert.deepEqual(messages, expected);
  }
});

onTargets('each batch of json is inferred for itself and loses no key', async (client) => {
  const topic = await client.createTopic(name('json'));
  await using producer = client.producer();
  await producer.sendBatch(
    name('json'),
    ['{}', '{"a": 1}', '{"a": 1.5, "b": []}', '{"c": 1}', '{"late": true}'].map((value) => ({
      value,
    })),
  );
  const names = (batch) => batch.toArrow().schema.fields.map(({ name }) => name);
  await using consumer = client.consumer({
    topics: topic.name,
    value: 'json',
    unnest: true,
    autoOffsetReset: 'earliest',
  });
  const record = ['partition', 'offset', 'timestamp', 'key', 'headers'];
  assert.deepEqual(names(await consumer.poll({ maxRecords: 1 })), record);
  const typed = await consumer.poll({ maxRecords: 2 });
  assert.equal(String(typed.toArrow().getChild('a').type), 'Float64');
  assert.deepEqual(
    [...typed].map(({ value }) => value),
    [{ a: 1 }, { a: 1.5, b: [] }],
  );
  const late = await consumer.poll();
  assert.deepEqual(
    names(late).filter((name) => !record.includes(name)),
    ['c', 'late'],
  );
});
