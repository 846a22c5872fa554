//! Any answers in any order, with time that passes as it likes.

use proptest::prelude::*;

use super::super::assignors::Rebalancing;
use super::*;
use crate::error::{Error, ErrorKind};

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
