//! Which member reads which partition: the assignors of the classic protocol, by Kafka's names. Pure, and the same for the same group
//! whoever leads it.

#[cfg(test)]
mod properties;
mod range;
mod round_robin;
mod sticky;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headwater_protocol::Str;

use crate::batch::TopicPartition;
pub(crate) use crate::config::Assignor;

/// How many partitions each topic has. A topic that is not there is left out.
pub(crate) type PartitionCounts = BTreeMap<Arc<str>, i32>;

/// Who gets what: every member is in it.
pub(crate) type Assignments = BTreeMap<Str, Vec<TopicPartition>>;

/// What the leader knows of a member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) member_id: Str,
    pub(crate) instance_id: Option<Str>,
    pub(crate) topics: BTreeSet<Arc<str>>,
    /// What it has, or had before it joined.
    pub(crate) owned: Vec<TopicPartition>,
    /// The generation in which it got that; `None`: it does not say.
    pub(crate) generation: Option<i32>,
}

/// How a member gives partitions up for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rebalancing {
    /// All of them, before each generation.
    Eager,
    /// Only those that go to another, and they go one generation later.
    Cooperative,
}

impl Assignor {
    /// How members must rebalance that offer these: cooperatively, if every one of them can.
    pub(crate) fn rebalancing(offered: &[Self]) -> Rebalancing {
        let all = offered
            .iter()
            .all(|assignor| *assignor == Self::CooperativeSticky);
        if all {
            Rebalancing::Cooperative
        } else {
            Rebalancing::Eager
        }
    }

    /// Gives each partition of a topic that anybody reads to one of its readers.
    pub(crate) fn assign(self, members: &[Candidate], counts: &PartitionCounts) -> Assignments {
        let mut members = members.to_vec();
        // Static members by their instance id, so that a restart changes nothing.
        members.sort_by(|a, b| order(a).cmp(&order(b)));
        match self {
            Self::Range => range::assign(&members, counts),
            Self::RoundRobin => round_robin::assign(&members, counts),
            Self::Sticky => sticky::assign(&members, counts),
            Self::CooperativeSticky => {
                let target = sticky::assign(&members, counts);
                sticky::without_what_others_still_have(target, &members)
            }
        }
    }
}

fn order(member: &Candidate) -> (bool, Option<&str>, &str) {
    let instance_id = member.instance_id.as_deref();
    (instance_id.is_none(), instance_id, &member.member_id)
}

/// An assignment that gives nobody anything.
fn nothing(members: &[Candidate]) -> Assignments {
    members
        .iter()
        .map(|member| (member.member_id.clone(), Vec::new()))
        .collect()
}

/// Every partition that somebody reads, in order.
fn partitions<'a>(
    members: &'a [Candidate],
    counts: &'a PartitionCounts,
) -> impl Iterator<Item = TopicPartition> + 'a {
    let is_read = |topic: &Arc<str>| members.iter().any(|member| member.topics.contains(topic));
    counts
        .iter()
        .filter(move |(topic, _)| is_read(topic))
        .flat_map(|(topic, count)| {
            (0..*count).map(|number| TopicPartition::new(Arc::clone(topic), number))
        })
}
