//! Loss of the membership.

use super::*;
use crate::consumer::group::membership::LeaveRequest;

#[test]
fn a_fenced_member_loses_its_partitions_and_joins_with_the_same_id() {
    for code in [ErrorCode::FencedMemberEpoch, ErrorCode::UnknownMemberId] {
        let (mut member, now) = stable(&[]);
        let now = now + HEARTBEAT_INTERVAL;
        let before = next_heartbeat(&mut member, now);
        member.heartbeat_answered(Ok(refused(code)), now);
        assert!(matches!(member.todo(), Todo::Lose(all) if all == partitions(&[0, 1, 2])));
        assert!(
            matches!(member.next(now), Step::Wait(_)),
            "the partitions must be released first"
        );
        apply_todos(&mut member);
        let request = next_heartbeat(&mut member, now);
        assert_eq!(
            (request.member_epoch, &request.member_id),
            (0, &before.member_id)
        );
        assert_eq!(reported(&request), Some(vec![]));
    }
}

#[test]
fn a_member_that_is_fenced_while_it_joins_pauses() {
    let now = Instant::now();
    let mut member = member(&[], now);
    next_heartbeat(&mut member, now);
    member.heartbeat_answered(Ok(refused(ErrorCode::FencedMemberEpoch)), now);
    assert!(matches!(member.next(now), Step::Wait(Some(_))));
}

#[test]
fn a_member_leaves_without_polls_and_rejoins_at_the_next() {
    for (instance_id, epoch) in [(None, -1), (Some("i"), -2)] {
        let more: Vec<_> = instance_id
            .map(|id| ("group.instance.id", id))
            .into_iter()
            .collect();
        let (mut member, now) = stable(&more);
        let now = now + Duration::from_secs(61);
        let Step::Leave(request) = member.next(now) else {
            panic!("expected to leave");
        };
        assert_eq!(request.member_epoch, epoch);
        member.left(now);
        assert!(matches!(member.next(now), Step::Wait(None)));
        assert!(matches!(member.todo(), Todo::Lose(_)));
        member.polled(now);
        apply_todos(&mut member);
        assert_eq!(next_heartbeat(&mut member, now).member_epoch, 0);
    }
}

#[test]
fn a_member_leaves_on_close_even_before_the_answer_to_its_first_heartbeat() {
    let now = Instant::now();
    let mut member = member(&[], now);
    assert_eq!(member.leave_on_close(), None);
    let joined = next_heartbeat(&mut member, now);
    let Some(LeaveRequest::Consumer(request)) = member.leave_on_close() else {
        panic!("expected to leave");
    };
    assert_eq!(
        (request.member_epoch, request.member_id),
        (-1, joined.member_id)
    );
}

#[test]
fn codes_without_a_retry_end_the_membership() {
    for code in [
        ErrorCode::UnreleasedInstanceId,
        ErrorCode::FencedInstanceId,
        ErrorCode::UnsupportedAssignor,
        ErrorCode::InvalidRegularExpression,
        ErrorCode::GroupIdNotFound,
        ErrorCode::GroupAuthorizationFailed,
    ] {
        let (mut member, now) = stable(&[]);
        let now = now + HEARTBEAT_INTERVAL;
        next_heartbeat(&mut member, now);
        member.heartbeat_answered(Ok(refused(code)), now);
        assert!(matches!(member.todo(), Todo::Lose(_)));
        apply_todos(&mut member);
        assert!(matches!(member.todo(), Todo::Fail(error) if error.code() == code));
        assert!(matches!(member.next(now), Step::Leave(_)));
        member.left(now);
        member.failure_reported(now);
        assert!(matches!(member.next(now), Step::Wait(None)));
        assert!(matches!(member.todo(), Todo::Fail(_)));
        member.subscribe(Subscription::topics(["u"]));
        assert_eq!(next_heartbeat(&mut member, now).member_epoch, 0);
    }
}
