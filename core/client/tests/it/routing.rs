//! Every request goes to the responsible broker, and follows when the responsibility moves.

use std::sync::Arc;
use std::time::Duration;

use headwater_client::{Client, NewTopic, Position, Producer, Record, ScanOptions, TopicPartition};
use headwater_protocol::ErrorCode;
use headwater_record::{Offset, PartitionId};
use rstest::rstest;
use tokio::sync::Barrier;

use crate::support::reading::{Reading, TOPIC};
use crate::support::{FakeCluster, client, config};

fn send(producer: &Producer, partition: i32, value: &str) {
    let record = Record::new(TOPIC, value.as_bytes()).partition(partition);
    producer.send_blocking(&record).unwrap().wait().unwrap();
}

fn sorted(mut nodes: Vec<i32>) -> Vec<i32> {
    nodes.sort_unstable();
    nodes
}

/// Makes the client look up the leaders of the partitions.
fn look(client: &Client) {
    let topic = client.topic(TOPIC);
    let offsets = topic.offsets(&Position::Earliest);
    client.runtime().block_on(offsets).unwrap();
}

/// The request is sent once more, and then calls are retried as after any other error that is retriable.
#[rstest]
#[case::once(1, 2)]
#[case::again_and_again(5, 6)]
fn metadata_is_requested_again_from_the_bootstrap_addresses(
    #[case] rebootstraps: usize,
    #[case] expected: usize,
) {
    let cluster = FakeCluster::with_nodes(2, TOPIC, 1);
    let (runtime, client) = client(&cluster);
    cluster.state().rebootstraps = rebootstraps;
    let reachable = runtime.block_on(client.check_reachable());
    if rebootstraps == 1 {
        reachable.unwrap();
    } else {
        let error = reachable.unwrap_err();
        assert_eq!(error.code(), ErrorCode::RebootstrapRequired);
        assert!(error.is_retriable());
        look(&client);
    }
    assert!(cluster.state().metadata_requests >= expected);
}

#[test]
fn offsets_are_requested_from_all_leaders_concurrently() {
    let cluster = FakeCluster::with_nodes(3, TOPIC, 6);
    // The leaders respond when all three have got a request.
    cluster.state().list_offsets_barrier = Some(Arc::new(Barrier::new(3)));
    let (_runtime, client) = client(&cluster);
    look(&client);
    assert_eq!(sorted(cluster.asked("ListOffsets")), [1, 2, 3]);
}

#[test]
fn a_scan_requests_each_distinct_position_once_from_each_leader_concurrently() {
    let cluster = FakeCluster::with_nodes(2, TOPIC, 2);
    // Start and end of the log, from two leaders; the scan's own start and end are the same positions.
    cluster.state().list_offsets_barrier = Some(Arc::new(Barrier::new(4)));
    let (runtime, client) = client(&cluster);
    let scan = client.topic(TOPIC).scan(ScanOptions::default());
    assert!(runtime.block_on(scan.collect()).unwrap().is_empty());
    assert_eq!(sorted(cluster.asked("ListOffsets")), [1, 1, 2, 2]);
}

#[test]
fn records_are_deleted_by_one_request_to_each_leader() {
    let cluster = FakeCluster::with_nodes(2, TOPIC, 4);
    let (runtime, client) = client(&cluster);
    let before = Position::Offset(Offset::new(5));
    let deleted = runtime
        .block_on(client.admin().delete_records(TOPIC, &before))
        .unwrap();
    let expected = (0..4).map(|number| (PartitionId::new(number), Offset::new(5)));
    assert_eq!(deleted, expected.collect());
    assert_eq!(sorted(cluster.asked("DeleteRecords")), [1, 2]);
}

#[test]
fn a_controller_that_moves_is_found_again() {
    let cluster = FakeCluster::with_nodes(3, TOPIC, 1);
    cluster.state().controller = 2;
    let (runtime, client) = client(&cluster);
    let create = |name| client.admin().create_topic(NewTopic::new(name));
    runtime.block_on(create("a")).unwrap();
    cluster.state().controller = 3;
    runtime.block_on(create("b")).unwrap();
    assert_eq!(cluster.asked("CreateTopics"), [2, 2, 3]);
}

/// Its broker was starting when the metadata was read.
#[test]
fn a_coordinator_that_metadata_lacks_is_called() {
    let reading = Reading::new(1, 1);
    reading.send(0);
    reading.cluster.state().coordinator = 2;
    let mut consumer = reading.consumer(&[("group.id", "g")]);
    let partitions = vec![TopicPartition::new(TOPIC, 0)];
    reading.wait(consumer.assign(partitions)).unwrap();
    reading.read(&mut consumer, 1);
    reading.wait(consumer.commit(None)).unwrap();
    assert_eq!(reading.cluster.asked("OffsetCommit"), [2]);
}

#[test]
fn a_coordinator_that_moves_is_found_again() {
    let cluster = FakeCluster::with_nodes(3, TOPIC, 1);
    cluster.state().coordinator = 2;
    let (runtime, client) = client(&cluster);
    runtime.block_on(client.admin().delete_group("g")).unwrap();
    cluster.state().coordinator = 3;
    runtime.block_on(client.admin().delete_group("g")).unwrap();
    assert_eq!(cluster.asked("DeleteGroups"), [2, 3]);
}

#[test]
fn the_groups_of_all_brokers_are_listed() {
    let cluster = FakeCluster::with_nodes(3, TOPIC, 1);
    for (node, groups) in [(1, vec!["b"]), (3, vec!["a", "c"])] {
        let groups = groups.into_iter().map(str::to_owned).collect();
        cluster.state().groups.insert(node, groups);
    }
    let (runtime, client) = client(&cluster);
    let groups = runtime.block_on(client.admin().list_groups()).unwrap();
    let names: Vec<_> = groups.into_iter().map(|group| group.group_id).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(sorted(cluster.asked("ListGroups")), [1, 2, 3]);
}

#[test]
fn producing_and_reading_follow_a_leader_that_moves() {
    let cluster = FakeCluster::with_nodes(3, TOPIC, 3);
    let (runtime, client) = client(&cluster);
    let producer = client.producer(config(&[]));
    for partition in 0..3 {
        send(&producer, partition, "before");
    }
    assert_eq!(cluster.asked("Produce"), [1, 2, 3]);
    cluster.state().move_leader(TOPIC, 0, 2);
    send(&producer, 0, "after");
    assert_eq!(cluster.asked("Produce")[3..], [1, 2]);
    cluster.state().move_leader(TOPIC, 1, 3);
    let scan = client.topic(TOPIC).scan(ScanOptions::default());
    assert_eq!(runtime.block_on(scan.count()).unwrap(), 4);
    let values = cluster.values(TOPIC, 0);
    let values: Vec<_> = values.iter().map(|(_, value)| &value[..]).collect();
    assert_eq!(values, [&b"before"[..], b"after"]);
}

#[test]
fn a_lagging_broker_does_not_return_the_client_to_an_earlier_leader() {
    let cluster = FakeCluster::with_nodes(2, TOPIC, 1);
    let (_runtime, client) = client(&cluster);
    let earlier = cluster.state().leaders();
    cluster.state().move_leader(TOPIC, 0, 2);
    look(&client);
    // Metadata returns to the state before the move; the client does not.
    cluster.state().metadata_lags_behind(earlier);
    let producer = client.producer(config(&[
        ("metadata.max.age.ms", "0"),
        ("linger.ms", "0"),
        ("request.timeout.ms", "1000"),
        ("delivery.timeout.ms", "5000"),
    ]));
    send(&producer, 0, "value");
    assert_eq!(cluster.asked("Produce"), [2]);
}

#[test]
fn concurrent_callers_share_one_metadata_request() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    cluster.state().metadata_takes = Duration::from_millis(50);
    let (runtime, client) = client(&cluster);
    let producers: Vec<_> = (0..8).map(|_| client.producer(config(&[]))).collect();
    let record = Record::new(TOPIC, b"value");
    let sends = producers.iter().map(|producer| producer.send(&record));
    let handles = runtime.block_on(futures_util::future::try_join_all(sends));
    assert_eq!(handles.unwrap().len(), 8);
    assert_eq!(cluster.state().metadata_requests, 1);
}

#[test]
fn the_transport_learns_the_addresses_of_the_brokers() {
    let cluster = FakeCluster::with_nodes(2, TOPIC, 1);
    let (_runtime, client) = client(&cluster);
    look(&client);
    let learned = cluster.state().learned.clone();
    let addresses: Vec<_> = learned
        .iter()
        .map(|broker| (broker.id, broker.host.as_str(), broker.port))
        .collect();
    assert_eq!(addresses, [(1, "node1", 9092), (2, "node2", 9092)]);
}

#[test]
fn the_list_of_topics_is_requested_again() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    cluster.state().away = 2;
    let (runtime, client) = client(&cluster);
    let topics = runtime.block_on(client.admin().topics(false)).unwrap();
    assert_eq!(topics.len(), 1);
}
