//! `headwater group`: lists, describes, resets and deletes consumer groups.

mod delete;
mod describe;
mod list;
mod reset;

use clap::{Args, Subcommand};

use super::exit::Failure;

/// List, describe, reset and delete consumer groups
#[derive(Debug, Args)]
pub(crate) struct Group {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(list::List),
    Describe(describe::Describe),
    Reset(reset::Reset),
    Delete(delete::Delete),
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
