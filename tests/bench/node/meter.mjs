// Times the reading of a topic's records.

/** The clock starts when a tenth of the records have come: before that, a consumer joins its group and fills its queues. */
export class Meter {
  bytes = 0;
  seen = 0;
  isDone = false;

  constructor(records) {
    this.records = records;
    this.first = Math.ceil(records / 10);
    this.done = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  see(value) {
    this.bytes += value.length;
    this.seen++;
    if (this.seen === this.first) {
      this.started = performance.now();
      this.cpu = process.cpuUsage();
    } else if (this.seen === this.records) {
      this.seconds = (performance.now() - this.started) / 1_000;
      this.cpu = process.cpuUsage(this.cpu);
      this.isDone = true;
      this.end();
    }
  }

  /** What the run took; throws if the values are not those of the topic. */
  run(size) {
    if (this.bytes !== this.records * size) {
      throw new Error(`${this.seen} records have ${this.bytes} bytes, not ${size} each`);
    }
    return {
      records: this.records - this.first,
      seconds: this.seconds,
      cpu_seconds: cpuSeconds(this.cpu),
    };
  }
}

/** Processor time, user and system. */
export function cpuSeconds({ user, system }) {
  return (user + system) / 1e6;
}
