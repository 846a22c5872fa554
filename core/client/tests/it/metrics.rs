//! The metrics of a client, which need no request.

use std::sync::mpsc;
use std::time::Duration;

use headwater_client::{
    Client, ClientConfig, ClientMetrics, Record, RequestMetrics, TopicPartition, Transport,
};
use headwater_protocol::ErrorCode;
use headwater_record::PartitionId;

use crate::support::reading::{LONG, Reading, TOPIC};
use crate::support::{Fault, config};

/// The lag of the only consumer in each partition.
fn lag(metrics: &ClientMetrics) -> Vec<u64> {
    assert_eq!(metrics.consumers.len(), 1, "{metrics:?}");
    metrics.consumers[0].lag.values().copied().collect()
}

#[test]
fn an_unused_client_has_counted_nothing() {
    let reading = Reading::new(1, 1);
    let metrics = reading.client.metrics();
    assert_eq!(metrics.requests, RequestMetrics::default());
    assert_eq!((metrics.brokers.len(), metrics.consumers.len()), (0, 0));
    assert_eq!(metrics.producers.len(), 1);
    assert_eq!(metrics.producers[0].queued_records, 0);
}

#[test]
fn requests_errors_retries_and_throttle_times_are_counted() {
    let reading = Reading::new(1, 1);
    reading.send(0);
    let before = reading.client.metrics().requests;
    assert!(
        before.requests >= 3,
        "metadata, producer id and produce: {before:?}"
    );
    assert_eq!((before.errors, before.retries), (0, 0));

    reading
        .cluster
        .fail_next([Fault::Code(ErrorCode::NotEnoughReplicas)]);
    reading.send(0);
    let refused = reading.client.metrics().requests;
    assert_eq!((refused.errors, refused.retries), (0, 1), "{refused:?}");

    reading.cluster.fail_next([Fault::RequestLost]);
    reading.send(0);
    let lost = reading.client.metrics().requests;
    assert_eq!(lost.errors, 1, "{lost:?}");
    assert!(lost.retries > refused.retries && lost.requests > refused.requests);

    reading.cluster.state().throttles_ms.extend([3, 4]);
    reading.wait(reading.client.admin().topics(false)).unwrap();
    reading.wait(reading.client.admin().topics(false)).unwrap();
    let throttled = reading.client.metrics().requests;
    assert_eq!(throttled.throttle_time, Duration::from_millis(7));
}

#[test]
fn queued_records_are_counted_until_they_are_written() {
    let reading = Reading::new(1, 2);
    let producer = reading
        .client
        .producer(config(&[("client.id", "orders"), ("batch.size", "1000")]));
    let record = |partition| Record::new(TOPIC, b"value").partition(partition);
    let handles: Vec<_> = (0..10)
        .map(|number| producer.send_blocking(&record(number % 2)).unwrap())
        .collect();
    let holds = || {
        let metrics = reading.client.metrics();
        let own = metrics.producers.into_iter();
        own.filter(|own| own.client_id == "orders")
            .collect::<Vec<_>>()
    };
    let held = holds();
    assert_eq!((held.len(), held[0].queued_records), (1, 10));
    assert!(held[0].queued_bytes >= 10 * 5, "{held:?}");
    reading.wait(producer.flush()).unwrap();
    assert_eq!((holds()[0].queued_records, holds()[0].queued_bytes), (0, 0));
    drop(handles);
    drop(producer);
    assert!(holds().is_empty(), "a dropped producer is not listed");
}

#[test]
fn the_lag_of_a_consumer_comes_from_its_fetches() {
    let reading = Reading::new(1, 2);
    for _ in 0..3 {
        reading.send(0);
    }
    reading.send(1);
    let mut consumer = reading.consumer_of_all(&[("client.id", "reports")]);
    assert_eq!(
        lag(&reading.client.metrics()),
        [0_u64; 0],
        "nothing was fetched"
    );
    let batch = reading.wait(consumer.poll(LONG, Some(1))).unwrap();
    assert_eq!(batch.len(), 1);
    let left: u64 = lag(&reading.client.metrics()).iter().sum();
    assert!(
        (1..=3).contains(&left),
        "{left} of 4 records: a partition may not be fetched yet"
    );
    reading.read(&mut consumer, 3);
    assert_eq!(lag(&reading.client.metrics()), [0, 0]);

    let requests = reading.client.metrics().requests;
    assert_eq!(
        reading.client.metrics().requests,
        requests,
        "reading metrics counts nothing"
    );
    let own = &reading.client.metrics().consumers[0];
    assert_eq!((&*own.client_id, &own.group_id), ("reports", &None));

    let first = TopicPartition {
        topic: TOPIC.into(),
        partition: PartitionId::new(0),
    };
    reading.wait(consumer.assign(vec![first.clone()])).unwrap();
    let metrics = reading.client.metrics();
    let partitions: Vec<_> = metrics.consumers[0].lag.keys().cloned().collect();
    assert_eq!(partitions, [first]);
    drop(consumer);
    assert!(reading.client.metrics().consumers.is_empty());
}

#[test]
fn metrics_are_reported_until_the_client_is_dropped() {
    let reading = Reading::new(1, 1);
    let config = ClientConfig::parse([("statistics.interval.ms", "1")]).unwrap();
    let transport = std::sync::Arc::clone(&reading.cluster) as std::sync::Arc<dyn Transport>;
    let client = Client::new(transport, reading.client.runtime().clone(), config);
    let (report, reports) = mpsc::channel();
    client.report_metrics(move |metrics| {
        let _ = report.send(metrics.requests.requests);
    });
    assert_eq!(reports.recv_timeout(LONG), Ok(0));
    reading.wait(client.admin().topics(false)).unwrap();
    while reports.recv_timeout(LONG).unwrap() == 0 {}
}

#[test]
fn lanes_have_the_time_out_of_their_producer_or_consumer() {
    let reading = Reading::new(1, 1);
    reading.cluster.state().request_timeouts.clear();
    let own = [("request.timeout.ms", "70")];
    let _producer = reading.client.producer(config(&own));
    let _consumer = reading.consumer(&own);
    let opened = reading.cluster.state().request_timeouts.clone();
    assert!(
        opened.len() >= 4,
        "one for each purpose, and one for metadata: {opened:?}"
    );
    assert!(
        opened
            .iter()
            .all(|timeout| *timeout == Duration::from_millis(70)),
        "{opened:?}"
    );
}
