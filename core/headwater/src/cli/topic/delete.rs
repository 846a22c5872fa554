//! `headwater topic delete`.

use clap::Args;

use crate::cli::exit::Failure;
use crate::cli::target::Target;

/// Delete topics with everything in them
#[derive(Debug, Args)]
pub(super) struct Delete {
    /// Their names
    #[arg(required = true)]
    names: Vec<String>,
    #[command(flatten)]
    target: Target,
    /// A topic that is not there is no error
    #[arg(long)]
    if_exists: bool,
}

impl Delete {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.target.with(|engine| {
            for name in &self.names {
                engine.block_on(engine.admin().delete_topic(name, self.if_exists))?;
            }
            Ok(())
        })
    }
}
