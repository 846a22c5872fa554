// The twin of first_stream.py in Node: a producer in the background, a consumer that follows it with a live line, then a
// table of the delays.
//
// It replays the year of flights that `make demo` leaves in demo-data, into a topic of its own. Run it with
// `npm install` and `node first_stream.mjs` in this directory, or from the root with `node notebooks/first_stream.mjs`.
// Stop it wherever you like: the next run goes on where the log ends.

import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { open, UnknownTopicOrPartitionError } from 'headwater';

/** The topic of the Python demo, and that of this one. */
const [SOURCE, TOPIC] = ['flights', 'departures'];
const GROUP = 'node-dashboard';
const PARTITIONS = 4;
const SCHEMA = { event: 'int32', dep_delay: 'int32' };

const { values: given } = parseArgs({
  options: {
    data: { type: 'string', default: 'demo-data' },
    'days-per-second': { type: 'string', default: '40' },
    fresh: { type: 'boolean', default: false },
  },
});
const daysPerSecond = Number(given['days-per-second']);
if (!(daysPerSecond > 0)) {
  console.error('--days-per-second must be a positive number.');
  process.exit(2);
}
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

/** Streams, reads back, tabulates. */
async function main() {
  if (!existsSync(given.data)) {
    throw new UnknownTopicOrPartitionError(`There is no directory ${given.data}.`);
  }
  // Nobody else joins the group: it need not wait for more members.
  const client = await open(given.data, { groupInitialRebalanceDelayMs: 0 });
  try {
    if (given.fresh) {
      await client.deleteTopic(TOPIC, { missingOk: true });
    }
    await client.topic(SOURCE).partitions(); // an error without flights to replay
    // The events are from 2013: Kafka's default retention of seven days would delete them.
    const topic = await client.createTopic(TOPIC, {
      partitions: PARTITIONS,
      retentionMs: -1,
      ifExists: 'ignore',
    });
    await stream(client, await missingDays(client, topic));
    console.log(`\nDelays by airline, minutes\n${table(await delaysByCarrier(topic))}`);
  } finally {
    await client.close();
  }
}

/**
 * The flights that are not in the log yet, by the day of their departure. If an earlier run was stopped, the last event
 * of each carrier shows which are missing: the carrier is the key, and the events of a key keep their order.
 */
async function missingDays(client, topic) {
  const last = new Map();
  let stored = 0;
  for await (const batch of topic.scan({ key: 'string', value: 'json', schema: SCHEMA })) {
    stored += batch.length;
    for (const { key, value } of batch) {
      last.set(key, Math.max(value.event, last.get(key) ?? -1));
    }
  }
  const missing = [];
  for await (const batch of client.topic(SOURCE).scan({ key: 'string', value: 'json' })) {
    for (const { key, value, timestamp } of batch) {
      if (value.event > (last.get(key) ?? -1)) {
        missing.push({ key, value, timestamp });
      }
    }
  }
  stop.signal.throwIfAborted();
  missing.sort((one, other) => one.value.event - other.value.event);
  console.log(
    `${number(stored)} events are in the log, ${number(missing.length)} are to be replayed`,
  );
  const days = new Map();
  for (const event of missing) {
    const day = dayOf(event.timestamp);
    if (!days.has(day)) {
      days.set(day, []);
    }
    days.get(day).push(event);
  }
  return [...days.values()];
}

/** Replays the events in the background, and follows them meanwhile. */
async function stream(client, days) {
  let isProducing = true;
  const produced = produce(client, days).finally(() => {
    isProducing = false;
  });
  await Promise.all([produced, follow(client, () => isProducing)]);
}

/** Sends the flights day by day, with the carrier as key and their event time. */
async function produce(client, days) {
  const producer = client.producer({ key: 'string', value: 'json' });
  const started = performance.now();
  for (const [index, events] of days.entries()) {
    const due = started + (index / daysPerSecond) * 1_000;
    await sleep(Math.max(0, due - performance.now()), undefined, { signal: stop.signal });
    await producer.sendBatch(TOPIC, events);
  }
  await producer.close();
}

/** Reads as a member of a group, until all that was produced is read. The next run goes on at the group's commits. */
async function follow(client, isProducing) {
  const line = new LiveLine();
  const consumer = client.consumer({
    topics: TOPIC,
    groupId: GROUP,
    autoOffsetReset: 'earliest',
  });
  try {
    let isBehind = true;
    while (isBehind) {
      const wait = { timeoutMs: 100, maxRecords: 100_000, signal: stop.signal };
      line.add(await consumer.poll(wait));
      const lag = await lagOf(consumer);
      line.show(lag);
      const { length } = await consumer.assignment();
      isBehind = isProducing() || length === 0 || lag > 0;
    }
    await consumer.commit();
    line.end();
  } finally {
    await consumer.close();
  }
}

async function lagOf(consumer) {
  const lags = await consumer.lag();
  return lags.reduce((sum, { lag }) => sum + Number(lag), 0);
}

/** The line that shows the stream: the day, records, records a second, and the records that are still to be read. */
class LiveLine {
  #records = 0;
  #newest = 0;
  #started = 0;

  add(batch) {
    this.#started ||= batch.length > 0 ? performance.now() : 0;
    this.#records += batch.length;
    for (const { timestamp } of batch) {
      this.#newest = Math.max(this.#newest, timestamp);
    }
  }

  /** Writes the line over the one before, if this is a terminal. */
  show(lag) {
    if (process.stdout.isTTY && this.#records > 0) {
      process.stdout.write(`\r${this.#text(lag)} `);
    }
  }

  /** Leaves the last state of the line behind. */
  end() {
    if (this.#records > 0) {
      console.log(`${process.stdout.isTTY ? '\r' : ''}${this.#text(0)} `);
    }
  }

  #text(lag) {
    const rate = (this.#records * 1_000) / Math.max(1, performance.now() - this.#started);
    const records = number(this.#records).padStart(7);
    const perSecond = number(Math.round(rate)).padStart(9);
    const behind = number(lag).padStart(6);
    return `following   ${dayOf(this.#newest)}   ${records} records   ${perSecond} a second   lag ${behind}`;
  }
}

/** Flights, cancelled share and delays of each airline, the most punctual first. */
async function delaysByCarrier(topic) {
  const started = performance.now();
  const delays = new Map();
  let records = 0;
  for await (const batch of topic.scan({ key: 'string', value: 'json', schema: SCHEMA })) {
    records += batch.length;
    for (const { key, value } of batch) {
      const known = delays.get(key) ?? [];
      delays.set(key, known);
      known.push(value.dep_delay);
    }
  }
  const rate = (records * 1_000) / (performance.now() - started);
  console.log(
    `read back   ${number(records)} records: ${number(Math.round(rate))} a second, JSON included`,
  );
  return [...delays].map(summary).sort((one, other) => one.mean - other.mean);
}

/** The delay of a cancelled flight is null. */
function summary([carrier, all]) {
  const flown = all.filter((delay) => delay !== null).sort((one, other) => one - other);
  const middle = flown.length / 2;
  const median = (flown[Math.floor(middle)] + flown[Math.ceil(middle) - 1]) / 2;
  const sum = flown.reduce((total, delay) => total + delay, 0);
  return {
    carrier,
    flights: all.length,
    cancelled: 1 - flown.length / all.length,
    median,
    mean: sum / flown.length,
  };
}

function table(rows) {
  const head = ['carrier', 'flights', 'cancelled', 'median', 'mean'];
  const cells = rows.map(({ carrier, flights, cancelled, median, mean }) => [
    carrier,
    number(flights),
    `${(cancelled * 100).toFixed(1)} %`,
    String(median),
    mean.toFixed(1),
  ]);
  return [head, ...cells].map((row) => row.map((cell) => cell.padStart(10)).join('')).join('\n');
}

function dayOf(timestamp) {
  return new Date(timestamp).toISOString().slice(0, 10);
}

function number(value) {
  return value.toLocaleString('en');
}

try {
  await main();
} catch (error) {
  if (stop.signal.aborted) {
    // A record in the log is kept, whatever ends the program.
    console.log(`\nStopped. The events so far are in ${given.data}. To go on: node ${again()}`);
    process.exitCode = 130;
  } else if (error instanceof UnknownTopicOrPartitionError) {
    console.error(
      `There are no flights in ${given.data} yet: \`make demo\` writes them, and then this program replays them.`,
    );
    process.exitCode = 1;
  } else {
    throw error;
  }
}

/** The command line without --fresh. */
function again() {
  return process.argv
    .slice(1)
    .filter((word) => word !== '--fresh')
    .join(' ');
}
