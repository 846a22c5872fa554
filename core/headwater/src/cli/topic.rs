//! `headwater topic`: topics made, listed, described, altered, deleted.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::arguments::Setting;
use super::data::Data;
use super::exit::Failure;
use super::output::{self, Output, Row};
use crate::{ConfigEntry, Engine, IfExists, NewTopic, TopicChanges, TopicDescription};

/// Make, list, describe, alter and delete topics
#[derive(Debug, Args)]
pub(crate) struct Topic {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(List),
    Create(Create),
    Describe(Describe),
    Alter(Alter),
    Delete(Delete),
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

/// List topics: name, partitions, id
#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    data: Data,
    /// Kafka's own topics too
    #[arg(long)]
    internal: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct TopicLine {
    name: String,
    partitions: usize,
    topic_id: String,
    internal: bool,
}

impl Row for TopicLine {
    const HEADINGS: &'static [&'static str] = &["TOPIC", "PARTITIONS", "ID"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.partitions.to_string(),
            self.topic_id.clone(),
        ]
    }
}

impl List {
    fn run(self) -> Result<(), Failure> {
        let topics = self
            .data
            .with(|engine| Ok(engine.block_on(engine.topics(self.internal))?))?;
        let lines: Vec<_> = topics
            .into_iter()
            .map(|topic| TopicLine {
                name: topic.name.to_string(),
                partitions: topic.partitions,
                topic_id: topic.topic_id.to_string(),
                internal: topic.internal,
            })
            .collect();
        self.output.print(&lines)
    }
}

/// Make a topic, and the data directory if it is missing
#[derive(Debug, Args)]
struct Create {
    /// Its name
    name: String,
    #[command(flatten)]
    data: Data,
    /// How many partitions
    #[arg(long, value_name = "N", default_value_t = 1)]
    partitions: i32,
    /// A key of Kafka's topic configuration, such as retention.ms=-1. May be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    config: Vec<Setting>,
    /// Take a topic that is there, as it is
    #[arg(long)]
    if_not_exists: bool,
}

impl Create {
    fn run(self) -> Result<(), Failure> {
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
        self.data.with_new(|engine| {
            engine.block_on(engine.create_topic(topic))?;
            Ok(())
        })
    }
}

/// Show a topic's partitions with their offsets and sizes, then the configuration that was set
#[derive(Debug, Args)]
struct Describe {
    /// Its name
    name: String,
    #[command(flatten)]
    data: Data,
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

/// A cell of what may be absent.
pub(crate) fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

impl Describe {
    fn run(self) -> Result<(), Failure> {
        let (topic, config) = self.data.with(|engine| {
            let topic = engine.block_on(engine.topic(&self.name).describe())?;
            let config = engine.block_on(engine.topic_config(&self.name))?;
            Ok((topic, config))
        })?;
        let details = details(topic, config);
        if self.output.is_json() {
            return output::print_object(&details);
        }
        self.output.print(&details.partitions)?;
        self.output.print(&details.config)
    }
}

fn details(topic: TopicDescription, config: Vec<ConfigEntry>) -> TopicDetails {
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

/// Add partitions, or change a topic's configuration
#[derive(Debug, Args)]
#[group(required = true, multiple = true, id = "changes", args = ["partitions", "config", "unset"])]
struct Alter {
    /// Its name
    name: String,
    #[command(flatten)]
    data: Data,
    /// The new number of partitions: more than there are
    #[arg(long, value_name = "N")]
    partitions: Option<i32>,
    /// A key of Kafka's topic configuration to set. May be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    config: Vec<Setting>,
    /// A key to put back to its default. May be repeated
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
}

impl Alter {
    fn run(self) -> Result<(), Failure> {
        let set = self
            .config
            .into_iter()
            .map(|setting| (setting.key, Some(setting.value)));
        let unset = self.unset.into_iter().map(|key| (key, None));
        let changes = TopicChanges {
            partitions: self.partitions,
            config: set.chain(unset).collect(),
        };
        self.data
            .with(|engine| Ok(engine.block_on(engine.alter_topic(&self.name, changes))?))
    }
}

/// Delete topics with everything in them
#[derive(Debug, Args)]
struct Delete {
    /// Their names
    #[arg(required = true)]
    names: Vec<String>,
    #[command(flatten)]
    data: Data,
    /// A topic that is not there is no error
    #[arg(long)]
    if_exists: bool,
}

impl Delete {
    fn run(self) -> Result<(), Failure> {
        let delete = |engine: &Engine| {
            for name in &self.names {
                engine.block_on(engine.delete_topic(name, self.if_exists))?;
            }
            Ok(())
        };
        self.data.with(delete)
    }
}
