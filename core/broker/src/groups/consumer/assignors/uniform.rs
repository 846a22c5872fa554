//! `uniform`: members with the same subscription get the same number of partitions, and keep their partitions if the
//! balance allows it.

use std::collections::BTreeMap;

use headwater_protocol::Str;
use uuid::Uuid;

use super::GroupSpec;
use crate::groups::consumer::Assignment;

/// Partitions with the index of their owner in `GroupSpec::members`.
type Owners = BTreeMap<(Uuid, i32), usize>;

/// Computes the target; `before` is the previous one.
pub(super) fn assign(
    spec: &GroupSpec,
    before: &BTreeMap<Str, Assignment>,
) -> BTreeMap<Str, Assignment> {
    let mut owners = kept(spec, before);
    let mut loads = vec![0_usize; spec.members.len()];
    for owner in owners.values() {
        loads[*owner] += 1;
    }
    for (topic, partitions) in &spec.topics {
        for partition in 0..*partitions {
            if owners.contains_key(&(*topic, partition)) {
                continue;
            }
            if let Some(owner) = least_loaded(spec, &loads, *topic) {
                owners.insert((*topic, partition), owner);
                loads[owner] += 1;
            }
        }
    }
    // Each move improves the balance, so the loop ends.
    while level(spec, &mut owners, &mut loads) {}
    let ids = spec
        .members
        .iter()
        .map(|(id, _)| (id.clone(), Assignment::new()));
    let mut target: BTreeMap<_, _> = ids.collect();
    for ((topic, partition), owner) in owners {
        let assignment = target.entry(spec.members[owner].0.clone()).or_default();
        assignment.entry(topic).or_default().insert(partition);
    }
    target
}

/// The partitions of the previous target that members may keep.
fn kept(spec: &GroupSpec, before: &BTreeMap<Str, Assignment>) -> Owners {
    let mut owners = Owners::new();
    for (at, (id, topics)) in spec.members.iter().enumerate() {
        for (topic, partitions) in before.get(id).into_iter().flatten() {
            if !topics.contains(topic) {
                continue;
            }
            let exist = spec.topics.get(topic).copied().unwrap_or(0);
            let exist = partitions.iter().filter(|partition| **partition < exist);
            for partition in exist {
                owners.entry((*topic, *partition)).or_insert(at);
            }
        }
    }
    owners
}

/// Moves partitions to subscribed members that have at least two fewer than the owner. Returns whether any was moved.
fn level(spec: &GroupSpec, owners: &mut Owners, loads: &mut [usize]) -> bool {
    let mut moved = false;
    for ((topic, _), owner) in owners {
        let Some(least) = least_loaded(spec, loads, *topic) else {
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

fn least_loaded(spec: &GroupSpec, loads: &[usize], topic: Uuid) -> Option<usize> {
    let readers = spec.members.iter().enumerate();
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

    fn spec(members: usize, partitions: i32) -> GroupSpec {
        let member = |at: usize| (Str::from(format!("m{at}")), BTreeSet::from([TOPIC]));
        GroupSpec {
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
        fn loads_differ_by_at_most_one_with_the_fewest_moves(
            members in 1..9_usize, joining in 1..4_usize, partitions in 0..40_i32,
        ) {
            let before = assign(&spec(members, partitions), &BTreeMap::new());
            let after = assign(&spec(members + joining, partitions), &before);
            let loads: Vec<usize> = after.values().map(|has| has.get(&TOPIC).map_or(0, BTreeSet::len)).collect();
            prop_assert_eq!(loads.iter().sum::<usize>(), partitions as usize);
            prop_assert!(loads.iter().max().unwrap() - loads.iter().min().unwrap() <= 1);
            let new = |id: &&Str| !before.contains_key(*id);
            let theirs: usize = after.keys().filter(new).map(|id| after[id].get(&TOPIC).map_or(0, BTreeSet::len)).sum();
            prop_assert_eq!(moved(&before, &after), theirs, "only to the new ones");
            prop_assert_eq!(assign(&spec(members + joining, partitions), &after), after);
        }
    }

    #[test]
    fn members_get_only_subscribed_topics() {
        let other = Uuid::from_u128(8);
        let mut spec = spec(2, 4);
        spec.topics.insert(other, 4);
        spec.members[1].1.insert(other);
        let target = assign(&spec, &BTreeMap::new());
        assert_eq!(target["m0"], [(TOPIC, (0..4).collect())].into());
        assert_eq!(target["m1"], [(other, (0..4).collect())].into());
    }
}
