//! Changes of the assignment.

use super::*;

#[test]
fn partitions_are_reported_as_released_only_after_the_caller_has_released_them() {
    let (mut member, now) = stable(&[]);
    let now = now + HEARTBEAT_INTERVAL;
    next_heartbeat(&mut member, now);
    member.heartbeat_answered(Ok(accepted(3, Some(&[0]))), now);
    assert!(matches!(member.todo(), Todo::Revoke(some) if some == partitions(&[1, 2])));
    assert!(matches!(member.next(now), Step::Wait(_)), "no news yet");
    let later = now + HEARTBEAT_INTERVAL;
    assert_eq!(reported(&next_heartbeat(&mut member, later)), None);
    member.heartbeat_answered(Ok(accepted(3, None)), later);
    member.release(&partitions(&[1, 2]));
    let request = next_heartbeat(&mut member, later);
    assert_eq!(reported(&request), Some(vec![0]));
}

#[test]
fn new_partitions_are_taken_after_the_release_is_acknowledged() {
    let (mut member, now) = stable(&[]);
    let now = now + HEARTBEAT_INTERVAL;
    next_heartbeat(&mut member, now);
    member.heartbeat_answered(Ok(accepted(3, Some(&[0, 5]))), now);
    assert!(matches!(member.todo(), Todo::Revoke(_)));
    member.release(&partitions(&[1, 2]));
    assert!(matches!(member.todo(), Todo::Nothing));
    assert_eq!(reported(&next_heartbeat(&mut member, now)), Some(vec![0]));
    member.heartbeat_answered(Ok(accepted(4, None)), now);
    apply_todos(&mut member);
    assert_eq!(owned(&member), [0, 5]);
    assert_eq!(
        reported(&next_heartbeat(&mut member, now)),
        Some(vec![0, 5])
    );
}

#[test]
fn nothing_is_taken_while_a_report_has_no_answer() {
    let now = Instant::now();
    let mut member = member(&[], now);
    next_heartbeat(&mut member, now);
    member.heartbeat_answered(Ok(accepted(1, Some(&[0]))), now);
    look_up(&mut member, now);
    let Todo::Assign(assignment) = member.todo() else {
        panic!("expected an assignment");
    };
    // The next heartbeat is lost, and the one after it reports that the member has no partitions: the coordinator may
    // reassign them.
    let now = now + HEARTBEAT_INTERVAL;
    next_heartbeat(&mut member, now);
    member.heartbeat_answered(Err(connection_lost()), now);
    let now = now + HEARTBEAT_INTERVAL;
    assert!(matches!(member.next(now), Step::FindCoordinator));
    member.coordinator_found(Ok(()), now);
    assert_eq!(reported(&next_heartbeat(&mut member, now)), Some(vec![]));
    assert!(matches!(member.todo(), Todo::Nothing));
    assert!(!member.accept_assignment(assignment.version));
    member.heartbeat_answered(Ok(accepted(2, Some(&[1]))), now);
    apply_todos(&mut member);
    assert_eq!(owned(&member), [1]);
}

#[test]
fn an_assignment_that_was_replaced_is_not_accepted() {
    let now = Instant::now();
    let mut member = member(&[], now);
    next_heartbeat(&mut member, now);
    member.heartbeat_answered(Ok(accepted(1, Some(&[0, 1]))), now);
    look_up(&mut member, now);
    let Todo::Assign(first) = member.todo() else {
        panic!("expected an assignment");
    };
    next_heartbeat(&mut member, now + HEARTBEAT_INTERVAL);
    member.heartbeat_answered(Ok(accepted(2, Some(&[1]))), now);
    assert!(!member.accept_assignment(first.version));
    apply_todos(&mut member);
    assert_eq!(owned(&member), [1]);
}

#[test]
fn an_empty_first_assignment_is_applied() {
    let now = Instant::now();
    let mut member = member(&[], now);
    next_heartbeat(&mut member, now);
    member.heartbeat_answered(Ok(accepted(1, Some(&[]))), now);
    assert!(matches!(member.todo(), Todo::Assign(new) if new.partitions.is_empty()));
    apply_todos(&mut member);
    assert!(matches!(member.todo(), Todo::Nothing));
}

#[test]
fn commits_and_reads_of_offsets_have_the_epoch_of_a_member() {
    let now = Instant::now();
    let mut joining = member(&[], now);
    assert_eq!(joining.committer().generation_or_epoch, -1);
    assert_eq!(joining.reader(), None);
    next_heartbeat(&mut joining, now);
    let (mut member, now) = stable(&[]);
    let identity = member.committer();
    assert_eq!(identity.generation_or_epoch, 3);
    assert_eq!(member.reader().as_ref(), Some(&identity));
    member.offsets_refused(ErrorCode::StaleMemberEpoch, &identity, now);
    next_heartbeat(&mut member, now);
    member.heartbeat_answered(Ok(accepted(4, None)), now);
    assert_eq!(member.committer().generation_or_epoch, 4);
}
