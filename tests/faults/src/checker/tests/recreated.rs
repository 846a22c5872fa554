//! A recreated topic.

use super::*;
use crate::history::Event::{DeleteTopic, Ended, Recreated, Released};

/// Two records are deleted with the old topic, and two are in the new one. The group reads both.
fn recreated() -> Vec<Event> {
    events([
        produced(2),
        assigned(A).into(),
        vec![got(A, 0..2)],
        committed(A, 2).into(),
        vec![DeleteTopic],
        saw(&[]).into(),
        vec![Recreated],
        vec![Send(id(2)), Acknowledged(id(2), 0, 0)],
        vec![Send(id(3)), Acknowledged(id(3), 0, 1)],
        vec![HandedOut(A, 0, vec![(0, id(2)), (1, id(3))])],
        committed(A, 1).into(),
        vec![Ended(A)],
    ])
}

fn judged(events: Vec<Event>, records: &[RecordId]) -> Vec<Violation> {
    let mut history = history(events, records);
    history.groups = consumed([]).groups;
    check(&history)
}

#[test]
fn records_deleted_with_the_old_topic_are_not_lost() {
    assert_eq!(judged(recreated(), &[id(2), id(3)]), []);
}

#[test]
fn a_missing_record_of_the_new_topic_is_lost() {
    let found = judged(recreated(), &[id(2)]);
    let lost = Violation::Lost {
        record: id(3),
        place: place(1),
    };
    assert!(found.contains(&lost), "{found:?}");
}

#[test]
fn records_of_the_old_topic_are_not_handed_out_after_those_of_the_new_one() {
    let mut events = recreated();
    let end = events.len() - 1;
    events.insert(end, HandedOut(A, 0, vec![(2, id(1))]));
    let went_back = Violation::WentBack {
        member: A,
        place: place(2),
        after: 1,
    };
    assert_eq!(judged(events, &[id(2), id(3)]), [went_back]);
}

#[test]
fn commits_of_the_new_topic_do_not_go_back() {
    let mut events = recreated();
    let end = events.len() - 1;
    events.splice(end..end, committed(A, 0));
    let went_back = Violation::CommitWentBack {
        group: GROUP,
        partition: 0,
        from: 1,
        to: Some(0),
    };
    assert_eq!(judged(events, &[id(2), id(3)]), [went_back]);
}

/// The coordinator of a KIP-848 group assigns the new partition while a member still has the old one.
#[test]
fn the_owner_of_a_new_partition_need_not_wait_for_the_release_of_the_old_one() {
    let two_owners = Violation::TwoOwners {
        group: GROUP,
        partition: 0,
        members: [A, B],
    };
    let overlapping = |recreated_at: usize| {
        let mut events = events([
            produced(2),
            assigned(A).into(),
            vec![got(A, 0..2)],
            committed(A, 2).into(),
            assigned(B).into(),
            committed(A, 2).into(),
            vec![Released(A, vec![0])],
        ]);
        let at = events.len() - recreated_at;
        events.splice(at..at, [DeleteTopic, Recreated]);
        judged(events, &[])
    };
    let released = overlapping(0);
    assert!(released.contains(&two_owners), "{released:?}");
    let before_the_new_owner = overlapping(5);
    assert!(
        !before_the_new_owner.contains(&two_owners),
        "{before_the_new_owner:?}"
    );
}
