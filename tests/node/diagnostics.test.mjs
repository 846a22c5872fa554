// What `node:diagnostics_channel` publishes, and trace contexts in headers with OpenTelemetry.

import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import { after, before, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { tableFromArrays } from 'apache-arrow';
import {
  headersGetter,
  headersSetter,
  InvalidArgumentError,
  UnknownTopicOrPartitionError,
} from 'headwater';
import {
  fill,
  first,
  flights,
  name,
  onTargets,
  place,
  rejects,
  text,
  until,
  values,
} from './support.mjs';

const reader = () => ({ topics: name('flights'), autoOffsetReset: 'earliest' });

/** What is published while a function runs: the names of the steps, and the events. */
async function published(operation, run) {
  const channel = tracingChannel(`headwater:${operation}`);
  const steps = [];
  const subscribers = Object.fromEntries(
    ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map((step) => [
      step,
      (event) => steps.push({ step, event, ...event }),
    ]),
  );
  channel.subscribe(subscribers);
  try {
    await run();
  } finally {
    channel.unsubscribe(subscribers);
  }
  return steps;
}

const named = (steps) => steps.map(({ step }) => step);
const ASYNC = ['start', 'end', 'asyncStart', 'asyncEnd'];
const FAILED = ['start', 'end', 'error', 'asyncStart', 'asyncEnd'];

onTargets('a send publishes its message and where it was written', async (client) => {
  await client.createTopic(name('flights'));
  await using producer = client.producer();
  const steps = await published('produce', async () => {
    await producer.send({ topic: name('flights'), key: 'UA', value: 'late' });
    await turn();
  });
  assert.deepEqual(named(steps), ASYNC);
  assert.equal(new Set(steps.map(({ event }) => event)).size, 1, 'one event in all steps');
  const [start, , , end] = steps;
  assert.deepEqual(
    [start.producer, start.topic, start.result],
    [producer, name('flights'), undefined],
  );
  assert.deepEqual([start.messages[0].key, start.messages[0].value], ['UA', 'late']);
  assert.deepEqual([end.result.partition, end.result.offset], [0, 0n]);
});

onTargets('a batch publishes its messages, and a table none', async (client) => {
  await client.createTopic(name('flights'));
  await using producer = client.producer();
  const rows = [{ value: 'a' }, { value: 'b' }];
  let steps = await published('produce', () => producer.sendBatch(name('flights'), rows));
  assert.deepEqual(
    steps[0].messages.map(({ value }) => value),
    ['a', 'b'],
  );
  assert.equal(steps.at(-1).result.records, 2);
  assert.deepEqual(rows, [{ value: 'a' }, { value: 'b' }], 'the messages of the caller are theirs');
  const table = tableFromArrays({ value: ['c'] });
  steps = await published('produce', () => producer.sendBatch(name('flights'), table));
  assert.deepEqual([steps[0].messages, steps.at(-1).result.records], [undefined, 1]);
});

onTargets('a send that fails publishes its error', async (client) => {
  await client.createTopic(name('flights'));
  await using producer = client.producer({ maxBlockMs: 2_000 });
  for (const [record, kind] of [
    [{ topic: 'nowhere', value: 'x' }, UnknownTopicOrPartitionError],
    [{ topic: name('flights'), value: 7 }, InvalidArgumentError],
    [name('flights'), InvalidArgumentError],
    [undefined, InvalidArgumentError],
    [{ topic: name('flights'), headers: 'x' }, InvalidArgumentError],
  ]) {
    const steps = await published('produce', () => rejects(producer.send(record), kind));
    assert.deepEqual(named(steps).slice(0, 3), FAILED.slice(0, 3));
    assert.ok(steps[2].error instanceof kind);
  }
});

onTargets('a subscriber sets headers, and those of the caller stay as they are', async (client) => {
  const topic = await client.createTopic(name('flights'));
  await using producer = client.producer();
  const channel = tracingChannel('headwater:produce');
  const start = ({ messages }) => {
    for (const { headers } of messages) {
      headersSetter.set(headers, 'trace', 'on');
    }
  };
  const theirs = [['a', 'b']];
  channel.start.subscribe(start);
  try {
    await producer.send({ topic: name('flights'), value: '0' });
    await producer.send({ topic: name('flights'), value: '1', headers: theirs });
    await producer.sendBatch(name('flights'), [{ value: '2', headers: { a: 'b' } }]);
  } finally {
    channel.start.unsubscribe(start);
  }
  await producer.send({ topic: name('flights'), value: '3', headers: theirs });
  const headers = [...(await topic.head(4))].map((message) =>
    message.headers.map(([name, value]) => [name, text(value)]),
  );
  const both = [
    ['a', 'b'],
    ['trace', 'on'],
  ];
  assert.deepEqual(headers, [[['trace', 'on']], both, both, theirs]);
});

onTargets('what is read publishes the messages', async (client) => {
  await flights(client);
  await using consumer = client.consumer(reader());
  let steps = await published('consume', () => consumer.poll({ maxRecords: 2 }));
  assert.deepEqual(named(steps).slice(0, 3), ASYNC.slice(0, 3));
  assert.deepEqual([steps[0].consumer, steps[0].operation], [consumer, 'receive']);
  assert.equal(steps[0].event, steps[2].event);
  assert.deepEqual([steps[0].messages, values(steps[2].messages)], [undefined, ['v0', 'v1']]);

  steps = await published('consume', async () => {
    assert.equal((await first(consumer, 3)).length, 3);
  });
  const read = steps
    .filter(({ step }) => step === 'asyncStart')
    .flatMap(({ messages }) => messages);
  assert.deepEqual(values(read), ['v2', 'v3', 'v4']);

  steps = await published('consume', async () => {
    for await (const batch of consumer.batches({ until: 'end', maxRecords: 3 })) {
      assert.ok(batch.length > 0);
    }
  });
  const sizes = steps
    .filter(({ step }) => step === 'asyncStart')
    .map(({ messages }) => messages?.length);
  assert.deepEqual(sizes, [3, 2, undefined]);

  await consumer.seek('latest');
  steps = await published('consume', () =>
    assert.rejects(consumer.poll({ signal: AbortSignal.timeout(10), timeoutMs: 60_000 })),
  );
  assert.equal(steps.find(({ step }) => step === 'error').error.name, 'AbortError');
});

onTargets('handlers run inside of what is published', async (client) => {
  await fill(client, ['a', 'b', 'c']);
  await using consumer = client.consumer(reader());
  const storage = new AsyncLocalStorage();
  const channel = tracingChannel('headwater:consume');
  channel.start.bindStore(storage, ({ operation, messages }) => ({ operation, messages }));
  const seen = [];
  let failures = 0;
  const steps = await published('consume', async () => {
    const running = consumer.run({
      retry: { initialRetryTimeMs: 1 },
      eachMessage: async ({ message }) => {
        await turn();
        if (message.offset === 1n && failures++ === 0) {
          throw new Error('not yet');
        }
        const { operation, messages } = storage.getStore();
        assert.equal(messages[0], message);
        seen.push([operation, text(message.value)]);
      },
    });
    await until(() => seen.length === 3);
    await consumer.stop();
    await running;
  });
  channel.start.unbindStore(storage);
  assert.deepEqual(seen, [
    ['process', 'a'],
    ['process', 'b'],
    ['process', 'c'],
  ]);
  assert.equal(steps.filter(({ step }) => step === 'start').length, 4);
  const errors = steps.filter(({ step }) => step === 'error');
  assert.deepEqual(
    errors.map(({ error, messages }) => [error.message, messages[0].offset]),
    [['not yet', 1n]],
  );
});

onTargets('commits publish their offsets', async (client) => {
  await fill(client, ['a', 'b', 'c']);
  await using consumer = client.consumer({
    ...reader(),
    groupId: name('readers'),
    enableAutoCommit: false,
  });
  const steps = await published('commit', async () => {
    const batch = await consumer.poll({ maxRecords: 1, timeoutMs: 30_000 });
    await batch.commit();
    await consumer.commit({ ...place(0), offset: 2n });
    await consumer.commit();
    let done = false;
    const running = consumer.run({
      eachBatch: async ({ batch, resolveOffset, commitOffsetsIfNecessary }) => {
        resolveOffset(batch.lastOffset());
        await commitOffsetsIfNecessary();
        done = true;
      },
    });
    await until(() => done);
    await consumer.stop();
    await running;
  });
  const starts = steps.filter(({ step }) => step === 'start');
  assert.deepEqual(
    starts.map(({ offsets }) => offsets),
    [
      [{ ...place(0), offset: 1n }],
      [{ ...place(0), offset: 2n }],
      undefined,
      [{ ...place(0), offset: 3n }],
    ],
  );
  assert.ok(starts.every((start) => start.consumer === consumer));
  assert.equal(steps.filter(({ step }) => step === 'asyncEnd').length, 4);
});

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const tracer = provider.getTracer('tests');

before(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
});

after(async () => {
  await provider.shutdown();
  context.disable();
  propagation.disable();
});

/** Runs a function in a new span. */
async function inSpan(name, options, parent, run) {
  const span = tracer.startSpan(name, options, parent);
  try {
    return await context.with(trace.setSpan(parent, span), run);
  } finally {
    span.end();
  }
}

onTargets('a trace goes on from the producer to the handler', async (client) => {
  exporter.reset();
  await client.createTopic(name('flights'));
  await using producer = client.producer();
  await inSpan('send', { kind: SpanKind.PRODUCER }, ROOT_CONTEXT, () => {
    const pairs = [['gate', 'B7']];
    const object = {};
    propagation.inject(context.active(), pairs, headersSetter);
    propagation.inject(context.active(), object);
    return producer.sendBatch(name('flights'), [{ headers: pairs }, { headers: object }]);
  });
  await using consumer = client.consumer(reader());
  let handled = 0;
  const running = consumer.run({
    eachMessage: ({ message }) => {
      const parent = propagation.extract(ROOT_CONTEXT, message.headers, headersGetter);
      return inSpan('process', { kind: SpanKind.CONSUMER }, parent, async () => {
        await turn();
        assert.ok(trace.getActiveSpan().isRecording());
        handled++;
      });
    },
  });
  await until(() => handled === 2);
  await consumer.stop();
  await running;
  const [sent, ...processed] = exporter.getFinishedSpans();
  const { traceId, spanId } = sent.spanContext();
  assert.deepEqual(
    processed.map((span) => [span.name, span.spanContext().traceId, span.parentSpanContext.spanId]),
    [
      ['process', traceId, spanId],
      ['process', traceId, spanId],
    ],
  );
});

onTargets('a subscriber injects the trace into all that is sent', async (client) => {
  await client.createTopic(name('flights'));
  await using producer = client.producer();
  const channel = tracingChannel('headwater:produce');
  const start = ({ messages = [] }) => {
    for (const { headers } of messages) {
      propagation.inject(context.active(), headers, headersSetter);
    }
  };
  channel.start.subscribe(start);
  let traceId;
  await inSpan('order', {}, ROOT_CONTEXT, () => {
    traceId = trace.getActiveSpan().spanContext().traceId;
    return producer.send({ topic: name('flights'), value: 'late' });
  });
  channel.start.unsubscribe(start);
  const [message] = await client.topic(name('flights')).head();
  const extracted = propagation.extract(ROOT_CONTEXT, message.headers, headersGetter);
  const remote = trace.getSpanContext(extracted);
  assert.deepEqual(
    [remote.traceId, remote.isRemote, remote.traceFlags],
    [traceId, true, TraceFlags.SAMPLED],
  );
});

test('headers are read and written in each of their shapes', () => {
  const pairs = [
    ['a', 'first'],
    ['b', null],
    ['a', Buffer.from('ä')],
  ];
  const object = { a: ['first', 'ä'], b: null };
  for (const headers of [pairs, object]) {
    assert.deepEqual(headersGetter.keys(headers), ['a', 'b']);
    assert.equal(headersGetter.get(headers, 'a'), 'ä');
    assert.equal(headersGetter.get(headers, 'b'), undefined);
    assert.equal(headersGetter.get(headers, 'c'), undefined);
    assert.equal(headersGetter.get(headers, 'toString'), undefined);
    headersSetter.set(headers, 'a', 'new');
    assert.equal(headersGetter.get(headers, 'a'), 'new');
  }
  assert.equal(headersGetter.get(undefined, 'a'), undefined);
  assert.deepEqual(pairs, [
    ['b', null],
    ['a', 'new'],
  ]);
});
