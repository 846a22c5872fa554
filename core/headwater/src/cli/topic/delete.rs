//! `headwater topic delete`.

use clap::Args;

use crate::cli::examples;
use crate::cli::exit::Failure;
use crate::cli::target::Target;

/// Delete topics with all their records
#[derive(Debug, Args)]
#[command(after_help = examples::TOPIC_DELETE)]
pub(super) struct Delete {
    /// The topics
    #[arg(required = true)]
    names: Vec<String>,
    #[command(flatten)]
    target: Target,
    /// Succeed if a topic does not exist
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
