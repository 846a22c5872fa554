// The two services of `bindings-node/examples`, as processes.
//
// They run over `serve()`, and on a cluster whose addresses the variable HEADWATER_TEST_KAFKA has.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect, open } from 'headwater';
import { directory, numbered, until } from './support.mjs';

const EXAMPLES = fileURLToPath(new URL('../../../bindings-node/examples', import.meta.url));
const CLUSTER = process.env.HEADWATER_TEST_KAFKA;
const DEADLINE = 120_000;

/** A service that runs. */
class Service {
  output = '';
  errors = '';

  constructor(context, program, environment) {
    this.process = spawn(process.execPath, [`${EXAMPLES}/${program}`], {
      env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process.stdout.on('data', (data) => {
      this.output += data;
    });
    this.process.stderr.on('data', (data) => {
      this.errors += data;
    });
    this.closed = once(this.process, 'close');
    context.after(() => this.process.kill('SIGKILL'));
  }

  /** Waits until it prints a line, and returns the group of the pattern. */
  async printed(pattern) {
    await until(() => {
      assert.equal(this.process.exitCode, null, this.errors);
      return pattern.test(this.output);
    });
    return this.output.match(pattern)[1];
  }

  /** Ends it as a container's runtime does. */
  async terminate() {
    this.process.kill('SIGTERM');
    const [code, signal] = await this.closed;
    assert.deepEqual([code, signal, this.errors], [0, null, '']);
  }
}

async function post(url, order) {
  const response = await fetch(`${url}/orders`, { method: 'POST', body: JSON.stringify(order) });
  const body = await response.json();
  assert.equal(response.status, 201, JSON.stringify(body));
  return body;
}

/** Posts orders, of which each third is suspicious. */
function postMany(url, count) {
  return Promise.all(
    numbered(count, (n) =>
      post(url, { card: `card-${n % 7}`, amount: n % 3 === 0 ? 99_000 : 12.5 }),
    ),
  );
}

async function alerts(url) {
  return (await fetch(`${url}/alerts`)).json();
}

const suspicious = (orders) => orders.filter(({ amount }) => amount > 10_000).map(({ id }) => id);

/** Posts orders one after the other until the service takes no more; returns those that were answered. */
async function postUntilRefused(url) {
  const taken = [];
  for (;;) {
    try {
      taken.push(await post(url, { card: 'last', amount: 1 }));
    } catch (error) {
      assert.ok(error instanceof TypeError, `${error}`); // of fetch()
      return taken;
    }
  }
}

async function messagesOf(client, topic) {
  return [...(await client.topic(topic).scan({ value: 'json' }).collect())];
}

/** Runs the pair, and checks what is left. `environment` is that of the order service. */
async function runPair(context, environment, connectAfterwards) {
  const orders = new Service(context, 'order-service.mjs', { PORT: '0', ...environment });
  const url = await orders.printed(/^HTTP at (\S+)$/m);
  const address =
    environment.KAFKA_BOOTSTRAP_SERVERS ?? (await orders.printed(/^Kafka at (\S+)$/m));
  const prefix = environment.TOPIC_PREFIX;
  const detect = () =>
    new Service(context, 'fraud-detector.mjs', {
      KAFKA_BOOTSTRAP_SERVERS: address,
      TOPIC_PREFIX: prefix,
    });
  let detector = detect();

  const refused = await fetch(`${url}/orders`, { method: 'POST', body: '{"amount": -1}' });
  assert.equal(refused.status, 400);
  const taken = await postMany(url, 60);
  await until(async () => (await alerts(url)).length === suspicious(taken).length);
  await detector.terminate();

  // What comes while no detector runs is read by the next one.
  taken.push(...(await postMany(url, 30)));
  detector = detect();
  await until(async () => (await alerts(url)).length === suspicious(taken).length);
  const shown = (await alerts(url)).map(({ order }) => order);
  assert.deepEqual(shown.sort(), suspicious(taken).sort());
  await detector.terminate();

  const posting = postUntilRefused(url);
  await orders.terminate();
  taken.push(...(await posting));

  await using client = await connectAfterwards();
  assert.equal(client.recovery, null);
  const written = await messagesOf(client, `${prefix}orders`);
  const ids = written.map(({ value }) => value.id);
  assert.deepEqual(ids.sort(), taken.map(({ id }) => id).sort());
  const alerted = await messagesOf(client, `${prefix}alerts`);
  assert.deepEqual(alerted.map(({ value }) => value.order).sort(), suspicious(taken).sort());
  // An order whose alert was sent is committed: it does not come again.
  const offsets = await client.groupOffsets(`${prefix}fraud-detector`);
  const committed = new Map(offsets.map(({ partition, committed }) => [partition, committed]));
  const left = written.filter(
    ({ partition, offset }) => offset >= (committed.get(partition) ?? 0n),
  );
  assert.deepEqual(suspicious(left.map(({ value }) => value)), []);
}

test('the two services work over serve(), end cleanly and lose nothing', {
  timeout: DEADLINE,
}, async (context) => {
  const data = await directory(context);
  const environment = { DATA: data, KAFKA_PORT: '0', TOPIC_PREFIX: 'shop-' };
  await runPair(context, environment, () => open(data));
});

test('the same two services work on a cluster (kafka)', {
  timeout: DEADLINE,
  skip: CLUSTER === undefined && 'HEADWATER_TEST_KAFKA names no cluster',
}, async (context) => {
  const environment = {
    KAFKA_BOOTSTRAP_SERVERS: CLUSTER,
    TOPIC_PREFIX: `shop-${process.pid}-${Date.now()}-`,
  };
  await runPair(context, environment, () => connect(CLUSTER));
});

test('records that do not decode go to a dead-letter topic', async (context) => {
  const example = new Service(context, 'dead-letters.mjs', {});
  const [code] = await example.closed;
  assert.deepEqual([code, example.errors], [0, '']);
  assert.deepEqual(example.output.trim().split('\n'), [
    '0 UA 12',
    '3 DL 0',
    'dead: no JSON',
    'dead: {"delay":"late"}',
  ]);
});
