// Calls of a consumer while other calls, or none, have their turn.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { AbortError } from 'headwater';
import { fill, flights, name, numbered, onTargets, place, until } from './support.mjs';

onTargets('a wait for a message behind another one can be aborted', async (client) => {
  await client.createTopic(name('flights'));
  await using consumer = client.consumer({
    topics: name('flights'),
    autoOffsetReset: 'earliest',
  });
  const first = consumer.messages().next();
  const signal = AbortSignal.timeout(50);
  await assert.rejects(consumer.messages({ signal }).next(), AbortError);
  await assert.rejects(consumer.messages({ signal }).next(), AbortError);
  const third = consumer.messages().next();
  await using producer = client.producer();
  await producer.send({ topic: name('flights'), value: 'a' });
  await producer.send({ topic: name('flights'), value: 'b' });
  assert.deepEqual((await first).value.offset, 0n);
  assert.deepEqual((await third).value.offset, 1n);
});

onTargets('a handler may pause and resume a partition that is gone', async (client) => {
  await flights(client);
  await using consumer = client.consumer({
    topics: name('flights'),
    autoOffsetReset: 'earliest',
  });
  const running = consumer.run({
    eachMessage: async ({ pause }) => {
      await consumer.unsubscribe();
      // Without a partition it has nothing to pause; an unhandled rejection would fail this test.
      pause()();
      await sleep(50);
    },
  });
  await running;
});

async function handlerAssigns(client, assign) {
  await fill(
    client,
    numbered(20, (n) => `${n}`),
    { partitions: 2 },
  );
  await using producer = client.producer();
  await producer.send({ topic: name('flights'), value: 'other', partition: 1 });
  await using consumer = client.consumer({
    groupId: name('readers'),
    autoOffsetReset: 'earliest',
  });
  await consumer.assign(place(0));
  const read = [];
  const running = consumer.run({
    eachMessage: async ({ partition, message }) => {
      read.push(`${partition}/${message.offset}`);
      if (read.length === 3) {
        await assign(consumer);
      }
    },
  });
  await Promise.race([until(() => read.includes('1/0') || read.includes('0/19')), running]);
  await consumer.stop();
  await running;
  return read;
}

onTargets('a handler may assign other partitions', async (client) => {
  const read = await handlerAssigns(client, (consumer) => consumer.assign(place(1)));
  assert.deepEqual(read, ['0/0', '0/1', '0/2', '1/0']);
});

onTargets('an assignment that fails in a handler loses no messages', async (client) => {
  const read = await handlerAssigns(client, async (consumer) => {
    await assert.rejects(consumer.assign(place(7)));
  });
  assert.deepEqual(new Set(read), new Set(numbered(20, (n) => `0/${n}`)));
});

onTargets('calls that are not awaited take effect in their order', async (client) => {
  await flights(client);
  await using consumer = client.consumer({
    groupId: name('readers'),
    enableAutoCommit: false,
  });
  await consumer.assign(place(0));
  const at = (offset) => ({ ...place(0), offset });
  for (let turn = 0; turn < 300; turn++) {
    await Promise.all([consumer.seek(at(5n)), consumer.seek(at(3n))]);
    assert.equal((await consumer.position())[0].offset, 3n);
    await Promise.all([consumer.commit([at(3n)]), consumer.commit([at(5n)])]);
    assert.equal((await consumer.committed())[0].offset, 5n);
  }
});
