//! `headwater topic list`.

use std::time::Duration;

use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::{HumanBytes, HumanDuration};
use serde::Serialize;

use crate::cli::examples;
use crate::cli::exit::Failure;
use crate::cli::output::{Output, Row, or_none};
use crate::cli::target::Target;
use crate::{Engine, Error, ErrorKind, TopicInfo};

/// The maximum number of topics that are described at the same time.
const CONCURRENT_TOPICS_MAX: usize = 16;

/// List topics: name, partitions, records (from offsets: compaction and transactions leave gaps), bytes on disk of the
/// leaders, and the times of the oldest and the newest record
#[derive(Debug, Args)]
#[command(after_help = examples::TOPIC_LIST)]
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
    records: u64,
    size_bytes: Option<u64>,
    oldest_timestamp: Option<i64>,
    newest_timestamp: Option<i64>,
    topic_id: String,
    internal: bool,
}

impl Row for TopicLine {
    const HEADINGS: &'static [&'static str] = &[
        "TOPIC",
        "PARTITIONS",
        "RECORDS",
        "BYTES",
        "OLDEST",
        "NEWEST",
    ];

    fn cells(&self) -> Vec<String> {
        self.cells_with(
            |bytes| bytes.to_string(),
            |time| {
                jiff::Timestamp::from_millisecond(time)
                    .map_or_else(|_| time.to_string(), |time| time.to_string())
            },
        )
    }

    fn table_cells(&self) -> Vec<String> {
        let now = jiff::Timestamp::now().as_millisecond();
        self.cells_with(
            |bytes| HumanBytes(bytes).to_string(),
            |time| age(now.saturating_sub(time)),
        )
    }
}

impl TopicLine {
    fn cells_with(
        &self,
        bytes: impl Fn(u64) -> String,
        time: impl Fn(i64) -> String,
    ) -> Vec<String> {
        vec![
            self.name.clone(),
            self.partitions.to_string(),
            self.records.to_string(),
            or_none(self.size_bytes.map(bytes)),
            or_none(self.oldest_timestamp.map(&time)),
            or_none(self.newest_timestamp.map(&time)),
        ]
    }
}

/// The age for people. A time in the future has a minus sign.
fn age(age_ms: i64) -> String {
    let sign = if age_ms < 0 { "-" } else { "" };
    let duration = Duration::from_millis(age_ms.unsigned_abs());
    format!("{sign}{}", HumanDuration(duration))
}

impl List {
    pub(super) fn run(self) -> Result<(), Failure> {
        let lines = self.target.with(|engine| {
            let lines = engine.block_on(async {
                let topics = engine.admin().topics(self.internal).await?;
                stream::iter(topics)
                    .map(|topic| line(engine, topic))
                    .buffered(CONCURRENT_TOPICS_MAX)
                    .try_filter_map(|line| async { Ok(line) })
                    .try_collect::<Vec<_>>()
                    .await
            });
            Ok(lines?)
        })?;
        self.output.print(&lines)
    }
}

/// The line of a topic, or `None` if it was deleted meanwhile.
async fn line(engine: &Engine, info: TopicInfo) -> Result<Option<TopicLine>, Error> {
    let topic = engine.topic(&info.name);
    let described = tokio::try_join!(topic.describe(), topic.time_range());
    let (described, times) = match described {
        Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => return Ok(None),
        described => described?,
    };
    let partitions = described.partitions.iter();
    let records = partitions.clone().map(|partition| {
        let records = partition.high_watermark - partition.log_start_offset;
        u64::try_from(records).unwrap_or(0)
    });
    Ok(Some(TopicLine {
        name: info.name.to_string(),
        partitions: described.partitions.len(),
        records: records.sum(),
        size_bytes: partitions.map(|partition| partition.size_bytes).sum(),
        oldest_timestamp: times.map(|(oldest, _)| oldest),
        newest_timestamp: times.map(|(_, newest)| newest),
        topic_id: info.topic_id.to_string(),
        internal: info.internal,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short() {
        assert_eq!(age(3 * 86_400_000), "3 days");
        assert_eq!(age(90_000), "2 minutes");
        assert_eq!(age(-7_200_000), "-2 hours");
    }
}
