//! The target assignment of a member: the partitions that the coordinator intends for it.
//!
//! The coordinator computes the target assignments of a group some time after a member has joined
//! (`group.consumer.assignment.interval.ms`), and assigns a partition only after its previous owner has released it. So
//! the first assignment of a new member may be empty or incomplete. A heartbeat does not show that; a description of
//! the group does.
//!
//! In a cooperative group of the classic protocol partitions move in two rebalances ([`super::classic`]).

use headwater_protocol::consumer_group_describe_response::{DescribedGroup, Member};
use headwater_protocol::describe_groups_response::DescribedGroup as ClassicGroup;
use headwater_protocol::{ConsumerGroupDescribeRequest, DescribeGroupsRequest, ErrorCode, Str};

use super::Group;
use super::classic::keeps_partitions;
use super::membership::{Completeness, refusal};
use crate::batch::TopicPartition;
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes;

impl Group {
    /// Whether these partitions, which are assigned to the member, are all that the group intends for it now. If the
    /// next heartbeat may return more, it is sent at once.
    pub(crate) async fn has_target(&self, assigned: &[TopicPartition]) -> Result<bool> {
        let completeness = self.membership.member.lock().completeness();
        match &completeness {
            Completeness::Always => Ok(true),
            Completeness::Target(member_id) => self.reaches_target(member_id, assigned).await,
            Completeness::NothingMoves(_, None) => Ok(false),
            Completeness::NothingMoves(member_id, Some(_)) => {
                let Some(group) = self.describe_classic().await? else {
                    // A classic member of a group of the consumer protocol.
                    return self.reaches_target(member_id, assigned).await;
                };
                let keeps = keeps_partitions(&group, member_id).map_err(|error| {
                    Error::new(
                        ErrorKind::Broker,
                        "A member of the group has a subscription or an assignment that cannot be decoded.",
                    )
                    .caused_by(error)
                })?;
                // The group may have rebalanced since.
                let is_current = self.membership.member.lock().completeness() == completeness;
                Ok(keeps && is_current)
            }
        }
    }

    /// Whether these partitions are the target assignment of the member in the newest epoch of the group.
    async fn reaches_target(&self, member_id: &str, assigned: &[TopicPartition]) -> Result<bool> {
        let group = self.describe().await?;
        let progress = TargetProgress::of(&group, member_id, assigned);
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
        self.check_described(group.error_code, group.error_message.as_deref())?;
        Ok(group)
    }

    /// The description of a classic group; `None` if the group is not classic.
    async fn describe_classic(&self) -> Result<Option<ClassicGroup>> {
        let (cluster, coordinator) = (&self.membership.cluster, &self.membership.coordinator);
        let request = DescribeGroupsRequest {
            groups: vec![Str::from(coordinator.group_id())],
            ..Default::default()
        };
        let response = coordinator.call(cluster, request).await?;
        let group = error_codes::only(response.groups, "DescribeGroups")?;
        if error_codes::code(group.error_code) == ErrorCode::GroupIdNotFound {
            return Ok(None);
        }
        self.check_described(group.error_code, group.error_message.as_deref())?;
        Ok(Some(group))
    }

    fn check_described(&self, code: i16, reason: Option<&str>) -> Result<()> {
        let coordinator = &self.membership.coordinator;
        let code = error_codes::code(code);
        if code == ErrorCode::None {
            return Ok(());
        }
        coordinator.forget_if_moved(code);
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
