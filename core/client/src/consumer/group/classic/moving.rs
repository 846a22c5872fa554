//! Partitions that move between the members of a cooperative group.
//!
//! Such a partition has no owner in the generation in which its old owner releases it. The new owner gets it in the
//! next one. A description of a stable group has the partitions that each member owned when it joined, and its
//! assignment.

use std::collections::BTreeSet;

use headwater_protocol::DecodeError;
use headwater_protocol::describe_groups_response::DescribedGroup;

use super::protocol;

/// The state of a group that is not rebalancing.
const STABLE: &str = "Stable";

/// Whether the group is stable with this member, and each partition that a member owned has an owner again.
pub(in crate::consumer::group) fn keeps_partitions(
    group: &DescribedGroup,
    member_id: &str,
) -> Result<bool, DecodeError> {
    let mut members = group.members.iter();
    if *group.group_state != *STABLE || !members.any(|member| *member.member_id == *member_id) {
        return Ok(false);
    }
    let (mut owned, mut assigned) = (BTreeSet::new(), BTreeSet::new());
    for member in &group.members {
        owned.extend(protocol::read_owned(member.member_metadata.clone())?);
        assigned.extend(protocol::read_assignment(member.member_assignment.clone())?);
    }
    Ok(owned.is_subset(&assigned))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use headwater_protocol::describe_groups_response::DescribedGroupMember;

    use super::super::assignors::Assignor;
    use super::super::protocol::OwnedPartitions;
    use super::*;
    use crate::batch::TopicPartition;

    /// A member of topic "t" that owned these partitions, and got those.
    fn member(id: &str, owned: &[i32], assigned: &[i32]) -> DescribedGroupMember {
        let partitions = |numbers: &[i32]| -> Vec<TopicPartition> {
            let numbers = numbers.iter();
            numbers
                .map(|number| TopicPartition::new("t", *number))
                .collect()
        };
        let owned = OwnedPartitions {
            partitions: &partitions(owned),
            generation: Some(1),
        };
        let topics = BTreeSet::from([Arc::from("t")]);
        let assignor = Assignor::CooperativeSticky;
        let metadata = protocol::subscription(assignor, &topics, owned, owned, None);
        DescribedGroupMember {
            member_id: id.into(),
            member_metadata: metadata.unwrap(),
            member_assignment: protocol::assignment(&partitions(assigned)).unwrap(),
            ..Default::default()
        }
    }

    fn group(members: [DescribedGroupMember; 2]) -> DescribedGroup {
        DescribedGroup {
            group_state: STABLE.into(),
            members: members.into(),
            ..Default::default()
        }
    }

    #[test]
    fn a_partition_without_owner_moves() {
        let moving = group([member("old", &[0, 1], &[0]), member("new", &[], &[])]);
        assert!(!keeps_partitions(&moving, "new").unwrap());
        let moved = group([member("old", &[0], &[0]), member("new", &[], &[1])]);
        assert!(keeps_partitions(&moved, "new").unwrap());
        let without_share = group([member("old", &[0], &[0]), member("new", &[], &[])]);
        assert!(keeps_partitions(&without_share, "new").unwrap());
    }

    #[test]
    fn a_group_that_rebalances_or_lacks_the_member_keeps_nothing() {
        let members = || [member("old", &[0], &[0]), member("new", &[], &[1])];
        assert!(!keeps_partitions(&group(members()), "other").unwrap());
        let rebalancing = DescribedGroup {
            group_state: "PreparingRebalance".into(),
            ..group(members())
        };
        assert!(!keeps_partitions(&rebalancing, "new").unwrap());
    }

    #[test]
    fn a_damaged_subscription_is_an_error() {
        let mut damaged = member("new", &[], &[]);
        damaged.member_metadata = damaged.member_metadata.slice(..3);
        let group = group([member("old", &[0], &[0]), damaged]);
        assert!(keeps_partitions(&group, "new").is_err());
    }
}
