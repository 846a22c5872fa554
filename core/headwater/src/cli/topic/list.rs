//! `headwater topic list`.

use clap::Args;
use serde::Serialize;

use crate::cli::exit::Failure;
use crate::cli::output::{Output, Row};
use crate::cli::target::Target;

/// List topics: name, partitions, id
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    target: Target,
    /// Include internal topics
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
    pub(super) fn run(self) -> Result<(), Failure> {
        let topics = self
            .target
            .with(|engine| Ok(engine.block_on(engine.admin().topics(self.internal))?))?;
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
