//! The brokers of a cluster may be of several releases of Kafka; each gets requests in its own versions.

use std::collections::BTreeMap;

use headwater_client::{Client, ConsumerConfig, NodeVersions, Record, ScanOptions};
use headwater_protocol::{ApiKey, ErrorCode, VersionRange};

use crate::support::{FakeCluster, Release, client, config};

const TOPIC: &str = "t";

fn send_to_all(client: &Client) {
    let producer = client.producer(config(&[]));
    for partition in 0..3 {
        let record = Record::new(TOPIC, b"value").partition(partition);
        producer.send_blocking(&record).unwrap().wait().unwrap();
    }
}

/// The versions of the requests to each node.
fn versions(cluster: &FakeCluster, api: &str) -> BTreeMap<i32, i16> {
    let state = cluster.state();
    let calls = state.calls.iter().filter(|call| call.api == api);
    calls.map(|call| (call.node, call.version)).collect()
}

#[test]
fn each_broker_during_an_upgrade_gets_requests_in_its_own_versions() {
    let cluster = FakeCluster::with_nodes(3, TOPIC, 3);
    let releases = [Release::Kafka28, Release::Kafka39, Release::Today];
    for (node, release) in (1..).zip(releases) {
        cluster.state().versions.insert(node, release.versions());
    }
    let (runtime, client) = client(&cluster);
    send_to_all(&client);
    let scan = client.topic(TOPIC).scan(ScanOptions::default());
    assert_eq!(runtime.block_on(scan.collect()).unwrap().len(), 3);
    let pairs = [("auto.offset.reset", "earliest")];
    let mut consumer = client.consumer(ConsumerConfig::parse(pairs).unwrap());
    runtime.block_on(consumer.assign_topics(&[TOPIC])).unwrap();
    let mut read = 0;
    while read < 3 {
        let polled = consumer.poll(std::time::Duration::from_mins(1), None);
        read += runtime.block_on(polled).unwrap().len();
    }
    let expected = |versions: [i16; 3]| (1..).zip(versions).collect::<BTreeMap<i32, i16>>();
    assert_eq!(versions(&cluster, "Produce"), expected([9, 11, 13]));
    assert_eq!(versions(&cluster, "Fetch"), expected([12, 17, 18]));
    assert_eq!(versions(&cluster, "ListOffsets"), expected([6, 9, 11]));
}

/// The broker that answers Metadata may be older than the one to fetch from.
#[test]
fn topics_without_ids_are_produced_to_and_fetched_by_name() {
    let cluster = FakeCluster::with_nodes(3, TOPIC, 3);
    let metadata = (ApiKey::Metadata, VersionRange::new(0, 9));
    let others = [
        ApiKey::Produce,
        ApiKey::InitProducerId,
        ApiKey::Fetch,
        ApiKey::ListOffsets,
    ];
    let others = others.map(|api| (api, api.supported()));
    let first = NodeVersions::new([metadata].into_iter().chain(others));
    cluster.state().versions.insert(1, first);
    let (runtime, client) = client(&cluster);
    send_to_all(&client);
    let scan = client.topic(TOPIC).scan(ScanOptions::default());
    assert_eq!(runtime.block_on(scan.collect()).unwrap().len(), 3);
    let by_name = BTreeMap::from([(1, 12), (2, 12), (3, 12)]);
    assert_eq!(versions(&cluster, "Produce"), by_name);
    assert_eq!(versions(&cluster, "Fetch"), by_name);
}

#[test]
fn a_cluster_of_any_release_works() {
    for release in [Release::Kafka28, Release::Kafka33, Release::Kafka39] {
        let cluster = FakeCluster::with_nodes(3, TOPIC, 3);
        cluster.state().run_release(release);
        let (runtime, client) = client(&cluster);
        send_to_all(&client);
        runtime.block_on(client.admin().delete_group("g")).unwrap();
        assert!(
            runtime
                .block_on(client.admin().list_groups())
                .unwrap()
                .is_empty()
        );
        let scan = client.topic(TOPIC).scan(ScanOptions::default());
        assert_eq!(runtime.block_on(scan.collect()).unwrap().len(), 3);
    }
}

/// Kafka 3.7 to 3.9 support the request but refuse it by default.
#[test]
fn a_broker_without_consumer_groups_describes_a_group_as_classic() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    cluster.state().group.description_fault = Some(ErrorCode::UnsupportedVersion);
    let (runtime, client) = client(&cluster);
    let group = runtime.block_on(client.admin().describe_group("g"));
    assert_eq!(group.unwrap().info.group_type, "classic");
}
