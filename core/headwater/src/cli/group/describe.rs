//! `headwater group describe`.

use clap::Args;
use serde::Serialize;

use super::list::GroupLine;
use crate::cli::exit::Failure;
use crate::cli::output::{self, Output, Row, or_none};
use crate::cli::target::Target;
use crate::{GroupDescription, GroupOffset, TopicPartition};

/// Show a group's state, committed offsets with their lag, and members
#[derive(Debug, Args)]
pub(super) struct Describe {
    /// The group
    group: String,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct GroupDetails {
    #[serde(flatten)]
    group: GroupLine,
    assignor: String,
    offsets: Vec<OffsetLine>,
    members: Vec<MemberLine>,
}

#[derive(Debug, Serialize)]
struct OffsetLine {
    topic: String,
    partition: i32,
    committed_offset: i64,
    log_end_offset: Option<i64>,
    lag: Option<u64>,
}

#[derive(Debug, Serialize)]
struct MemberLine {
    member_id: String,
    instance_id: Option<String>,
    client_id: String,
    host: String,
    assignment: Vec<String>,
}

impl Row for OffsetLine {
    const HEADINGS: &'static [&'static str] = &["TOPIC", "PARTITION", "COMMITTED", "END", "LAG"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.topic.clone(),
            self.partition.to_string(),
            self.committed_offset.to_string(),
            or_none(self.log_end_offset),
            or_none(self.lag),
        ]
    }
}

impl Row for MemberLine {
    const HEADINGS: &'static [&'static str] = &["MEMBER", "CLIENT", "HOST", "ASSIGNMENT"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.member_id.clone(),
            self.client_id.clone(),
            self.host.clone(),
            self.assignment.join(","),
        ]
    }
}

impl Describe {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (group, offsets) = self.target.with(|engine| {
            let group = engine.block_on(engine.admin().describe_group(&self.group))?;
            let offsets = engine.block_on(engine.admin().group_offsets(&self.group))?;
            Ok((group, offsets))
        })?;
        let details = details(group, offsets);
        if self.output.is_json() {
            return output::print_object(&details);
        }
        self.output.print(std::slice::from_ref(&details.group))?;
        self.output.print(&details.offsets)?;
        self.output.print(&details.members)
    }
}

fn details(group: GroupDescription, offsets: Vec<GroupOffset>) -> GroupDetails {
    let members = group.members.into_iter().map(|member| MemberLine {
        member_id: member.member_id,
        instance_id: member.instance_id,
        client_id: member.client_id,
        host: member.host,
        assignment: member
            .assignment
            .iter()
            .map(TopicPartition::to_string)
            .collect(),
    });
    let offsets = offsets.into_iter().map(|offset| OffsetLine {
        topic: offset.partition.topic.to_string(),
        partition: offset.partition.partition.get(),
        committed_offset: offset.committed.get(),
        log_end_offset: offset.end.map(crate::Offset::get),
        lag: offset.lag(),
    });
    GroupDetails {
        group: group.info.into(),
        assignor: group.assignor,
        offsets: offsets.collect(),
        members: members.collect(),
    }
}
