//! `headwater group delete`.

use clap::Args;

use crate::cli::examples;
use crate::cli::exit::Failure;
use crate::cli::target::Target;

/// Delete groups without members, and their committed offsets
#[derive(Debug, Args)]
#[command(after_help = examples::GROUP_DELETE)]
pub(super) struct Delete {
    /// The groups
    #[arg(required = true)]
    groups: Vec<String>,
    #[command(flatten)]
    target: Target,
}

impl Delete {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.target.with(|engine| {
            for group in &self.groups {
                engine.block_on(engine.admin().delete_group(group))?;
            }
            Ok(())
        })
    }
}
