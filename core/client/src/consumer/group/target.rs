//! The target assignment of a member: the partitions that the coordinator intends for it.
//!
//! The coordinator computes the target assignments of a group some time after a member has joined
//! (`group.consumer.assignment.interval.ms`), and assigns a partition only after its previous owner has released it. So
//! the first assignment of a new member may be empty or incomplete. A heartbeat does not show that; a description of
//! the group does.

use headwater_protocol::consumer_group_describe_response::{DescribedGroup, Member};
use headwater_protocol::{ConsumerGroupDescribeRequest, ErrorCode, Str};

use super::Group;
use super::membership::refusal;
use crate::batch::TopicPartition;
use crate::error::Result;
use crate::error_codes;

impl Group {
    /// Whether these partitions, which are assigned to the member, are its whole target assignment in the newest epoch
    /// of the group. Always true with the classic protocol. In an earlier epoch the next heartbeat is sent at once.
    pub(crate) async fn has_target(&self, assigned: &[TopicPartition]) -> Result<bool> {
        let Some(member_id) = self.membership.member.lock().described_id() else {
            return Ok(true);
        };
        let group = self.describe().await?;
        let progress = TargetProgress::of(&group, &member_id, assigned);
        if progress == TargetProgress::Unannounced {
            self.expect_assignment();
        }
        Ok(progress == TargetProgress::Reached)
    }

    async fn describe(&self) -> Result<DescribedGroup> {
        let (cluster, coordinator) = (&self.membership.cluster, &self.membership.coordinator);
        let request = ConsumerGroupDescribeRequest {
            group_ids: vec![Str::from(coordinator.group_id())],
            ..Default::default()
        };
        let response = coordinator.call(cluster, request).await?;
        let group = error_codes::only(response.groups, "ConsumerGroupDescribe")?;
        let code = error_codes::code(group.error_code);
        if code == ErrorCode::None {
            return Ok(group);
        }
        coordinator.forget_if_moved(code);
        let reason = group.error_message.as_deref();
        Err(refusal(
            code,
            reason,
            "describe group",
            coordinator.group_id(),
        ))
    }
}

/// The way of a member to its target assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TargetProgress {
    /// It has all partitions, and the group has no newer epoch.
    Reached,
    /// The group has an epoch that the member has not reached: a heartbeat may return more.
    Unannounced,
    /// Other members have not released its partitions yet, or it is not a member at present.
    Waiting,
}

impl TargetProgress {
    fn of(group: &DescribedGroup, member_id: &str, assigned: &[TopicPartition]) -> Self {
        let mut members = group.members.iter();
        let Some(member) = members.find(|member| *member.member_id == *member_id) else {
            return Self::Waiting;
        };
        if member.member_epoch < group.group_epoch {
            Self::Unannounced
        } else if has_all(member, assigned) {
            Self::Reached
        } else {
            Self::Waiting
        }
    }
}

fn has_all(member: &Member, assigned: &[TopicPartition]) -> bool {
    let mut topics = member.target_assignment.topic_partitions.iter();
    topics.all(|topic| {
        let mut partitions = topic.partitions.iter();
        partitions.all(|number| {
            assigned.iter().any(|partition| {
                *partition.topic == *topic.topic_name && partition.partition.get() == *number
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use headwater_protocol::consumer_group_describe_response::{Assignment, TopicPartitions};

    use super::*;

    /// A group of epoch 2 with a member "m" of this epoch, whose target is partition 0 of topic "t".
    fn progress(member_epoch: i32, member_id: &str, assigned: &[TopicPartition]) -> TargetProgress {
        let topic = TopicPartitions {
            topic_name: "t".into(),
            partitions: vec![0],
            ..Default::default()
        };
        let member = Member {
            member_id: "m".into(),
            member_epoch,
            target_assignment: Assignment {
                topic_partitions: vec![topic],
                ..Default::default()
            },
            ..Default::default()
        };
        let group = DescribedGroup {
            group_epoch: 2,
            members: vec![member],
            ..Default::default()
        };
        TargetProgress::of(&group, member_id, assigned)
    }

    #[test]
    fn a_target_is_reached_with_all_partitions_in_the_epoch_of_the_group() {
        let all = [TopicPartition::new("t", 0), TopicPartition::new("t", 1)];
        assert_eq!(progress(2, "m", &all), TargetProgress::Reached);
        assert_eq!(progress(2, "m", &all[1..]), TargetProgress::Waiting);
        assert_eq!(progress(1, "m", &all), TargetProgress::Unannounced);
        assert_eq!(progress(2, "other", &all), TargetProgress::Waiting);
    }
}
