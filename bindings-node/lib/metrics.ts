// The metrics of a client.

/** A broker in `Metrics`. */
export interface BrokerMetrics {
  /** `null` if the metadata has no broker with this address: a bootstrap address, or a broker that has left. */
  'node-id': number | null;
  /** Open connections. */
  'connection-count': number;
  /** Connections that were opened. */
  'connection-creation-total': number;
  /** Attempts to connect that failed. */
  'connection-failure-total': number;
  /** Requests that were written. */
  'request-total': number;
  /** Of these, those without a response because the connection was lost. */
  'request-error-total': number;
  /** Of these, those that are waiting for their response. */
  'requests-in-flight': number;
  /** The bytes of requests in Kafka's encoding: without TLS, and without the requests that open a connection. */
  'outgoing-byte-total': number;
  /** The bytes of responses, counted likewise. */
  'incoming-byte-total': number;
  /**
   * From request to response, over the last one to two minutes. Includes the time that a fetch or a join of a group
   * waits in the broker.
   */
  'request-latency-avg-ms': number;
  /** The median of the same times. */
  'request-latency-p50-ms': number;
  /** The 99th percentile of the same times. */
  'request-latency-p99-ms': number;
  /** The longest of the same times. */
  'request-latency-max-ms': number;
  /** The total time for which the broker has throttled the client, because a quota was exceeded. */
  'throttle-time-total-ms': number;
}

/** A producer in `Metrics`. */
export interface ProducerMetrics {
  /** `client.id`. */
  'client-id': string;
  /** Accepted records without a result yet. */
  'queued-records': number;
  /** Their share of `buffer.memory` in bytes. */
  'queued-bytes': number;
}

/** A consumer in `Metrics`. */
export interface ConsumerMetrics {
  /** `client.id`. */
  'client-id': string;
  /** `null` without a group. */
  'group-id': string | null;
  /**
   * By topic and partition: the number of offsets between the position and the end in the last response.
   * `consumer.lag()` requests the ends from the brokers.
   */
  'records-lag': Record<string, Record<number, number>>;
  /** Records that `onError: 'skip'` has skipped. */
  'records-skipped-total': number;
}

/** The segments that an embedded engine has deleted, and their bytes, by reason. */
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
 * The metrics of a client: `client.metrics()`. Totals count from the creation of the client. Those of deletions exist
 * only for an embedded engine.
 */
export interface Metrics extends Partial<DeletionMetrics> {
  /** Requests that were written. */
  'request-total': number;
  /** Requests without a response. */
  'request-error-total': number;
  /** The number of retries after an error. */
  'retry-total': number;
  /** The total time for which brokers have throttled the client, because a quota was exceeded. */
  'throttle-time-total-ms': number;
  /** Records that `onError: 'skip'` has skipped: in consumers, scans and `tail()`. */
  'records-skipped-total': number;
  /** Over all brokers; 0 for an embedded engine, like the next four. */
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
  /** The producers in use. */
  producers: ProducerMetrics[];
  /** The consumers in use. */
  consumers: ConsumerMetrics[];
}
