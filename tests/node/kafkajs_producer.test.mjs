// The producer of the adapter: what it sends, and what it refuses.

import assert from 'node:assert/strict';
import {
  CompressionTypes,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
  KafkaJSProtocolError,
} from 'headwater/kafkajs';
import {
  consumeUntil,
  fill,
  onAdapter,
  onAll,
  onServed,
  producerOf,
  settlesSoon,
  text,
} from './kafkajs_support.mjs';
import { numbered, rejects } from './support.mjs';

onAdapter('all four codecs without a plugin', async ({ kafka }) => {
  const producer = await fill(kafka, 'flights', []);
  const value = 'x'.repeat(10_000);
  const codecs = ['None', 'GZIP', 'Snappy', 'LZ4', 'ZSTD'];
  for (const codec of codecs) {
    await producer.send({
      topic: 'flights',
      compression: CompressionTypes[codec],
      messages: [
        { key: codec, value },
        { key: codec, value },
      ],
    });
  }
  const keys = [];
  await consumeUntil(kafka.consumer({ groupId: 'g' }), ['flights'], () => keys.length === 10, {
    eachMessage: async ({ message }) => {
      assert.equal(text(message.value), value);
      keys.push(text(message.key));
    },
  });
  assert.deepEqual(
    keys,
    codecs.flatMap((codec) => [codec, codec]),
  );
});

onServed('a codec makes the log smaller', async ({ kafka, engine }) => {
  const producer = await fill(kafka, 'flights', []);
  const sizeOf = async () => (await engine.topic('flights').describe())[0].sizeBytes;
  const messages = numbered(100, () => ({ value: 'x'.repeat(1_000) }));
  await producer.send({ topic: 'flights', messages, compression: CompressionTypes.ZSTD });
  const size = await sizeOf();
  assert.ok(size > 0 && size < 20_000, `${size} bytes`);
});

const BAD_MESSAGES = {
  'a missing value': [{ key: 'k' }, /messages\[0\]\.value is undefined/],
  'a number as a value': [{ value: 5 }, /messages\[0\]\.value must be a Buffer/],
  'a number as a key': [{ key: 5, value: '' }, /messages\[0\]\.key must be a Buffer/],
  'a lone surrogate': [{ value: '\ud800' }, /messages\[0\]\.value has a lone surrogate/],
  'an undefined header': [
    { value: '', headers: { gate: undefined } },
    /messages\[0\]\.headers\.gate is undefined/,
  ],
  'a number as a header': [
    { value: '', headers: { gate: 7 } },
    /messages\[0\]\.headers\.gate must be a Buffer/,
  ],
  'headers as text': [{ value: '', headers: 'x' }, /messages\[0\]\.headers must be an object/],
  'NaN as a timestamp': [
    { value: '', timestamp: Number.NaN },
    /messages\[0\]\.timestamp is NaN: it must be milliseconds/,
  ],
  'NaN as a timestamp in text': [{ value: '', timestamp: 'NaN' }, /timestamp is NaN/],
  'a negative timestamp': [{ value: '', timestamp: '-1' }, /timestamp is -1/],
  'half a partition': [{ value: '', partition: 0.5 }, /messages\[0\]\.partition is 0\.5/],
  'no message': [null, /messages\[0\] for topic "flights" must be an object/],
};

for (const [name, [message, pattern]] of Object.entries(BAD_MESSAGES)) {
  onServed(`${name} is refused by name, and nothing is sent`, async ({ kafka, engine }) => {
    const producer = await fill(kafka, 'flights', []);
    const sent = producer.sendBatch({
      topicMessages: [
        { topic: 'other', messages: [{ value: 'good' }] },
        { topic: 'flights', messages: [message] },
      ],
    });
    await rejects(sent, KafkaJSNonRetriableError, pattern);
    assert.deepEqual(
      (await engine.topics()).map((topic) => topic.name),
      ['flights'],
    );
  });
}

onAdapter(
  'null headers, empty values and repeated names are sent as they are',
  async ({ kafka }) => {
    const producer = await fill(kafka, 'flights', []);
    const headers = { none: null, empty: '', tags: ['a', 'b'], ['__proto__']: 'odd' };
    await producer.send({ topic: 'flights', messages: [{ value: '', headers }, { value: null }] });
    await producer.send({ topic: 'flights', messages: [{ value: 'x', headers: null }] });
    const messages = [];
    await consumeUntil(kafka.consumer({ groupId: 'g' }), ['flights'], () => messages.length === 3, {
      eachMessage: async ({ message }) => messages.push(message),
    });
    const [first, second, third] = messages;
    assert.deepEqual(
      [first, second, third].map(({ value }) => text(value)),
      ['', null, 'x'],
    );
    assert.deepEqual(Object.keys(first.headers).sort(), ['__proto__', 'empty', 'none', 'tags']);
    assert.equal(first.headers.none, null);
    assert.equal(text(first.headers.empty), '');
    assert.deepEqual(first.headers.tags.map(text), ['a', 'b']);
    assert.deepEqual([second.headers, third.headers], [{}, {}]);
  },
);

onAdapter('a partition that does not exist is a typed error, not lost', async ({ kafka }) => {
  const producer = await fill(kafka, 'flights', [], 2);
  const messages = [{ value: 'x', partition: 99 }];
  await assert.rejects(producer.send({ topic: 'flights', messages }), (error) => {
    assert.ok(error instanceof KafkaJSProtocolError, error.name);
    assert.deepEqual(
      [error.type, error.code, error.retriable],
      ['UNKNOWN_TOPIC_OR_PARTITION', 3, true],
    );
    assert.match(error.message, /99/);
    return true;
  });
});

onAll('a topic that may not be created is an error', async ({ kafka }) => {
  const producer = await producerOf(kafka, {
    allowAutoTopicCreation: false,
    retry: { retries: 1, initialRetryTime: 10 },
  });
  await assert.rejects(producer.send({ topic: 'nowhere', messages: [{ value: 'x' }] }));
});

onAll(
  'a producer that is not connected refuses, and can connect again',
  async ({ kafka, library }) => {
    const producer = kafka.producer();
    const send = () => producer.send({ topic: 'flights', messages: [{ value: 'x' }] });
    const isRefusal = (error) => {
      assert.ok(error instanceof library.KafkaJSError);
      assert.equal(error.message, 'The producer is disconnected');
      return true;
    };
    await assert.rejects(send(), isRefusal);
    for (let round = 0; round < 2; round++) {
      await producer.connect();
      // kafkajs may write a record twice when it has connected again.
      assert.ok(Number((await send())[0].baseOffset) >= round);
      await producer.disconnect();
      await assert.rejects(send(), isRefusal);
    }
  },
);

onAdapter(
  'disconnecting with sends in flight settles them, and loses nothing',
  async ({ kafka, engine }) => {
    const producer = await fill(kafka, 'flights', []);
    const sends = numbered(100, (n) =>
      producer.send({ topic: 'flights', messages: [{ value: `${n}` }, { value: `${n}` }] }),
    );
    assert.ok(await settlesSoon(producer.disconnect()));
    const results = await Promise.allSettled(sends);
    const written = results.filter(({ status }) => status === 'fulfilled').length;
    assert.equal(written, 100);
    assert.equal(await engine.topic('flights').count(), 200);
  },
);

onAll('an idempotent producer', async ({ kafka, library }) => {
  const producer = await producerOf(kafka, { idempotent: true, maxInFlightRequests: 1 });
  assert.equal(producer.isIdempotent(), true);
  await producer.send({ topic: 'flights', messages: [{ value: 'x' }] });
  const messages = [{ value: 'x' }];
  await assert.rejects(producer.send({ topic: 'flights', messages, acks: 1 }), (error) => {
    assert.ok(error instanceof library.KafkaJSNonRetriableError);
    assert.match(error.message, /Not requiring ack/);
    return true;
  });
  assert.throws(
    () => kafka.producer({ idempotent: true, retry: { retries: 0 } }),
    /must allow retries/,
  );
});

const BAD_SENDS = {
  'no topic': [{ messages: [] }, /Invalid topic/],
  'no messages': [{ topic: 'flights' }, /Invalid messages array \[undefined\]/],
  'acks that do not exist': [{ topic: 'flights', messages: [], acks: 2 }, /acks is 2/],
  'a codec that does not exist': [
    { topic: 'flights', messages: [], compression: 9 },
    /compression is 9/,
  ],
  'a time limit of text': [{ topic: 'flights', messages: [], timeout: 'x' }, /timeout is x/],
  'an unknown option': [
    { topic: 'flights', messages: [], compresion: 1 },
    /no option `compresion`. Did you mean `compression`\?/,
  ],
};

for (const [name, [record, pattern]] of Object.entries(BAD_SENDS)) {
  onServed(`a send with ${name} is refused`, async ({ kafka }) => {
    const producer = await producerOf(kafka);
    await rejects(producer.send(record), KafkaJSNonRetriableError, pattern);
  });
}

onServed('transactions are refused, with the alternative', async ({ kafka }) => {
  for (const options of [{ transactionalId: 'id' }, { transactionTimeout: 1_000 }]) {
    assert.throws(
      () => kafka.producer(options),
      (error) => error instanceof KafkaJSNotImplemented && /idempotent: true/.test(error.message),
    );
  }
  await rejects(kafka.producer().transaction(), KafkaJSNotImplemented, /idempotent: true/);
});

onServed('events of requests are refused, with the alternative', async ({ kafka }) => {
  const producer = kafka.producer();
  assert.throws(
    () => producer.on(producer.events.REQUEST, () => {}),
    (error) => error instanceof KafkaJSNotImplemented && /client\.metrics\(\)/.test(error.message),
  );
  assert.throws(() => producer.on('producer.nothing', () => {}), /Event name should be one of/);
});

onServed('a listener that throws is logged, and harms nothing', async ({ kafkaWith, library }) => {
  const entries = [];
  const kafka = kafkaWith({
    logLevel: library.logLevel.ERROR,
    logCreator: () => (entry) => entries.push(entry.log.message),
  });
  const producer = kafka.producer();
  producer.on(producer.events.CONNECT, () => {
    throw new Error('at once');
  });
  producer.on(producer.events.CONNECT, async () => {
    throw new Error('later');
  });
  const remove = producer.on(producer.events.CONNECT, () => assert.fail('removed'));
  remove();
  await producer.connect();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(entries, [
    'Failed to execute listener: at once',
    'Failed to execute listener: later',
  ]);
});

onServed('the cause of an error is Headwater’s own', async ({ kafka }) => {
  const producer = await fill(kafka, 'flights', []);
  const value = Buffer.alloc(2 << 20);
  await assert.rejects(producer.send({ topic: 'flights', messages: [{ value }] }), (error) => {
    assert.ok(error instanceof KafkaJSError);
    assert.equal(error.type, 'MESSAGE_TOO_LARGE');
    assert.equal(error.cause.constructor.name, 'RecordTooLargeError');
    return true;
  });
});
