//! The state machine against a coordinator that answers anything, with time that passes as it likes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_protocol::join_group_response::JoinGroupResponseMember;
use headwater_protocol::{
    ErrorCode, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, Str, SyncGroupRequest,
    SyncGroupResponse,
};
use proptest::prelude::*;

use super::assignors::{Assignor, PartitionCounts, Rebalancing};
use super::caller::Todo;
use super::member::{Look, Member, Settings, Step};
use super::protocol;
use super::subscription::Subscription;
use crate::ConsumerConfig;
use crate::batch::TopicPartition;
use crate::error::{Error, ErrorKind};

fn member(assignor: Assignor, more: &[(&str, &str)], now: Instant) -> Member {
    let fixed = [
        ("group.id", "g"),
        ("partition.assignment.strategy", assignor.name()),
        ("max.poll.interval.ms", "60000"),
    ];
    let config = ConsumerConfig::parse(fixed.iter().chain(more).copied()).unwrap();
    let settings = Settings {
        group: config.group.clone().unwrap(),
        retry: config.retry,
        look_interval: config.metadata_max_age,
        exclude_internal_topics: true,
    };
    let mut member = Member::new(settings, Subscription::topics(["t"]), now);
    assert!(matches!(member.next(now), Step::Wait(None)), "nobody polls");
    assert!(member.polled(now));
    member
}

fn counts(partitions: i32) -> PartitionCounts {
    PartitionCounts::from([(Arc::from("t"), partitions)])
}

fn some(count: i32) -> Vec<TopicPartition> {
    (0..count)
        .map(|number| TopicPartition::new("t", number))
        .collect()
}

/// The answer that makes the member lead a generation of one.
fn leads(request: &JoinGroupRequest, generation: i32) -> JoinGroupResponse {
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

fn its_own(request: &SyncGroupRequest) -> SyncGroupResponse {
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

/// Answers well until there is nothing to do.
fn settle(member: &mut Member, generation: i32, partitions: i32, now: Instant) {
    loop {
        match member.next(now) {
            Step::FindCoordinator => member.coordinator_found(Ok(()), now),
            Step::Look(_) => member.looked(Ok(counts(partitions)), now),
            Step::Join(request) => member.joined(Ok(leads(&request, generation)), now),
            Step::Sync(request) => member.synced(Ok(its_own(&request)), now),
            Step::Heartbeat(_) => member.heard(Ok(heartbeat(ErrorCode::None)), now),
            Step::Leave(_) => member.left(),
            Step::Wait(_) => return,
        }
    }
}

/// Does what the caller is to do.
fn obey(member: &mut Member) {
    loop {
        match member.todo() {
            Todo::Nothing | Todo::Fail(_) => return,
            Todo::Revoke(partitions) | Todo::Lose(partitions) => member.gave_up(&partitions),
            Todo::Take(taking) => {
                let gone: Vec<_> = member
                    .owned
                    .iter()
                    .filter(|owned| !taking.partitions.contains(owned))
                    .cloned()
                    .collect();
                if !gone.is_empty() {
                    member.gave_up(&gone);
                }
                assert!(member.took(taking.generation));
            }
        }
    }
}

fn stable(assignor: Assignor, more: &[(&str, &str)]) -> (Member, Instant) {
    let now = Instant::now();
    let mut member = member(assignor, more, now);
    settle(&mut member, 1, 3, now);
    obey(&mut member);
    assert_eq!(member.owned, some(3));
    (member, now)
}

#[test]
fn a_new_member_is_told_its_id_and_joins_with_it() {
    let now = Instant::now();
    let mut member = member(Assignor::Range, &[], now);
    assert!(matches!(member.next(now), Step::FindCoordinator));
    member.coordinator_found(Ok(()), now);
    let Step::Join(first) = member.next(now) else {
        panic!("it joins");
    };
    assert_eq!(&*first.member_id, "");
    member.joined(Ok(join_refused(ErrorCode::MemberIdRequired)), now);
    let Step::Join(second) = member.next(now) else {
        panic!("it joins again at once");
    };
    assert_eq!(&*second.member_id, "m-1");
}

#[test]
fn an_eager_member_gives_all_up_before_it_joins_again_and_stays_alive_meanwhile() {
    let (mut member, now) = stable(Assignor::Range, &[]);
    let now = now + Duration::from_secs(3);
    assert!(matches!(member.next(now), Step::Heartbeat(_)));
    member.heard(Ok(heartbeat(ErrorCode::RebalanceInProgress)), now);
    assert!(matches!(member.next(now), Step::Wait(Some(_))));
    assert!(matches!(member.todo(), Todo::Revoke(all) if all == some(3)));
    let later = now + Duration::from_secs(3);
    assert!(matches!(member.next(later), Step::Heartbeat(_)));
    member.heard(Ok(heartbeat(ErrorCode::RebalanceInProgress)), later);
    obey(&mut member);
    assert!(matches!(member.next(later), Step::Join(_)));
}

#[test]
fn a_cooperative_member_joins_with_what_it_has_and_again_after_it_gave_up() {
    let (mut member, now) = stable(Assignor::CooperativeSticky, &[]);
    let now = now + Duration::from_secs(3);
    member.next(now);
    member.heard(Ok(heartbeat(ErrorCode::RebalanceInProgress)), now);
    let Step::Join(request) = member.next(now) else {
        panic!("it joins at once");
    };
    let told = JoinGroupResponseMember {
        metadata: request.protocols[0].metadata.clone(),
        ..Default::default()
    };
    let told = protocol::candidate(Assignor::CooperativeSticky, told).unwrap();
    assert_eq!((told.owned, told.generation), (some(3), Some(1)));
    // As a follower it is left with one.
    let mut answer = leads(&request, 2);
    answer.leader = "another".into();
    member.joined(Ok(answer), now);
    let assignment = protocol::assignment(&some(1)).unwrap();
    assert!(matches!(member.next(now), Step::Sync(_)));
    let answer = SyncGroupResponse {
        assignment,
        ..Default::default()
    };
    member.synced(Ok(answer), now);
    obey(&mut member);
    assert_eq!(member.owned, some(1));
    assert!(matches!(member.next(now), Step::Join(_)));
}

#[test]
fn who_is_unknown_has_lost_its_partitions_and_joins_as_new() {
    let (mut member, now) = stable(Assignor::CooperativeSticky, &[]);
    let now = now + Duration::from_secs(3);
    member.next(now);
    member.heard(Ok(heartbeat(ErrorCode::UnknownMemberId)), now);
    assert!(matches!(member.todo(), Todo::Lose(all) if all == some(3)));
    assert!(
        matches!(member.next(now), Step::Wait(_)),
        "the caller first"
    );
    obey(&mut member);
    assert!(matches!(member.next(now), Step::Join(request) if request.member_id.is_empty()));
}

#[test]
fn an_old_generation_keeps_its_member_id() {
    let (mut member, now) = stable(Assignor::Range, &[]);
    let identity = member.identity();
    member.commit_refused(ErrorCode::IllegalGeneration, &identity, now);
    assert!(matches!(member.todo(), Todo::Lose(_)));
    obey(&mut member);
    assert!(matches!(member.next(now), Step::Join(request) if &*request.member_id == "m-1"));
}

#[test]
fn an_assignment_of_a_generation_that_is_over_is_not_taken() {
    let now = Instant::now();
    let mut member = member(Assignor::Range, &[], now);
    member.next(now);
    member.coordinator_found(Ok(()), now);
    let Step::Join(request) = member.next(now) else {
        panic!("it joins");
    };
    member.joined(Ok(leads(&request, 1)), now);
    member.next(now);
    member.looked(Ok(counts(3)), now);
    let Step::Sync(request) = member.next(now) else {
        panic!("it synchronises");
    };
    let identity = member.identity();
    member.commit_refused(ErrorCode::UnknownMemberId, &identity, now);
    member.synced(Ok(its_own(&request)), now);
    assert!(matches!(member.todo(), Todo::Nothing));
    assert!(matches!(member.next(now), Step::Join(request) if request.member_id.is_empty()));
}

#[test]
fn a_fenced_member_stops_for_good() {
    let (mut member, now) = stable(Assignor::Range, &[("group.instance.id", "i")]);
    let now = now + Duration::from_secs(3);
    member.next(now);
    member.heard(Ok(heartbeat(ErrorCode::FencedInstanceId)), now);
    obey(&mut member);
    assert!(matches!(member.todo(), Todo::Fail(error) if error.is_fatal()));
    assert!(matches!(member.next(now), Step::Wait(None)));
}

#[test]
fn a_coordinator_that_moved_is_looked_for_and_the_membership_stays() {
    let (mut member, now) = stable(Assignor::Range, &[]);
    let now = now + Duration::from_secs(3);
    member.next(now);
    member.heard(Ok(heartbeat(ErrorCode::NotCoordinator)), now);
    assert!(matches!(member.next(now), Step::Wait(Some(_))), "a pause");
    let now = now + Duration::from_secs(1);
    assert!(matches!(member.next(now), Step::FindCoordinator));
    member.coordinator_found(Ok(()), now);
    assert_eq!((member.owned.len(), member.generation), (3, Some(1)));
}

#[test]
fn who_does_not_poll_leaves_and_comes_back() {
    let (mut member, now) = stable(Assignor::Range, &[]);
    let now = now + Duration::from_secs(61);
    assert!(matches!(member.next(now), Step::Leave(_)));
    member.left();
    assert!(matches!(member.next(now), Step::Wait(None)));
    assert!(matches!(member.todo(), Todo::Lose(all) if all == some(3)));
    member.polled(now);
    obey(&mut member);
    assert!(matches!(member.next(now), Step::Join(_)));
}

#[test]
fn the_leader_rebalances_when_there_are_more_partitions() {
    let (mut member, now) = stable(Assignor::CooperativeSticky, &[("metadata.max.age.ms", "1")]);
    let now = now + Duration::from_millis(1);
    let watched = BTreeSet::from([Arc::from("t")]);
    assert!(matches!(member.next(now), Step::Look(Look::Named(topics)) if topics == watched));
    member.looked(Ok(counts(3)), now);
    assert!(matches!(member.next(now), Step::Wait(_)));
    let now = now + Duration::from_millis(1);
    member.next(now);
    member.looked(Ok(counts(4)), now);
    settle(&mut member, 2, 4, now);
    obey(&mut member);
    assert_eq!(member.owned, some(4));
}

/// What happens to a member.
#[derive(Debug, Clone)]
enum Event {
    Passes(u64),
    Polls,
    Obeys,
    Answers(ErrorCode),
    Breaks,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let codes = vec![
        ErrorCode::None,
        ErrorCode::None,
        ErrorCode::None,
        ErrorCode::RebalanceInProgress,
        ErrorCode::UnknownMemberId,
        ErrorCode::IllegalGeneration,
        ErrorCode::NotCoordinator,
        ErrorCode::CoordinatorNotAvailable,
        ErrorCode::CoordinatorLoadInProgress,
        ErrorCode::MemberIdRequired,
    ];
    let event = prop_oneof![
        1 => (1..30_000_u64).prop_map(Event::Passes),
        1 => Just(Event::Polls),
        1 => Just(Event::Obeys),
        4 => prop::sample::select(codes).prop_map(Event::Answers),
        1 => Just(Event::Breaks),
    ];
    prop::collection::vec(event, 1..80)
}

/// Answers one step with a code, or with the loss of the connection.
fn answer(member: &mut Member, code: Option<ErrorCode>, generation: i32, now: Instant) {
    let lost = || Error::new(ErrorKind::Transport, "The connection broke.").retriable(true);
    match member.next(now) {
        Step::Wait(_) => {}
        Step::FindCoordinator => match code {
            Some(ErrorCode::None) => member.coordinator_found(Ok(()), now),
            _ => member.coordinator_found(Err(lost()), now),
        },
        Step::Look(_) => match code {
            Some(_) => member.looked(Ok(counts(generation % 5)), now),
            None => member.looked(Err(lost()), now),
        },
        Step::Join(request) => {
            // Nothing is both read on and given to others.
            assert!(!member.is_lost || member.owned.is_empty());
            assert!(member.rebalancing == Rebalancing::Cooperative || member.owned.is_empty());
            let response = code.ok_or_else(lost).map(|code| match code {
                ErrorCode::None => leads(&request, generation),
                code => join_refused(code),
            });
            member.joined(response, now);
        }
        Step::Sync(request) => {
            let code = code.filter(|code| *code != ErrorCode::MemberIdRequired);
            let response = code.ok_or_else(lost).map(|code| SyncGroupResponse {
                error_code: code.code(),
                ..its_own(&request)
            });
            member.synced(response, now);
        }
        Step::Heartbeat(request) => {
            assert!(request.generation_id >= 0 && !request.member_id.is_empty());
            let code = code.filter(|code| *code != ErrorCode::MemberIdRequired);
            member.heard(code.ok_or_else(lost).map(heartbeat), now);
        }
        Step::Leave(request) => {
            assert!(!request.members[0].member_id.is_empty());
            member.left();
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_a_member_that_is_polled_and_answered_ends_up_with_its_partitions(
        assignor in prop::sample::select(vec![Assignor::Range, Assignor::Sticky, Assignor::CooperativeSticky]),
        events in events(),
    ) {
        let mut now = Instant::now();
        let mut member = member(assignor, &[], now);
        let mut generation = 0;
        for event in events {
            generation += 1;
            match event {
                Event::Passes(milliseconds) => now += Duration::from_millis(milliseconds),
                Event::Polls => drop(member.polled(now)),
                Event::Obeys => obey(&mut member),
                Event::Answers(code) => answer(&mut member, Some(code), generation, now),
                Event::Breaks => answer(&mut member, None, generation, now),
            }
        }
        for _ in 0..6 {
            now += Duration::from_secs(5);
            member.polled(now);
            generation += 1;
            settle(&mut member, generation, 4, now);
            obey(&mut member);
        }
        // Five minutes on it looks at the topics again.
        now += Duration::from_mins(5);
        for _ in 0..6 {
            now += Duration::from_secs(5);
            member.polled(now);
            generation += 1;
            settle(&mut member, generation, 4, now);
            obey(&mut member);
        }
        prop_assert_eq!(member.owned, some(4));
    }
}
