//! How a member loses its partitions, its membership or its coordinator.

use super::*;

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

fn about_to_join() -> (Member, Instant) {
    let now = Instant::now();
    let mut member = member(Assignor::Range, &[], now);
    member.next(now);
    member.coordinator_found(Ok(()), now);
    (member, now)
}

/// The caller gets the error of each try once, and each poll after it is one more try, after a pause.
#[test]
fn a_failure_of_storage_is_tried_again_once_per_poll() {
    for code in [ErrorCode::KafkaStorageError, ErrorCode::CorruptMessage] {
        let (mut member, mut now) = about_to_join();
        let refuse = |member: &mut Member, now| {
            member.joined(Ok(join_refused(code)), now);
            assert!(matches!(member.todo(), Todo::Fail(error) if !error.is_retriable()));
            let later = now + Duration::from_secs(1);
            assert!(
                matches!(member.next(later), Step::Wait(_)),
                "nobody tries before the caller knows"
            );
        };
        for _ in 0..3 {
            let step = member.next(now);
            assert!(matches!(step, Step::Join(_)), "{step:?}");
            refuse(&mut member, now);
            now += Duration::from_secs(2);
            member.polled(now);
            member.failure_told(now);
            obey(&mut member);
            assert!(
                matches!(member.todo(), Todo::Nothing),
                "the error comes once"
            );
            assert!(matches!(member.next(now), Step::Wait(Some(_))), "a pause");
            now += Duration::from_secs(1);
        }
        settle(&mut member, 1, 3, now);
        obey(&mut member);
        assert_eq!((member.owned.len(), member.generation), (3, Some(1)));
    }
}

#[test]
fn another_failure_is_not_tried_again() {
    let (mut member, now) = about_to_join();
    assert!(matches!(member.next(now), Step::Join(_)));
    member.joined(Ok(join_refused(ErrorCode::GroupAuthorizationFailed)), now);
    let now = now + Duration::from_secs(2);
    member.polled(now);
    member.failure_told(now);
    assert!(matches!(member.todo(), Todo::Fail(_)));
    assert!(matches!(member.next(now), Step::Wait(None)));
}
