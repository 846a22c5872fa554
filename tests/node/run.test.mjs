// Consumer.run(): handlers, in order in each partition.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { AbortError } from 'headwater';
import {
  fill,
  name,
  numbered,
  onProtocols,
  onTargets,
  place,
  text,
  turnsDuring,
  until,
} from './support.mjs';

/** Runs handlers until they have seen enough. */
async function runUntil(consumer, done, options) {
  const running = consumer.run(options);
  await Promise.race([until(done), running]);
  await consumer.stop();
  await running;
}

async function committed(client) {
  const offsets = await client.groupOffsets(name('readers'));
  return offsets.map(({ partition, committed }) => [partition, Number(committed)]);
}

/** Fills the partitions of a topic with `0/0`, `0/1`, ... */
async function fillWide(client, partitions, count) {
  await client.createTopic(name('flights'), { partitions });
  await using producer = client.producer();
  for (let partition = 0; partition < partitions; partition++) {
    const rows = numbered(count, (n) => ({ value: `${partition}/${n}` }));
    await producer.sendBatch(name('flights'), rows, { partition });
  }
}

onProtocols(
  'each message is handled once, and finished messages are committed',
  async (client, member) => {
    await fill(
      client,
      numbered(1_000, (n) => `${n}`),
    );
    const read = [];
    {
      await using consumer = client.consumer({
        topics: name('flights'),
        value: 'string',
        ...member,
      });
      await runUntil(consumer, () => read.length === 1_000, {
        eachMessage: async ({ topic, partition, message, heartbeat }) => {
          assert.deepEqual([topic, partition], [name('flights'), 0]);
          read.push(message.value);
          await heartbeat();
        },
      });
    }
    assert.deepEqual(
      read,
      numbered(1_000, (n) => `${n}`),
    );
    assert.deepEqual(await committed(client), [[0, 1_000]]);
  },
);

onTargets('partitions are processed concurrently, and each in order', async (client) => {
  await fillWide(client, 4, 50);
  await using consumer = client.consumer({ topics: name('flights'), autoOffsetReset: 'earliest' });
  const read = new Map(numbered(4, (partition) => [partition, []]));
  let [working, most] = [0, 0];
  await runUntil(consumer, () => [...read.values()].every((values) => values.length === 50), {
    concurrency: 3,
    eachMessage: async ({ partition, message }) => {
      most = Math.max(most, ++working);
      await sleep(1);
      read.get(partition).push(text(message.value));
      working--;
    },
  });
  for (const [partition, values] of read) {
    assert.deepEqual(
      values,
      numbered(50, (n) => `${partition}/${n}`),
    );
  }
  assert.equal(most, 3);
});

onProtocols(
  'a message whose handler throws is handled again, none is skipped and order is kept',
  async (client, member) => {
    await fill(
      client,
      numbered(20, (n) => `${n}`),
    );
    const read = [];
    let failures = 0;
    {
      await using consumer = client.consumer({ topics: name('flights'), ...member });
      await runUntil(consumer, () => read.length === 20, {
        retry: { initialRetryTimeMs: 1 },
        eachMessage: ({ message }) => {
          if (message.offset === 7n && failures < 3) {
            failures++;
            throw new Error('not yet');
          }
          read.push(text(message.value));
        },
      });
    }
    assert.equal(failures, 3);
    assert.deepEqual(
      read,
      numbered(20, (n) => `${n}`),
    );
    assert.deepEqual(await committed(client), [[0, 20]]);
  },
);

onProtocols(
  'a handler that always throws ends the run, and its message is not finished',
  async (client, member) => {
    await fill(
      client,
      numbered(20, (n) => `${n}`),
    );
    const refused = new Error('refused');
    {
      await using consumer = client.consumer({ topics: name('flights'), ...member });
      const run = consumer.run({
        retry: { retries: 2, initialRetryTimeMs: 1 },
        eachMessage: ({ message }) => {
          if (message.offset === 7n) {
            throw refused;
          }
        },
      });
      await assert.rejects(run, (error) => error === refused);
      assert.equal((await consumer.poll()).at(0).offset, 7n, 'the next call reads it again');
    }
    assert.deepEqual(await committed(client), [[0, 7]]);
  },
);

onProtocols(
  'of a batch that is resolved in part exactly that is committed',
  async (client, member) => {
    await fill(
      client,
      numbered(20, (n) => `${n}`),
    );
    {
      await using consumer = client.consumer({ topics: name('flights'), ...member });
      const run = consumer.run({
        retry: { retries: 0 },
        eachBatch: ({ batch, resolveOffset, isRunning, isStale, uncommittedOffsets }) => {
          assert.deepEqual(
            [batch.topic, batch.partition, batch.firstOffset()],
            [name('flights'), 0, 0n],
          );
          assert.deepEqual([isRunning(), isStale()], [true, false]);
          for (const message of batch.messages.slice(0, 12)) {
            resolveOffset(message.offset);
          }
          assert.deepEqual(uncommittedOffsets(), [{ ...place(0), offset: 12n }]);
          throw new Error('the rest later');
        },
      });
      await assert.rejects(run, /the rest later/);
    }
    assert.deepEqual(await committed(client), [[0, 12]]);
  },
);

onTargets('unresolved messages of a batch are handled again', async (client) => {
  await fill(
    client,
    numbered(10, (n) => `${n}`),
  );
  await using consumer = client.consumer({ topics: name('flights'), autoOffsetReset: 'earliest' });
  const firsts = [];
  await runUntil(consumer, () => firsts.length === 4, {
    eachBatchAutoResolve: false,
    eachBatch: ({ batch, resolveOffset }) => {
      firsts.push(Number(batch.firstOffset()));
      resolveOffset(batch.messages.slice(0, 3).at(-1).offset);
    },
  });
  assert.deepEqual(firsts, [0, 3, 6, 9]);
});

onTargets('the event loop has its turns while handlers are called', async (client) => {
  const count = 20_000;
  await fill(
    client,
    numbered(count, (n) => `${n}`),
  );
  await using consumer = client.consumer({ topics: name('flights'), autoOffsetReset: 'earliest' });
  let read = 0;
  const turns = await turnsDuring(() =>
    consumer.run({
      eachMessage: async () => {
        if (++read === count) {
          await consumer.stop();
        }
      },
    }),
  );
  assert.equal(read, count);
  assert.ok(turns >= 50, `${turns} turns`);
});

onTargets('a stuck partition holds up no other', async (client) => {
  await fillWide(client, 3, 20);
  await using consumer = client.consumer({ topics: name('flights'), autoOffsetReset: 'earliest' });
  const read = [];
  let failures = 0;
  await runUntil(consumer, () => read.length === 40 && failures > 3, {
    retry: { retries: Infinity, initialRetryTimeMs: 1, maxRetryTimeMs: 5 },
    eachMessage: ({ partition, message }) => {
      if (partition === 1) {
        failures++;
        throw new Error('stuck');
      }
      read.push(text(message.value));
    },
  });
  assert.equal(new Set(read).size, 40);
  assert.ok(read.every((value) => !value.startsWith('1/')));
});

onTargets('a seek in a handler takes effect before the next message', async (client) => {
  await fill(
    client,
    numbered(20, (n) => `${n}`),
  );
  await using consumer = client.consumer({ topics: name('flights'), autoOffsetReset: 'earliest' });
  const read = [];
  await runUntil(consumer, () => read.length >= 8, {
    eachMessage: async ({ message }) => {
      read.push(Number(message.offset));
      if (read.length === 3) {
        await consumer.seek({ ...place(0), offset: 15n });
      }
    },
  });
  assert.deepEqual(read, [0, 1, 2, 15, 16, 17, 18, 19]);
});

onTargets('a pause in a handler takes effect before the next message', async (client) => {
  await fillWide(client, 2, 10);
  await using consumer = client.consumer({ topics: name('flights'), autoOffsetReset: 'earliest' });
  const read = [[], []];
  let resume;
  const running = consumer.run({
    eachMessage: ({ partition, message, pause }) => {
      read[partition].push(text(message.value));
      if (partition === 0 && read[0].length === 3) {
        resume = pause();
      }
    },
  });
  await until(() => read[1].length === 10 && read[0].length === 3);
  await sleep(50);
  assert.equal(read[0].length, 3);
  assert.deepEqual(await consumer.paused(), [place(0)]);
  resume();
  await until(() => read[0].length === 10);
  assert.deepEqual(
    read[0],
    numbered(10, (n) => `0/${n}`),
  );
  assert.deepEqual(await consumer.paused(), []);
  await consumer.stop();
  await running;
});

onProtocols(
  'a handler that is slower than the time-outs keeps its partitions, and no message is handled twice',
  async (client, member) => {
    await fill(
      client,
      numbered(5, (n) => `${n}`),
    );
    const times = member.groupProtocol === 'consumer' ? {} : { sessionTimeoutMs: 300 };
    const read = [];
    const lost = [];
    {
      await using consumer = client.consumer({
        topics: name('flights'),
        maxPollIntervalMs: 1_500,
        ...member,
        ...times,
      });
      consumer.on('lost', (partitions) => lost.push(...partitions));
      await runUntil(consumer, () => read.length === 5, {
        eachMessage: async ({ message }) => {
          if (message.offset === 1n) {
            await sleep(2_500);
          }
          read.push(text(message.value));
        },
      });
    }
    assert.deepEqual([read, lost], [['0', '1', '2', '3', '4'], []]);
    assert.deepEqual(await committed(client), [[0, 5]]);
  },
);

for (const how of ['stop', 'close']) {
  onProtocols(`${how}() inside a handler ends the run`, async (client, member) => {
    await fill(
      client,
      numbered(20, (n) => `${n}`),
    );
    const consumer = client.consumer({ topics: name('flights'), ...member });
    const read = [];
    await consumer.run({
      eachMessage: async ({ message }) => {
        read.push(Number(message.offset));
        if (read.length === 3) {
          await consumer[how]();
        }
      },
    });
    await consumer.close();
    assert.deepEqual(read, [0, 1, 2]);
    const [[, offset]] = await committed(client);
    assert.equal(
      offset,
      how === 'stop' ? 3 : 2,
      'the current message is finished when its handler returns',
    );
    await using next = client.consumer({ topics: name('flights'), ...member });
    assert.equal((await next.messages().next()).value.offset, BigInt(offset));
  });

  onTargets(`${how}() right after run() ends it`, async (client) => {
    await fill(client, ['a']);
    const consumer = client.consumer({ topics: name('flights') });
    const running = consumer.run({ eachMessage: () => {} });
    const started = performance.now();
    await consumer[how]();
    await running;
    assert.ok(performance.now() - started < 30_000);
    await consumer.close();
  });
}

onTargets('a signal ends the run', async (client) => {
  await fill(client, ['a']);
  await using consumer = client.consumer({ topics: name('flights') });
  const abort = new AbortController();
  const running = consumer.run({ eachMessage: () => {}, signal: abort.signal });
  setTimeout(() => abort.abort(), 20);
  await assert.rejects(running, AbortError);
});

onProtocols(
  'partitions move to another member without a message lost or handled twice',
  async (client, member) => {
    await fillWide(client, 4, 200);
    const read = [];
    const one = client.consumer({ topics: name('flights'), ...member });
    const two = client.consumer({ topics: name('flights'), ...member });
    const options = {
      concurrency: 2,
      eachMessage: async ({ message }) => {
        read.push(text(message.value));
        if (read.length % 20 === 0) {
          await sleep(1);
        }
      },
    };
    const running = [one.run(options)];
    await until(() => read.length > 50);
    running.push(two.run(options));
    await until(() => new Set(read).size === 800);
    await one.close();
    await two.close();
    await Promise.all(running);
    assert.equal(read.length, 800);
    assert.deepEqual(
      await committed(client),
      numbered(4, (partition) => [partition, 200]),
    );
  },
);

onTargets(
  'a partition that runs empty while it is held back is read again at once',
  async (client) => {
    await fill(
      client,
      numbered(6, (n) => `${n}`),
    );
    await using consumer = client.consumer({
      topics: name('flights'),
      autoOffsetReset: 'earliest',
    });
    // The call that holds the partition back takes until the handler has ended.
    let heldBack = () => {};
    const { native } = consumer;
    consumer.native = new Proxy(native, {
      get: (target, method) =>
        method === 'pause'
          ? async (partitions) => {
              await target.pause(partitions);
              heldBack();
              await sleep(10);
            }
          : target[method].bind(target),
    });
    const ends = [];
    await runUntil(consumer, () => ends.length === 6, {
      maxRecords: 1,
      eachMessage: async () => {
        await new Promise((resolve) => {
          heldBack = resolve;
        });
        ends.push(Date.now());
      },
    });
    const stalls = ends.filter((end, n) => n > 0 && end - ends[n - 1] > 900);
    // A busy machine may stop once; without a reason to poll, each message waits for a second.
    assert.ok(stalls.length <= 2, `${stalls.length} stalls`);
  },
);
