// What the tests run against: an engine in this process, our server, or an Apache Kafka cluster.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { connect, open } from 'headwater';
import { checked } from './differences.mjs';
import { beginTest, KAFKA, name } from './names.mjs';

/** Long enough for every machine, also if it runs a cluster; tests never wait for it when all is well. */
export const PATIENCE = KAFKA === undefined ? 60_000 : 240_000;

/** An engine whose groups wait for nobody. */
export const ENGINE = {
  groupInitialRebalanceDelayMs: 0,
  groupMinSessionTimeoutMs: 100,
  groupConsumerMinHeartbeatIntervalMs: 20,
  groupConsumerHeartbeatIntervalMs: 20,
};

/** Options of a member of a group, by protocol. */
const MEMBERS = {
  classic: { heartbeatIntervalMs: 20, metadataMaxAgeMs: 50 },
  consumer: { groupProtocol: 'consumer' },
};

const OURS = {
  async embedded(use) {
    await using client = await open(null, ENGINE);
    await use(client);
  },
  async served(use) {
    await using engine = await open(null, ENGINE);
    await using server = await engine.serve({ port: 0 });
    await using client = await connect(server.address);
    await use(client);
  },
};

const CLUSTER = {
  async kafka(use) {
    checkCluster();
    await using client = await connect(KAFKA);
    await use(client);
  },
};

/** Where there is a cluster, the tests run there and nowhere else. */
const TARGETS = KAFKA === undefined ? OURS : CLUSTER;

/** A test that is run against an embedded engine and over the wire, or on the cluster. */
export function onTargets(title, run) {
  for (const [target, start] of Object.entries(TARGETS)) {
    test(`${title} (${target})`, { timeout: PATIENCE }, (context) => {
      beginTest();
      return checked(context, title, target, () => start(run));
    });
  }
}

/** A test of what only a cluster has, for both protocols of groups. */
export function onClusterAndProtocols(title, run) {
  if (KAFKA !== undefined) {
    onProtocols(title, run);
  }
}

/** {@link onTargets} for both protocols of groups. */
export function onProtocols(title, run) {
  for (const protocol of Object.keys(MEMBERS)) {
    onTargets(`${title} (${protocol})`, (client) => run(client, memberOf(protocol), protocol));
  }
}

/** The options of a member of this test's group. */
export function memberOf(protocol) {
  return { groupId: name('readers'), autoOffsetReset: 'earliest', ...MEMBERS[protocol] };
}

/** The cluster has the configuration of `cluster.properties`: that of our engine must be in it. */
function checkCluster() {
  const file = new URL('../../foreign/kafka/cluster.properties', import.meta.url);
  const lines = new Set(readFileSync(file, 'utf8').split('\n'));
  for (const [key, value] of Object.entries(ENGINE)) {
    const kafkaKey = key.replace(/[A-Z]/g, (letter) => `.${letter.toLowerCase()}`);
    assert.ok(lines.has(`${kafkaKey}=${value}`), `the cluster does not have ${kafkaKey}=${value}`);
  }
}
