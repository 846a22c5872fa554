//! `headwater produce`: writes one record per line.

mod fields;
mod lines;
mod unacknowledged;

use std::path::PathBuf;

use clap::{Args, ValueHint};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use super::arguments::Setting;
use super::closing_line::{ClosingLine, Quiet};
use super::examples;
use super::exit::Failure;
use super::stop::Stop;
use super::target::Target;
use crate::{PartitionId, Producer, ProducerConfig, Record, SendHandle};
use fields::FieldNames;
use lines::{Input, LineChunk};
use unacknowledged::UnacknowledgedLines;

/// Write a record for each line of standard input, or of a file
#[derive(Debug, Args)]
#[command(after_help = examples::PRODUCE)]
pub(crate) struct Produce {
    /// The topic
    topic: String,
    #[command(flatten)]
    target: Target,
    /// Read this file instead of standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// The separator of key and value; without it, lines are values and there are no keys
    #[arg(long, value_name = "TEXT")]
    key_separator: Option<String>,
    /// The field of the JSON value with the key: a text is the key, another value its JSON; with null the record has no
    /// key
    #[arg(long, value_name = "NAME", conflicts_with = "key_separator")]
    key_field: Option<String>,
    /// The field of the JSON value with the timestamp: a text in ISO 8601 such as 2026-01-31T12:00:00Z (without a zone
    /// it is UTC), or milliseconds since 1970
    #[arg(long, value_name = "NAME")]
    timestamp_field: Option<String>,
    /// A value of exactly this text is null: a tombstone on a compacted topic
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["key_field", "timestamp_field"])]
    null: Option<String>,
    /// A header of every record. May be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    header: Vec<Setting>,
    /// The partition of every record, instead of the partitioner's choice
    #[arg(long, value_name = "N")]
    partition: Option<i32>,
    /// A key of Kafka's producer configuration, such as compression.type=zstd. May be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    config: Vec<Setting>,
    #[command(flatten)]
    quiet: Quiet,
}

impl Produce {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let settings = self
            .config
            .iter()
            .map(|setting| (&setting.key, &setting.value));
        let config = ProducerConfig::parse(settings)?;
        let input = Input::open(self.file.as_deref())?;
        self.target.with(|engine| {
            let mut stop = Stop::listen()?;
            let closing_line = ClosingLine::start(self.quiet);
            let progress = progress(&input);
            let mut unacknowledged = UnacknowledgedLines::default();
            let done = engine.block_on(async {
                // Report an unknown topic before reading the first line.
                engine.topic(&self.topic).describe().await?;
                let producer = engine.producer(config);
                let done = tokio::select! {
                    biased;
                    stopped = stop.asked() => Err(stopped),
                    done = self.produce(&producer, input, &progress, &mut unacknowledged) => done,
                };
                unacknowledged.settle().await?;
                done
            });
            progress.finish_and_clear();
            if matches!(done, Ok(()) | Err(Failure::Stopped(_))) {
                closing_line.print(unacknowledged.acknowledged);
            }
            done
        })
    }

    async fn produce(
        &self,
        producer: &Producer,
        input: Input,
        progress: &ProgressBar,
        unacknowledged: &mut UnacknowledgedLines,
    ) -> Result<(), Failure> {
        let is_typed = input.is_typed;
        let fields = FieldNames {
            key: self.key_field.clone(),
            timestamp: self.timestamp_field.clone(),
        };
        let mut chunks = input.read();
        let mut number = 0;
        while let Some(chunk) = chunks.recv().await {
            let chunk: LineChunk = chunk.map_err(|error| {
                Failure::Failed(format!(
                    "Cannot read line {} ({error}): the lines before it are written.",
                    number + 1
                ))
            })?;
            for line in chunk.lines() {
                number += 1;
                let handle = self.send(producer, &fields, line, number).await?;
                unacknowledged.push(number, handle).await?;
                progress.inc(line.len() as u64 + 1);
            }
            progress.set_message(format!("{} records", HumanCount(number)));
            if is_typed {
                unacknowledged.settle().await?;
            }
            // Sending may never wait, and a signal must stop it.
            tokio::task::yield_now().await;
        }
        unacknowledged.settle().await
    }

    async fn send(
        &self,
        producer: &Producer,
        fields: &FieldNames,
        line: &[u8],
        number: u64,
    ) -> Result<SendHandle, Failure> {
        let refused = |reason: String| {
            Failure::Failed(format!(
                "Line {number} {reason}: correct it, and go on from there; {}.",
                lines_before(number)
            ))
        };
        let (separated_key, value) = match &self.key_separator {
            None => (None, line),
            Some(separator) => {
                let (key, value) = split(line, separator.as_bytes()).ok_or_else(|| {
                    refused(format!("has no {separator:?} between key and value"))
                })?;
                (Some(key), value)
            }
        };
        let found = fields.read(value).map_err(refused)?;
        let headers: Vec<_> = self
            .header
            .iter()
            .map(|header| (header.key.as_str(), Some(header.value.as_bytes())))
            .collect();
        let is_null = self
            .null
            .as_ref()
            .is_some_and(|null| null.as_bytes() == value);
        let record = Record {
            topic: &self.topic,
            partition: self.partition.map(PartitionId::new),
            timestamp_ms: found.timestamp_ms,
            key: found.key.as_deref().or(separated_key),
            value: (!is_null).then_some(value),
            headers: &headers,
        };
        let sent = producer.send(&record).await;
        sent.map_err(|error| {
            Failure::from(error).prefixed(&format!("Line {number} is not written: "))
        })
    }
}

fn lines_before(number: u64) -> String {
    match number - 1 {
        0 => "nothing is written".to_owned(),
        1 => "the line before it is written".to_owned(),
        before => format!("the {} lines before it are written", HumanCount(before)),
    }
}

fn split<'a>(line: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = line
        .windows(separator.len().max(1))
        .position(|window| window == separator)?;
    Some((&line[..at], &line[at + separator.len()..]))
}

/// A progress bar, if standard error is a terminal and the input is not typed.
fn progress(input: &Input) -> ProgressBar {
    if input.is_typed {
        return ProgressBar::hidden();
    }
    let (bar, template) = match input.bytes {
        Some(bytes) => (
            ProgressBar::new(bytes),
            "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {msg}",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{spinner} {bytes} {bytes_per_sec} {msg}",
        ),
    };
    bar.with_style(ProgressStyle::with_template(template).expect("the template is a constant"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_separator_divides_key_and_value() {
        assert_eq!(split(b"k:v:w", b":"), Some((&b"k"[..], &b"v:w"[..])));
        assert_eq!(split(b"k=>v", b"=>"), Some((&b"k"[..], &b"v"[..])));
        assert_eq!(split(b":v", b":"), Some((&b""[..], &b"v"[..])));
        assert_eq!(split(b"kv", b":"), None);
        assert_eq!(split(b"", b"=>"), None);
    }
}
