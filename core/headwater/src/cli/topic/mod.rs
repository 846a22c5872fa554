//! `headwater topic`: creates, lists, describes, alters and deletes topics.

mod alter;
mod create;
mod delete;
mod describe;
mod list;

use clap::{Args, Subcommand};

use super::exit::Failure;

/// Create, list, describe, alter and delete topics
#[derive(Debug, Args)]
pub(crate) struct Topic {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(list::List),
    Create(create::Create),
    Describe(describe::Describe),
    Alter(alter::Alter),
    Delete(delete::Delete),
}

impl Topic {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::List(action) => action.run(),
            Action::Create(action) => action.run(),
            Action::Describe(action) => action.run(),
            Action::Alter(action) => action.run(),
            Action::Delete(action) => action.run(),
        }
    }
}
