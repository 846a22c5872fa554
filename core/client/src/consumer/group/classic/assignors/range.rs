//! `range`: each subscriber gets a contiguous range of each topic; the first ones get one more if the count does not
//! divide evenly.

use std::sync::Arc;

use super::{Assignments, Candidate, PartitionCounts, empty_assignments};
use crate::batch::TopicPartition;

pub(super) fn assign(members: &[Candidate], counts: &PartitionCounts) -> Assignments {
    let mut assigned = empty_assignments(members);
    for (topic, count) in counts {
        let readers: Vec<_> = members
            .iter()
            .filter(|member| member.topics.contains(topic))
            .collect();
        if readers.is_empty() {
            continue;
        }
        let partitions = usize::try_from(*count).unwrap_or(0);
        let (share, extra) = (partitions / readers.len(), partitions % readers.len());
        let mut next = 0;
        for (index, reader) in readers.into_iter().enumerate() {
            let end = next + share + usize::from(index < extra);
            let run =
                (next..end).map(|number| TopicPartition::new(Arc::clone(topic), number as i32));
            assigned
                .entry(reader.member_id.clone())
                .or_default()
                .extend(run);
            next = end;
        }
    }
    assigned
}
