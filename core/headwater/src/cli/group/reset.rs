//! `headwater group reset`.

use clap::Args;
use serde::Serialize;

use crate::Position;
use crate::cli::examples;
use crate::cli::exit::Failure;
use crate::cli::output::{Output, Row};
use crate::cli::target::Target;

/// Set the committed offsets of a group without members for a topic, and show them
#[derive(Debug, Args)]
#[command(after_help = examples::GROUP_RESET)]
pub(super) struct Reset {
    /// The group; it is created if it does not exist
    group: String,
    #[command(flatten)]
    target: Target,
    /// The topic
    #[arg(long, value_name = "NAME")]
    topic: String,
    /// earliest, latest, an offset, an age such as -15m, or a time such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "POSITION", allow_hyphen_values = true)]
    to: Position,
    /// Only show the new offsets
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
    pub(super) fn run(self) -> Result<(), Failure> {
        let offsets = self.target.with(|engine| {
            let offsets = engine.block_on(async {
                if self.dry_run {
                    engine.admin().offsets_to_reset(&self.topic, &self.to).await
                } else {
                    engine
                        .admin()
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
