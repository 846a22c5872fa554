//! `sticky` and `cooperative-sticky`: as even as can be, and as little moved as can be.
//!
//! First everybody keeps what it has; then what nobody has goes to the reader with the least; then the member with the most gives to a
//! reader with at least two less, until there is none. When all read the same topics, nobody ends with more than one partition more than
//! another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Assignments, Candidate, PartitionCounts, partitions};
use crate::batch::TopicPartition;

/// The partitions of each member, by its place in the list of members.
type Holdings = Vec<BTreeSet<TopicPartition>>;

pub(super) fn assign(members: &[Candidate], counts: &PartitionCounts) -> Assignments {
    let mut held = kept(members, counts);
    hand_out(&mut held, members, counts);
    while let Some((from, to, partition)) = next_move(&held, members) {
        held[from].remove(&partition);
        held[to].insert(partition);
    }
    members
        .iter()
        .zip(held)
        .map(|(member, held)| (member.member_id.clone(), held.into_iter().collect()))
        .collect()
}

/// The target less what its owner has yet to give up: that goes to the new one in the next generation.
pub(super) fn without_what_others_still_have(
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

/// Who says that it has a partition.
#[derive(Debug)]
enum Owner {
    One(usize),
    /// Several in the same generation: one of them is wrong, and nobody knows which.
    Disputed(Vec<usize>),
}

/// Who has each partition. Of several the one of the newest generation: the others were members before it.
fn owners(members: &[Candidate]) -> BTreeMap<&TopicPartition, Owner> {
    let newest = members.iter().filter_map(|member| member.generation).max();
    let mut owners: BTreeMap<&TopicPartition, (Option<i32>, Owner)> = BTreeMap::new();
    for (index, member) in members.iter().enumerate() {
        // Who does not say when is taken to have it now.
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

/// What every member has and may keep.
fn kept(members: &[Candidate], counts: &PartitionCounts) -> Holdings {
    let mut held = vec![BTreeSet::new(); members.len()];
    for (partition, owner) in owners(members) {
        let exists = counts
            .get(&partition.topic)
            .is_some_and(|count| (0..*count).contains(&partition.partition.get()));
        if let Owner::One(owner) = owner
            && exists
            && members[owner].topics.contains(&partition.topic)
        {
            held[owner].insert(partition.clone());
        }
    }
    held
}

/// Gives what nobody has to the reader with the least. Topics with few readers come first, because they have no choice.
fn hand_out(held: &mut Holdings, members: &[Candidate], counts: &PartitionCounts) {
    let taken: BTreeSet<_> = held.iter().flatten().cloned().collect();
    let mut free: Vec<_> = partitions(members, counts)
        .filter(|partition| !taken.contains(partition))
        .collect();
    let readers = readers(members);
    free.sort_by_key(|partition| readers.get(&partition.topic).map_or(0, Vec::len));
    for partition in free {
        let least = readers
            .get(&partition.topic)
            .and_then(|readers| least(held, readers));
        if let Some(reader) = least {
            held[reader].insert(partition);
        }
    }
}

/// A partition whose move makes the group more even: from the member with the most that can give one.
fn next_move(held: &Holdings, members: &[Candidate]) -> Option<(usize, usize, TopicPartition)> {
    let least: BTreeMap<_, _> = readers(members)
        .into_iter()
        .filter_map(|(topic, readers)| Some((topic, least(held, &readers)?)))
        .collect();
    let mut givers: Vec<usize> = (0..held.len()).collect();
    givers.sort_by_key(|giver| std::cmp::Reverse(held[*giver].len()));
    for from in givers {
        let mut best: Option<(usize, &TopicPartition)> = None;
        for partition in held[from].iter().rev() {
            let Some(to) = least.get(&partition.topic).copied() else {
                continue;
            };
            let is_better = best.is_none_or(|(best, _)| held[to].len() < held[best].len());
            if held[to].len() + 1 < held[from].len() && is_better {
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

fn least(held: &Holdings, readers: &[usize]) -> Option<usize> {
    readers
        .iter()
        .copied()
        .min_by_key(|reader| held[*reader].len())
}
