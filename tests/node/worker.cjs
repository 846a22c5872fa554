// A worker that sends numbers up to `last`, or for ever, and tells each that was acknowledged.

const { parentPort, workerData } = require('node:worker_threads');
const { open } = require('headwater');

async function main() {
  const client = await open(workerData.path);
  await client.createTopic('flights', { ifExists: 'ignore' });
  const producer = client.producer();
  for (let n = 0; ; n++) {
    await producer.send({ topic: 'flights', value: String(n) });
    parentPort.postMessage(n);
    if (n === workerData.last) {
      break;
    }
  }
  if (workerData.close) {
    await client.close();
  }
}

main();
