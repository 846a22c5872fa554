// The end of a run: it is prompt, and its errors are its own.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError } from 'headwater';
import { fill, name, onProtocols, onTargets, rejects, until } from './support.mjs';

const WITHIN_MS = 2_000;

for (const how of ['stop', 'close']) {
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
