// Releases tasks that wait for a change.

export class Gate {
  private waiting: (() => void)[] = [];

  /** Releases all tasks that are currently waiting. */
  open(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const goOn of waiting) {
      goOn();
    }
  }

  /** Waits until it opens, at most for `milliseconds`. */
  wait(timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const goOn = () => {
        clearTimeout(timer);
        resolve();
      };
      this.waiting.push(goOn);
      if (timeoutMs !== undefined) {
        timer = setTimeout(() => {
          this.waiting = this.waiting.filter((other) => other !== goOn);
          resolve();
        }, timeoutMs);
      }
    });
  }
}
