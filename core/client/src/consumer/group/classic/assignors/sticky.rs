//! `sticky` and `cooperative-sticky`: a balanced assignment that moves few partitions.
//!
//! Every member keeps the partitions it owns. Unowned partitions go to the subscriber with the fewest partitions. Then
//! single partitions move from the member with the most to a subscriber with at least two fewer, until no such move is
//! left. If all members subscribe to the same topics, their counts differ by at most one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Assignments, Candidate, PartitionCounts, partitions};
use crate::batch::TopicPartition;

/// The partitions of each member, by its index in the list of members.
type Holdings = Vec<BTreeSet<TopicPartition>>;

pub(super) fn assign(members: &[Candidate], counts: &PartitionCounts) -> Assignments {
    let mut holdings = keep_owned(members, counts);
    assign_unowned(&mut holdings, members, counts);
    while let Some((from, to, partition)) = next_move(&holdings, members) {
        holdings[from].remove(&partition);
        holdings[to].insert(partition);
    }
    members
        .iter()
        .zip(holdings)
        .map(|(member, holdings)| (member.member_id.clone(), holdings.into_iter().collect()))
        .collect()
}

/// The target without partitions that another member still owns: they move in the next generation.
pub(super) fn without_owned_by_others(
    mut target: Assignments,
    members: &[Candidate],
) -> Assignments {
    let owners = owners(members);
    for (index, member) in members.iter().enumerate() {
        if let Some(partitions) = target.get_mut(&member.member_id) {
            partitions.retain(|partition| match owners.get(partition) {
                None => true,
                Some(Owner::One(owner)) => *owner == index,
                Some(Owner::Disputed(claimants)) => claimants.iter().all(|one| *one == index),
            });
        }
    }
    target
}

/// The member that claims a partition.
#[derive(Debug)]
enum Owner {
    One(usize),
    /// Several members claim it in the same generation, and the owner is unknown.
    Disputed(Vec<usize>),
}

/// The owner of each partition. The claim of the newest generation wins.
fn owners(members: &[Candidate]) -> BTreeMap<&TopicPartition, Owner> {
    let newest = members.iter().filter_map(|member| member.generation).max();
    let mut owners: BTreeMap<&TopicPartition, (Option<i32>, Owner)> = BTreeMap::new();
    for (index, member) in members.iter().enumerate() {
        // A claim without a generation counts as current.
        let generation = member.generation.or(newest);
        for partition in &member.owned {
            match owners.get_mut(partition) {
                Some((known, _)) if *known > generation => {}
                Some((known, owner)) if *known == generation => match owner {
                    Owner::One(one) if *one == index => {}
                    Owner::One(one) => *owner = Owner::Disputed(vec![*one, index]),
                    Owner::Disputed(all) => all.push(index),
                },
                _ => {
                    owners.insert(partition, (generation, Owner::One(index)));
                }
            }
        }
    }
    owners
        .into_iter()
        .map(|(partition, (_, owner))| (partition, owner))
        .collect()
}

/// The partitions that each member owns and may keep.
fn keep_owned(members: &[Candidate], counts: &PartitionCounts) -> Holdings {
    let mut holdings = vec![BTreeSet::new(); members.len()];
    for (partition, owner) in owners(members) {
        let exists = counts
            .get(&partition.topic)
            .is_some_and(|count| (0..*count).contains(&partition.partition.get()));
        if let Owner::One(owner) = owner
            && exists
            && members[owner].topics.contains(&partition.topic)
        {
            holdings[owner].insert(partition.clone());
        }
    }
    holdings
}

/// Assigns unowned partitions to the subscriber with the fewest. Topics with few subscribers go first, as they have the
/// least choice.
fn assign_unowned(holdings: &mut Holdings, members: &[Candidate], counts: &PartitionCounts) {
    let taken: BTreeSet<_> = holdings.iter().flatten().cloned().collect();
    let mut free: Vec<_> = partitions(members, counts)
        .filter(|partition| !taken.contains(partition))
        .collect();
    let readers = readers(members);
    free.sort_by_key(|partition| readers.get(&partition.topic).map_or(0, Vec::len));
    for partition in free {
        let least = readers
            .get(&partition.topic)
            .and_then(|readers| least_loaded(holdings, readers));
        if let Some(reader) = least {
            holdings[reader].insert(partition);
        }
    }
}

/// The next move that improves the balance, from the most loaded member that has one.
fn next_move(holdings: &Holdings, members: &[Candidate]) -> Option<(usize, usize, TopicPartition)> {
    let least: BTreeMap<_, _> = readers(members)
        .into_iter()
        .filter_map(|(topic, readers)| Some((topic, least_loaded(holdings, &readers)?)))
        .collect();
    let mut givers: Vec<usize> = (0..holdings.len()).collect();
    givers.sort_by_key(|giver| std::cmp::Reverse(holdings[*giver].len()));
    for from in givers {
        let mut best: Option<(usize, &TopicPartition)> = None;
        for partition in holdings[from].iter().rev() {
            let Some(to) = least.get(&partition.topic).copied() else {
                continue;
            };
            let is_better = best.is_none_or(|(best, _)| holdings[to].len() < holdings[best].len());
            if holdings[to].len() + 1 < holdings[from].len() && is_better {
                best = Some((to, partition));
            }
        }
        if let Some((to, partition)) = best {
            return Some((from, to, partition.clone()));
        }
    }
    None
}

fn readers(members: &[Candidate]) -> BTreeMap<&Arc<str>, Vec<usize>> {
    let mut readers: BTreeMap<&Arc<str>, Vec<usize>> = BTreeMap::new();
    for (index, member) in members.iter().enumerate() {
        for topic in &member.topics {
            readers.entry(topic).or_default().push(index);
        }
    }
    readers
}

fn least_loaded(holdings: &Holdings, readers: &[usize]) -> Option<usize> {
    readers
        .iter()
        .copied()
        .min_by_key(|reader| holdings[*reader].len())
}
