//! `uniform`: everybody has as many partitions as everybody else who reads the same, and keeps what it has where that allows.

use std::collections::BTreeMap;

use headwater_protocol::Str;
use uuid::Uuid;

use super::Wanted;
use crate::groups::consumer::Assignment;

/// Partitions with the place of their owner in `Wanted::members`.
type Owners = BTreeMap<(Uuid, i32), usize>;

/// The target; `before` is what everybody had.
pub(super) fn assign(
    wanted: &Wanted,
    before: &BTreeMap<Str, Assignment>,
) -> BTreeMap<Str, Assignment> {
    let mut owners = kept(wanted, before);
    let mut loads = vec![0_usize; wanted.members.len()];
    for owner in owners.values() {
        loads[*owner] += 1;
    }
    for (topic, partitions) in &wanted.topics {
        for partition in 0..*partitions {
            if owners.contains_key(&(*topic, partition)) {
                continue;
            }
            if let Some(owner) = least_loaded(wanted, &loads, *topic) {
                owners.insert((*topic, partition), owner);
                loads[owner] += 1;
            }
        }
    }
    // Each move makes the loads more even, so there is a last one.
    while level(wanted, &mut owners, &mut loads) {}
    let ids = wanted
        .members
        .iter()
        .map(|(id, _)| (id.clone(), Assignment::new()));
    let mut target: BTreeMap<_, _> = ids.collect();
    for ((topic, partition), owner) in owners {
        let assignment = target.entry(wanted.members[owner].0.clone()).or_default();
        assignment.entry(topic).or_default().insert(partition);
    }
    target
}

/// What members had and may keep.
fn kept(wanted: &Wanted, before: &BTreeMap<Str, Assignment>) -> Owners {
    let mut owners = Owners::new();
    for (at, (id, topics)) in wanted.members.iter().enumerate() {
        for (topic, partitions) in before.get(id).into_iter().flatten() {
            if !topics.contains(topic) {
                continue;
            }
            let exist = wanted.topics.get(topic).copied().unwrap_or(0);
            let exist = partitions.iter().filter(|partition| **partition < exist);
            for partition in exist {
                owners.entry((*topic, *partition)).or_insert(at);
            }
        }
    }
    owners
}

/// Moves partitions to readers that have at least two less than their owner. Whether there was one.
fn level(wanted: &Wanted, owners: &mut Owners, loads: &mut [usize]) -> bool {
    let mut moved = false;
    for ((topic, _), owner) in owners {
        let Some(least) = least_loaded(wanted, loads, *topic) else {
            continue;
        };
        if loads[*owner] > loads[least] + 1 {
            loads[*owner] -= 1;
            loads[least] += 1;
            *owner = least;
            moved = true;
        }
    }
    moved
}

fn least_loaded(wanted: &Wanted, loads: &[usize], topic: Uuid) -> Option<usize> {
    let readers = wanted.members.iter().enumerate();
    readers
        .filter(|(_, (_, topics))| topics.contains(&topic))
        .map(|(at, _)| at)
        .min_by_key(|at| loads[*at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const TOPIC: Uuid = Uuid::from_u128(7);

    fn wanted(members: usize, partitions: i32) -> Wanted {
        let member = |at: usize| (Str::from(format!("m{at}")), BTreeSet::from([TOPIC]));
        Wanted {
            topics: [(TOPIC, partitions)].into(),
            members: (0..members).map(member).collect(),
        }
    }

    fn moved(before: &BTreeMap<Str, Assignment>, after: &BTreeMap<Str, Assignment>) -> usize {
        let had = |id: &Str| {
            before
                .get(id)
                .and_then(|had| had.get(&TOPIC))
                .cloned()
                .unwrap_or_default()
        };
        let gained = |(id, has): (&Str, &Assignment)| {
            has.get(&TOPIC).map_or(0, |has| (has - &had(id)).len())
        };
        after.iter().map(gained).sum()
    }

    proptest! {
        #[test]
        fn loads_differ_by_one_at_most_and_only_what_must_move_moves(
            members in 1..9_usize, joining in 1..4_usize, partitions in 0..40_i32,
        ) {
            let before = assign(&wanted(members, partitions), &BTreeMap::new());
            let after = assign(&wanted(members + joining, partitions), &before);
            let loads: Vec<usize> = after.values().map(|has| has.get(&TOPIC).map_or(0, BTreeSet::len)).collect();
            prop_assert_eq!(loads.iter().sum::<usize>(), partitions as usize);
            prop_assert!(loads.iter().max().unwrap() - loads.iter().min().unwrap() <= 1);
            let new = |id: &&Str| !before.contains_key(*id);
            let theirs: usize = after.keys().filter(new).map(|id| after[id].get(&TOPIC).map_or(0, BTreeSet::len)).sum();
            prop_assert_eq!(moved(&before, &after), theirs, "only to the new ones");
            prop_assert_eq!(assign(&wanted(members + joining, partitions), &after), after);
        }
    }

    #[test]
    fn members_that_read_different_topics_get_only_those() {
        let other = Uuid::from_u128(8);
        let mut wanted = wanted(2, 4);
        wanted.topics.insert(other, 4);
        wanted.members[1].1.insert(other);
        let target = assign(&wanted, &BTreeMap::new());
        assert_eq!(target["m0"], [(TOPIC, (0..4).collect())].into());
        assert_eq!(target["m1"], [(other, (0..4).collect())].into());
    }
}
