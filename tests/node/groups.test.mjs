// Consumer groups: the cases of tests/python/test_groups.py.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ClosedError,
  InvalidArgumentError,
  KafkaError,
  open,
  UnknownTopicOrPartitionError,
} from 'headwater';
import {
  directory,
  ENGINE,
  fill,
  first,
  memberOf,
  name,
  numbered,
  offsets,
  onProtocols,
  onTargets,
  ownGroups,
  PATIENCE,
  place,
  pollUntil,
  rejects,
  text,
  until,
} from './support.mjs';

const at = (offset) => [{ ...place(0), offset }];
const valuesOf = (messages) => messages.map(({ value }) => text(value));

onProtocols('two members share the partitions', async (client, member) => {
  await client.createTopic(name('flights'), { partitions: 4 });
  await using one = client.consumer({ topics: name('flights'), ...member });
  await using two = client.consumer({ topics: name('flights'), ...member });
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
      name('flights'),
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
  const manual = { topics: name('flights'), ...member, enableAutoCommit: false };
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
    await consumer.commit({ ...place(0), offset: 5n });
    assert.deepEqual(await consumer.committed({ partitions: place(0) }), at(5n));
    assert.deepEqual(await consumer.lag(), [{ ...place(0), lag: 4n }]);
  }
  await using consumer = client.consumer(manual);
  assert.deepEqual(valuesOf(await first(consumer, 1)), ['5']);
  const [offset] = await client.groupOffsets(name('readers'));
  assert.deepEqual([offset.committed, offset.end, offset.lag], [5n, 10n, 5n]);
});

onProtocols('a message is finished when the next one is requested', async (client, member) => {
  await fill(
    client,
    numbered(1_000, (n) => `${n}`),
  );
  {
    await using consumer = client.consumer({ topics: name('flights'), ...member });
    assert.equal(valuesOf(await first(consumer, 600)).at(-1), '599');
  }
  // The last one was in hand when the consumer was closed.
  await using consumer = client.consumer({ topics: name('flights'), ...member });
  assert.deepEqual(valuesOf(await first(consumer, 1)), ['599']);
});

onProtocols('a member reads on wherever a fetch ends', async (client, member) => {
  await client.createTopic(name('flights'));
  await using consumer = client.consumer({ topics: name('flights'), ...member });
  await using producer = client.producer();
  // The group is polled every 256 messages: with the last message of a fetch, or the first.
  for (const count of [255, 1, 254, 2, 256, 1]) {
    const sent = numbered(count, (n) => `${n}`);
    await producer.sendBatch(
      name('flights'),
      sent.map((value) => ({ value })),
    );
    assert.deepEqual(valuesOf(await first(consumer, count)), sent);
  }
});

onProtocols('a batch is finished when the next one is asked for', async (client, member) => {
  await fill(
    client,
    numbered(20_000, (n) => `${n}`),
  );
  {
    await using consumer = client.consumer({ topics: name('flights'), ...member });
    for await (const batch of consumer.batches({ maxRecords: 5_000 })) {
      if (batch.at(0).offset === 10_000n) {
        break;
      }
    }
  }
  {
    await using consumer = client.consumer({ topics: name('flights'), ...member });
    assert.deepEqual(valuesOf(await first(consumer, 1)), ['10000']);
  }
  await using consumer = client.consumer({ topics: name('flights'), ...member });
  let left = 0;
  for await (const batch of consumer.batches({ until: 'end' })) {
    left += batch.length;
  }
  assert.equal(left, 10_000);
});

const COMMITS = {
  everything: (consumer) => consumer.commit(),
  'a batch': (consumer, batch) => consumer.commit(batch),
  'a message': (consumer, batch) => consumer.commit(batch.at(-1)),
  offsets: (consumer, batch) => consumer.commit(batch.nextOffsets),
  'without waiting': (consumer) => consumer.commit(undefined, { wait: false }),
};
const ENDINGS = {
  close: (consumer) => consumer.close(),
  unsubscribe: (consumer) => consumer.unsubscribe(),
  interval: async (consumer) => {
    for (let polls = 0; polls < 3; polls++) {
      await consumer.poll({ timeoutMs: 10, maxRecords: 1 });
    }
    await consumer.close();
  },
  assign: (consumer) => consumer.assign([]),
};
for (const [what, commit] of Object.entries(COMMITS)) {
  for (const [end, ending] of Object.entries(ENDINGS)) {
    onProtocols(`an explicit commit is not undone: ${what}, ${end}`, async (client, member) => {
      await fill(
        client,
        numbered(100, (n) => `${n}`),
      );
      const autoCommitIntervalMs = end === 'interval' ? 0 : 60_000;
      await using consumer = client.consumer({ autoCommitIntervalMs, ...member });
      await (end === 'assign' ? consumer.assign([place(0)]) : consumer.subscribe(name('flights')));
      let batch = await consumer.poll({ timeoutMs: 0, maxRecords: 40 });
      while (batch.length === 0) {
        batch = await consumer.poll({ timeoutMs: 50, maxRecords: 40 });
      }
      const [{ offset }] = batch.nextOffsets;
      await commit(consumer, batch);
      await ending(consumer);
      await using other = client.consumer(member);
      const [committed] = await other.committed({ partitions: place(0) });
      assert.ok(committed.offset >= offset, `${committed.offset} of ${offset}`);
    });
  }
}

onProtocols(
  'a polled batch is finished only when the next one is asked for',
  async (client, member) => {
    await fill(
      client,
      numbered(10, (n) => `${n}`),
    );
    {
      await using consumer = client.consumer({ topics: name('flights'), ...member });
      await pollUntil(async () => (await consumer.position())[0]?.offset === 10n, consumer);
      await consumer.poll({ timeoutMs: 0 });
      await consumer.seek(4);
      assert.equal((await consumer.poll()).length, 6);
    }
    await using other = client.consumer(member);
    assert.deepEqual(await other.committed({ partitions: place(0) }), at(10n));
  },
);

onProtocols(
  'a commit before joining says that the consumer has not joined',
  async (client, member) => {
    await client.createTopic(name('flights'));
    await using one = client.consumer({ topics: name('flights'), ...member });
    await pollUntil(async () => (await one.assignment()).length > 0, one);
    await using two = client.consumer({ topics: name('flights'), ...member });
    await rejects(two.commit(at(1n)), KafkaError, /has not joined the group yet/);
  },
);

onProtocols('a deleted topic does not stop the others', async (client, member) => {
  await fill(client, ['a']);
  await client.createTopic(name('trains'));
  await using producer = client.producer();
  {
    await using consumer = client.consumer({
      topics: [name('flights'), name('trains')],
      ...member,
    });
    await pollUntil(async () => (await consumer.assignment()).length === 2, consumer);
    const isRead = async () =>
      (await consumer.position()).some(
        ({ topic, offset }) => topic === name('flights') && offset === 1n,
      );
    await pollUntil(isRead, consumer);
    await client.deleteTopic(name('trains'));
    await consumer.commit();
    assert.deepEqual(await consumer.lag(), [{ ...place(0), lag: 0n }]);
    await producer.send({ topic: name('flights'), value: 'b' });
    assert.deepEqual(valuesOf(await first(consumer, 1)), ['b']);
    await consumer.commit();
  }
  await using other = client.consumer(member);
  assert.deepEqual(await other.committed({ partitions: place(0) }), at(2n));
  await rejects(other.commit({ ...place(0, 'trains'), offset: 1n }), UnknownTopicOrPartitionError);
});

onProtocols('commits go on while messages are iterated', async (client, member) => {
  await client.createTopic(name('flights'));
  await using consumer = client.consumer({
    topics: name('flights'),
    autoCommitIntervalMs: 0,
    ...member,
  });
  await using other = client.consumer(member);
  await using producer = client.producer();
  let [read, committed] = [0, 0];
  while (committed === 0) {
    await producer.sendBatch(
      name('flights'),
      numbered(500, (n) => ({ value: `${n}` })),
      { partition: 0 },
    );
    read += (await first(consumer, 500)).length;
    committed = Number((await other.committed({ partitions: place(0) }))[0]?.offset ?? 0);
  }
  assert.ok(committed < read, `${committed} of ${read}`);
});

onProtocols('a loop that commits each message reads each once', async (client, member) => {
  await fill(
    client,
    numbered(1_000, (n) => `${n}`),
  );
  await using consumer = client.consumer({
    topics: name('flights'),
    enableAutoCommit: false,
    ...member,
  });
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
    await one.subscribe(name('flights'), {
      onAssign: (partitions) => told.push(['assign', partitions]),
      onRevoke: async (partitions) => {
        told.push(['revoke', partitions]);
        await one.commit();
      },
    });
    assert.deepEqual(valuesOf(await first(one, 2)), ['a', 'b']);
    await two.subscribe([name('flights')]);
    const shared = async () => {
      const [first, second] = [await one.assignment(), await two.assignment()];
      return first.length === 1 && second.length === 1;
    };
    await pollUntil(shared, one, two);
    assert.deepEqual(told[0], ['assign', [place(0), place(1)]]);
    const [kind, revoked] = told[1];
    assert.equal(kind, 'revoke');
    assert.deepEqual(
      revoked,
      protocol === 'classic' ? [place(0), place(1)] : await two.assignment(),
    );
    assert.deepEqual(await one.committed({ partitions: place(0) }), at(2n));
    await two.unsubscribe();
    assert.deepEqual(await two.assignment(), []);
  },
);

onProtocols('what a callback throws comes out of the poll', async (client, member) => {
  await client.createTopic(name('flights'));
  await using consumer = client.consumer(member);
  const refused = new Error('refused');
  await consumer.subscribe(name('flights'), {
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
  const consumer = client.consumer({ topics: name('flights'), ...member });
  const listener = (partitions) => told.push(partitions);
  consumer.on('assign', listener).on('revoke', listener);
  await first(consumer, 1);
  consumer.off('revoke', listener);
  await consumer.close();
  assert.deepEqual(told, [[place(0)]]);
});

onProtocols('a member that does not poll has lost its partitions', async (client, member) => {
  await client.createTopic(name('flights'));
  const lost = [];
  await using consumer = client.consumer({ maxPollIntervalMs: 200, ...member });
  await consumer.subscribe(name('flights'), { onLost: (partitions) => lost.push(...partitions) });
  await pollUntil(async () => (await consumer.assignment()).length > 0, consumer);
  await sleep(600);
  await pollUntil(() => lost.length > 0, consumer);
  assert.deepEqual(lost, [place(0)]);
  await pollUntil(async () => (await consumer.assignment()).length > 0, consumer);
});

for (const leave of ['close', 'unsubscribe']) {
  onProtocols(
    `partitions can be committed before the consumer releases them: ${leave}`,
    async (client, member) => {
      await fill(client, ['a', 'b']);
      const revoked = [];
      const consumer = client.consumer({ enableAutoCommit: false, ...member });
      await consumer.subscribe(name('flights'), {
        onRevoke: async (partitions) => {
          revoked.push(...partitions);
          await consumer.commit();
        },
      });
      assert.deepEqual(valuesOf(await first(consumer, 2)), ['a', 'b']);
      await consumer[leave]();
      await consumer.close();
      assert.deepEqual(revoked, [place(0)], 'once');
      assert.deepEqual(
        (await client.groupOffsets(name('readers'))).map(({ committed }) => committed),
        [2n],
      );
    },
  );

  onProtocols(
    `an error of a callback is thrown after the consumer has left: ${leave}`,
    async (client, member) => {
      await fill(client, ['a']);
      const consumer = client.consumer(member);
      await consumer.subscribe(name('flights'), {
        onRevoke: () => {
          throw new Error('refused');
        },
      });
      await first(consumer, 1);
      await assert.rejects(consumer[leave](), /refused/);
      await until(async () => (await ownGroups(client))[0]?.state === 'Empty');
      await consumer.close().catch(() => {});
    },
  );
}

onProtocols('a close lets the callback commit while a poll waits', async (client, member) => {
  await fill(client, ['a']);
  const consumer = client.consumer({ enableAutoCommit: false, ...member });
  await consumer.subscribe(name('flights'), { onRevoke: () => consumer.commit() });
  await first(consumer, 1);
  const waiting = rejects(consumer.poll({ timeoutMs: 60_000 }), ClosedError);
  await sleep(50);
  await consumer.close();
  await waiting;
  assert.deepEqual(
    (await client.groupOffsets(name('readers'))).map(({ committed }) => committed),
    [1n],
  );
});

onProtocols('a pattern reads topics that come later', async (client, member) => {
  await client.createTopic(name('flights-1'));
  await client.createTopic(name('trains'));
  await using consumer = client.consumer({ topics: new RegExp(name('FLIGHTS-.'), 'i'), ...member });
  await pollUntil(async () => (await consumer.assignment()).length === 1, consumer);
  await client.createTopic(name('flights-2'));
  await pollUntil(async () => (await consumer.assignment()).length === 2, consumer);
  assert.deepEqual(
    (await consumer.assignment()).map(({ topic }) => topic),
    [name('flights-1'), name('flights-2')],
  );
  await rejects(consumer.subscribe(/(?=no)/), InvalidArgumentError, /pattern/);
});

onTargets('what needs a group says so', async (client) => {
  await client.createTopic(name('flights'));
  await using consumer = client.consumer({ topics: name('flights') });
  await rejects(consumer.commit(), InvalidArgumentError, /group\.id/);
  await rejects(consumer.committed(), InvalidArgumentError, /group\.id/);
  await rejects(consumer.subscribe(name('flights')), InvalidArgumentError, /group\.id/);
});

onTargets('each protocol refuses the keys of the other', async (client) => {
  const groupId = name('g');
  for (const [key, value] of Object.entries({
    'session.timeout.ms': 10_000,
    'heartbeat.interval.ms': 1_000,
    'partition.assignment.strategy': 'range',
  })) {
    assert.throws(
      () => client.consumer({ groupId, groupProtocol: 'consumer', config: { [key]: value } }),
      new RegExp(`ConfigError: ${key} cannot be set with group.protocol=consumer`),
    );
  }
  assert.throws(
    () => client.consumer({ groupId, groupRemoteAssignor: 'range' }),
    /ConfigError: group\.remote\.assignor cannot be set with group\.protocol=classic/,
  );
});

onTargets('an assignor that the broker does not have is refused', async (client) => {
  await client.createTopic(name('flights'));
  await using consumer = client.consumer({
    topics: name('flights'),
    groupId: name('readers'),
    groupProtocol: 'consumer',
    groupRemoteAssignor: 'best',
  });
  await rejects(
    pollUntil(() => false, consumer),
    KafkaError,
    /uniform, range/,
  );
});

onProtocols(
  'members of both protocols share a group while it changes',
  async (client, member, protocol) => {
    await client.createTopic(name('flights'), { partitions: 4 });
    const otherProtocol = protocol === 'classic' ? 'consumer' : 'classic';
    await using producer = client.producer();
    let sent = 0;
    const send = async () => {
      for (let partition = 0; partition < 4; partition++) {
        const rows = numbered(10, (n) => ({ value: `${sent + n}` }));
        await producer.sendBatch(name('flights'), rows, { partition });
        sent += 10;
      }
    };
    const has = async (consumer, count) => (await consumer.assignment()).length === count;
    await using one = client.consumer({ topics: name('flights'), ...member });
    const read = await pollUntil(() => has(one, 4), one);
    await send();
    {
      await using two = client.consumer({
        topics: name('flights'),
        ...memberOf(otherProtocol),
      });
      const share = async () => (await has(one, 2)) && (await has(two, 2));
      read.push(...(await pollUntil(share, one, two)));
      assert.equal((await ownGroups(client))[0].protocolType, 'consumer');
      await send();
      while (read.length < sent) {
        read.push(...valuesOf([...(await one.poll({ timeoutMs: 20 }))]));
        read.push(...valuesOf([...(await two.poll({ timeoutMs: 20 }))]));
      }
      assert.equal((await one.poll({ timeoutMs: 0 })).length, 0);
      assert.equal((await two.poll({ timeoutMs: 0 })).length, 0, 'what was read is finished');
    }
    read.push(...(await pollUntil(() => has(one, 4), one)));
    await send();
    while (read.length < sent) {
      read.push(...valuesOf([...(await one.poll({ timeoutMs: 20 }))]));
    }
    assert.deepEqual(
      read.map(Number).sort((a, b) => a - b),
      numbered(sent, (n) => n),
      'each record once',
    );
  },
);

onTargets('offsets of a group are set, and the group is deleted', async (client) => {
  await fill(client, ['a', 'b', 'c']);
  assert.deepEqual(
    await client.resetGroupOffsets(name('readers'), name('flights'), 'latest'),
    new Map([[0, 3n]]),
  );
  assert.deepEqual(
    await client.resetGroupOffsets(name('readers'), name('flights'), 1),
    new Map([[0, 1n]]),
  );
  const [group] = await ownGroups(client);
  assert.deepEqual([group.groupId, group.state], [name('readers'), 'Empty']);
  await client.deleteGroup(name('readers'));
  assert.deepEqual(await ownGroups(client), []);
  await assert.rejects(client.deleteGroup(name('readers')), KafkaError);
});

for (const protocol of ['classic', 'consumer']) {
  test(`a group survives the engine (${protocol})`, { timeout: PATIENCE }, async (context) => {
    const path = await directory(context);
    const member = { topics: name('flights'), ...memberOf(protocol) };
    {
      await using client = await open(path, ENGINE);
      await fill(client, ['a', 'b', 'c']);
      await using consumer = client.consumer(member);
      await first(consumer, 3);
    }
    await using client = await open(path, ENGINE);
    await using consumer = client.consumer(member);
    assert.deepEqual(valuesOf(await first(consumer, 1)), ['c']);
  });
}

onProtocols('a batch of a consumer commits itself', async (client, member) => {
  await fill(client, ['a', 'b', 'c']);
  await using consumer = client.consumer({
    topics: name('flights'),
    enableAutoCommit: false,
    ...member,
  });
  for await (const batch of consumer.batches({ maxRecords: 2 })) {
    assert.deepEqual(offsets(batch), [0, 1]);
    await batch.commit();
    break;
  }
  assert.deepEqual(await consumer.committed(), at(2n));
});
