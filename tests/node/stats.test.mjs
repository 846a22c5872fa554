// `stats`: a function that is called with the metrics of a client.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError, connect, InvalidArgumentError, open } from 'headwater';
import { PATIENCE, rejects, until } from './support.mjs';

const START = {
  open: (_server, options) => open(null, options),
  connect: (server, options) => connect(server.address, options),
};

for (const [how, start] of Object.entries(START)) {
  test(`stats is called with metrics until the client is closed (${how})`, {
    timeout: PATIENCE,
  }, async () => {
    await using engine = await open(null);
    await using server = await engine.serve({ port: 0 });
    const reports = [];
    const client = await start(server, {
      stats: (metrics) => reports.push(metrics),
      statisticsIntervalMs: 10,
    });
    await client.createTopic('of-stats');
    await until(() => reports.at(-1)?.['request-total'] > 0);
    assert.deepEqual(Object.keys(reports.at(-1)), Object.keys(client.metrics()));
    await client.close();
    const { length } = reports;
    await sleep(50);
    assert.equal(reports.length, length);
  });
}

test('stats that throws is reported and called again', { timeout: PATIENCE }, async (context) => {
  const warnings = [];
  const note = ({ message }) => warnings.push(message);
  process.on('warning', note);
  context.after(() => process.off('warning', note));
  await using _client = await open(null, {
    stats: async () => {
      throw new Error('mine');
    },
    statisticsIntervalMs: 10,
  });
  await until(() => warnings.length >= 2);
  assert.deepEqual(new Set(warnings), new Set(['mine']));
});

test('a slow stats misses reports, and is never called twice at once', {
  timeout: PATIENCE,
}, async () => {
  let [calls, running, most] = [0, 0, 0];
  await using _client = await open(null, {
    stats: async () => {
      calls++;
      running++;
      most = Math.max(most, running);
      await sleep(40);
      running--;
    },
    statisticsIntervalMs: 5,
  });
  await until(() => calls === 3);
  assert.equal(most, 1);
});

test('wrong arguments of stats are errors', async () => {
  await rejects(open(null, { stats: 7 }), InvalidArgumentError, /stats must be a function/);
  await rejects(open(null, { statisticsIntervalMs: 10 }), ConfigError, /pass stats/);
  const config = { 'statistics.interval.ms': 10 };
  await rejects(connect('127.0.0.1:1', { config }), ConfigError, /pass stats/);
});
