//! Consumer groups (KIP-848): silent members, restarts, offsets, and the end of a group.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::consumers::*;
use crate::support::groups::*;
use crate::support::*;
use headwater_broker::RequestContext;
use headwater_env::SimEnv;
use headwater_protocol::offset_fetch_request::OffsetFetchRequestGroup;
use headwater_protocol::{
    ConsumerGroupHeartbeatRequest, DeleteGroupsRequest, ErrorCode, ListGroupsRequest,
    OffsetCommitRequest, OffsetFetchRequest, Response,
};

#[test]
fn silent_members_and_members_that_do_not_revoke_are_removed() {
    let (env, broker) = world();
    let mut first = Client::new("a");
    first.beat(&broker);
    let mut second = Client::new("b");
    second.beat(&broker);
    ask(&broker, first.request());
    env.advance(Duration::from_secs(29));
    ask(&broker, first.request());
    assert_eq!(describe(&broker).members.len(), 2);
    env.advance(Duration::from_secs(2));
    assert_eq!(second.beat(&broker), ErrorCode::None);
    assert_eq!(
        second.partitions(),
        [0, 1, 2, 3],
        "30 seconds to revoke are over"
    );
    assert_eq!(first.beat(&broker), ErrorCode::UnknownMemberId);
    env.advance(Duration::from_secs(46));
    assert_eq!(describe(&broker).group_state, "Empty");
    assert_eq!(second.beat(&broker), ErrorCode::UnknownMemberId);
}

#[test]
fn a_static_member_keeps_its_partitions_while_it_is_away() {
    let (_, broker) = world();
    let mut clients = two_members(&broker);
    let mut fixed = Client {
        instance_id: Some("i"),
        ..Client::new("c")
    };
    for _ in 0..3 {
        fixed.beat(&broker);
        for client in &mut clients {
            assert_eq!(client.beat(&broker), ErrorCode::None);
        }
    }
    let had = fixed.partitions();
    assert!(!had.is_empty());
    let mut successor = Client {
        instance_id: Some("i"),
        ..Client::new("d")
    };
    assert_eq!(successor.beat(&broker), ErrorCode::UnreleasedInstanceId);
    let away = ConsumerGroupHeartbeatRequest {
        member_epoch: -2,
        ..fixed.bare()
    };
    assert_eq!(ask(&broker, away).member_epoch, -2);
    assert_eq!(successor.beat(&broker), ErrorCode::None);
    assert_eq!((successor.partitions(), successor.epoch), (had, 3));
    assert_eq!(
        describe(&broker).group_epoch,
        3,
        "the other members were not rebalanced"
    );
    assert_eq!(fixed.beat(&broker), ErrorCode::FencedInstanceId);
}

#[test]
fn commits_and_fetches_contain_the_member_epoch() {
    let (_, broker) = world();
    let [client, _] = two_members(&broker);
    let as_member = |epoch| OffsetCommitRequest {
        member_id: "a".into(),
        generation_id_or_member_epoch: epoch,
        ..commit_request(None, 0, 7)
    };
    assert_eq!(commit(&broker, as_member(client.epoch)), ErrorCode::None);
    assert_eq!(
        commit(&broker, as_member(client.epoch - 1)),
        ErrorCode::StaleMemberEpoch
    );
    assert_eq!(
        commit(&broker, commit_request(None, 0, 8)),
        ErrorCode::UnknownMemberId
    );
    let old = RequestContext {
        api_version: Some(8),
        ..RequestContext::default()
    };
    let Response::OffsetCommit(response) = now(broker.handle(&old, as_member(client.epoch).into()))
    else {
        panic!()
    };
    assert_eq!(
        code(response.topics[0].partitions[0].error_code),
        ErrorCode::UnsupportedVersion
    );
    let fetch = |member_id: Option<&str>, epoch| {
        let group = OffsetFetchRequestGroup {
            member_id: member_id.map(Into::into),
            member_epoch: epoch,
            ..all_offsets()
        };
        let request = OffsetFetchRequest {
            groups: vec![group],
            ..Default::default()
        };
        code(ask(&broker, request).groups[0].error_code)
    };
    assert_eq!(fetch(Some("a"), client.epoch), ErrorCode::None);
    assert_eq!(fetch(Some("a"), 1), ErrorCode::StaleMemberEpoch);
    assert_eq!(fetch(Some("x"), 1), ErrorCode::UnknownMemberId);
    assert_eq!(fetch(None, -1), ErrorCode::None);
    assert_eq!(committed(&broker, 0).0, 7);
}

#[test]
fn members_epochs_and_assignments_survive_a_close_and_a_kill() {
    for close in [true, false] {
        let (env, broker) = world();
        let mut clients = two_members(&broker);
        let before = describe(&broker);
        let env = if close {
            broker.close().unwrap();
            env
        } else {
            env.after_kill(5)
        };
        drop(broker);
        let broker = open(&env, &[]);
        assert_eq!(describe(&broker), before, "close: {close}");
        let held: BTreeMap<_, _> = clients
            .iter()
            .map(|client| (client.id, client.partitions()))
            .collect();
        for client in &mut clients {
            assert_eq!(client.beat(&broker), ErrorCode::None);
            assert_eq!((client.epoch, &client.partitions()), (2, &held[client.id]));
        }
        env.advance(Duration::from_secs(46));
        assert_eq!(describe(&broker).group_state, "Empty");
    }
}

#[tokio::test]
async fn an_empty_group_may_change_its_type_and_keeps_its_offsets() {
    let (env, broker) = world();
    alone(&env, &broker, None).await;
    let mut client = Client::new("a");
    assert_eq!(
        client.beat(&broker),
        ErrorCode::GroupIdNotFound,
        "it has classic members with opaque assignments"
    );
    pass(&env, &broker, Duration::from_secs(20)).await;
    assert_eq!(commit(&broker, commit_request(None, 0, 5)), ErrorCode::None);
    assert_eq!(client.beat(&broker), ErrorCode::None);
    assert_eq!(committed(&broker, 0).0, 5);
    assert_eq!(
        code(described(&broker).error_code),
        ErrorCode::GroupIdNotFound,
        "it is not a classic group"
    );
    let list = ask(
        &broker,
        ListGroupsRequest {
            types_filter: vec!["consumer".into()],
            ..Default::default()
        },
    );
    assert_eq!(
        (list.groups.len(), &*list.groups[0].group_state),
        (1, "Stable")
    );
    let restarted = open(&env.after_kill(2), &[]);
    assert_eq!(
        (
            &*describe(&restarted).group_state,
            committed(&restarted, 0).0
        ),
        ("Stable", 5)
    );
    let leave = ConsumerGroupHeartbeatRequest {
        member_epoch: -1,
        ..client.bare()
    };
    assert_eq!(ask(&broker, leave).member_epoch, -1);
    alone(&env, &broker, None).await;
    assert_eq!(committed(&broker, 0).0, 5);
    assert_eq!(
        described(&open(&env.after_kill(2), &[])).group_state,
        "Stable"
    );
}

#[test]
fn a_consumer_group_is_deleted_with_all_its_records() {
    let (env, broker) = world();
    let mut client = Client::new("a");
    client.beat(&broker);
    let delete = || {
        let request = DeleteGroupsRequest {
            groups_names: vec!["g".into()],
            ..Default::default()
        };
        code(ask(&broker, request).results[0].error_code)
    };
    assert_eq!(delete(), ErrorCode::NonEmptyGroup);
    ask(
        &broker,
        ConsumerGroupHeartbeatRequest {
            member_epoch: -1,
            ..client.bare()
        },
    );
    assert_eq!(delete(), ErrorCode::None);
    for broker in [&broker, &open(&env.after_kill(2), &[])] {
        assert_eq!(
            code(describe(broker).error_code),
            ErrorCode::GroupIdNotFound
        );
        assert!(ask(broker, ListGroupsRequest::default()).groups.is_empty());
    }
}

#[test]
fn members_expire_without_the_timer_task() {
    let env = SimEnv::new(1);
    let broker = open(
        &env,
        &[
            ("group.consumer.min.heartbeat.interval.ms", "500"),
            ("group.consumer.heartbeat.interval.ms", "500"),
            ("group.consumer.min.session.timeout.ms", "1000"),
            ("group.consumer.session.timeout.ms", "1000"),
        ],
    );
    create(&broker, "t", 4, &[]);
    let mut client = Client::new("a");
    client.beat(&broker);
    env.advance(Duration::from_millis(1001));
    assert_eq!(client.beat(&broker), ErrorCode::UnknownMemberId);
}

#[test]
fn a_pattern_finds_internal_topics_too() {
    let (_, broker) = world();
    let request = ConsumerGroupHeartbeatRequest {
        subscribed_topic_names: Some(Vec::new()),
        subscribed_topic_regex: Some("__consumer_.*".into()),
        ..Client::new("a").request()
    };
    let assigned = ask(&broker, request).assignment.unwrap().topic_partitions;
    assert_eq!(assigned.len(), 1);
    assert_eq!(assigned[0].partitions.len(), 50);
}
