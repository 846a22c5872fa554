//! `headwater group delete`.

use clap::Args;

use crate::cli::data::Data;
use crate::cli::exit::Failure;

/// Delete groups without members, with what they have committed
#[derive(Debug, Args)]
pub(super) struct Delete {
    /// Their names
    #[arg(required = true)]
    groups: Vec<String>,
    #[command(flatten)]
    data: Data,
}

impl Delete {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.data.with(|engine| {
            for group in &self.groups {
                engine.block_on(engine.admin().delete_group(group))?;
            }
            Ok(())
        })
    }
}
