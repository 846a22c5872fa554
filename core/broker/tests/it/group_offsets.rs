//! Committed offsets: checks of the committer, durability and expiry.

use std::time::Duration;

use crate::support::groups::*;
use crate::support::*;
use headwater_broker::RequestContext;
use headwater_env::SimEnv;
use headwater_protocol::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use headwater_protocol::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use headwater_protocol::offset_fetch_request::OffsetFetchRequestTopics;
use headwater_protocol::{
    DeleteGroupsRequest, ErrorCode, JoinGroupResponse, ListGroupsRequest, Message,
    OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest, Str,
};

#[tokio::test]
async fn only_members_of_the_generation_commit_to_a_group_with_members() {
    let (env, broker) = world();
    assert_eq!(
        commit(&broker, commit_request(None, 0, 5)),
        ErrorCode::None,
        "the group is empty"
    );
    assert_eq!(committed(&broker, 0), (5, "note".to_owned()));
    let joined = alone(&env, &broker, None).await;
    assert_eq!(
        commit(&broker, commit_request(None, 0, 6)),
        ErrorCode::UnknownMemberId
    );
    assert_eq!(
        commit(&broker, commit_request(Some(&joined), 0, 7)),
        ErrorCode::None
    );
    let stale = JoinGroupResponse {
        generation_id: 9,
        ..joined.clone()
    };
    assert_eq!(
        commit(&broker, commit_request(Some(&stale), 0, 8)),
        ErrorCode::IllegalGeneration
    );
    assert_eq!(committed(&broker, 0).0, 7);
    let nowhere = OffsetCommitRequest {
        group_id: "none".into(),
        ..commit_request(Some(&joined), 0, 1)
    };
    assert_eq!(commit(&broker, nowhere), ErrorCode::GroupIdNotFound);
}

#[test]
fn commits_are_checked_partition_by_partition() {
    let (_, broker) = world();
    let mut request = commit_request(None, 0, 5);
    let good = request.topics[0].partitions[0].clone();
    let mut wordy = good.clone();
    wordy.committed_metadata = Some("x".repeat(4097).into());
    let beyond = OffsetCommitRequestPartition {
        partition_index: 4,
        ..good.clone()
    };
    request.topics[0].partitions = vec![
        good,
        OffsetCommitRequestPartition {
            partition_index: 1,
            ..wordy
        },
        beyond,
    ];
    let unknown = OffsetCommitRequestTopic {
        name: "nowhere".into(),
        ..request.topics[0].clone()
    };
    let unknown_id = OffsetCommitRequestTopic {
        topic_id: uuid::Uuid::from_u128(7),
        ..unknown.clone()
    };
    request.topics.extend([unknown, unknown_id]);
    let response = ask(&broker, request);
    let codes = |topic: usize| {
        response.topics[topic]
            .partitions
            .iter()
            .map(|partition| code(partition.error_code))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        codes(0),
        [
            ErrorCode::None,
            ErrorCode::OffsetMetadataTooLarge,
            ErrorCode::UnknownTopicOrPartition
        ]
    );
    assert_eq!(codes(1), [ErrorCode::UnknownTopicOrPartition; 3]);
    assert_eq!(codes(2), [ErrorCode::UnknownTopicId; 3]);
    assert_eq!(committed(&broker, 0).0, 5);
    assert_eq!(committed(&broker, 1), (-1, String::new()));
}

#[tokio::test]
async fn offsets_and_generation_survive_a_close_and_a_kill() {
    for close in [true, false] {
        let (env, broker) = world();
        let joined = alone(&env, &broker, Some("i")).await;
        assert_eq!(
            commit(&broker, commit_request(Some(&joined), 0, 5)),
            ErrorCode::None
        );
        assert_eq!(
            commit(&broker, commit_request(Some(&joined), 0, 6)),
            ErrorCode::None
        );
        assert_eq!(
            commit(&broker, commit_request(Some(&joined), 3, 9)),
            ErrorCode::None
        );
        let env = if close {
            broker.close().unwrap();
            env
        } else {
            env.after_kill(3)
        };
        drop(broker);
        let broker = open(&env, &[("offsets.topic.num.partitions", "7")]);
        assert_eq!(
            (committed(&broker, 0).0, committed(&broker, 3).0),
            (6, 9),
            "close: {close}"
        );
        assert_eq!(
            heartbeat(&broker, &joined),
            ErrorCode::None,
            "the member is missing"
        );
        let group = described(&broker);
        assert_eq!((&*group.group_state, group.members.len()), ("Stable", 1));
        assert_eq!(
            group.members[0].member_assignment,
            format!("for {}", joined.member_id)
        );
        assert_eq!(group.members[0].group_instance_id.as_deref(), Some("i"));
        let again = begin(&broker, join_request(&joined.member_id, Some("i")))
            .await
            .unwrap();
        assert_eq!(again.generation_id, 2, "the generation must continue");
    }
}

#[test]
fn all_offsets_of_a_group_and_topics_by_id_can_be_fetched() {
    let (_, broker) = world();
    for partition in [0, 2] {
        assert_eq!(
            commit(&broker, commit_request(None, partition, 5)),
            ErrorCode::None
        );
    }
    let all = fetch_offsets(&broker, None);
    let indexes: Vec<_> = all.topics[0]
        .partitions
        .iter()
        .map(|partition| partition.partition_index)
        .collect();
    assert_eq!((all.topics.len(), &indexes[..]), (1, &[0, 2][..]));
    assert_eq!(all.topics[0].partitions[0].committed_leader_epoch, 4);
    let by_id = |topic_id| OffsetFetchRequestTopics {
        topic_id,
        partition_indexes: vec![2],
        ..Default::default()
    };
    let found = fetch_offsets(
        &broker,
        Some(vec![
            by_id(all.topics[0].topic_id),
            by_id(uuid::Uuid::from_u128(7)),
        ]),
    );
    assert_eq!(found.topics[0].partitions[0].committed_offset, 5);
    assert_eq!(
        code(found.topics[1].partitions[0].error_code),
        ErrorCode::UnknownTopicId
    );
    let old = RequestContext {
        api_version: Some(7),
        ..RequestContext::default()
    };
    let request = OffsetFetchRequest {
        group_id: "g".into(),
        topics: None,
        ..Default::default()
    };
    let headwater_protocol::Response::OffsetFetch(response) =
        now(broker.handle(&old, request.into()))
    else {
        panic!()
    };
    assert_eq!(response.topics[0].partitions.len(), 2);
    assert!(response.to_bytes(7).is_ok());
}

#[test]
fn offsets_of_a_deleted_topic_are_not_used_for_a_new_one() {
    let (env, broker) = world();
    assert_eq!(commit(&broker, commit_request(None, 0, 5)), ErrorCode::None);
    delete(&broker, "t");
    create(&broker, "t", 4, &[]);
    assert_eq!(committed(&broker, 0).0, -1);
    drop(broker);
    assert_eq!(committed(&open(&env.after_kill(1), &[]), 0).0, -1);
}

#[tokio::test]
async fn groups_are_listed_and_deleted_when_they_are_empty() {
    let (env, broker) = world();
    let joined = alone(&env, &broker, None).await;
    assert_eq!(
        commit(&broker, commit_request(Some(&joined), 0, 5)),
        ErrorCode::None
    );
    let other = OffsetCommitRequest {
        group_id: "other".into(),
        ..commit_request(None, 0, 5)
    };
    assert_eq!(commit(&broker, other), ErrorCode::None);
    let list = |states: &[&str], types: &[&str]| {
        let strings = |names: &[&str]| names.iter().map(|name| Str::from(*name)).collect();
        let request = ListGroupsRequest {
            states_filter: strings(states),
            types_filter: strings(types),
            ..Default::default()
        };
        let mut groups: Vec<_> = ask(&broker, request)
            .groups
            .into_iter()
            .map(|group| group.group_id.to_string())
            .collect();
        groups.sort();
        groups
    };
    assert_eq!(list(&[], &[]), ["g", "other"]);
    assert_eq!(list(&["stable"], &["Classic"]), ["g"]);
    assert_eq!(list(&["empty"], &[]), ["other"]);
    assert_eq!(list(&[], &["consumer"]), [""; 0]);
    let delete = |group: &str| {
        let request = DeleteGroupsRequest {
            groups_names: vec![group.into()],
            ..Default::default()
        };
        code(ask(&broker, request).results[0].error_code)
    };
    assert_eq!(delete("g"), ErrorCode::NonEmptyGroup);
    assert_eq!(delete("none"), ErrorCode::GroupIdNotFound);
    pass(&env, &broker, Duration::from_mins(1)).await;
    assert_eq!(delete("g"), ErrorCode::None);
    assert_eq!(list(&[], &[]), ["other"]);
    let broker = open(&env.after_kill(1), &[]);
    assert_eq!(committed(&broker, 0).0, -1, "for good");
    assert_eq!(
        code(described(&broker).error_code),
        ErrorCode::GroupIdNotFound
    );
}

#[tokio::test]
async fn offsets_are_deleted_unless_the_group_is_subscribed() {
    let (env, broker) = world();
    create(&broker, "unread", 1, &[]);
    let joined = alone(&env, &broker, None).await;
    assert_eq!(
        commit(&broker, commit_request(Some(&joined), 0, 5)),
        ErrorCode::None
    );
    let mut request = commit_request(Some(&joined), 0, 6);
    request.topics[0].name = "unread".into();
    assert_eq!(commit(&broker, request), ErrorCode::None);
    let topic = |name: &str| OffsetDeleteRequestTopic {
        name: name.into(),
        partitions: vec![OffsetDeleteRequestPartition { partition_index: 0 }],
    };
    let request = OffsetDeleteRequest {
        group_id: "g".into(),
        topics: ["t", "unread", "nowhere"].map(topic).into(),
    };
    let response = ask(&broker, request.clone());
    let codes: Vec<_> = response
        .topics
        .iter()
        .map(|topic| code(topic.partitions[0].error_code))
        .collect();
    assert_eq!(
        codes,
        [
            ErrorCode::GroupSubscribedToTopic,
            ErrorCode::None,
            ErrorCode::UnknownTopicOrPartition
        ]
    );
    let left: Vec<_> = fetch_offsets(&broker, None)
        .topics
        .into_iter()
        .map(|topic| topic.name.to_string())
        .collect();
    assert_eq!(left, ["t"]);
    let nowhere = OffsetDeleteRequest {
        group_id: "none".into(),
        ..request
    };
    assert_eq!(
        code(ask(&broker, nowhere).error_code),
        ErrorCode::GroupIdNotFound
    );
}

#[tokio::test]
async fn offsets_expire_when_their_group_has_been_empty_long_enough() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[("offsets.retention.minutes", "10")]);
    create(&broker, "t", 4, &[]);
    let joined = alone(&env, &broker, None).await;
    assert_eq!(
        commit(&broker, commit_request(Some(&joined), 0, 5)),
        ErrorCode::None
    );
    for _ in 0..200 {
        pass(&env, &broker, Duration::from_secs(9)).await;
        assert_eq!(heartbeat(&broker, &joined), ErrorCode::None);
    }
    assert_eq!(
        committed(&broker, 0).0,
        5,
        "an active group keeps its offsets"
    );
    pass(&env, &broker, Duration::from_mins(1)).await;
    pass(&env, &broker, Duration::from_mins(9)).await;
    assert_eq!(committed(&broker, 0).0, 5);
    pass(&env, &broker, Duration::from_mins(2)).await;
    assert_eq!(committed(&broker, 0).0, -1);
    assert_eq!(
        code(described(&broker).error_code),
        ErrorCode::GroupIdNotFound,
        "the group must expire with its last offset"
    );
    drop(broker);
    assert_eq!(committed(&open(&env.after_kill(1), &[]), 0).0, -1);
}
