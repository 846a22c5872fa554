//! Joining and rejoining.

use std::collections::BTreeSet;

use super::super::member::MetadataTopics;
use super::*;

#[test]
fn a_new_member_joins_with_the_id_that_it_was_given() {
    let now = Instant::now();
    let mut member = member(Assignor::Range, &[], now);
    assert!(matches!(member.next(now), Step::FindCoordinator));
    member.coordinator_found(Ok(()), now);
    let Step::Join(first) = member.next(now) else {
        panic!("expected a JoinGroup");
    };
    assert_eq!(&*first.member_id, "");
    member.join_answered(Ok(join_refused(ErrorCode::MemberIdRequired)), now);
    let Step::Join(second) = member.next(now) else {
        panic!("expected another JoinGroup at once");
    };
    assert_eq!(&*second.member_id, "m-1");
}

#[test]
fn an_eager_member_sends_heartbeats_while_it_revokes_all_partitions() {
    let (mut member, now) = stable(Assignor::Range, &[]);
    let now = now + Duration::from_secs(3);
    assert!(matches!(member.next(now), Step::Heartbeat(_)));
    member.heartbeat_answered(Ok(heartbeat(ErrorCode::RebalanceInProgress)), now);
    assert!(matches!(member.next(now), Step::Wait(Some(_))));
    assert!(matches!(member.todo(), Todo::Revoke(all) if all == partitions(3)));
    let later = now + Duration::from_secs(3);
    assert!(matches!(member.next(later), Step::Heartbeat(_)));
    member.heartbeat_answered(Ok(heartbeat(ErrorCode::RebalanceInProgress)), later);
    apply_todos(&mut member);
    assert!(matches!(member.next(later), Step::Join(_)));
}

#[test]
fn a_cooperative_member_rejoins_after_it_has_revoked_partitions() {
    let (mut member, now) = stable(Assignor::CooperativeSticky, &[]);
    let now = now + Duration::from_secs(3);
    member.next(now);
    member.heartbeat_answered(Ok(heartbeat(ErrorCode::RebalanceInProgress)), now);
    let Step::Join(request) = member.next(now) else {
        panic!("expected a JoinGroup at once");
    };
    let candidate = JoinGroupResponseMember {
        metadata: request.protocols[0].metadata.clone(),
        ..Default::default()
    };
    let candidate = protocol::candidate(Assignor::CooperativeSticky, candidate).unwrap();
    assert_eq!(
        (candidate.owned, candidate.generation),
        (partitions(3), Some(1))
    );
    // As a follower it keeps one partition.
    let mut answer = leader_answer(&request, 2);
    answer.leader = "another".into();
    member.join_answered(Ok(answer), now);
    let assignment = protocol::assignment(&partitions(1)).unwrap();
    assert!(matches!(member.next(now), Step::Sync(_)));
    let answer = SyncGroupResponse {
        assignment,
        ..Default::default()
    };
    member.sync_answered(Ok(answer), now);
    apply_todos(&mut member);
    assert_eq!(member.owned, partitions(1));
    assert!(matches!(member.next(now), Step::Join(_)));
}

#[test]
fn the_leader_rebalances_when_there_are_more_partitions() {
    let (mut member, now) = stable(Assignor::CooperativeSticky, &[("metadata.max.age.ms", "1")]);
    let now = now + Duration::from_millis(1);
    let watched = BTreeSet::from([Arc::from("t")]);
    assert!(
        matches!(member.next(now), Step::FetchMetadata(MetadataTopics::Named(topics)) if topics == watched)
    );
    member.metadata_fetched(Ok(counts(3)), now);
    assert!(matches!(member.next(now), Step::Wait(_)));
    let now = now + Duration::from_millis(1);
    member.next(now);
    member.metadata_fetched(Ok(counts(4)), now);
    settle(&mut member, 2, 4, now);
    apply_todos(&mut member);
    assert_eq!(member.owned, partitions(4));
}
