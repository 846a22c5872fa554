//! Tests of the state machine against a simulated coordinator and clock.

mod coordinator;
mod heartbeats;
mod losing;
mod properties;
mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_protocol::consumer_group_heartbeat_response::{Assignment, TopicPartitions};
use headwater_protocol::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, ErrorCode,
};
use uuid::Uuid;

use super::member::{ConsumerMember, Step};
use crate::batch::TopicPartition;
use crate::config::GroupProtocol;
use crate::consumer::group::membership::{Member as _, Settings, Todo};
use crate::consumer::group::subscription::Subscription;
use crate::error::{Error, ErrorKind};
use crate::{ClientConfig, ConsumerConfig};

const TOPIC: Uuid = Uuid::from_u128(7);
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(5);

fn member(more: &[(&str, &str)], now: Instant) -> ConsumerMember {
    subscribed(Subscription::topics(["t"]), more, now)
}

fn subscribed(subscription: Subscription, more: &[(&str, &str)], now: Instant) -> ConsumerMember {
    let fixed = [
        ("group.id", "g"),
        ("group.protocol", "consumer"),
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
    let GroupProtocol::Consumer(config) = settings.group.protocol.clone() else {
        unreachable!("the configuration names the consumer protocol");
    };
    let mut member = ConsumerMember::new(settings, config, subscription, now);
    assert!(matches!(member.next(now), Step::Wait(None)), "no poll yet");
    assert!(member.polled(now));
    assert!(matches!(member.next(now), Step::FindCoordinator));
    member.coordinator_found(Ok(()), now);
    member
}

fn next_heartbeat(member: &mut ConsumerMember, now: Instant) -> ConsumerGroupHeartbeatRequest {
    match member.next(now) {
        Step::Heartbeat(request) => request,
        step => panic!("expected a heartbeat, not {step:?}"),
    }
}

fn assignment_of(numbers: &[i32]) -> Assignment {
    let topic = TopicPartitions {
        topic_id: TOPIC,
        partitions: numbers.to_vec(),
        ..Default::default()
    };
    Assignment {
        topic_partitions: if numbers.is_empty() {
            vec![]
        } else {
            vec![topic]
        },
        ..Default::default()
    }
}

/// The response of a coordinator that assigns these partitions; `None`: no change.
fn accepted(epoch: i32, numbers: Option<&[i32]>) -> ConsumerGroupHeartbeatResponse {
    ConsumerGroupHeartbeatResponse {
        member_epoch: epoch,
        heartbeat_interval_ms: HEARTBEAT_INTERVAL.as_millis() as i32,
        assignment: numbers.map(assignment_of),
        ..Default::default()
    }
}

fn refused(code: ErrorCode) -> ConsumerGroupHeartbeatResponse {
    ConsumerGroupHeartbeatResponse {
        error_code: code.code(),
        ..Default::default()
    }
}

fn connection_lost() -> Error {
    Error::new(ErrorKind::Transport, "The connection broke.").retriable(true)
}

fn look_up(member: &mut ConsumerMember, now: Instant) {
    let Step::LookUpTopics(ids) = member.next(now) else {
        panic!("expected a lookup");
    };
    let names = ids.iter().map(|id| (*id, Arc::from("t")));
    member.topics_found(Ok(names.collect()), now);
}

fn partitions(numbers: &[i32]) -> Vec<TopicPartition> {
    let numbers = numbers.iter();
    numbers
        .map(|number| TopicPartition::new("t", *number))
        .collect()
}

fn reported(request: &ConsumerGroupHeartbeatRequest) -> Option<Vec<i32>> {
    let topics = request.topic_partitions.as_ref()?;
    Some(
        topics
            .iter()
            .flat_map(|topic| topic.partitions.clone())
            .collect(),
    )
}

/// Carries out every todo, as the consumer would.
fn apply_todos(member: &mut ConsumerMember) {
    loop {
        match member.todo() {
            Todo::Nothing | Todo::Fail(_) => return,
            Todo::Revoke(partitions) | Todo::Lose(partitions) => member.release(&partitions),
            Todo::Assign(new_assignment) => {
                assert!(member.accept_assignment(new_assignment.version));
            }
        }
    }
}

fn owned(member: &ConsumerMember) -> Vec<i32> {
    member.owned.iter().map(|(_, number)| *number).collect()
}

/// A member in epoch 3 that owns and has reported partitions 0 to 2.
fn stable(more: &[(&str, &str)]) -> (ConsumerMember, Instant) {
    let now = Instant::now();
    let mut member = member(more, now);
    next_heartbeat(&mut member, now);
    member.heartbeat_answered(Ok(accepted(3, Some(&[0, 1, 2]))), now);
    look_up(&mut member, now);
    apply_todos(&mut member);
    let report = next_heartbeat(&mut member, now);
    assert_eq!(reported(&report), Some(vec![0, 1, 2]));
    member.heartbeat_answered(Ok(accepted(3, None)), now);
    assert!(matches!(member.next(now), Step::Wait(Some(_))));
    (member, now)
}
