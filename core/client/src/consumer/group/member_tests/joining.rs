//! How a member joins, and joins again.

use std::collections::BTreeSet;

use super::super::member::Look;
use super::*;

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
