//! The server-side assignors. They are pure and deterministic.

mod range;
mod uniform;

use std::collections::{BTreeMap, BTreeSet};

use headwater_protocol::Str;
use uuid::Uuid;

use super::{Assignment, Catalogue, ConsumerGroup};

/// Balances the number of partitions and moves as few as possible.
pub(super) const UNIFORM: &str = "uniform";
/// Assigns the same partition numbers of all topics to the same member.
pub(super) const RANGE: &str = "range";
/// All assignors.
pub(super) const NAMES: [&str; 2] = [UNIFORM, RANGE];

/// The input of an assignor.
#[derive(Debug, Default)]
struct GroupSpec {
    /// The subscribed topics, with their numbers of partitions.
    topics: BTreeMap<Uuid, i32>,
    /// The subscribed topics of each member. Static members are ordered by their instance id, so they keep their
    /// position.
    members: Vec<(Str, BTreeSet<Uuid>)>,
}

/// Computes the target assignment of every member.
pub(super) fn assign(
    group: &ConsumerGroup,
    catalogue: &impl Catalogue,
) -> BTreeMap<Str, Assignment> {
    let mut spec = GroupSpec::default();
    let mut members: Vec<_> = group.members.values().collect();
    members.sort_by_key(|member| {
        (
            member.instance_id.is_none(),
            &member.instance_id,
            &member.id,
        )
    });
    for member in members {
        let topics = group.topics_of(member, catalogue);
        let ids = topics.keys().copied().collect();
        spec.members.push((member.id.clone(), ids));
        spec.topics.extend(topics);
    }
    if group.assignor() == RANGE {
        range::assign(&spec)
    } else {
        uniform::assign(&spec, &group.target)
    }
}
