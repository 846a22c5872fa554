//! `roundrobin`: one partition after the other, over all topics, to the next member that reads its topic.

use super::{Assignments, Candidate, PartitionCounts, nothing, partitions};

pub(super) fn assign(members: &[Candidate], counts: &PartitionCounts) -> Assignments {
    let mut assigned = nothing(members);
    let mut turns = members.iter().cycle();
    for partition in partitions(members, counts) {
        // Somebody reads it, so the search ends.
        let reader = turns.find(|member| member.topics.contains(&partition.topic));
        if let Some(reader) = reader {
            assigned
                .entry(reader.member_id.clone())
                .or_default()
                .push(partition);
        }
    }
    assigned
}
