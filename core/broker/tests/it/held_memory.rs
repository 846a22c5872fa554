//! Memory of requests beyond their frames is counted, and limited by `queued.max.request.bytes`.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use crate::support::consumers::Client;
use crate::support::groups::*;
use crate::support::*;
use bytes::Bytes;
use headwater_env::SimEnv;
use headwater_protocol::join_group_request::JoinGroupRequestProtocol;
use headwater_protocol::leave_group_request::MemberIdentity;
use headwater_protocol::{
    ConsumerGroupHeartbeatRequest, ErrorCode, HeartbeatRequest, JoinGroupRequest,
    LeaveGroupRequest, SyncGroupRequest,
};
use headwater_record::Compression;
use rstest::rstest;

fn joining_with(group: &str, bytes: usize) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: group.into(),
        protocols: vec![JoinGroupRequestProtocol {
            name: "range".into(),
            metadata: Bytes::from(vec![0; bytes]),
            ..Default::default()
        }],
        ..join_request("", Some("i"))
    }
}

#[tokio::test]
async fn metadata_of_classic_members_takes_at_most_a_quarter_until_they_leave() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[("queued.max.request.bytes", "400000")]);
    let joining = begin(&broker, joining_with("a", 60_000));
    settle().await;
    let held = 60_000 + "range".len();
    assert_eq!(broker.memory().used(), held);
    let refused = ask(&broker, joining_with("b", 60_000));
    assert_eq!(code(refused.error_code), ErrorCode::CoordinatorNotAvailable);
    assert_eq!(broker.memory().used(), held);
    let leave = LeaveGroupRequest {
        group_id: "a".into(),
        members: vec![MemberIdentity {
            group_instance_id: Some("i".into()),
            ..Default::default()
        }],
        ..Default::default()
    };
    assert_eq!(code(ask(&broker, leave).error_code), ErrorCode::None);
    joining.await.unwrap();
    assert_eq!(broker.memory().used(), 0);
    let _joining = begin(&broker, joining_with("b", 60_000));
    settle().await;
    assert_eq!(broker.memory().used(), held);
}

#[rstest]
#[case::little(1 << 20, ErrorCode::None)]
#[case::much(6 << 20, ErrorCode::None)]
#[case::more_than_there_is(12 << 20, ErrorCode::MessageTooLarge)]
fn a_batch_decompresses_within_the_memory_of_requests(
    #[case] bytes: usize,
    #[case] expected: ErrorCode,
    #[values(Compression::Gzip, Compression::Zstd, Compression::Lz4)] codec: Compression,
) {
    let env = SimEnv::new(1);
    let broker = open(&env, &[("queued.max.request.bytes", "8388608")]);
    create(&broker, "t", 1, &[]);
    let response = produce(&broker, "t", 0, compressed(codec, &[&"x".repeat(bytes)]));
    assert_eq!(code(response.error_code), expected);
    assert_eq!(broker.memory().used(), 0);
}

/// A member of a consumer group that subscribes to this many topics with names of 100 bytes.
fn reading(id: &'static str, topics: usize) -> ConsumerGroupHeartbeatRequest {
    let names = (0..topics).map(|number| format!("{number:0100}").into());
    ConsumerGroupHeartbeatRequest {
        subscribed_topic_names: Some(names.collect()),
        ..Client::new(id).request()
    }
}

#[test]
fn subscriptions_of_consumer_members_take_at_most_a_quarter_until_they_leave() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[("queued.max.request.bytes", "400000")]);
    let joined = ask(&broker, reading("a", 500));
    assert_eq!(code(joined.error_code), ErrorCode::None);
    let held = broker.memory().used();
    assert!((50_000..70_000).contains(&held), "{held}");
    let refused = ask(&broker, reading("b", 500));
    assert_eq!(code(refused.error_code), ErrorCode::CoordinatorNotAvailable);
    assert_eq!(broker.memory().used(), held);
    // Existing members continue; a smaller subscription releases memory.
    let again = ConsumerGroupHeartbeatRequest {
        member_epoch: joined.member_epoch,
        ..reading("a", 10)
    };
    assert_eq!(code(ask(&broker, again).error_code), ErrorCode::None);
    assert!(broker.memory().used() < held / 10);
    let second = ask(&broker, reading("b", 500));
    assert_eq!(code(second.error_code), ErrorCode::None);
    for id in ["a", "b"] {
        let leave = ConsumerGroupHeartbeatRequest {
            member_epoch: -1,
            ..Client::new(id).bare()
        };
        assert_eq!(code(ask(&broker, leave).error_code), ErrorCode::None);
    }
    assert_eq!(broker.memory().used(), 0);
}

#[tokio::test]
async fn loaded_members_are_counted_and_never_refused() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[]);
    let joined = ask(&broker, reading("a", 500));
    assert_eq!(code(joined.error_code), ErrorCode::None);
    let joining = begin(&broker, joining_with("c", 60_000));
    pass(&env, &broker, Duration::from_secs(3)).await;
    let leader = joining.await.unwrap();
    let sync = SyncGroupRequest {
        group_id: "c".into(),
        ..sync_request(&leader)
    };
    let synced = begin(&broker, sync).await.unwrap();
    assert_eq!(code(synced.error_code), ErrorCode::None);
    let before = broker.memory().used();
    assert!(before > 110_000, "{before}");
    let env = env.after_kill(1);
    let broker = open(&env, &[("queued.max.request.bytes", "400000")]);
    assert_eq!(broker.memory().used(), 0, "the group is not loaded yet");
    let beat = ConsumerGroupHeartbeatRequest {
        member_epoch: joined.member_epoch,
        ..Client::new("a").bare()
    };
    assert_eq!(code(ask(&broker, beat).error_code), ErrorCode::None);
    let beat = HeartbeatRequest {
        group_id: "c".into(),
        generation_id: leader.generation_id,
        member_id: leader.member_id.clone(),
        ..Default::default()
    };
    assert_eq!(code(ask(&broker, beat).error_code), ErrorCode::None);
    assert_eq!(broker.memory().used(), before);
    let refused = ask(&broker, reading("b", 1));
    assert_eq!(code(refused.error_code), ErrorCode::CoordinatorNotAvailable);
}

/// A search by timestamp waits for its turn and reserves memory, like the validation of produced batches.
#[test]
fn a_search_through_a_batch_that_decompresses_to_a_large_size_is_counted() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[("queued.max.request.bytes", "8388608")]);
    create(&broker, "t", 2, &[]);
    for (partition, bytes) in [(0, 1 << 20), (1, 6 << 20)] {
        let records = compressed(Compression::Zstd, &[&"x".repeat(bytes)]);
        append(&broker, "t", partition, records);
        let freed = pin!(broker.memory().freed().clone().notified_owned());
        assert_eq!(offset(&broker, "t", partition, 1), 0);
        let waker = Context::from_waker(Waker::noop());
        let was_full = freed.poll(&mut { waker }).is_ready();
        assert_eq!(was_full, partition == 1);
        assert_eq!(broker.memory().used(), 0);
    }
}
