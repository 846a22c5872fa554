//! After a throttled response, a broker gets no request for the throttle time (KIP-219).

use std::sync::Arc;
use std::time::Duration;

use headwater_client::{Client, ClientConfig, Record, Transport};
use headwater_record::ProducerEpoch;
use tokio::time::Instant;

use crate::support::{FakeCluster, client, config};

const TOPIC: &str = "t";

#[test]
fn the_next_request_to_the_broker_waits() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    let transport = Arc::clone(&cluster) as Arc<dyn Transport>;
    let handle = runtime.handle().clone();
    let client = Client::new(transport, handle, ClientConfig::default());
    cluster.state().throttles_ms.extend([7_000, 0]);
    let waited = runtime.block_on(async {
        let mut waited = Vec::new();
        for _ in 0..3 {
            let start = Instant::now();
            client.admin().topics(false).await.unwrap();
            waited.push(start.elapsed());
        }
        waited
    });
    let expected = [0, 7, 0].map(Duration::from_secs);
    assert_eq!(waited, expected);
}

/// Without idempotence the broker does not notice another order.
#[test]
fn requests_that_wait_keep_their_order() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build()
        .unwrap();
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    let transport = Arc::clone(&cluster) as Arc<dyn Transport>;
    let client = Client::new(transport, runtime.handle().clone(), ClientConfig::default());
    let producer = client.producer(config(&[
        ("enable.idempotence", "false"),
        ("max.in.flight.requests.per.connection", "50"),
        ("batch.size", "0"),
    ]));
    let send = |index: u8| {
        producer
            .send_blocking(&Record::new(TOPIC, &[index]))
            .unwrap()
    };
    let mut next = 0;
    for _ in 0..20 {
        cluster.state().throttles_ms.push_back(20);
        send(next).wait().unwrap();
        for index in next + 1..next + 10 {
            send(index).send_now();
        }
        next += 10;
        runtime.block_on(producer.flush()).unwrap();
    }
    let values = cluster.values(TOPIC, 0).into_iter();
    let values: Vec<_> = values.map(|(_, value)| value[0]).collect();
    assert_eq!(values, (0..next).collect::<Vec<_>>());
}

#[test]
fn a_request_that_waits_too_long_costs_no_epoch() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&cluster);
    let producer = client.producer(config(&[
        ("linger.ms", "0"),
        ("request.timeout.ms", "50"),
        ("delivery.timeout.ms", "100"),
    ]));
    let send = || {
        let record = Record::new(TOPIC, b"v");
        producer.send_blocking(&record).unwrap().wait()
    };
    send().unwrap();
    cluster.state().throttles_ms.push_back(300);
    send().unwrap();
    send().unwrap_err();
    std::thread::sleep(Duration::from_millis(300));
    send().unwrap();
    let state = cluster.state();
    let epochs = state.seen.iter().map(|seen| seen.header.producer_epoch);
    assert!(epochs.eq([ProducerEpoch::new(0); 3]));
}
