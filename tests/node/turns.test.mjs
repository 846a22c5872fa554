// Calls of a consumer while other calls, or none, have their turn.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { AbortError, InvalidArgumentError } from 'headwater';
import { flights, name, onTargets, rejects } from './support.mjs';

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
  await rejects(running, InvalidArgumentError, /no partitions/);
});
