//! The records of a producer that is dropped.

use std::time::Duration;

use headwater_client::{ErrorKind, Record};

use crate::support::{FakeCluster, client, config};

const TOPIC: &str = "t";
const LONG: Duration = Duration::from_secs(10);

#[test]
fn a_record_without_a_leader_expires_after_its_producer_is_dropped() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    cluster.state().move_leader(TOPIC, 0, -1);
    let (runtime, client) = client(&cluster);
    let producer = client.producer(config(&[
        ("linger.ms", "0"),
        ("request.timeout.ms", "50"),
        ("delivery.timeout.ms", "100"),
    ]));
    let handle = producer.send_blocking(&Record::new(TOPIC, b"v")).unwrap();
    drop(producer);
    let result = runtime.block_on(async { tokio::time::timeout(LONG, handle).await });
    let error = result.expect("the record expires").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Broker, "{error}");
}
