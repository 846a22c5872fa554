//! Who is to have what: the assignors of the broker. Pure, and the same for the same group.

mod range;
mod uniform;

use std::collections::{BTreeMap, BTreeSet};

use headwater_protocol::Str;
use uuid::Uuid;

use super::{Assignment, Catalogue, ConsumerGroup};

/// As even as can be, and as little moved as can be.
pub(super) const UNIFORM: &str = "uniform";
/// The same partition numbers of all topics to the same member.
pub(super) const RANGE: &str = "range";
/// All of them.
pub(super) const NAMES: [&str; 2] = [UNIFORM, RANGE];

/// What an assignor knows.
#[derive(Debug, Default)]
struct Wanted {
    /// The topics that anybody reads, with their numbers of partitions.
    topics: BTreeMap<Uuid, i32>,
    /// The topics of each member, in the order of the members: static ones by their instance id, so that they keep their places.
    members: Vec<(Str, BTreeSet<Uuid>)>,
}

/// The target for every member of the group.
pub(super) fn assign(
    group: &ConsumerGroup,
    catalogue: &impl Catalogue,
) -> BTreeMap<Str, Assignment> {
    let mut wanted = Wanted::default();
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
        wanted.members.push((member.id.clone(), ids));
        wanted.topics.extend(topics);
    }
    if group.assignor() == RANGE {
        range::assign(&wanted)
    } else {
        uniform::assign(&wanted, &group.target)
    }
}
