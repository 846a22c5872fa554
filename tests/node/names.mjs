// Names of topics and groups that no other test has: on a cluster that tests share, each test has its own.

/** The variable with the bootstrap addresses of the cluster: tests/foreign/kafka/cluster.py sets it. */
export const KAFKA = process.env.HEADWATER_TEST_KAFKA;

const RUN = `${Date.now().toString(36)}${process.pid.toString(36)}`;
let tests = 0;
let suffix = '';

/** From here on, names are those of another test. */
export function beginTest() {
  suffix = KAFKA === undefined ? '' : `-${RUN}-${++tests}`;
}

/** The name of a topic or group of this test. It means itself in a regular expression if `own` does. */
export function name(own) {
  return own + suffix;
}

/** Whether the name is one of this test. */
export function isOwn(name) {
  return name.endsWith(suffix);
}

/** A partition of a topic of this test. */
export function place(partition, topic = 'flights') {
  return { topic: name(topic), partition };
}
