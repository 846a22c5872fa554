// A listener of an engine for Kafka clients.

import type { Server as NativeServer } from '../native.js';

/** A listener of an engine for Kafka clients, until it or its client is closed. */
export class Server implements AsyncDisposable {
  /** @internal */
  constructor(private readonly native: NativeServer) {}

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
    return this.native.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
