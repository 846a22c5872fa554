// Consumer groups: the cases of tests/python/test_groups.py.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClosedError, InvalidArgumentError, KafkaError } from 'headwater';
import {
  fill,
  first,
  numbered,
  offsets,
  onProtocols,
  onTargets,
  pollUntil,
  rejects,
  text,
  until,
} from './support.mjs';

const P0 = { topic: 'flights', partition: 0 };
const P1 = { topic: 'flights', partition: 1 };
const at = (offset) => [{ ...P0, offset }];
const valuesOf = (messages) => messages.map(({ value }) => text(value));

onProtocols('two members share the partitions', async (client, member) => {
  await client.createTopic('flights', { partitions: 4 });
  await using one = client.consumer({ topics: 'flights', ...member });
  await using two = client.consumer({ topics: 'flights', ...member });
  const both = async () => {
    const [first, second] = [await one.assignment(), await two.assignment()];
    return first.length === 2 && second.length === 2;
  };
  await pollUntil(both, one, two);
  await using producer = client.producer();
  const expected = [];
  for (let partition = 0; partition < 4; partition++) {
    const sent = numbered(10, (n) => `${partition}/${n}`);
    expected.push(...sent);
    await producer.sendBatch(
      'flights',
      sent.map((value) => ({ value })),
      { partition },
    );
  }
  const read = [];
  while (read.length < 40) {
    for (const consumer of [one, two]) {
      read.push(...(await consumer.poll({ timeoutMs: 20 })));
    }
  }
  assert.deepEqual(valuesOf(read).sort(), expected.sort());
});

onProtocols('commits are kept', async (client, member) => {
  await fill(
    client,
    numbered(10, (n) => `${n}`),
  );
  const manual = { topics: 'flights', ...member, enableAutoCommit: false };
  {
    await using consumer = client.consumer(manual);
    assert.deepEqual(valuesOf(await first(consumer, 3)), ['0', '1', '2']);
    assert.deepEqual(await consumer.committed(), []);
    await consumer.commit();
    assert.deepEqual(await consumer.committed(), at(3n));
    const [message] = await first(consumer, 1);
    await consumer.commit(message, { wait: false });
    const batch = await consumer.poll({ maxRecords: 2 });
    await consumer.commit(batch);
    assert.deepEqual(await consumer.committed(), at(6n));
    await consumer.commit({ ...P0, offset: 5n });
    assert.deepEqual(await consumer.committed({ partitions: P0 }), at(5n));
    assert.deepEqual(await consumer.lag(), [{ ...P0, lag: 4n }]);
  }
  await using consumer = client.consumer(manual);
  assert.deepEqual(valuesOf(await first(consumer, 1)), ['5']);
  const [offset] = await client.groupOffsets('readers');
  assert.deepEqual([offset.committed, offset.end, offset.lag], [5n, 10n, 5n]);
});

onProtocols('a message is finished when the next one is requested', async (client, member) => {
  await fill(
    client,
    numbered(1_000, (n) => `${n}`),
  );
  {
    await using consumer = client.consumer({ topics: 'flights', ...member });
    assert.equal(valuesOf(await first(consumer, 600)).at(-1), '599');
  }
  // The last one was still being processed when the consumer was closed.
  await using consumer = client.consumer({ topics: 'flights', ...member });
  assert.deepEqual(valuesOf(await first(consumer, 1)), ['599']);
});

onProtocols('a batch is finished when the next one is requested', async (client, member) => {
  await fill(
    client,
    numbered(20_000, (n) => `${n}`),
  );
  {
    await using consumer = client.consumer({ topics: 'flights', ...member });
    for await (const batch of consumer.batches({ maxRecords: 5_000 })) {
      if (batch.at(0).offset === 10_000n) {
        break;
      }
    }
  }
  {
    await using consumer = client.consumer({ topics: 'flights', ...member });
    assert.deepEqual(valuesOf(await first(consumer, 1)), ['10000']);
  }
  await using consumer = client.consumer({ topics: 'flights', ...member });
  let left = 0;
  for await (const batch of consumer.batches({ until: 'end' })) {
    left += batch.length;
  }
  assert.equal(left, 10_000);
});

onProtocols('commits continue while messages are iterated', async (client, member) => {
  await client.createTopic('flights');
  await using consumer = client.consumer({ topics: 'flights', autoCommitIntervalMs: 0, ...member });
  await using other = client.consumer(member);
  await using producer = client.producer();
  let [read, committed] = [0, 0];
  while (committed === 0) {
    await producer.sendBatch(
      'flights',
      numbered(500, (n) => ({ value: `${n}` })),
      { partition: 0 },
    );
    read += (await first(consumer, 500)).length;
    committed = Number((await other.committed({ partitions: P0 }))[0]?.offset ?? 0);
  }
  assert.ok(committed < read, `${committed} of ${read}`);
});

onProtocols('a loop that commits each message reads each once', async (client, member) => {
  await fill(
    client,
    numbered(1_000, (n) => `${n}`),
  );
  await using consumer = client.consumer({ topics: 'flights', enableAutoCommit: false, ...member });
  const read = [];
  for await (const message of consumer) {
    read.push(text(message.value));
    await consumer.commit(message);
    if (read.length === 1_000) {
      break;
    }
  }
  assert.deepEqual(
    read,
    numbered(1_000, (n) => `${n}`),
  );
  assert.deepEqual(await consumer.committed(), at(1_000n));
});

onProtocols(
  'rebalances are reported and partitions can be committed before they go',
  async (client, member, protocol) => {
    await fill(client, ['a', 'b'], { partitions: 2 });
    const told = [];
    const manual = { ...member, enableAutoCommit: false };
    await using one = client.consumer(manual);
    await using two = client.consumer(manual);
    await one.subscribe('flights', {
      onAssign: (partitions) => told.push(['assign', partitions]),
      onRevoke: async (partitions) => {
        told.push(['revoke', partitions]);
        await one.commit();
      },
    });
    assert.deepEqual(valuesOf(await first(one, 2)), ['a', 'b']);
    await two.subscribe(['flights']);
    const shared = async () => {
      const [first, second] = [await one.assignment(), await two.assignment()];
      return first.length === 1 && second.length === 1;
    };
    await pollUntil(shared, one, two);
    assert.deepEqual(told[0], ['assign', [P0, P1]]);
    const [kind, revoked] = told[1];
    assert.equal(kind, 'revoke');
    assert.deepEqual(revoked, protocol === 'classic' ? [P0, P1] : await two.assignment());
    assert.deepEqual(await one.committed({ partitions: P0 }), at(2n));
    await two.unsubscribe();
    assert.deepEqual(await two.assignment(), []);
  },
);

onProtocols('an error of a callback is thrown by the poll', async (client, member) => {
  await client.createTopic('flights');
  await using consumer = client.consumer(member);
  const refused = new Error('refused');
  await consumer.subscribe('flights', {
    onAssign: () => Promise.reject(refused),
  });
  await assert.rejects(
    pollUntil(() => false, consumer),
    (error) => error === refused,
  );
});

onProtocols('listeners get rebalances', async (client, member) => {
  await fill(client, ['a']);
  const told = [];
  const consumer = client.consumer({ topics: 'flights', ...member });
  const listener = (partitions) => told.push(partitions);
  consumer.on('assign', listener).on('revoke', listener);
  await first(consumer, 1);
  consumer.off('revoke', listener);
  await consumer.close();
  assert.deepEqual(told, [[P0]]);
});

onProtocols('a member that does not poll has lost its partitions', async (client, member) => {
  await client.createTopic('flights');
  const lost = [];
  await using consumer = client.consumer({ maxPollIntervalMs: 200, ...member });
  await consumer.subscribe('flights', { onLost: (partitions) => lost.push(...partitions) });
  await pollUntil(async () => (await consumer.assignment()).length > 0, consumer);
  await sleep(600);
  await pollUntil(() => lost.length > 0, consumer);
  assert.deepEqual(lost, [P0]);
  await pollUntil(async () => (await consumer.assignment()).length > 0, consumer);
});

for (const leave of ['close', 'unsubscribe']) {
  onProtocols(
    `partitions can be committed before the consumer releases them: ${leave}`,
    async (client, member) => {
      await fill(client, ['a', 'b']);
      const revoked = [];
      const consumer = client.consumer({ enableAutoCommit: false, ...member });
      await consumer.subscribe('flights', {
        onRevoke: async (partitions) => {
          revoked.push(...partitions);
          await consumer.commit();
        },
      });
      assert.deepEqual(valuesOf(await first(consumer, 2)), ['a', 'b']);
      await consumer[leave]();
      await consumer.close();
      assert.deepEqual(revoked, [P0], 'once');
      assert.deepEqual(
        (await client.groupOffsets('readers')).map(({ committed }) => committed),
        [2n],
      );
    },
  );

  onProtocols(
    `an error of a callback is thrown after the consumer has left: ${leave}`,
    async (client, member) => {
      await fill(client, ['a']);
      const consumer = client.consumer(member);
      await consumer.subscribe('flights', {
        onRevoke: () => {
          throw new Error('refused');
        },
      });
      await first(consumer, 1);
      await assert.rejects(consumer[leave](), /refused/);
      await until(async () => (await client.groups())[0]?.state === 'Empty');
      await consumer.close().catch(() => {});
    },
  );
}

onProtocols('a close lets the callback commit while a poll waits', async (client, member) => {
  await fill(client, ['a']);
  const consumer = client.consumer({ enableAutoCommit: false, ...member });
  await consumer.subscribe('flights', { onRevoke: () => consumer.commit() });
  await first(consumer, 1);
  const waiting = rejects(consumer.poll({ timeoutMs: 60_000 }), ClosedError);
  await sleep(50);
  await consumer.close();
  await waiting;
  assert.deepEqual(
    (await client.groupOffsets('readers')).map(({ committed }) => committed),
    [1n],
  );
});

onProtocols('a pattern reads topics that come later', async (client, member) => {
  await client.createTopic('flights-1');
  await client.createTopic('trains');
  await using consumer = client.consumer({ topics: /FLIGHTS-./i, ...member });
  await pollUntil(async () => (await consumer.assignment()).length === 1, consumer);
  await client.createTopic('flights-2');
  await pollUntil(async () => (await consumer.assignment()).length === 2, consumer);
  assert.deepEqual(
    (await consumer.assignment()).map(({ topic }) => topic),
    ['flights-1', 'flights-2'],
  );
  await rejects(consumer.subscribe(/(?=no)/), InvalidArgumentError, /pattern/);
});

onTargets('calls that need a group are errors without one', async (client) => {
  await client.createTopic('flights');
  await using consumer = client.consumer({ topics: 'flights' });
  await rejects(consumer.commit(), InvalidArgumentError, /group\.id/);
  await rejects(consumer.committed(), InvalidArgumentError, /group\.id/);
  await rejects(consumer.subscribe('flights'), InvalidArgumentError, /group\.id/);
});

onTargets('offsets of a group are set, and the group is deleted', async (client) => {
  await fill(client, ['a', 'b', 'c']);
  assert.deepEqual(
    await client.resetGroupOffsets('readers', 'flights', 'latest'),
    new Map([[0, 3n]]),
  );
  assert.deepEqual(await client.resetGroupOffsets('readers', 'flights', 1), new Map([[0, 1n]]));
  const [group] = await client.groups();
  assert.deepEqual([group.groupId, group.state], ['readers', 'Empty']);
  await client.deleteGroup('readers');
  assert.deepEqual(await client.groups(), []);
  await assert.rejects(client.deleteGroup('readers'), KafkaError);
});

onProtocols('a batch of a consumer commits itself', async (client, member) => {
  await fill(client, ['a', 'b', 'c']);
  await using consumer = client.consumer({ topics: 'flights', enableAutoCommit: false, ...member });
  for await (const batch of consumer.batches({ maxRecords: 2 })) {
    assert.deepEqual(offsets(batch), [0, 1]);
    await batch.commit();
    break;
  }
  assert.deepEqual(await consumer.committed(), at(2n));
});
