//! The metrics of a client as an object.

use std::time::Duration;

use headwater::{
    BrokerMetrics, ClientMetrics, ConsumerMetrics, DeletionCounts, Deletions, ProducerMetrics,
};
use napi::Env;
use napi::bindgen_prelude::{Object, Result};

/// All metrics, as documented for `Metrics` in `lib/metrics.ts`. `deletions`: those of an embedded engine.
pub(crate) fn metrics<'env>(
    env: &'env Env,
    metrics: &ClientMetrics,
    deletions: Option<DeletionCounts>,
) -> Result<Object<'env>> {
    let mut object = Object::new(env)?;
    if let Some(deletions) = deletions {
        set_deletions(&mut object, deletions)?;
    }
    let requests = &metrics.requests;
    object.set("request-total", requests.requests as f64)?;
    object.set("request-error-total", requests.errors as f64)?;
    object.set("retry-total", requests.retries as f64)?;
    object.set("throttle-time-total-ms", millis(requests.throttle_time))?;
    object.set("records-skipped-total", metrics.skipped_records as f64)?;
    for (name, count) in CONNECTIONS {
        let sum: u64 = metrics.brokers.iter().map(count).sum();
        object.set(name, sum as f64)?;
    }
    let mut brokers = Object::new(env)?;
    for broker in &metrics.brokers {
        brokers.set(&broker.address, of_broker(env, broker)?)?;
    }
    object.set("brokers", brokers)?;
    let producers = metrics.producers.iter().map(|it| of_producer(env, it));
    object.set("producers", producers.collect::<Result<Vec<_>>>()?)?;
    let consumers = metrics.consumers.iter().map(|it| of_consumer(env, it));
    object.set("consumers", consumers.collect::<Result<Vec<_>>>()?)?;
    Ok(object)
}

type Count = fn(&BrokerMetrics) -> u64;

/// The counters of each broker and of all brokers together.
const CONNECTIONS: [(&str, Count); 5] = [
    ("connection-count", |broker| broker.connections),
    ("connection-creation-total", |broker| {
        broker.connections_opened
    }),
    ("connection-failure-total", |broker| {
        broker.connections_failed
    }),
    ("outgoing-byte-total", |broker| broker.bytes_sent),
    ("incoming-byte-total", |broker| broker.bytes_received),
];

fn set_deletions(object: &mut Object<'_>, counts: DeletionCounts) -> Result<()> {
    for (reason, Deletions { segments, bytes }) in [
        ("retention-time", counts.retention_time),
        ("retention-size", counts.retention_size),
        ("delete-records", counts.delete_records),
        ("exhaustion", counts.exhaustion),
    ] {
        object.set(format!("{reason}-deleted-segments-total"), segments as f64)?;
        object.set(format!("{reason}-deleted-bytes-total"), bytes as f64)?;
    }
    Ok(())
}

fn of_broker<'env>(env: &'env Env, broker: &BrokerMetrics) -> Result<Object<'env>> {
    let mut object = Object::new(env)?;
    object.set("node-id", broker.id)?;
    for (name, count) in CONNECTIONS {
        object.set(name, count(broker) as f64)?;
    }
    object.set("request-total", broker.requests as f64)?;
    object.set("request-error-total", broker.errors as f64)?;
    object.set("requests-in-flight", broker.in_flight as f64)?;
    object.set("request-latency-avg-ms", millis(broker.latency.mean))?;
    object.set("request-latency-p50-ms", millis(broker.latency.p50))?;
    object.set("request-latency-p99-ms", millis(broker.latency.p99))?;
    object.set("request-latency-max-ms", millis(broker.latency.max))?;
    object.set("throttle-time-total-ms", millis(broker.throttle_time))?;
    Ok(object)
}

fn of_producer<'env>(env: &'env Env, producer: &ProducerMetrics) -> Result<Object<'env>> {
    let mut object = Object::new(env)?;
    object.set("client-id", &producer.client_id)?;
    object.set("queued-records", producer.queued_records as f64)?;
    object.set("queued-bytes", producer.queued_bytes as f64)?;
    Ok(object)
}

fn of_consumer<'env>(env: &'env Env, consumer: &ConsumerMetrics) -> Result<Object<'env>> {
    let mut object = Object::new(env)?;
    object.set("client-id", &consumer.client_id)?;
    object.set("group-id", consumer.group_id.as_deref())?;
    let mut topics = Object::new(env)?;
    for (partition, lag) in &consumer.lag {
        let mut of_topic = match topics.get::<Object<'_>>(&partition.topic)? {
            Some(of_topic) => of_topic,
            None => Object::new(env)?,
        };
        of_topic.set(partition.partition.get().to_string(), *lag as f64)?;
        topics.set(&*partition.topic, of_topic)?;
    }
    object.set("records-lag", topics)?;
    object.set("records-skipped-total", consumer.skipped_records as f64)?;
    Ok(object)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
