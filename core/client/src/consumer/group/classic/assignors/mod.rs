//! The assignors of the classic protocol, with Kafka's names. They do no I/O, and every leader computes the same
//! assignment for the same group.

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

/// The number of partitions of each existing topic.
pub(in crate::consumer::group) type PartitionCounts = BTreeMap<Arc<str>, i32>;

/// The partitions of each member. Contains every member.
pub(crate) type Assignments = BTreeMap<Str, Vec<TopicPartition>>;

/// A member from the leader's point of view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) member_id: Str,
    pub(crate) instance_id: Option<Str>,
    pub(crate) topics: BTreeSet<Arc<str>>,
    /// The partitions that it owns, or owned before it joined.
    pub(crate) owned: Vec<TopicPartition>,
    /// The generation of `owned`; `None` if unknown.
    pub(crate) generation: Option<i32>,
}

/// The partitions that a member revokes in a rebalance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rebalancing {
    /// All of them, before each generation.
    Eager,
    /// Only those that move to another member, which gets them one generation later.
    Cooperative,
}

impl Assignor {
    /// Cooperative if all offered assignors are.
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

    /// Assigns each partition of a subscribed topic to one of the topic's subscribers.
    pub(crate) fn assign(self, members: &[Candidate], counts: &PartitionCounts) -> Assignments {
        let mut members = members.to_vec();
        // Static members are sorted by instance id, so that a restart changes nothing.
        members.sort_by(|a, b| order(a).cmp(&order(b)));
        match self {
            Self::Range => range::assign(&members, counts),
            Self::RoundRobin => round_robin::assign(&members, counts),
            Self::Sticky => sticky::assign(&members, counts),
            Self::CooperativeSticky => {
                let target = sticky::assign(&members, counts);
                sticky::without_owned_by_others(target, &members)
            }
        }
    }
}

fn order(member: &Candidate) -> (bool, Option<&str>, &str) {
    let instance_id = member.instance_id.as_deref();
    (instance_id.is_none(), instance_id, &member.member_id)
}

/// An empty assignment for every member.
fn empty_assignments(members: &[Candidate]) -> Assignments {
    members
        .iter()
        .map(|member| (member.member_id.clone(), Vec::new()))
        .collect()
}

/// Every partition of a subscribed topic, in order.
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
