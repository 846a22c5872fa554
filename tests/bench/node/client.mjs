// A client in a process of its own: `node --expose-gc client.mjs CLIENT WAY ADDRESS RECORDS`. It reads the name of a topic, runs there once, and
// writes what the run took; then again, until its input ends.

import { createInterface } from 'node:readline';
import { connect } from 'headwater';
import { cpuSeconds, Meter } from './meter.mjs';
import { randomValues } from './values.mjs';

const RECORD_BYTES = 100;
const AT_ONCE = 100;
const MANY = 1_000;

const [name, way, address, count] = process.argv.slice(2);
const records = Number(count);
const { Client } = await import(`./${name}.mjs`);
const client = await Client.connect(address);

const WAYS = {
  batches: () => reading('batches'),
  messages: () => reading('messages'),
  awaited: () => producing(sendAwaited),
  at_once: () => producing(sendAtOnce),
  many: () => producing(sendMany),
};

function reading(method) {
  return async (topic) => {
    const meter = new Meter(records);
    await client[method](topic, `bench-${process.pid}-${performance.now()}`, meter);
    return meter.run(RECORD_BYTES);
  };
}

function producing(send) {
  const values = randomValues(records, RECORD_BYTES);
  return async (topic) => {
    const [cpu, started] = [process.cpuUsage(), performance.now()];
    const more = await send(topic, values);
    const seconds = (performance.now() - started) / 1_000;
    const run = { records, seconds, cpu_seconds: cpuSeconds(process.cpuUsage(cpu)), ...more };
    await check(topic);
    return run;
  };
}

async function sendAwaited(topic, values) {
  const took = [];
  for (const value of values) {
    const started = performance.now();
    await client.send(topic, value);
    took.push((performance.now() - started) / 1_000);
  }
  took.sort((a, b) => a - b);
  const percentile = (percent) => took[Math.floor((took.length * percent) / 100)];
  return { percentiles: { 50: percentile(50), 99: percentile(99) } };
}

async function sendAtOnce(topic, values) {
  for (let sent = 0; sent < values.length; sent += AT_ONCE) {
    const some = values.slice(sent, sent + AT_ONCE);
    await Promise.all(some.map((value) => client.send(topic, value)));
  }
}

async function sendMany(topic, values) {
  for (let sent = 0; sent < values.length; sent += MANY) {
    await client.sendMany(topic, values.slice(sent, sent + MANY));
  }
}

/** Looks for each record in the topic. */
async function check(topic) {
  const other = await connect(address);
  const written = await other.topic(topic).count();
  await other.close();
  if (written !== records) {
    throw new Error(`${written} of ${records} records are in the topic`);
  }
}

const run = WAYS[way]();
for await (const topic of createInterface({ input: process.stdin })) {
  globalThis.gc?.();
  console.log(JSON.stringify(await run(topic)));
}
await client.close();
