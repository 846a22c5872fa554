// The consumer of the adapter: what users of Node's clients report, and must not meet here.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
  KafkaJSNumberOfRetriesExceeded,
  PartitionAssigners,
} from 'headwater/kafkajs';
import {
  committed,
  consumeUntil,
  eventsOf,
  fill,
  onAdapter,
  onAll,
  onServed,
  settlesSoon,
  text,
} from './kafkajs_support.mjs';
import { numbered, rejects, until } from './support.mjs';

const TEN = numbered(10, (n) => `${n}`);
const FAST = { initialRetryTime: 1, maxRetryTime: 5 };
const P0 = { topic: 'flights', partition: 0 };

onAll('a handler that throws: the message again, none skipped, order kept', async ({ kafka }) => {
  await fill(kafka, 'flights', TEN);
  const consumer = kafka.consumer({ groupId: 'g', retry: { ...FAST, retries: 5 } });
  const values = [];
  let failures = 0;
  await consumeUntil(consumer, ['flights'], () => values.length === 10, {
    eachMessage: async ({ message }) => {
      if (message.offset === '4' && failures < 3) {
        failures++;
        throw new Error('not yet');
      }
      values.push(text(message.value));
    },
  });
  await consumer.disconnect();
  assert.deepEqual([failures, values], [3, TEN]);
  assert.deepEqual(await committed(kafka, 'g', 'flights'), { 0: '10' });
});

onAll(
  'a handler that goes on throwing crashes the consumer, which starts again',
  async ({ kafka, library }) => {
    await fill(kafka, 'flights', TEN);
    const consumer = kafka.consumer({ groupId: 'g', retry: { ...FAST, retries: 2 } });
    const crashes = eventsOf(consumer, 'CRASH');
    const values = [];
    const refused = new Error('refused');
    await consumeUntil(consumer, ['flights'], () => values.length === 10, {
      eachMessage: async ({ message }) => {
        if (message.offset === '4' && crashes.length === 0) {
          throw refused;
        }
        values.push(text(message.value));
      },
    });
    assert.deepEqual(values, TEN);
    const [{ error, groupId, restart }] = crashes;
    assert.ok(error instanceof library.KafkaJSNumberOfRetriesExceeded);
    assert.deepEqual([error.cause, error.retryCount, groupId, restart], [refused, 2, 'g', true]);
  },
);

onAll('restartOnFailure decides whether a crash restarts', async ({ kafka }) => {
  await fill(kafka, 'flights', TEN);
  const asked = [];
  const consumer = kafka.consumer({
    groupId: 'g',
    retry: {
      ...FAST,
      retries: 0,
      restartOnFailure: async (error) => {
        asked.push(error.message);
        return false;
      },
    },
  });
  const crashes = eventsOf(consumer, 'CRASH');
  await consumeUntil(consumer, ['flights'], () => crashes.length > 0, {
    eachMessage: async () => {
      throw new Error('refused');
    },
  });
  assert.deepEqual([asked, crashes[0].restart], [['refused'], false]);
});

onAll('an error of the program itself is not retried', async ({ kafka, library }) => {
  await fill(kafka, 'flights', TEN);
  const consumer = kafka.consumer({ groupId: 'g', retry: { ...FAST, retries: 5 } });
  const crashes = eventsOf(consumer, 'CRASH');
  let calls = 0;
  await consumeUntil(consumer, ['flights'], () => crashes.length > 0, {
    eachMessage: async ({ message }) => {
      calls++;
      message.missing.property();
    },
  });
  assert.equal(calls, 1);
  assert.ok(crashes[0].error instanceof library.KafkaJSNonRetriableError);
  assert.equal(crashes[0].error.cause.name, 'TypeError');
  assert.equal(crashes[0].restart, false);
});

onAll('of a batch that is resolved in part exactly that is committed', async ({ kafka }) => {
  await fill(kafka, 'flights', TEN);
  const consumer = kafka.consumer({ groupId: 'g' });
  const batches = [];
  await consumeUntil(consumer, ['flights'], () => batches.length >= 2, {
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch, resolveOffset, uncommittedOffsets }) => {
      batches.push([batch.firstOffset(), uncommittedOffsets().topics.length]);
      if (batches.length === 1) {
        resolveOffset('2');
        resolveOffset('3');
      } else {
        await sleep(10);
      }
    },
  });
  await consumer.disconnect();
  assert.deepEqual(batches[0], ['0', 0]);
  assert.deepEqual(batches[1][0], '4', 'what was not resolved comes again');
  assert.deepEqual(await committed(kafka, 'g', 'flights'), { 0: '4' });
});

onAll('eachBatch that throws commits what it has resolved', async ({ kafka }) => {
  await fill(kafka, 'flights', TEN);
  const consumer = kafka.consumer({ groupId: 'g', retry: { ...FAST, retries: 3 } });
  const firsts = [];
  await consumeUntil(consumer, ['flights'], () => firsts.length === 2, {
    eachBatch: async ({ batch, resolveOffset }) => {
      firsts.push(batch.firstOffset());
      if (firsts.length === 1) {
        resolveOffset('6');
        throw new Error('half');
      }
    },
  });
  await consumer.disconnect();
  assert.deepEqual(firsts, ['0', '7']);
  assert.deepEqual(await committed(kafka, 'g', 'flights'), { 0: '10' });
});

onAll('autoCommitThreshold commits within a batch', async ({ kafka }) => {
  await fill(kafka, 'flights', TEN);
  const consumer = kafka.consumer({ groupId: 'g' });
  const commits = eventsOf(consumer, 'COMMIT_OFFSETS');
  await consumeUntil(consumer, ['flights'], () => commits.length === 4, {
    autoCommitThreshold: 3,
    eachMessage: async () => {},
  });
  const offsets = commits.map(({ topics: [{ partitions }] }) => partitions[0].offset);
  assert.deepEqual(offsets, ['3', '6', '9', '10']);
});

onAll('seek inside a handler takes effect before the next message', async ({ kafka }) => {
  await fill(kafka, 'flights', TEN);
  const consumer = kafka.consumer({ groupId: 'g' });
  const offsets = [];
  await consumeUntil(consumer, ['flights'], () => offsets.length >= 6, {
    eachMessage: async ({ topic, partition, message }) => {
      offsets.push(message.offset);
      if (offsets.length === 3) {
        consumer.seek({ topic, partition, offset: '7' });
      }
    },
  });
  assert.deepEqual(offsets, ['0', '1', '2', '7', '8', '9']);
});

onAll('seek to the start again', async ({ kafka }) => {
  await fill(kafka, 'flights', TEN);
  const consumer = kafka.consumer({ groupId: 'g' });
  const offsets = [];
  await consumeUntil(consumer, ['flights'], () => offsets.length === 10, {
    eachMessage: async ({ message }) => offsets.push(Number(message.offset)),
  });
  consumer.seek({ ...P0, offset: '0' });
  await until(() => offsets.length === 20);
  assert.deepEqual(
    offsets.slice(10),
    numbered(10, (n) => n),
  );
});

onAdapter('seek commits the new position, to the ends too', async ({ kafka }) => {
  const producer = await fill(kafka, 'flights', TEN);
  const consumer = kafka.consumer({ groupId: 'g' });
  const values = [];
  await consumeUntil(consumer, ['flights'], () => values.length === 10, {
    eachMessage: async ({ message }) => values.push(text(message.value)),
  });
  consumer.pause([{ topic: 'flights' }]);
  const isCommitted = async (offset) =>
    (await committed(kafka, 'g', 'flights'))[0] === String(offset);
  for (const [offset, expected] of [
    ['5', 5],
    ['-1', 10],
    ['-2', 0],
    ['-1', 10],
  ]) {
    consumer.seek({ ...P0, offset });
    await until(() => isCommitted(expected));
  }
  await producer.send({ topic: 'flights', messages: [{ value: 'last' }] });
  consumer.resume([{ topic: 'flights' }]);
  await until(() => values.length === 11);
  assert.equal(values[10], 'last');
});

onAll('pause inside a handler takes effect before the next message', async ({ kafka }) => {
  await fill(kafka, 'flights', TEN);
  const consumer = kafka.consumer({ groupId: 'g' });
  const values = [];
  let resume;
  await consumeUntil(consumer, ['flights'], () => values.length === 3, {
    eachMessage: async ({ message, pause }) => {
      values.push(text(message.value));
      if (values.length === 3) {
        resume = pause();
      }
    },
  });
  await sleep(100);
  assert.equal(values.length, 3);
  assert.deepEqual(consumer.paused(), [{ topic: 'flights', partitions: [0] }]);
  resume();
  await until(() => values.length === 10);
  assert.deepEqual(values, TEN);
  assert.deepEqual(consumer.paused(), []);
});

onAdapter(
  'paused() is true after a rebalance, and paused partitions stay so',
  async ({ kafka }) => {
    const producer = await fill(kafka, 'flights', [], 2);
    const options = { groupId: 'g', heartbeatInterval: 20 };
    const first = kafka.consumer(options);
    const values = [];
    await consumeUntil(first, ['flights'], () => true, {
      eachMessage: async ({ message }) => values.push(text(message.value)),
    });
    first.pause([{ topic: 'flights' }]);
    assert.deepEqual(first.paused(), [{ topic: 'flights', partitions: [0, 1] }]);
    const second = kafka.consumer(options);
    const joins = eventsOf(first, 'GROUP_JOIN');
    await consumeUntil(second, ['flights'], () => joins.length > 0, {
      eachMessage: async () => {},
    });
    const [{ memberAssignment }] = joins;
    assert.equal(memberAssignment.flights.length, 1);
    assert.deepEqual(first.paused(), [{ topic: 'flights', partitions: memberAssignment.flights }]);
    await second.disconnect();
    await until(() => first.paused()[0]?.partitions.length === 2);
    await producer.send({ topic: 'flights', messages: numbered(4, () => ({ value: 'x' })) });
    await sleep(100);
    assert.deepEqual(values, []);
    first.resume([{ topic: 'flights' }]);
    await until(() => values.length === 4);
  },
);

for (const call of ['stop', 'disconnect']) {
  onAdapter(
    `${call}() inside a handler ends the run, and commits the message`,
    async ({ kafka }) => {
      await fill(kafka, 'flights', TEN);
      const consumer = kafka.consumer({ groupId: 'g' });
      const stops = eventsOf(consumer, 'STOP');
      let soon;
      await consumeUntil(consumer, ['flights'], () => stops.length === 1, {
        eachMessage: async ({ message }) => {
          if (message.offset === '3') {
            soon = await settlesSoon(consumer[call]());
          }
        },
      });
      assert.equal(soon, true);
      assert.deepEqual(await committed(kafka, 'g', 'flights'), { 0: '4' });
      const values = [];
      await consumeUntil(consumer, ['flights'], () => values.length === 6, {
        eachMessage: async ({ message }) => values.push(text(message.value)),
      });
      assert.deepEqual(values, TEN.slice(4), 'the consumer runs again');
    },
  );

  onAdapter(`${call}() right after run() settles both`, async ({ kafka }) => {
    await fill(kafka, 'flights', TEN);
    const consumer = kafka.consumer({ groupId: 'g' });
    await consumer.connect();
    await consumer.subscribe({ topics: ['flights'], fromBeginning: true });
    const run = consumer.run({ eachMessage: async () => {} });
    assert.equal(await settlesSoon(consumer[call]()), true);
    assert.equal(await settlesSoon(run), true);
  });

  onAdapter(`${call}() during a long poll returns soon`, async ({ kafka }) => {
    await fill(kafka, 'flights', []);
    const consumer = kafka.consumer({ groupId: 'g', maxWaitTimeInMs: 30_000 });
    await consumeUntil(consumer, ['flights'], () => true, { eachMessage: async () => {} });
    await sleep(100);
    assert.equal(await settlesSoon(consumer[call]()), true);
  });
}

onAll('stopping waits for the handler, and the group goes on behind it', async ({ kafka }) => {
  await fill(kafka, 'flights', TEN);
  const consumer = kafka.consumer({ groupId: 'g' });
  let [begun, ended] = [0, 0];
  await consumeUntil(consumer, ['flights'], () => begun === 1, {
    eachMessage: async () => {
      begun++;
      await sleep(100);
      ended++;
    },
  });
  await consumer.stop();
  assert.deepEqual([begun, ended], [1, 1]);
  assert.deepEqual(await committed(kafka, 'g', 'flights'), { 0: '1' });
});

onAll('partitions are worked on at the same time, each in order', async ({ kafka }) => {
  const producer = await fill(kafka, 'flights', [], 4);
  const messages = numbered(80, (n) => ({ value: `${n}`, partition: n % 4 }));
  await producer.send({ topic: 'flights', messages });
  const values = new Map(numbered(4, (partition) => [partition, []]));
  let [working, most, count] = [0, 0, 0];
  const consumer = kafka.consumer({ groupId: 'g' });
  await consumeUntil(consumer, ['flights'], () => count === 80, {
    partitionsConsumedConcurrently: 3,
    eachMessage: async ({ partition, message }) => {
      most = Math.max(most, ++working);
      await sleep(1);
      values.get(partition).push(Number(message.value));
      working--;
      count++;
    },
  });
  assert.equal(most, 3);
  for (const [partition, read] of values) {
    assert.deepEqual(
      read,
      numbered(20, (n) => n * 4 + partition),
    );
  }
});

onAdapter('a handler that takes longer than the session stays a member', async ({ kafka }) => {
  await fill(kafka, 'flights', ['a', 'b']);
  const options = { groupId: 'g', sessionTimeout: 300, heartbeatInterval: 50 };
  const consumer = kafka.consumer(options);
  const rebalances = eventsOf(consumer, 'REBALANCING');
  const heartbeats = eventsOf(consumer, 'HEARTBEAT');
  const values = [];
  await consumeUntil(consumer, ['flights'], () => values.length === 2, {
    eachMessage: async ({ message }) => {
      values.push(text(message.value));
      await sleep(600);
      const end = Date.now() + 400;
      while (Date.now() < end) {
        // The event loop is blocked.
      }
    },
  });
  await sleep(1_200);
  assert.deepEqual([values, rebalances], [['a', 'b'], []]);
  assert.ok(heartbeats.length > 5, `${heartbeats.length} heartbeats`);
  assert.equal(heartbeats[0].groupId, 'g');
});

onAll('each topic starts as it was subscribed', async ({ kafka }) => {
  const producer = await fill(kafka, 'old', ['old 1']);
  await fill(kafka, 'new', ['new 1']);
  const consumer = kafka.consumer({ groupId: 'g' });
  await consumer.connect();
  await consumer.subscribe({ topic: 'old', fromBeginning: true });
  await consumer.subscribe({ topic: 'new', fromBeginning: false });
  const values = [];
  await consumer.run({ eachMessage: async ({ message }) => values.push(text(message.value)) });
  await until(() => values.length === 1);
  await producer.send({ topic: 'new', messages: [{ value: 'new 2' }] });
  await until(() => values.length === 2);
  assert.deepEqual(values, ['old 1', 'new 2']);
});

onAdapter('two members share the partitions, and a third waits without any', async ({ kafka }) => {
  await fill(kafka, 'flights', [], 2);
  const assigned = [];
  for (const member of [0, 1, 2]) {
    const consumer = kafka.consumer({ groupId: 'g', heartbeatInterval: 20 });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      assigned[member] = payload.memberAssignment.flights ?? [];
    });
    await consumer.subscribe({ topics: ['flights'] });
    await consumer.run({ eachMessage: async () => {} });
  }
  await until(() => assigned.flat().length === 2);
  const counts = assigned.map((partitions) => partitions.length);
  assert.deepEqual(counts.sort(), [0, 1, 1]);
});

onAll('a consumer without topics runs, and stops', async ({ kafka }) => {
  const consumer = kafka.consumer({ groupId: 'g' });
  await consumer.connect();
  const joins = eventsOf(consumer, 'GROUP_JOIN');
  await consumer.run({ eachMessage: async () => {} });
  assert.deepEqual(joins[0].memberAssignment, {});
  await consumer.disconnect();
});

onAll('the state of the group', async ({ kafka }) => {
  await fill(kafka, 'flights', TEN);
  const consumer = kafka.consumer({ groupId: 'g' });
  await consumeUntil(consumer, ['flights'], () => true, { eachMessage: async () => {} });
  const { groupId, state, protocolType } = await consumer.describeGroup();
  assert.deepEqual([groupId, state, protocolType], ['g', 'Stable', 'consumer']);
});

onAll('calls before run() are errors', async ({ kafka, library }) => {
  const consumer = kafka.consumer({ groupId: 'g' });
  const calls = [
    () => consumer.seek({ ...P0, offset: '1' }),
    () => consumer.pause([{ topic: 'flights' }]),
    () => consumer.resume([{ topic: 'flights' }]),
    () => kafka.consumer({}),
    () => kafka.consumer({ groupId: 'g', heartbeatInterval: 10, sessionTimeout: 10 }),
  ];
  for (const call of calls) {
    assert.throws(call, (error) => error instanceof library.KafkaJSNonRetriableError);
  }
  const at = { ...P0, offset: '1' };
  await rejects(consumer.commitOffsets([at]), library.KafkaJSNonRetriableError);
  assert.deepEqual(consumer.paused(), []);
});

onAll('bad arguments are errors, and the run goes on', async ({ kafka, library }) => {
  const producer = await fill(kafka, 'flights', TEN);
  const consumer = kafka.consumer({ groupId: 'g' });
  const values = [];
  await consumeUntil(consumer, ['flights'], () => values.length === 10, {
    eachMessage: async ({ message }) => values.push(text(message.value)),
  });
  const calls = [
    () => consumer.seek({ topic: '', partition: 0, offset: '1' }),
    () => consumer.seek({ topic: 'flights', partition: Number.NaN, offset: '1' }),
    () => consumer.seek({ ...P0, offset: 'x' }),
    () => consumer.seek({ ...P0, offset: '-7' }),
    () => consumer.pause([{}]),
    () => consumer.pause([{ topic: 'flights', partitions: 'x' }]),
    () => consumer.on('consumer.nothing', () => {}),
  ];
  for (const call of calls) {
    assert.throws(call, (error) => error instanceof library.KafkaJSNonRetriableError, `${call}`);
  }
  await rejects(
    consumer.commitOffsets([{ ...P0, offset: '-7' }]),
    library.KafkaJSNonRetriableError,
  );
  await rejects(consumer.subscribe({ topic: 'x' }), library.KafkaJSNonRetriableError);
  await consumer.run({ eachMessage: async () => {} });
  await producer.send({ topic: 'flights', messages: [{ value: 'last' }] });
  await until(() => values.length === 11);
});

const BAD_CONSUMERS = {
  'an unknown option': [{ sessionTimout: 1 }, KafkaJSNonRetriableError, /`sessionTimeout`/],
  'requests in flight': [{ maxInFlightRequests: 1 }, KafkaJSNotImplemented, /one fetch in flight/],
  'an assigner of its own': [
    { partitionAssigners: [() => ({ name: 'Mine', version: 0 })] },
    KafkaJSNotImplemented,
    /The assigner Mine cannot run.*roundRobin, range/,
  ],
  'no assigner': [{ partitionAssigners: [] }, KafkaJSNonRetriableError, /PartitionAssigners/],
};

for (const [name, [options, kind, pattern]] of Object.entries(BAD_CONSUMERS)) {
  onServed(`a consumer with ${name} is refused`, async ({ kafka }) => {
    assert.throws(
      () => kafka.consumer({ groupId: 'g', ...options }),
      (error) => error instanceof kind && pattern.test(error.message),
    );
  });
}

onServed('features that are missing are refused, with the alternative', async ({ kafka }) => {
  await fill(kafka, 'flights', TEN);
  const consumer = kafka.consumer({ groupId: 'g' });
  await rejects(consumer.run({}), KafkaJSNonRetriableError, /one of eachMessage and eachBatch/);
  await consumeUntil(consumer, ['flights'], () => true, { eachMessage: async () => {} });
  for (const name of ['REQUEST', 'FETCH', 'FETCH_START']) {
    assert.throws(() => consumer.on(consumer.events[name], () => {}), KafkaJSNotImplemented);
  }
});

onAdapter('the assigners of Kafka', async ({ kafka }) => {
  for (const [name, assigner] of Object.entries(PartitionAssigners)) {
    await fill(kafka, name, ['x']);
    const consumer = kafka.consumer({ groupId: name, partitionAssigners: [assigner] });
    let seen = 0;
    await consumeUntil(consumer, [name], () => seen === 1, {
      eachMessage: async () => {
        seen++;
      },
    });
    assert.throws(() => assigner({}).protocol({ topics: [] }), KafkaJSNotImplemented);
  }
});

onAdapter('the error of a crash is that of kafkajs', async ({ kafka }) => {
  await fill(kafka, 'flights', TEN);
  const consumer = kafka.consumer({ groupId: 'g', retry: { ...FAST, retries: 0 } });
  const crashes = eventsOf(consumer, 'CRASH');
  await consumeUntil(consumer, ['flights'], () => crashes.length === 2, {
    eachMessage: async () => {
      throw new Error('always');
    },
  });
  await consumer.disconnect();
  const count = crashes.length;
  assert.ok(crashes.every(({ error }) => error instanceof KafkaJSNumberOfRetriesExceeded));
  await sleep(100);
  assert.equal(crashes.length, count, 'it does not start again after disconnect()');
});

onAdapter('a rebalance loses no message, and hands none over twice', async ({ kafka }) => {
  const producer = await fill(kafka, 'flights', [], 4);
  const messages = numbered(800, (n) => ({ value: `${n}`, partition: n % 4 }));
  await producer.send({ topic: 'flights', messages });
  const read = [];
  const member = async () => {
    const consumer = kafka.consumer({ groupId: 'g', heartbeatInterval: 20 });
    await consumer.subscribe({ topics: ['flights'], fromBeginning: true });
    await consumer.run({
      partitionsConsumedConcurrently: 2,
      eachMessage: async ({ message }) => {
        read.push(text(message.value));
        if (read.length % 20 === 0) {
          await sleep(1);
        }
      },
    });
    return consumer;
  };
  const one = await member();
  await until(() => read.length > 50);
  const two = await member();
  await until(() => new Set(read).size === 800);
  await Promise.all([one.disconnect(), two.disconnect()]);
  assert.equal(read.length, 800);
  assert.deepEqual(await committed(kafka, 'g', 'flights'), {
    0: '200',
    1: '200',
    2: '200',
    3: '200',
  });
});
