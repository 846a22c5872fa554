//! `headwater topic describe`.

use clap::Args;
use serde::Serialize;

use crate::cli::examples;
use crate::cli::exit::Failure;
use crate::cli::output::{self, Output, Row, or_none};
use crate::cli::target::Target;
use crate::{ConfigEntry, TopicDescription};

/// Show a topic's partitions with their offsets and sizes, then the configuration that was set
#[derive(Debug, Args)]
#[command(after_help = examples::TOPIC_DESCRIBE)]
pub(super) struct Describe {
    /// The topic
    name: String,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct TopicDetails {
    name: String,
    topic_id: String,
    internal: bool,
    partitions: Vec<PartitionLine>,
    config: Vec<ConfigLine>,
}

#[derive(Debug, Serialize)]
struct PartitionLine {
    partition: i32,
    leader: Option<i32>,
    log_start_offset: i64,
    high_watermark: i64,
    size_bytes: Option<u64>,
}

#[derive(Debug, Serialize)]
struct ConfigLine {
    key: String,
    value: Option<String>,
    source: &'static str,
}

impl Row for PartitionLine {
    const HEADINGS: &'static [&'static str] = &["PARTITION", "LEADER", "START", "END", "BYTES"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.partition.to_string(),
            or_none(self.leader),
            self.log_start_offset.to_string(),
            self.high_watermark.to_string(),
            or_none(self.size_bytes),
        ]
    }
}

impl Row for ConfigLine {
    const HEADINGS: &'static [&'static str] = &["KEY", "VALUE", "SOURCE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.key.clone(),
            or_none(self.value.as_deref()),
            self.source.to_owned(),
        ]
    }
}

impl Describe {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (topic, config) = self.target.with(|engine| {
            let topic = engine.block_on(engine.topic(&self.name).describe())?;
            let config = engine.block_on(engine.admin().topic_config(&self.name))?;
            Ok((topic, config))
        })?;
        let details = details(&topic, config);
        if self.output.is_json() {
            return output::print_object(&details);
        }
        self.output.print(&details.partitions)?;
        self.output.print(&details.config)
    }
}

fn details(topic: &TopicDescription, config: Vec<ConfigEntry>) -> TopicDetails {
    let partitions = topic.partitions.iter().map(|partition| PartitionLine {
        partition: partition.partition.get(),
        leader: partition.leader,
        log_start_offset: partition.log_start_offset.get(),
        high_watermark: partition.high_watermark.get(),
        size_bytes: partition.size_bytes,
    });
    let set = config
        .into_iter()
        .filter(|entry| entry.source != "DEFAULT_CONFIG");
    TopicDetails {
        name: topic.name.to_string(),
        topic_id: topic.topic_id.to_string(),
        internal: topic.internal,
        partitions: partitions.collect(),
        config: set
            .map(|entry| ConfigLine {
                key: entry.name,
                value: entry.value,
                source: entry.source,
            })
            .collect(),
    }
}
