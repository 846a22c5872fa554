//! `headwater group describe`.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::list::GroupLine;
use crate::cli::examples;
use crate::cli::exit::Failure;
use crate::cli::output::{self, Output, Row, or_none};
use crate::cli::stop::Stop;
use crate::cli::target::Target;
use crate::cli::terminal;
use crate::{Engine, GroupDescription, GroupOffset, TopicPartition};

/// Show a group's state, committed offsets with their lag, and members
#[derive(Debug, Args)]
#[command(after_help = examples::GROUP_DESCRIBE)]
pub(super) struct Describe {
    /// The group
    group: String,
    #[command(flatten)]
    target: Target,
    /// Show it again after this time, two seconds by default, until SIGINT or SIGTERM
    #[arg(
        long,
        value_name = "DURATION",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "2s",
        value_parser = interval
    )]
    watch: Option<Duration>,
    #[command(flatten)]
    output: Output,
}

fn interval(text: &str) -> Result<Duration, crate::Error> {
    crate::duration::parse_ms(text).map(Duration::from_millis)
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
        self.target.with(|engine| match self.watch {
            None => self.print(engine),
            Some(interval) => self.watch(engine, interval),
        })
    }

    /// Prints until a signal stops it.
    fn watch(&self, engine: &Engine, interval: Duration) -> Result<(), Failure> {
        let mut stop = Stop::listen()?;
        loop {
            terminal::clear();
            self.print(engine)?;
            let stopped = engine.block_on(async {
                tokio::select! {
                    stopped = stop.asked() => Some(stopped),
                    () = tokio::time::sleep(interval) => None,
                }
            });
            if let Some(stopped) = stopped {
                return Err(stopped);
            }
        }
    }

    fn print(&self, engine: &Engine) -> Result<(), Failure> {
        let (group, offsets) = engine.block_on(async {
            let admin = engine.admin();
            tokio::try_join!(
                admin.describe_group(&self.group),
                admin.group_offsets(&self.group)
            )
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
