//! `headwater group`: consumer groups listed, described, their offsets reset, deleted.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::data::Data;
use super::exit::Failure;
use super::output::{self, Output, Row};
use super::topic::or_none;
use crate::{GroupDescription, GroupInfo, GroupOffset, Position, TopicPartition};

/// List, describe, reset and delete consumer groups
#[derive(Debug, Args)]
pub(crate) struct Group {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(List),
    Describe(Describe),
    Reset(Reset),
    Delete(Delete),
}

impl Group {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::List(action) => action.run(),
            Action::Describe(action) => action.run(),
            Action::Reset(action) => action.run(),
            Action::Delete(action) => action.run(),
        }
    }
}

/// List groups: name, type, protocol, state
#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct GroupLine {
    group_id: String,
    group_type: String,
    protocol_type: String,
    state: String,
}

impl From<GroupInfo> for GroupLine {
    fn from(info: GroupInfo) -> Self {
        Self {
            group_id: info.group_id,
            group_type: info.group_type,
            protocol_type: info.protocol_type,
            state: info.state,
        }
    }
}

impl Row for GroupLine {
    const HEADINGS: &'static [&'static str] = &["GROUP", "TYPE", "PROTOCOL", "STATE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.group_id.clone(),
            self.group_type.clone(),
            self.protocol_type.clone(),
            self.state.clone(),
        ]
    }
}

impl List {
    fn run(self) -> Result<(), Failure> {
        let groups = self
            .data
            .with(|engine| Ok(engine.block_on(engine.list_groups())?))?;
        let lines: Vec<_> = groups.into_iter().map(GroupLine::from).collect();
        self.output.print(&lines)
    }
}

/// Show a group's state, what it has committed with its lag, and its members
#[derive(Debug, Args)]
struct Describe {
    /// Its name
    group: String,
    #[command(flatten)]
    data: Data,
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
    fn run(self) -> Result<(), Failure> {
        let (group, offsets) = self.data.with(|engine| {
            let group = engine.block_on(engine.describe_group(&self.group))?;
            let offsets = engine.block_on(engine.group_offsets(&self.group))?;
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

/// Set what a group without members has committed for a topic, and show it
#[derive(Debug, Args)]
struct Reset {
    /// Its name; a group that is not there is made
    group: String,
    #[command(flatten)]
    data: Data,
    /// The topic
    #[arg(long, value_name = "NAME")]
    topic: String,
    /// earliest, latest, an offset, an age such as -15m, or a time such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "POSITION", allow_hyphen_values = true)]
    to: Position,
    /// Only show what would be committed
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct ResetLine {
    topic: String,
    partition: i32,
    committed_offset: i64,
}

impl Row for ResetLine {
    const HEADINGS: &'static [&'static str] = &["TOPIC", "PARTITION", "COMMITTED"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.topic.clone(),
            self.partition.to_string(),
            self.committed_offset.to_string(),
        ]
    }
}

impl Reset {
    fn run(self) -> Result<(), Failure> {
        let offsets = self.data.with(|engine| {
            let offsets = engine.block_on(async {
                if self.dry_run {
                    engine.offsets_to_reset(&self.topic, &self.to).await
                } else {
                    engine
                        .reset_group_offsets(&self.group, &self.topic, &self.to)
                        .await
                }
            });
            Ok(offsets?)
        })?;
        let lines: Vec<_> = offsets
            .into_iter()
            .map(|(partition, offset)| ResetLine {
                topic: self.topic.clone(),
                partition: partition.get(),
                committed_offset: offset.get(),
            })
            .collect();
        self.output.print(&lines)
    }
}

/// Delete groups without members, with what they have committed
#[derive(Debug, Args)]
struct Delete {
    /// Their names
    #[arg(required = true)]
    groups: Vec<String>,
    #[command(flatten)]
    data: Data,
}

impl Delete {
    fn run(self) -> Result<(), Failure> {
        self.data.with(|engine| {
            for group in &self.groups {
                engine.block_on(engine.delete_group(group))?;
            }
            Ok(())
        })
    }
}
