//! Properties that hold for every group.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headwater_protocol::Str;
use proptest::prelude::*;

use super::{Assignments, Assignor, Candidate, PartitionCounts};
use crate::batch::TopicPartition;

fn topic(number: usize) -> Arc<str> {
    Arc::from(format!("t{number}"))
}

fn member(index: usize, topics: &BTreeSet<usize>) -> Candidate {
    Candidate {
        member_id: Str::from(format!("m{index}")),
        topics: topics.iter().copied().map(topic).collect(),
        ..Candidate::default()
    }
}

fn groups() -> impl Strategy<Value = (Vec<Candidate>, PartitionCounts)> {
    let subscriptions = prop::collection::vec(prop::collection::btree_set(0..4_usize, 0..4), 1..6);
    let counts = prop::collection::vec(0..9_i32, 3);
    (subscriptions, counts).prop_map(|(subscriptions, counts)| {
        let members = subscriptions
            .iter()
            .enumerate()
            .map(|(index, topics)| member(index, topics))
            .collect();
        // Topic 3 does not exist.
        let counts = counts
            .into_iter()
            .enumerate()
            .map(|(number, count)| (topic(number), count))
            .collect();
        (members, counts)
    })
}

/// Members with equal subscriptions, and the partition counts.
fn even_groups() -> impl Strategy<Value = (Vec<Candidate>, PartitionCounts)> {
    (1..7_usize, prop::collection::vec(0..9_i32, 1..4)).prop_map(|(members, counts)| {
        let topics: BTreeSet<_> = (0..counts.len()).collect();
        let members = (0..members).map(|index| member(index, &topics)).collect();
        let counts = counts
            .into_iter()
            .enumerate()
            .map(|(number, count)| (topic(number), count))
            .collect();
        (members, counts)
    })
}

fn owners(assigned: &Assignments) -> BTreeMap<TopicPartition, Str> {
    let mut owners = BTreeMap::new();
    for (member, partitions) in assigned {
        for partition in partitions {
            let before = owners.insert(partition.clone(), member.clone());
            assert_eq!(before, None, "{partition} has two owners");
        }
    }
    owners
}

fn check_complete(members: &[Candidate], counts: &PartitionCounts, assigned: &Assignments) {
    let owners = owners(assigned);
    for (partition, owner) in &owners {
        let member = members.iter().find(|member| member.member_id == *owner);
        assert!(member.unwrap().topics.contains(&partition.topic));
        assert!(partition.partition.get() < counts[&partition.topic]);
    }
    for (topic, count) in counts {
        let is_read = members.iter().any(|member| member.topics.contains(topic));
        for number in 0..*count {
            let partition = TopicPartition::new(Arc::clone(topic), number);
            assert_eq!(owners.contains_key(&partition), is_read, "{partition}");
        }
    }
    assert_eq!(
        assigned.len(),
        members.len(),
        "every member has an assignment"
    );
}

fn spread(assigned: &Assignments) -> usize {
    let most = assigned.values().map(Vec::len).max().unwrap_or(0);
    most - assigned.values().map(Vec::len).min().unwrap_or(0)
}

/// The members that rejoin with their assignments.
fn rejoined(members: &[Candidate], assigned: &Assignments, generation: i32) -> Vec<Candidate> {
    let members = members.iter().map(|member| Candidate {
        owned: assigned.get(&member.member_id).cloned().unwrap_or_default(),
        generation: Some(generation),
        ..member.clone()
    });
    members.collect()
}

proptest! {
    #[test]
    fn every_partition_goes_to_exactly_one_member_that_reads_it(
        (members, counts) in groups(),
        assignor in prop::sample::select(Assignor::ALL.to_vec()),
    ) {
        check_complete(&members, &counts, &assignor.assign(&members, &counts));
    }

    #[test]
    fn the_order_in_which_members_are_listed_does_not_matter(
        (members, counts) in groups(),
        assignor in prop::sample::select(Assignor::ALL.to_vec()),
    ) {
        let mut reversed = members.clone();
        reversed.reverse();
        prop_assert_eq!(assignor.assign(&members, &counts), assignor.assign(&reversed, &counts));
    }

    #[test]
    fn members_with_equal_subscriptions_differ_by_at_most_one(
        (members, counts) in even_groups(),
        assignor in prop::sample::select(vec![Assignor::RoundRobin, Assignor::Sticky, Assignor::CooperativeSticky]),
    ) {
        prop_assert!(spread(&assignor.assign(&members, &counts)) <= 1);
    }

    #[test]
    fn a_range_is_contiguous_and_even_within_each_topic((members, counts) in even_groups()) {
        let assigned = Assignor::Range.assign(&members, &counts);
        for topic in counts.keys() {
            let mut sizes = Vec::new();
            for partitions in assigned.values() {
                let run: Vec<_> = partitions.iter().filter(|one| one.topic == *topic).map(|one| one.partition.get()).collect();
                prop_assert!(run.windows(2).all(|pair| pair[1] == pair[0] + 1));
                sizes.push(run.len());
            }
            prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
        }
    }

    #[test]
    fn nothing_moves_when_nothing_changes((members, counts) in groups()) {
        let first = Assignor::Sticky.assign(&members, &counts);
        let again = rejoined(&members, &first, 1);
        prop_assert_eq!(&Assignor::Sticky.assign(&again, &counts), &first);
        prop_assert_eq!(&Assignor::CooperativeSticky.assign(&again, &counts), &first);
    }

    #[test]
    fn remaining_members_keep_their_partitions_when_another_leaves((members, counts) in even_groups(), gone in any::<prop::sample::Index>()) {
        let first = Assignor::Sticky.assign(&members, &counts);
        let mut rest = rejoined(&members, &first, 1);
        rest.remove(gone.index(rest.len()));
        prop_assume!(!rest.is_empty());
        let second = Assignor::Sticky.assign(&rest, &counts);
        for member in &rest {
            prop_assert!(member.owned.iter().all(|kept| second[&member.member_id].contains(kept)));
        }
        prop_assert!(spread(&second) <= 1);
    }

    #[test]
    fn a_new_member_gets_its_share_and_nothing_else_moves((members, counts) in even_groups()) {
        let first = Assignor::Sticky.assign(&members, &counts);
        let topics = (0..counts.len()).collect();
        let mut more = rejoined(&members, &first, 1);
        more.push(member(members.len(), &topics));
        let second = Assignor::Sticky.assign(&more, &counts);
        prop_assert!(spread(&second) <= 1);
        for old in &members {
            prop_assert!(second[&old.member_id].iter().all(|kept| first[&old.member_id].contains(kept)));
        }
    }

    #[test]
    fn cooperative_members_revoke_before_others_are_assigned(
        (members, counts) in groups(),
        more in prop::collection::vec(prop::collection::btree_set(0..4_usize, 0..4), 1..4),
    ) {
        let mut assigned = Assignor::CooperativeSticky.assign(&members, &counts);
        let mut all = members.clone();
        all.extend(more.iter().enumerate().map(|(index, topics)| member(members.len() + index, topics)));
        // Each generation assigns the partitions revoked in the previous one, until it is stable.
        for generation in 1..10 {
            let again = rejoined(&all, &assigned, generation);
            let before = owners(&assigned);
            let next = Assignor::CooperativeSticky.assign(&again, &counts);
            for (partition, owner) in owners(&next) {
                // An owned partition stays, or is unassigned for one generation.
                prop_assert!(before.get(&partition).is_none_or(|previous| *previous == owner));
            }
            if next == assigned {
                break;
            }
            assigned = next;
        }
        check_complete(&all, &counts, &assigned);
        let rest = rejoined(&all, &assigned, 10);
        prop_assert_eq!(&Assignor::CooperativeSticky.assign(&rest, &counts), &assigned);
    }
}

#[test]
fn a_newer_claim_wins() {
    let mut old = member(0, &BTreeSet::from([0]));
    let mut new = member(1, &BTreeSet::from([0]));
    let disputed = TopicPartition::new("t0", 0);
    (old.owned, old.generation) = (vec![disputed.clone()], Some(3));
    (new.owned, new.generation) = (vec![disputed.clone()], Some(4));
    let counts = PartitionCounts::from([(topic(0), 2)]);
    let assigned = Assignor::CooperativeSticky.assign(&[old, new], &counts);
    assert!(assigned["m1"].contains(&disputed));
}

#[test]
fn assignors_have_kafkas_names_and_classes() {
    for assignor in Assignor::ALL {
        assert_eq!(Assignor::named(assignor.name()), Some(assignor));
    }
    let java = "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
    assert_eq!(Assignor::named(java), Some(Assignor::CooperativeSticky));
    assert_eq!(Assignor::named("best"), None);
}
