// The end of a run: it is prompt, and its errors are its own.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError } from 'headwater';
import { fill, first, name, onProtocols, onTargets, rejects, text, until } from './support.mjs';

const WITHIN_MS = 2_000;

for (const how of ['stop', 'unsubscribe', 'close']) {
  onProtocols(`${how}() during a long poll returns within two seconds`, async (client, member) => {
    await fill(client, ['a']);
    const consumer = client.consumer({
      topics: name('flights'),
      ...member,
      fetchMaxWaitMs: 60_000,
      fetchMinBytes: 1_000_000,
    });
    let read = 0;
    const running = consumer.run({ eachMessage: () => read++ });
    await until(async () => (await consumer.assignment()).length === 1);
    await sleep(200);
    const since = performance.now();
    await consumer[how]();
    await running;
    assert.ok(performance.now() - since < WITHIN_MS, `${performance.now() - since} ms`);
    await consumer.close();
  });
}

onTargets('an error of a run that is being stopped is its result', async (client) => {
  await fill(client, ['a']);
  await using consumer = client.consumer({ topics: name('flights'), autoOffsetReset: 'earliest' });
  const { native } = consumer;
  consumer.native = new Proxy(native, {
    get: (target, property) =>
      property === 'next'
        ? async () => {
            void consumer.stop();
            throw new InvalidArgumentError('not the end');
          }
        : target[property].bind(target),
  });
  const running = consumer.run({ eachMessage: () => {} });
  await rejects(running, InvalidArgumentError, /not the end/);
});

/** Handlers that finish the message `a` and unsubscribe before `b` is finished. */
const leavers = (consumer) => ({
  eachMessage: {
    eachMessage: ({ message }) => {
      return text(message.value) === 'b' ? consumer.unsubscribe() : undefined;
    },
  },
  eachBatch: {
    eachBatch: async ({ batch, resolveOffset, commitOffsetsIfNecessary }) => {
      resolveOffset(batch.firstOffset());
      await commitOffsetsIfNecessary();
      await consumer.unsubscribe();
    },
  },
});

for (const handler of ['eachMessage', 'eachBatch']) {
  onProtocols(`unsubscribe() in ${handler} ends run() and commits`, async (client, member) => {
    await fill(client, ['a', 'b', 'c']);
    const config = { autoOffsetReset: 'earliest', ...member };
    const consumer = client.consumer({ topics: name('flights'), ...config });
    await consumer.run(leavers(consumer)[handler]);
    assert.deepEqual(await consumer.assignment(), []);
    await using next = client.consumer({ topics: name('flights'), ...config });
    const rest = await first(next, 2);
    assert.deepEqual(
      rest.map((message) => text(message.value)),
      ['b', 'c'],
    );
    // It may subscribe and run again.
    await next.close();
    await consumer.subscribe(name('flights'));
    const running = consumer.run({ eachMessage: () => {} });
    await until(async () => (await consumer.assignment()).length === 1);
    await consumer.unsubscribe();
    await running;
    await consumer.close();
  });
}
