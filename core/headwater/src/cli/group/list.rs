//! `headwater group list`.

use clap::Args;
use serde::Serialize;

use crate::GroupInfo;
use crate::cli::examples;
use crate::cli::exit::Failure;
use crate::cli::output::{Output, Row};
use crate::cli::target::Target;

/// List groups: name, type, protocol, state
#[derive(Debug, Args)]
#[command(after_help = examples::GROUP_LIST)]
pub(super) struct List {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
pub(super) struct GroupLine {
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
    pub(super) fn run(self) -> Result<(), Failure> {
        let groups = self
            .target
            .with(|engine| Ok(engine.block_on(engine.admin().list_groups())?))?;
        let lines: Vec<_> = groups.into_iter().map(GroupLine::from).collect();
        self.output.print(&lines)
    }
}
