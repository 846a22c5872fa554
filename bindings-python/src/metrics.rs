//! The metrics of a client as a dict.

use std::time::Duration;

use headwater::{
    BrokerMetrics, ClientMetrics, ConsumerMetrics, DeletionCounts, Deletions, ProducerMetrics,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// All metrics, as documented in `headwater.types.Metrics`. `deletions`: those of an embedded engine.
pub(crate) fn metrics<'py>(
    py: Python<'py>,
    metrics: &ClientMetrics,
    deletions: Option<DeletionCounts>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    if let Some(deletions) = deletions {
        set_deletions(&dict, deletions)?;
    }
    let requests = &metrics.requests;
    dict.set_item("request-total", requests.requests)?;
    dict.set_item("request-error-total", requests.errors)?;
    dict.set_item("retry-total", requests.retries)?;
    dict.set_item("throttle-time-total-ms", millis(requests.throttle_time))?;
    let sum = |count: fn(&BrokerMetrics) -> u64| metrics.brokers.iter().map(count).sum::<u64>();
    dict.set_item("records-skipped-total", metrics.skipped_records)?;
    dict.set_item("connection-count", sum(|broker| broker.connections))?;
    dict.set_item(
        "connection-creation-total",
        sum(|broker| broker.connections_opened),
    )?;
    dict.set_item(
        "connection-failure-total",
        sum(|broker| broker.connections_failed),
    )?;
    dict.set_item("outgoing-byte-total", sum(|broker| broker.bytes_sent))?;
    dict.set_item("incoming-byte-total", sum(|broker| broker.bytes_received))?;
    let brokers = PyDict::new(py);
    for broker in &metrics.brokers {
        brokers.set_item(&broker.address, of_broker(py, broker)?)?;
    }
    dict.set_item("brokers", brokers)?;
    let producers = metrics.producers.iter().map(|it| of_producer(py, it));
    dict.set_item("producers", producers.collect::<PyResult<Vec<_>>>()?)?;
    let consumers = metrics.consumers.iter().map(|it| of_consumer(py, it));
    dict.set_item("consumers", consumers.collect::<PyResult<Vec<_>>>()?)?;
    Ok(dict)
}

fn set_deletions(dict: &Bound<'_, PyDict>, counts: DeletionCounts) -> PyResult<()> {
    for (reason, Deletions { segments, bytes }) in [
        ("retention-time", counts.retention_time),
        ("retention-size", counts.retention_size),
        ("delete-records", counts.delete_records),
        ("exhaustion", counts.exhaustion),
    ] {
        dict.set_item(format!("{reason}-deleted-segments-total"), segments)?;
        dict.set_item(format!("{reason}-deleted-bytes-total"), bytes)?;
    }
    Ok(())
}

fn of_broker<'py>(py: Python<'py>, broker: &BrokerMetrics) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("node-id", broker.id)?;
    dict.set_item("connection-count", broker.connections)?;
    dict.set_item("connection-creation-total", broker.connections_opened)?;
    dict.set_item("connection-failure-total", broker.connections_failed)?;
    dict.set_item("request-total", broker.requests)?;
    dict.set_item("request-error-total", broker.errors)?;
    dict.set_item("requests-in-flight", broker.in_flight)?;
    dict.set_item("outgoing-byte-total", broker.bytes_sent)?;
    dict.set_item("incoming-byte-total", broker.bytes_received)?;
    dict.set_item("request-latency-avg-ms", millis(broker.latency.mean))?;
    dict.set_item("request-latency-p50-ms", millis(broker.latency.p50))?;
    dict.set_item("request-latency-p99-ms", millis(broker.latency.p99))?;
    dict.set_item("request-latency-max-ms", millis(broker.latency.max))?;
    dict.set_item("throttle-time-total-ms", millis(broker.throttle_time))?;
    Ok(dict)
}

fn of_producer<'py>(py: Python<'py>, producer: &ProducerMetrics) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("client-id", &producer.client_id)?;
    dict.set_item("queued-records", producer.queued_records)?;
    dict.set_item("queued-bytes", producer.queued_bytes)?;
    Ok(dict)
}

fn of_consumer<'py>(py: Python<'py>, consumer: &ConsumerMetrics) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("client-id", &consumer.client_id)?;
    dict.set_item("group-id", &consumer.group_id)?;
    let topics = PyDict::new(py);
    for (partition, lag) in &consumer.lag {
        let of_topic = if let Some(of_topic) = topics.get_item(&*partition.topic)? {
            of_topic
        } else {
            let of_topic = PyDict::new(py).into_any();
            topics.set_item(&*partition.topic, &of_topic)?;
            of_topic
        };
        of_topic.set_item(partition.partition.get(), lag)?;
    }
    dict.set_item("records-lag", topics)?;
    dict.set_item("records-skipped-total", consumer.skipped_records)?;
    Ok(dict)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
