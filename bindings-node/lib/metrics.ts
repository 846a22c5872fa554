// What a client has done, in numbers.

/** A broker in `Metrics`. */
export interface BrokerMetrics {
  /** `null` if the metadata names no broker at this address: a bootstrap address, or a broker that has left. */
  'node-id': number | null;
  /** Connections that are open now. */
  'connection-count': number;
  /** Connections that were opened. */
  'connection-creation-total': number;
  /** Attempts to connect that failed. */
  'connection-failure-total': number;
  /** Requests that were written. */
  'request-total': number;
  /** Of these, those that ended without a response because the connection was lost. */
  'request-error-total': number;
  /** Of these, those that wait for their response now. */
  'requests-in-flight': number;
  /** The bytes of requests, as Kafka encodes them: without TLS, and without the messages that open a connection. */
  'outgoing-byte-total': number;
  /** The bytes of responses, counted likewise. */
  'incoming-byte-total': number;
  /** From request to response, over the last minute or two. A fetch and a join of a group wait in the broker, which counts too. */
  'request-latency-avg-ms': number;
  /** The median of the same times. */
  'request-latency-p50-ms': number;
  /** The 99th percentile of the same times. */
  'request-latency-p99-ms': number;
  /** The longest of the same times. */
  'request-latency-max-ms': number;
  /** For how long the broker has asked the client to wait, because a quota was exceeded. */
  'throttle-time-total-ms': number;
}

/** A producer in `Metrics`. */
export interface ProducerMetrics {
  /** `client.id`. */
  'client-id': string;
  /** Records that were accepted and have no result yet. */
  'queued-records': number;
  /** The bytes of `buffer.memory` that they take. */
  'queued-bytes': number;
}

/** A consumer in `Metrics`. */
export interface ConsumerMetrics {
  /** `client.id`. */
  'client-id': string;
  /** `null`: it belongs to no group. */
  'group-id': string | null;
  /**
   * By topic and partition: the offsets between the position and the end that the last response named. `consumer.lag()` asks the
   * brokers.
   */
  'records-lag': Record<string, Record<number, number>>;
}

/** The segments that left the logs of an embedded engine, and the bytes of their records, by reason. */
export interface DeletionMetrics {
  /** Segments that `retention.ms` deleted. */
  'retention-time-deleted-segments-total': number;
  /** Bytes that `retention.ms` deleted. */
  'retention-time-deleted-bytes-total': number;
  /** Segments that `retention.bytes` deleted. */
  'retention-size-deleted-segments-total': number;
  /** Bytes that `retention.bytes` deleted. */
  'retention-size-deleted-bytes-total': number;
  /** Segments that `deleteRecords()` deleted. */
  'delete-records-deleted-segments-total': number;
  /** Bytes that `deleteRecords()` deleted. */
  'delete-records-deleted-bytes-total': number;
  /** Segments that were deleted for lack of space. */
  'exhaustion-deleted-segments-total': number;
  /** Bytes that were deleted for lack of space. */
  'exhaustion-deleted-bytes-total': number;
}

/**
 * What a client has done: `client.metrics()`. Totals count since the client was made. Those of deletions are there for an embedded
 * engine only.
 */
export interface Metrics extends Partial<DeletionMetrics> {
  /** Requests that were written. */
  'request-total': number;
  /** Requests without a response. */
  'request-error-total': number;
  /** How often something was tried again after an error. */
  'retry-total': number;
  /** For how long brokers have asked the client to wait, because a quota was exceeded. */
  'throttle-time-total-ms': number;
  /** Over all brokers; 0 for an embedded engine, as the next four. */
  'connection-count': number;
  /** Connections that were opened. */
  'connection-creation-total': number;
  /** Attempts to connect that failed. */
  'connection-failure-total': number;
  /** The bytes of requests. */
  'outgoing-byte-total': number;
  /** The bytes of responses. */
  'incoming-byte-total': number;
  /** By `HOST:PORT`; empty for an embedded engine. */
  brokers: Record<string, BrokerMetrics>;
  /** The producers that are in use. */
  producers: ProducerMetrics[];
  /** The consumers that are in use. */
  consumers: ConsumerMetrics[];
}
