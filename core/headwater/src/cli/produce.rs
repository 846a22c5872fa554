//! `headwater produce`: writes one record per line.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _};
use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::arguments::Setting;
use super::exit::Failure;
use super::target::Target;
use crate::{Engine, PartitionId, Producer, ProducerConfig, Record, SendHandle};

/// The maximum number of unacknowledged records.
const UNACKNOWLEDGED_MAX: usize = 100_000;
/// The number of records between two updates of the progress bar.
const RECORDS_PER_TICK: u64 = 1024;

/// Write a record for each line of standard input, or of a file
#[derive(Debug, Args)]
pub(crate) struct Produce {
    /// The topic
    topic: String,
    #[command(flatten)]
    target: Target,
    /// Read this file instead of standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The separator of key and value; without it, lines are values and there are no keys
    #[arg(long, value_name = "TEXT")]
    key_separator: Option<String>,
    /// A value of exactly this text is null: a tombstone on a compacted topic
    #[arg(long, value_name = "TEXT")]
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
}

/// The source of lines.
struct Lines {
    reader: Box<dyn BufRead>,
    /// The size in bytes, if known.
    bytes: Option<u64>,
    /// Whether a person types the lines.
    typed: bool,
}

impl Produce {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let settings = self
            .config
            .iter()
            .map(|setting| (&setting.key, &setting.value));
        let config = ProducerConfig::parse(settings)?;
        let lines = self.lines()?;
        let count = self
            .target
            .with(|engine| self.produce(engine, config, lines))?;
        tracing::info!(records = count, topic = %self.topic, "produced");
        Ok(())
    }

    fn lines(&self) -> Result<Lines, Failure> {
        let Some(path) = &self.file else {
            return Ok(Lines {
                reader: Box::new(io::stdin().lock()),
                bytes: None,
                typed: io::stdin().is_terminal(),
            });
        };
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (bytes, file) = opened.map_err(|error| {
            Failure::Failed(format!(
                "Cannot read {} ({error}): use a file that this user may read.",
                path.display()
            ))
        })?;
        Ok(Lines {
            reader: Box::new(BufReader::with_capacity(1 << 20, file)),
            bytes: Some(bytes),
            typed: false,
        })
    }

    fn produce(
        &self,
        engine: &Engine,
        config: ProducerConfig,
        mut lines: Lines,
    ) -> Result<u64, Failure> {
        // Report an unknown topic before reading the first line.
        engine.block_on(engine.topic(&self.topic).describe())?;
        let producer = engine.producer(config);
        let progress = progress(&lines);
        let mut unacknowledged = VecDeque::new();
        let (mut line, mut count) = (Vec::new(), 0);
        while read_line(&mut lines.reader, &mut line)? {
            count += 1;
            let handle = self.send(&producer, &line, count)?;
            if lines.typed {
                handle.send_now();
            }
            unacknowledged.push_back(handle);
            settle(
                &mut unacknowledged,
                if lines.typed { 0 } else { UNACKNOWLEDGED_MAX },
            )?;
            progress.inc(line.len() as u64 + 1);
            if count.is_multiple_of(RECORDS_PER_TICK) {
                progress.set_message(format!("{count} records"));
            }
        }
        engine.block_on(producer.flush())?;
        settle(&mut unacknowledged, 0)?;
        progress.finish_and_clear();
        Ok(count)
    }

    fn send(&self, producer: &Producer, line: &[u8], number: u64) -> Result<SendHandle, Failure> {
        let (key, value) = match &self.key_separator {
            None => (None, line),
            Some(separator) => {
                let (key, value) = split(line, separator.as_bytes()).ok_or_else(|| {
                    Failure::Failed(format!(
                        "Line {number} has no {separator:?} between key and value: correct it; the {} lines before it are written.",
                        number - 1
                    ))
                })?;
                (Some(key), value)
            }
        };
        let is_null = self
            .null
            .as_ref()
            .is_some_and(|null| null.as_bytes() == value);
        let headers: Vec<_> = self
            .header
            .iter()
            .map(|header| (header.key.as_str(), Some(header.value.as_bytes())))
            .collect();
        let mut record = Record::new(&self.topic, value).headers(&headers);
        record.key = key;
        record.partition = self.partition.map(PartitionId::new);
        if is_null {
            record.value = None;
        }
        Ok(producer.send_blocking(&record)?)
    }
}

/// Waits until at most `most` records are unacknowledged.
fn settle(unacknowledged: &mut VecDeque<SendHandle>, most: usize) -> Result<(), Failure> {
    while unacknowledged.len() > most {
        if let Some(handle) = unacknowledged.pop_front() {
            handle.wait()?;
        }
    }
    Ok(())
}

/// Reads the next line into `line`, without its end. Returns whether there was one.
fn read_line(reader: &mut dyn BufRead, line: &mut Vec<u8>) -> Result<bool, Failure> {
    line.clear();
    let read = reader.read_until(b'\n', line).map_err(|error| {
        Failure::Failed(format!(
            "Cannot read the next line ({error}): the lines before it are written."
        ))
    })?;
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(read > 0)
}

fn split<'a>(line: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = line
        .windows(separator.len().max(1))
        .position(|window| window == separator)?;
    Some((&line[..at], &line[at + separator.len()..]))
}

/// A progress bar, if standard error is a terminal and the input is not typed.
fn progress(lines: &Lines) -> ProgressBar {
    if lines.typed {
        return ProgressBar::hidden();
    }
    let (bar, template) = match lines.bytes {
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

    #[test]
    fn a_last_line_without_newline_counts() {
        let mut reader: &[u8] = b"a\n\nb";
        let mut lines = Vec::new();
        let mut line = Vec::new();
        while read_line(&mut reader, &mut line).unwrap() {
            lines.push(line.clone());
        }
        assert_eq!(lines, [&b"a"[..], b"", b"b"]);
    }
}
