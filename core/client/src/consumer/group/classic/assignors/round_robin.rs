//! `roundrobin`: assigns the partitions of all topics one by one, each to the next member that subscribes to its topic.

use super::{Assignments, Candidate, PartitionCounts, empty_assignments, partitions};

pub(super) fn assign(members: &[Candidate], counts: &PartitionCounts) -> Assignments {
    let mut assigned = empty_assignments(members);
    let mut members_in_turn = members.iter().cycle();
    for partition in partitions(members, counts) {
        // This ends: the topic has a subscriber.
        let reader = members_in_turn.find(|member| member.topics.contains(&partition.topic));
        if let Some(reader) = reader {
            assigned
                .entry(reader.member_id.clone())
                .or_default()
                .push(partition);
        }
    }
    assigned
}
