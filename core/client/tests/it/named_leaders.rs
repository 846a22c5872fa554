//! A broker that does not lead a partition returns the leader (KIP-951), and requests follow without a Metadata
//! request.

use headwater_client::{Record, ScanOptions};
use rstest::rstest;

use crate::support::reading::{Reading, TOPIC};
use crate::support::{FakeCluster, client, config};

/// Partition 0 moves to broker 3, which is new. Metadata responses still have broker 1, which returns the new leader.
fn move_to_new_broker(cluster: &FakeCluster) {
    let mut state = cluster.state();
    let earlier = state.leaders();
    state.metadata_lags_behind(earlier);
    state.nodes.push(3);
    state.move_leader(TOPIC, 0, 3);
    state.names_leaders = true;
}

#[test]
fn a_producer_follows_a_returned_leader_at_once() {
    let reading = Reading::new(2, 1);
    reading.send(0);
    move_to_new_broker(&reading.cluster);
    let before = reading.cluster.state().metadata_requests;
    reading.send(0);
    reading.send(0);
    assert_eq!(reading.cluster.asked("Produce"), [1, 1, 3, 3]);
    assert_eq!(reading.cluster.state().metadata_requests, before);
    let learned = reading.cluster.state().learned.clone();
    let ids: Vec<_> = learned.iter().map(|broker| broker.id).collect();
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(learned[2].host, "node3");
}

#[test]
fn a_consumer_follows_a_returned_leader_at_once() {
    let reading = Reading::new(2, 1);
    reading.send(0);
    let mut consumer = reading.consumer_of_all(&[("fetch.max.wait.ms", "10")]);
    reading.read(&mut consumer, 1);
    move_to_new_broker(&reading.cluster);
    let before = reading.cluster.state().metadata_requests;
    let (_runtime, other) = client(&reading.cluster);
    let record = Record::new(TOPIC, b"value").partition(0);
    let producer = other.producer(config(&[]));
    producer.send_blocking(&record).unwrap().wait().unwrap();
    reading.read(&mut consumer, 1);
    assert!(reading.fetches_from(3) > 0);
    assert_eq!(reading.cluster.state().metadata_requests, before + 1);
}

#[test]
fn a_scan_follows_a_returned_leader_at_once() {
    let reading = Reading::new(2, 1);
    reading.send(0);
    let scan = reading.client.topic(TOPIC).scan(ScanOptions::default());
    let mut reader = reading.wait(scan.reader()).unwrap();
    move_to_new_broker(&reading.cluster);
    let before = reading.cluster.state().metadata_requests;
    let batch = reading.wait(reader.next_batch()).unwrap().unwrap();
    assert_eq!(batch.len(), 1);
    assert_eq!(reading.cluster.state().metadata_requests, before);
}

/// Brokers before KIP-951 return no leader. The retries after one refused request share a Metadata request.
#[rstest]
#[case::named(true, 0)]
#[case::not_named(false, 1)]
fn partitions_that_move_together_are_looked_up_once_at_most(
    #[case] names_leaders: bool,
    #[case] lookups: usize,
) {
    let reading = Reading::new(2, 16);
    let even = (0..16).filter(|partition| partition % 2 == 0);
    for partition in even.clone() {
        reading.send(partition);
    }
    for partition in even.clone() {
        reading.cluster.state().move_leader(TOPIC, partition, 2);
    }
    reading.cluster.state().names_leaders = names_leaders;
    let before = reading.cluster.state().metadata_requests;
    let handles: Vec<_> = even
        .map(|partition| {
            let record = Record::new(TOPIC, b"value").partition(partition);
            reading.producer.send_blocking(&record).unwrap()
        })
        .collect();
    reading.wait(reading.producer.flush()).unwrap();
    for handle in handles {
        handle.wait().unwrap();
    }
    let asked = reading.cluster.state().metadata_requests - before;
    assert_eq!(asked, lookups);
}

/// One flush sends the first batch to every partition of a topic.
#[test]
fn the_first_flush_looks_the_topic_up_once() {
    let reading = Reading::new(3, 16);
    for partition in 0..16 {
        let record = Record::new(TOPIC, b"value").partition(partition);
        drop(reading.producer.send_blocking(&record).unwrap());
    }
    reading.wait(reading.producer.flush()).unwrap();
    assert_eq!(reading.cluster.state().metadata_requests, 1);
    assert_eq!(reading.cluster.asked("InitProducerId").len(), 1);
}
