//! `headwater consume`: the records of a topic.

mod arrow;
mod csv;
mod format;
mod line;
mod record;
mod sink;
mod source;
mod template;

use std::str::FromStr;

use clap::Args;

use super::closing_line::{ClosingLine, Quiet};
use super::examples;
use super::exit::Failure;
use super::payload::PayloadFormat;
use super::stop::Stop;
use super::target::Target;
use crate::{DecodeOptions, Engine, Position, ScanOptions, Until};
use format::{Format, FormatParser};
use line::PayloadFormats;
use sink::Sink;
use source::{RecordRange, RecordSource};
use template::Template;

/// Print the records of a topic: up to its end, up to a position, or for ever
#[derive(Debug, Args)]
#[command(after_help = examples::CONSUME)]
pub(crate) struct Consume {
    /// The topic
    topic: String,
    #[command(flatten)]
    target: Target,
    /// Where to start: earliest, latest, an offset, an age such as -15m, or a time such as 2026-01-31T12:00:00Z. With
    /// --group, earliest or latest, for partitions of which the group has committed no offset
    #[arg(
        long,
        value_name = "POSITION",
        default_value = "earliest",
        allow_hyphen_values = true
    )]
    from: Position,
    /// Where to stop: end (the end when the command starts), or before a position as in --from. The default is end
    #[arg(
        long,
        value_name = "END",
        allow_hyphen_values = true,
        conflicts_with = "follow"
    )]
    until: Option<EndPosition>,
    /// Wait for more records at the end, until SIGINT or SIGTERM
    #[arg(long)]
    follow: bool,
    /// Read as a member of this consumer group: continue after its committed offsets, and commit the printed records
    #[arg(long, value_name = "GROUP", conflicts_with = "partition")]
    group: Option<String>,
    /// Only these partitions. May be repeated
    #[arg(long, value_name = "N")]
    partition: Vec<i32>,
    /// Stop after this many records
    #[arg(long, value_name = "N")]
    max: Option<u64>,
    /// The output format: by default a table on a terminal and JSON elsewhere
    #[arg(long, value_parser = FormatParser)]
    format: Option<Format>,
    /// Print each record in this format, as kcat's -f: %t topic, %p partition, %o offset, %T timestamp in
    /// milliseconds, %k key, %K its length, %s value, %S its length, %R the length in four bytes, %h headers, %%
    /// percent sign; \n, \r, \t, \xNN, \\. A length of -1 is null
    #[arg(
        long,
        short = 'f',
        value_name = "FORMAT",
        allow_hyphen_values = true,
        conflicts_with = "format"
    )]
    format_string: Option<Template>,
    /// The format of keys in JSON and CSV
    #[arg(long, value_name = "WRITING", default_value = "text")]
    key: PayloadFormat,
    /// The format of values in JSON and CSV
    #[arg(long, value_name = "WRITING", default_value = "text")]
    value: PayloadFormat,
    #[command(flatten)]
    quiet: Quiet,
}

/// The end of the records to print.
#[derive(Debug, Clone, PartialEq, Eq)]
enum EndPosition {
    /// The end of each partition when the command starts.
    End,
    /// Before this position.
    Before(Position),
}

impl FromStr for EndPosition {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "end" => Ok(Self::End),
            _ => text.parse().map(Self::Before),
        }
    }
}

impl Consume {
    pub(crate) fn run(self) -> Result<(), Failure> {
        self.refuse_positions_of_groups()?;
        self.target.with(|engine| {
            let mut stop = Stop::listen()?;
            let closing_line = ClosingLine::start(self.quiet);
            let mut sink = self.sink(engine)?;
            let mut records = 0;
            let done = engine.block_on(async {
                let mut source = None;
                let done = tokio::select! {
                    stopped = stop.asked() => Err(stopped),
                    done = self.consume(engine, &mut source, &mut sink, &mut records) => done,
                };
                if let Some(source) = source {
                    source.close().await;
                }
                done
            });
            if matches!(done, Ok(()) | Err(Failure::Stopped(_))) {
                sink.finish()?;
                closing_line.print(records);
            }
            done
        })
    }

    /// A group has its own positions.
    fn refuse_positions_of_groups(&self) -> Result<(), Failure> {
        if self.group.is_none() {
            return Ok(());
        }
        if !matches!(self.from, Position::Earliest | Position::Latest) {
            return Err(Failure::Usage(
                "A group starts at its committed offsets, so that --from is earliest or latest with --group: move a group with headwater \
                 group reset."
                    .to_owned(),
            ));
        }
        if matches!(self.until, Some(EndPosition::Before(_))) {
            return Err(Failure::Usage(
                "A group reads up to the end or for ever: with --group use --until end, --follow or --max.".to_owned(),
            ));
        }
        Ok(())
    }

    fn sink(&self, engine: &Engine) -> Result<Sink, Failure> {
        if let Some(template) = &self.format_string {
            return Ok(Sink::Raw {
                topic: self.topic.clone(),
                template: template.clone(),
            });
        }
        let formats = PayloadFormats {
            key: self.key,
            value: self.value,
        };
        Sink::new(self.format, formats, || {
            let scan = engine.topic(&self.topic).scan(ScanOptions {
                decode: decode(),
                ..ScanOptions::default()
            });
            Ok(engine.block_on(scan.schema())?)
        })
    }

    /// Prints the records and counts them.
    async fn consume(
        &self,
        engine: &Engine,
        source: &mut Option<RecordSource>,
        sink: &mut Sink,
        records: &mut u64,
    ) -> Result<(), Failure> {
        let source = source.insert(self.open(engine).await?);
        while let Some(batch) = source.next().await? {
            sink.write(&batch.records)?;
            source.finish(&batch);
            *records += batch.len() as u64;
            // Reading may never wait, and a signal must stop it.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn open(&self, engine: &Engine) -> Result<RecordSource, Failure> {
        let range = RecordRange {
            topic: self.topic.clone(),
            from: self.from.clone(),
            until: match &self.until {
                Some(EndPosition::Before(position)) => position.clone(),
                Some(EndPosition::End) | None => Position::Latest,
            },
            partitions: self.partition.clone(),
            max: self.max,
        };
        match &self.group {
            Some(group) => {
                let until = if self.follow {
                    Until::Forever
                } else {
                    Until::End
                };
                RecordSource::group(engine, &range, group, until).await
            }
            None if self.follow => RecordSource::follow(engine, &range).await,
            None => RecordSource::scan(engine, &range).await,
        }
    }
}

/// Keys and values as plain binary arrays.
fn decode() -> DecodeOptions {
    DecodeOptions {
        views: false,
        ..DecodeOptions::default()
    }
}
