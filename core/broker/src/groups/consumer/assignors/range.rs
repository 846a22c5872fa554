//! `range`: each member gets a contiguous range of each topic's partitions.

use std::collections::BTreeMap;

use headwater_protocol::Str;

use super::GroupSpec;
use crate::groups::consumer::Assignment;

/// If the partitions do not divide evenly, the first members get one more.
pub(super) fn assign(spec: &GroupSpec) -> BTreeMap<Str, Assignment> {
    let ids = spec
        .members
        .iter()
        .map(|(id, _)| (id.clone(), Assignment::new()));
    let mut target: BTreeMap<_, _> = ids.collect();
    for (topic, partitions) in &spec.topics {
        let readers = spec.members.iter();
        let readers: Vec<_> = readers
            .filter(|(_, topics)| topics.contains(topic))
            .collect();
        let (each, extra) = (
            *partitions / readers.len() as i32,
            *partitions % readers.len() as i32,
        );
        let mut next = 0;
        for (at, (id, _)) in (0..).zip(readers) {
            let end = next + each + i32::from(at < extra);
            if end > next {
                let assignment = target.entry(id.clone()).or_default();
                assignment.insert(*topic, (next..end).collect());
            }
            next = end;
        }
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn the_same_numbers_of_all_topics_go_to_the_same_member() {
        let topics = [1, 2].map(Uuid::from_u128);
        let reads = |ids: &[Uuid]| ids.iter().copied().collect();
        let spec = GroupSpec {
            topics: [(topics[0], 5), (topics[1], 2)].into(),
            members: vec![
                ("a".into(), reads(&topics)),
                ("b".into(), reads(&topics[..1])),
            ],
        };
        let target = assign(&spec);
        assert_eq!(
            target["a"],
            [(topics[0], [0, 1, 2].into()), (topics[1], [0, 1].into())].into()
        );
        assert_eq!(target["b"], [(topics[0], [3, 4].into())].into());
    }
}
