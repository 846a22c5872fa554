//! The promises to consumers and their groups.

use super::*;
use crate::history::Event::{Ended, Lost, Released};

/// A reads two records, commits and releases the partition to B, which reads the rest.
fn handed_over() -> Vec<Event> {
    events([
        assigned(A).into(),
        vec![got(A, 0..2)],
        committed(A, 2).into(),
        saw(&[(0, 2)]).into(),
        vec![Released(A, vec![0])],
        assigned(B).into(),
        vec![got(B, 2..4)],
        committed(B, 4).into(),
        saw(&[(0, 4)]).into(),
        vec![Ended(A), Ended(B)],
    ])
}

/// The violations if the event at `index` of [`handed_over`] is replaced by these.
fn with(index: usize, replacement: impl IntoIterator<Item = Event>) -> Vec<Violation> {
    let mut events = handed_over();
    events.splice(index..=index, replacement);
    check(&consumed(events))
}

fn index_of(event: &Event) -> usize {
    let all = handed_over();
    let found = all.iter().position(|other| other == event);
    found.expect("the event is one of handed_over()")
}

#[test]
fn a_partition_that_is_handed_over_at_its_commit_is_good() {
    assert_eq!(check(&consumed(handed_over())), []);
}

#[test]
fn a_record_that_a_member_gets_twice_went_back() {
    let went_back = Violation::WentBack {
        member: A,
        place: place(1),
        after: 1,
    };
    let twice = [got(A, 0..2), got(A, 1..2)];
    assert_eq!(with(index_of(&got(A, 0..2)), twice), [went_back]);
}

#[test]
fn a_record_between_two_others_is_not_skipped() {
    let skipped = Violation::Skipped {
        member: B,
        place: place(3),
        after: 1,
    };
    let mut events = handed_over();
    let index = index_of(&committed(A, 2)[0]);
    events.splice(index.., events_of_b_from_zero_without_record_two());
    let not_delivered = Violation::NotDelivered {
        group: GROUP,
        place: place(2),
        record: id(2),
    };
    assert_eq!(check(&consumed(events)), [skipped, not_delivered]);
}

fn events_of_b_from_zero_without_record_two() -> Vec<Event> {
    events([
        vec![Released(A, vec![0])],
        assigned(B).into(),
        vec![got(B, 0..2), got(B, 3..4)],
    ])
}

#[test]
fn a_record_that_no_member_got_is_not_delivered() {
    let not_delivered = Violation::NotDelivered {
        group: GROUP,
        place: place(3),
        record: id(3),
    };
    assert_eq!(
        with(index_of(&got(B, 2..4)), [got(B, 2..3)]),
        [not_delivered]
    );
}

#[test]
fn a_record_that_is_not_the_stored_one_is_another() {
    let other = Violation::OtherRecord {
        member: A,
        place: place(1),
        record: id(2),
        stored: Some(id(1)),
    };
    let wrong = HandedOut(A, 0, vec![(0, id(0)), (1, id(2))]);
    let found = with(index_of(&got(A, 0..2)), [wrong, got(B, 1..2)]);
    assert!(found.contains(&other), "{found:?}");
}

#[test]
fn a_record_after_the_release_is_not_owned() {
    let late = [Released(A, vec![0]), got(A, 2..3)];
    let not_owned = Violation::NotOwned {
        member: A,
        place: place(2),
    };
    assert_eq!(with(index_of(&Released(A, vec![0])), late), [not_owned]);
}

#[test]
fn a_partition_has_one_owner() {
    let two_owners = Violation::TwoOwners {
        group: GROUP,
        partition: 0,
        members: [A, B],
    };
    // A releases the partition after B got it, or never.
    let mut late = handed_over();
    let released = late.remove(index_of(&Released(A, vec![0])));
    assert_eq!(
        check(&consumed(late.clone())),
        std::slice::from_ref(&two_owners)
    );
    let after = late.len() - 2;
    late.insert(after, released);
    assert_eq!(check(&consumed(late)), [two_owners]);
}

#[test]
fn a_member_that_was_silent_or_learns_its_loss_may_be_replaced() {
    let mut late = handed_over();
    let released = index_of(&Released(A, vec![0]));
    late.remove(released);
    let mut silent = consumed(late.clone());
    // The events up to the commit of A; B's assignment follows a session later.
    let before = produced(4).len() + released;
    for timed in &mut silent.events[before..] {
        timed.at += SESSION;
    }
    assert_eq!(check(&silent), []);
    let after = late.len() - 2;
    late.insert(after, Lost(A, vec![0]));
    assert_eq!(check(&consumed(late)), []);
}

#[test]
fn a_new_owner_starts_at_the_committed_offset() {
    let wrong = |start| Violation::WrongStart {
        member: B,
        place: place(start),
        committed: Some(2),
    };
    // In the first case records are delivered again; in the second they are skipped.
    let found = with(index_of(&got(B, 2..4)), [got(B, 1..4)]);
    assert_eq!(found, [wrong(1)]);
    let found = with(index_of(&got(B, 2..4)), [got(B, 3..4)]);
    assert!(found.contains(&wrong(3)), "{found:?}");
}

#[test]
fn a_commit_without_an_answer_may_count_or_not() {
    let mut unanswered = handed_over();
    let answer = index_of(&committed(A, 2)[1]);
    unanswered.drain(answer..answer + 3);
    assert_eq!(check(&consumed(unanswered.clone())), []);
    let start = unanswered.iter().position(|event| *event == got(B, 2..4));
    unanswered[start.unwrap()] = got(B, 0..4);
    assert_eq!(check(&consumed(unanswered)), []);
}

#[test]
fn a_group_without_explicit_commits_starts_after_its_last_record() {
    let mut events = handed_over();
    events.retain(|event| {
        !matches!(
            event,
            Commit(..) | Committed(..) | AskCommitted(..) | SawCommitted(..)
        )
    });
    let mut history = consumed(events);
    history.groups.get_mut(&GROUP).unwrap().commits = Commits::Automatic;
    assert_eq!(check(&history), []);
    for timed in &mut history.events {
        if timed.event == got(B, 2..4) {
            timed.event = got(B, 3..4);
        }
    }
    let start = Violation::WrongStart {
        member: B,
        place: place(3),
        committed: None,
    };
    assert!(check(&history).contains(&start));
}

#[test]
fn committed_offsets_never_go_back() {
    let went_back = |to| Violation::CommitWentBack {
        group: GROUP,
        partition: 0,
        from: 4,
        to,
    };
    let mut lower = handed_over();
    let end = lower.len() - 2;
    lower.splice(end..end, committed(B, 3));
    assert_eq!(check(&consumed(lower)), [went_back(Some(3))]);
    assert_eq!(
        with(index_of(&saw(&[(0, 4)])[1]), [saw(&[(0, 2)])[1].clone()]),
        [went_back(Some(2))]
    );
    assert_eq!(
        with(index_of(&saw(&[(0, 4)])[1]), [saw(&[])[1].clone()]),
        [went_back(None)]
    );
}

#[test]
fn a_committed_offset_was_committed_by_a_member() {
    let never = Violation::NeverCommitted {
        group: GROUP,
        partition: 0,
        seen: 5,
    };
    assert_eq!(
        with(index_of(&saw(&[(0, 4)])[1]), [saw(&[(0, 5)])[1].clone()]),
        [never]
    );
}
