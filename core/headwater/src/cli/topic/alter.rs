//! `headwater topic alter`.

use clap::Args;

use crate::TopicChanges;
use crate::cli::arguments::Setting;
use crate::cli::examples;
use crate::cli::exit::Failure;
use crate::cli::target::Target;

/// Add partitions, or change a topic's configuration
#[derive(Debug, Args)]
#[command(after_help = examples::TOPIC_ALTER)]
#[group(required = true, multiple = true, id = "changes", args = ["partitions", "config", "unset"])]
pub(super) struct Alter {
    /// The topic
    name: String,
    #[command(flatten)]
    target: Target,
    /// The new number of partitions; it can only grow
    #[arg(long, value_name = "N")]
    partitions: Option<i32>,
    /// A key of Kafka's topic configuration to set. May be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    config: Vec<Setting>,
    /// A key to reset to its default. May be repeated
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
}

impl Alter {
    pub(super) fn run(self) -> Result<(), Failure> {
        let set = self
            .config
            .into_iter()
            .map(|setting| (setting.key, Some(setting.value)));
        let unset = self.unset.into_iter().map(|key| (key, None));
        let changes = TopicChanges {
            partitions: self.partitions,
            config: set.chain(unset).collect(),
        };
        self.target
            .with(|engine| Ok(engine.block_on(engine.admin().alter_topic(&self.name, changes))?))
    }
}
