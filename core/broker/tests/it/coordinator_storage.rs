//! A coordinator that cannot read or write answers a code after which clients stop.

use std::path::Path;

use crate::support::groups::*;
use crate::support::*;
use headwater_broker::Broker;
use headwater_env::{Env, RealEnv};
use headwater_metadata::BrokerConfig;
use headwater_protocol::find_coordinator_response::Coordinator;
use headwater_protocol::{
    ConsumerGroupHeartbeatRequest, ErrorCode, FindCoordinatorRequest, OffsetFetchRequest,
};

fn find_coordinator<E: Env>(broker: &Broker<E>) -> Coordinator {
    let request = FindCoordinatorRequest {
        coordinator_keys: vec!["g".into()],
        ..Default::default()
    };
    ask(broker, request).coordinators.remove(0)
}

#[test]
fn a_commit_on_a_full_disk_is_a_storage_error_until_there_is_space() {
    let (env, broker) = world();
    assert_eq!(commit(&broker, commit_request(None, 0, 5)), ErrorCode::None);
    env.set_capacity(Some(env.used_bytes()));
    let refused = commit(&broker, commit_request(None, 0, 6));
    assert_eq!(refused, ErrorCode::KafkaStorageError);
    assert_eq!(committed(&broker, 0).0, 5);
    env.set_capacity(None);
    assert_eq!(commit(&broker, commit_request(None, 0, 7)), ErrorCode::None);
    assert_eq!(committed(&broker, 0).0, 7);
}

#[tokio::test]
async fn members_on_a_full_disk_get_a_storage_error() {
    let (env, broker) = world();
    let joined = alone(&env, &broker, None).await;
    env.set_capacity(Some(env.used_bytes()));
    let joining = begin(&broker, join_request(&joined.member_id, None));
    settle().await;
    let joined = joining.await.unwrap();
    let synced = begin(&broker, sync_request(&joined)).await.unwrap();
    assert_eq!(code(synced.error_code), ErrorCode::KafkaStorageError);
}

/// Clients keep looking for a coordinator after `KAFKA_STORAGE_ERROR`.
#[test]
fn a_coordinator_that_cannot_create_its_topic_is_an_error_with_the_reason() {
    let (env, broker) = world();
    env.set_capacity(Some(env.used_bytes()));
    let found = find_coordinator(&broker);
    assert_eq!(code(found.error_code), ErrorCode::UnknownServerError);
    let message = found.error_message.unwrap();
    assert!(
        message.contains("__consumer_offsets could not be created"),
        "{message}"
    );
    let refused = commit(&broker, commit_request(None, 0, 6));
    assert_eq!(refused, ErrorCode::KafkaStorageError);
}

#[test]
fn a_damaged_bit_in_the_offsets_fails_every_request_for_the_group() {
    let temporary = tempfile::tempdir().unwrap();
    let open = || {
        let opened = Broker::open(RealEnv, temporary.path(), BrokerConfig::default());
        opened.unwrap().0
    };
    let broker = open();
    create(&broker, "t", 1, &[]);
    assert_eq!(commit(&broker, commit_request(None, 0, 5)), ErrorCode::None);
    broker.close().unwrap();
    drop(broker);
    flip_a_bit(&temporary.path().join("__consumer_offsets-3"));

    let broker = open();
    let damaged = ErrorCode::CorruptMessage;
    assert_eq!(commit(&broker, commit_request(None, 0, 6)), damaged);
    let request = OffsetFetchRequest {
        groups: vec![all_offsets()],
        ..Default::default()
    };
    assert_eq!(code(ask(&broker, request).groups[0].error_code), damaged);
    assert_eq!(
        code(ask(&broker, join_request("", None)).error_code),
        damaged
    );
    let request = ConsumerGroupHeartbeatRequest {
        group_id: "g".into(),
        member_id: "m".into(),
        rebalance_timeout_ms: 1000,
        subscribed_topic_names: Some(vec!["t".into()]),
        topic_partitions: Some(Vec::new()),
        ..Default::default()
    };
    assert_eq!(code(ask(&broker, request).error_code), damaged);
}

/// In the records of the first batch.
fn flip_a_bit(partition: &Path) {
    let log = partition.join("00000000000000000000.log");
    let mut bytes = std::fs::read(&log).unwrap();
    bytes[70] ^= 1;
    std::fs::write(&log, bytes).unwrap();
}
