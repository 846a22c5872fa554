// A listener of an engine for Kafka clients.

import type { Server as NativeServer } from '../native.js';
import { described, INSPECT, quoted } from './inspection.js';

/** Servers that listen. A server that a program has dropped is not collected: it goes on. */
const LISTENING = new Set<Server>();

/** An engine that listens for Kafka clients until it is closed, or until its client is. */
export class Server implements AsyncDisposable {
  /** @internal */
  constructor(private readonly native: NativeServer) {
    LISTENING.add(this);
  }

  /** The address on which it listens: "HOST:PORT". */
  get address(): string {
    return this.native.address;
  }

  /** The value of `bootstrap.servers` for Kafka clients. */
  get bootstrapServers(): string {
    return this.native.bootstrapServers;
  }

  /**
   * Accepts no more connections, answers the requests in progress, and closes all connections. The engine stays open.
   * Idempotent.
   */
  close(): Promise<void> {
    this.forget();
    return this.native.close();
  }

  /** Its address, as `console.log()` shows it. @hidden */
  [INSPECT](): string {
    return described('Server', quoted(this.address));
  }

  /** @internal Its engine is closed. */
  forget(): void {
    LISTENING.delete(this);
  }

  /** Closes it: `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
