//! Loss of partitions, of the membership and of the coordinator.

use super::*;

#[test]
fn an_unknown_member_loses_its_partitions_and_joins_as_new() {
    let (mut member, now) = stable(Assignor::CooperativeSticky, &[]);
    let now = now + Duration::from_secs(3);
    member.next(now);
    member.heartbeat_answered(Ok(heartbeat(ErrorCode::UnknownMemberId)), now);
    assert!(matches!(member.todo(), Todo::Lose(all) if all == partitions(3)));
    assert!(
        matches!(member.next(now), Step::Wait(_)),
        "the partitions must be released first"
    );
    apply_todos(&mut member);
    assert!(matches!(member.next(now), Step::Join(request) if request.member_id.is_empty()));
}

#[test]
fn an_old_generation_keeps_its_member_id() {
    let (mut member, now) = stable(Assignor::Range, &[]);
    let identity = member.committer();
    member.offsets_refused(ErrorCode::IllegalGeneration, &identity, now);
    assert!(matches!(member.todo(), Todo::Lose(_)));
    apply_todos(&mut member);
    assert!(matches!(member.next(now), Step::Join(request) if &*request.member_id == "m-1"));
}

#[test]
fn an_assignment_of_an_earlier_generation_is_ignored() {
    let now = Instant::now();
    let mut member = member(Assignor::Range, &[], now);
    member.next(now);
    member.coordinator_found(Ok(()), now);
    let Step::Join(request) = member.next(now) else {
        panic!("expected a JoinGroup");
    };
    member.join_answered(Ok(leader_answer(&request, 1)), now);
    member.next(now);
    member.metadata_fetched(Ok(counts(3)), now);
    let Step::Sync(request) = member.next(now) else {
        panic!("expected a SyncGroup");
    };
    let identity = member.committer();
    member.offsets_refused(ErrorCode::UnknownMemberId, &identity, now);
    member.sync_answered(Ok(own_assignment(&request)), now);
    assert!(matches!(member.todo(), Todo::Nothing));
    assert!(matches!(member.next(now), Step::Join(request) if request.member_id.is_empty()));
}

#[test]
fn a_fenced_member_stops_for_good() {
    let (mut member, now) = stable(Assignor::Range, &[("group.instance.id", "i")]);
    let now = now + Duration::from_secs(3);
    member.next(now);
    member.heartbeat_answered(Ok(heartbeat(ErrorCode::FencedInstanceId)), now);
    apply_todos(&mut member);
    assert!(matches!(member.todo(), Todo::Fail(error) if error.is_fatal()));
    assert!(matches!(member.next(now), Step::Wait(None)));
}

#[test]
fn a_moved_coordinator_is_found_and_the_membership_kept() {
    let (mut member, now) = stable(Assignor::Range, &[]);
    let now = now + Duration::from_secs(3);
    member.next(now);
    member.heartbeat_answered(Ok(heartbeat(ErrorCode::NotCoordinator)), now);
    assert!(
        matches!(member.next(now), Step::Wait(Some(_))),
        "the member backs off"
    );
    let now = now + Duration::from_secs(1);
    assert!(matches!(member.next(now), Step::FindCoordinator));
    member.coordinator_found(Ok(()), now);
    assert_eq!((member.owned.len(), member.generation), (3, Some(1)));
}

#[test]
fn a_member_leaves_without_polls_and_rejoins_at_the_next() {
    let (mut member, now) = stable(Assignor::Range, &[]);
    let now = now + Duration::from_secs(61);
    assert!(matches!(member.next(now), Step::Leave(_)));
    member.left();
    assert!(matches!(member.next(now), Step::Wait(None)));
    assert!(matches!(member.todo(), Todo::Lose(all) if all == partitions(3)));
    member.polled(now);
    apply_todos(&mut member);
    assert!(matches!(member.next(now), Step::Join(_)));
}

fn about_to_join() -> (ClassicMember, Instant) {
    let now = Instant::now();
    let mut member = member(Assignor::Range, &[], now);
    member.next(now);
    member.coordinator_found(Ok(()), now);
    (member, now)
}

/// Each failed attempt is returned once, and the next poll makes another attempt after a backoff.
#[test]
fn a_storage_error_is_retried_once_per_poll() {
    for code in [ErrorCode::KafkaStorageError, ErrorCode::CorruptMessage] {
        let (mut member, mut now) = about_to_join();
        let refuse = |member: &mut ClassicMember, now| {
            member.join_answered(Ok(join_refused(code)), now);
            assert!(matches!(member.todo(), Todo::Fail(error) if !error.is_retriable()));
            let later = now + Duration::from_secs(1);
            assert!(
                matches!(member.next(later), Step::Wait(_)),
                "no attempt before the error is returned"
            );
        };
        for _ in 0..3 {
            let step = member.next(now);
            assert!(matches!(step, Step::Join(_)), "{step:?}");
            refuse(&mut member, now);
            now += Duration::from_secs(2);
            member.polled(now);
            member.failure_reported(now);
            apply_todos(&mut member);
            assert!(
                matches!(member.todo(), Todo::Nothing),
                "the error is returned once"
            );
            assert!(
                matches!(member.next(now), Step::Wait(Some(_))),
                "the member backs off"
            );
            now += Duration::from_secs(1);
        }
        settle(&mut member, 1, 3, now);
        apply_todos(&mut member);
        assert_eq!((member.owned.len(), member.generation), (3, Some(1)));
    }
}

#[test]
fn other_errors_are_not_retried() {
    let (mut member, now) = about_to_join();
    assert!(matches!(member.next(now), Step::Join(_)));
    member.join_answered(Ok(join_refused(ErrorCode::GroupAuthorizationFailed)), now);
    let now = now + Duration::from_secs(2);
    member.polled(now);
    member.failure_reported(now);
    assert!(matches!(member.todo(), Todo::Fail(_)));
    assert!(matches!(member.next(now), Step::Wait(None)));
}
