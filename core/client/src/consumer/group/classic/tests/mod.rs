//! Tests of the state machine against a simulated coordinator and clock.

mod joining;
mod losing;
mod properties;

use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_protocol::join_group_response::JoinGroupResponseMember;
use headwater_protocol::{
    ErrorCode, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, Str, SyncGroupRequest,
    SyncGroupResponse,
};

use super::assignors::{Assignor, PartitionCounts};
use super::member::{ClassicMember, Step};
use super::protocol;
use crate::batch::TopicPartition;
use crate::config::GroupProtocol;
use crate::consumer::group::membership::{Member as _, Settings, Todo};
use crate::consumer::group::subscription::Subscription;
use crate::{ClientConfig, ConsumerConfig};

fn member(assignor: Assignor, more: &[(&str, &str)], now: Instant) -> ClassicMember {
    let fixed = [
        ("group.id", "g"),
        ("partition.assignment.strategy", assignor.name()),
        ("max.poll.interval.ms", "60000"),
    ];
    let config = ConsumerConfig::parse(fixed.iter().chain(more).copied()).unwrap();
    let client = ClientConfig::default().overlaid(&config.own);
    let settings = Settings {
        group: config.group.clone().unwrap(),
        retry: client.retry,
        metadata_max_age: client.metadata_max_age,
        exclude_internal_topics: true,
    };
    let GroupProtocol::Classic(config) = settings.group.protocol.clone() else {
        unreachable!("the default protocol is classic");
    };
    let mut member = ClassicMember::new(settings, config, Subscription::topics(["t"]), now);
    assert!(matches!(member.next(now), Step::Wait(None)), "no poll yet");
    assert!(member.polled(now));
    member
}

fn counts(partitions: i32) -> PartitionCounts {
    PartitionCounts::from([(Arc::from("t"), partitions)])
}

fn partitions(count: i32) -> Vec<TopicPartition> {
    (0..count)
        .map(|number| TopicPartition::new("t", number))
        .collect()
}

/// A response that makes the member the leader and only member of a generation.
fn leader_answer(request: &JoinGroupRequest, generation: i32) -> JoinGroupResponse {
    let member_id = Str::from("m-1");
    JoinGroupResponse {
        generation_id: generation,
        protocol_type: Some("consumer".into()),
        protocol_name: Some(request.protocols[0].name.clone()),
        leader: member_id.clone(),
        member_id: member_id.clone(),
        members: vec![JoinGroupResponseMember {
            member_id,
            metadata: request.protocols[0].metadata.clone(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn own_assignment(request: &SyncGroupRequest) -> SyncGroupResponse {
    SyncGroupResponse {
        assignment: request
            .assignments
            .first()
            .map(|one| one.assignment.clone())
            .unwrap_or_default(),
        ..Default::default()
    }
}

fn join_refused(code: ErrorCode) -> JoinGroupResponse {
    JoinGroupResponse {
        error_code: code.code(),
        member_id: "m-1".into(),
        ..Default::default()
    }
}

fn heartbeat(code: ErrorCode) -> HeartbeatResponse {
    HeartbeatResponse {
        error_code: code.code(),
        ..Default::default()
    }
}

/// Answers every step successfully until the member waits.
fn settle(member: &mut ClassicMember, generation: i32, partitions: i32, now: Instant) {
    loop {
        match member.next(now) {
            Step::FindCoordinator => member.coordinator_found(Ok(()), now),
            Step::FetchMetadata(_) => member.metadata_fetched(Ok(counts(partitions)), now),
            Step::Join(request) => {
                member.join_answered(Ok(leader_answer(&request, generation)), now);
            }
            Step::Sync(request) => member.sync_answered(Ok(own_assignment(&request)), now),
            Step::Heartbeat(_) => member.heartbeat_answered(Ok(heartbeat(ErrorCode::None)), now),
            Step::Leave(_) => member.left(),
            Step::Wait(_) => return,
        }
    }
}

/// Carries out every todo, as the consumer would.
fn apply_todos(member: &mut ClassicMember) {
    loop {
        match member.todo() {
            Todo::Nothing | Todo::Fail(_) => return,
            Todo::Revoke(partitions) | Todo::Lose(partitions) => member.release(&partitions),
            Todo::Assign(new_assignment) => {
                let removed: Vec<_> = member
                    .owned
                    .iter()
                    .filter(|owned| !new_assignment.partitions.contains(owned))
                    .cloned()
                    .collect();
                if !removed.is_empty() {
                    member.release(&removed);
                }
                assert!(member.accept_assignment(new_assignment.version));
            }
        }
    }
}

fn stable(assignor: Assignor, more: &[(&str, &str)]) -> (ClassicMember, Instant) {
    let now = Instant::now();
    let mut member = member(assignor, more, now);
    settle(&mut member, 1, 3, now);
    apply_todos(&mut member);
    assert_eq!(member.owned, partitions(3));
    (member, now)
}
