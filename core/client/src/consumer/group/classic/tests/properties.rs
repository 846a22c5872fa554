//! Random responses, errors and delays.

use proptest::prelude::*;

use super::super::assignors::Rebalancing;
use super::*;
use crate::error::{Error, ErrorKind};

/// An input of the state machine.
#[derive(Debug, Clone)]
enum Event {
    TimePasses(u64),
    Poll,
    ApplyTodos,
    Answer(ErrorCode),
    ConnectionLost,
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
        1 => (1..30_000_u64).prop_map(Event::TimePasses),
        1 => Just(Event::Poll),
        1 => Just(Event::ApplyTodos),
        4 => prop::sample::select(codes).prop_map(Event::Answer),
        1 => Just(Event::ConnectionLost),
    ];
    prop::collection::vec(event, 1..80)
}

/// Answers one step with a code, or with a lost connection.
fn answer(member: &mut ClassicMember, code: Option<ErrorCode>, generation: i32, now: Instant) {
    let lost = || Error::new(ErrorKind::Transport, "The connection broke.").retriable(true);
    match member.next(now) {
        Step::Wait(_) => {}
        Step::FindCoordinator => match code {
            Some(ErrorCode::None) => member.coordinator_found(Ok(()), now),
            _ => member.coordinator_found(Err(lost()), now),
        },
        Step::FetchMetadata(_) => match code {
            Some(_) => member.metadata_fetched(Ok(counts(generation % 5)), now),
            None => member.metadata_fetched(Err(lost()), now),
        },
        Step::Join(request) => {
            // A member joins only after it has released lost partitions.
            assert!(!member.is_lost || member.owned.is_empty());
            assert!(member.rebalancing == Rebalancing::Cooperative || member.owned.is_empty());
            let response = code.ok_or_else(lost).map(|code| match code {
                ErrorCode::None => leader_answer(&request, generation),
                code => join_refused(code),
            });
            member.join_answered(response, now);
        }
        Step::Sync(request) => {
            let code = code.filter(|code| *code != ErrorCode::MemberIdRequired);
            let response = code.ok_or_else(lost).map(|code| SyncGroupResponse {
                error_code: code.code(),
                ..own_assignment(&request)
            });
            member.sync_answered(response, now);
        }
        Step::Heartbeat(request) => {
            assert!(request.generation_id >= 0 && !request.member_id.is_empty());
            let code = code.filter(|code| *code != ErrorCode::MemberIdRequired);
            member.heartbeat_answered(code.ok_or_else(lost).map(heartbeat), now);
        }
        Step::Leave(request) => {
            assert!(!request.members[0].member_id.is_empty());
            member.left();
        }
    }
}

proptest! {
    #[test]
    fn a_polled_and_answered_member_always_gets_its_partitions(
        assignor in prop::sample::select(vec![Assignor::Range, Assignor::Sticky, Assignor::CooperativeSticky]),
        events in events(),
    ) {
        let mut now = Instant::now();
        let mut member = member(assignor, &[], now);
        let mut generation = 0;
        for event in events {
            generation += 1;
            match event {
                Event::TimePasses(milliseconds) => now += Duration::from_millis(milliseconds),
                Event::Poll => drop(member.polled(now)),
                Event::ApplyTodos => apply_todos(&mut member),
                Event::Answer(code) => answer(&mut member, Some(code), generation, now),
                Event::ConnectionLost => answer(&mut member, None, generation, now),
            }
        }
        for _ in 0..6 {
            now += Duration::from_secs(5);
            member.polled(now);
            generation += 1;
            settle(&mut member, generation, 4, now);
            apply_todos(&mut member);
        }
        // Five minutes later the metadata is refreshed.
        now += Duration::from_mins(5);
        for _ in 0..6 {
            now += Duration::from_secs(5);
            member.polled(now);
            generation += 1;
            settle(&mut member, generation, 4, now);
            apply_todos(&mut member);
        }
        prop_assert_eq!(member.owned, partitions(4));
    }
}
