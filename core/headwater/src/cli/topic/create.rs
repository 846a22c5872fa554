//! `headwater topic create`.

use clap::Args;

use crate::cli::arguments::Setting;
use crate::cli::examples;
use crate::cli::exit::Failure;
use crate::cli::target::Target;
use crate::{IfExists, NewTopic};

/// Create a topic, and the data directory if it does not exist
#[derive(Debug, Args)]
#[command(after_help = examples::TOPIC_CREATE)]
pub(super) struct Create {
    /// The topic
    name: String,
    #[command(flatten)]
    target: Target,
    /// The number of partitions
    #[arg(long, value_name = "N", default_value_t = 1)]
    partitions: i32,
    /// A key of Kafka's topic configuration, such as retention.ms=-1. May be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    config: Vec<Setting>,
    /// Succeed if the topic exists already, without changing it
    #[arg(long)]
    if_not_exists: bool,
}

impl Create {
    pub(super) fn run(self) -> Result<(), Failure> {
        let topic = NewTopic {
            name: self.name,
            partitions: Some(self.partitions),
            replication_factor: None,
            if_exists: if self.if_not_exists {
                IfExists::Ignore
            } else {
                IfExists::Error
            },
            config: self
                .config
                .into_iter()
                .map(|setting| (setting.key, setting.value))
                .collect(),
        };
        self.target.with_new(|engine| {
            engine.block_on(engine.admin().create_topic(topic))?;
            Ok(())
        })
    }
}
