//! A consumer as a member of its group.

/// The membership of a consumer in its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMetadata {
    /// The group's name.
    pub group_id: String,
    /// The id that the coordinator gave the member; empty before it has joined.
    pub member_id: String,
    /// The generation of the group, or the member's epoch (KIP-848); -1 while it is not a member.
    pub generation_id: i32,
    /// Its `group.instance.id`, for a static member.
    pub group_instance_id: Option<String>,
    /// The id of the member that assigns partitions. `None` before it has joined, and where the broker assigns.
    pub leader_id: Option<String>,
    /// The assignor that the group has chosen. `None` before it has joined, and where the broker assigns.
    pub assignor: Option<String>,
}
