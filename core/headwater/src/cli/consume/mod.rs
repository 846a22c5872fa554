//! `headwater consume`: the records of a topic.

mod arrow;
mod line;

use std::io::{self, IsTerminal as _, Stdout, Write as _};

use clap::{Args, ValueEnum};

use super::exit::Failure;
use super::output::{self, Layout};
use super::payload::PayloadFormat;
use super::stop::Stop;
use super::target::Target;
use crate::{
    Batch, BatchOptions, BatchStream, Consumer, ConsumerConfig, DecodeOptions, Engine, PartitionId,
    Position, ScanOptions, TopicPartition, Until,
};
use arrow::ArrowOutput;
use line::RecordLine;

/// Print the records of a topic, up to its end or for ever
#[derive(Debug, Args)]
pub(crate) struct Consume {
    /// The topic
    topic: String,
    #[command(flatten)]
    target: Target,
    /// Where to start: earliest, latest, an offset, an age such as -15m, or a time such as 2026-01-31T12:00:00Z
    #[arg(
        long,
        value_name = "POSITION",
        default_value = "earliest",
        allow_hyphen_values = true
    )]
    from: Position,
    /// Wait for more records at the end, until SIGINT or SIGTERM
    #[arg(long)]
    follow: bool,
    /// Only these partitions. May be repeated
    #[arg(long, value_name = "N")]
    partition: Vec<i32>,
    /// Stop after this many records
    #[arg(long, value_name = "N")]
    max: Option<usize>,
    /// The output format: by default a table on a terminal and JSON elsewhere
    #[arg(long)]
    format: Option<Format>,
    /// The format of keys in JSON
    #[arg(long, value_name = "WRITING", default_value = "text")]
    key: PayloadFormat,
    /// The format of values in JSON
    #[arg(long, value_name = "WRITING", default_value = "text")]
    value: PayloadFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One object per line
    Json,
    /// Columns
    Table,
    /// An Arrow IPC stream
    Arrow,
}

/// The destination of records.
enum Sink {
    Lines(Layout),
    Arrow(Box<ArrowOutput<Stdout>>),
}

impl Consume {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let mut stop = Stop::listen()?;
        self.target.with(|engine| {
            let mut sink = self.sink(engine)?;
            engine.block_on(async {
                tokio::select! {
                    () = stop.asked() => Ok(()),
                    done = self.consume(engine, &mut sink) => done,
                }
            })?;
            match sink {
                Sink::Lines(_) => Ok(()),
                Sink::Arrow(output) => output.finish(),
            }
        })
    }

    fn sink(&self, engine: &Engine) -> Result<Sink, Failure> {
        let terminal = io::stdout().is_terminal();
        Ok(match self.format {
            Some(Format::Table) => Sink::Lines(Layout::Table),
            None if terminal => Sink::Lines(Layout::Table),
            None | Some(Format::Json) => Sink::Lines(Layout::Json),
            Some(Format::Arrow) if terminal => {
                return Err(Failure::Usage(
                    "Arrow is not for terminals: send the output to a file or a program."
                        .to_owned(),
                ));
            }
            Some(Format::Arrow) => {
                let scan = engine.topic(&self.topic).scan(ScanOptions {
                    decode: decode(),
                    ..ScanOptions::default()
                });
                let schema = engine.block_on(scan.schema())?;
                Sink::Arrow(Box::new(ArrowOutput::start(io::stdout(), &schema)?))
            }
        })
    }

    async fn consume(&self, engine: &Engine, sink: &mut Sink) -> Result<(), Failure> {
        self.refuse_offset_out_of_range(engine).await?;
        let mut consumer = self.consumer(engine).await?;
        let defaults = BatchOptions::default();
        let mut left = self.max.unwrap_or(usize::MAX);
        let stream = BatchStream::new(BatchOptions {
            max_records: left.clamp(1, defaults.max_records),
            until: if self.follow {
                Until::Forever
            } else {
                Until::End
            },
            ..defaults
        })?;
        while left > 0 {
            let Some(mut batch) = consumer.next_batch(&stream).await? else {
                break;
            };
            batch.records = batch.records.slice(0, batch.len().min(left));
            left -= batch.len();
            self.print(&batch, sink)?;
        }
        Ok(())
    }

    /// Reports an offset out of range, which the first fetch would find.
    async fn refuse_offset_out_of_range(&self, engine: &Engine) -> Result<(), Failure> {
        let partitions = self.partition.iter().copied().map(PartitionId::new);
        let scan = engine.topic(&self.topic).scan(ScanOptions {
            start: self.from.clone(),
            partitions: (!self.partition.is_empty()).then(|| partitions.collect()),
            decode: decode(),
            ..ScanOptions::default()
        });
        scan.reader().await?;
        Ok(())
    }

    async fn consumer(&self, engine: &Engine) -> Result<Consumer, Failure> {
        let config = ConsumerConfig::parse([("auto.offset.reset", "earliest")])?;
        let mut consumer = engine.consumer(config);
        consumer.decode_as(decode())?;
        if self.partition.is_empty() {
            consumer.assign_topics(&[&self.topic]).await?;
        } else {
            let partition = |number: &i32| TopicPartition::new(self.topic.as_str(), *number);
            let partitions = self.partition.iter().map(partition).collect();
            consumer.assign(partitions).await?;
        }
        consumer.seek(&self.from, &[]).await?;
        // A start offset may be past the end of some partitions: there it means the end.
        let ends = engine.topic(&self.topic).offsets(&Position::Latest).await?;
        for (partition, position) in consumer.consumed() {
            if let Some(end) = ends.get(&partition.partition)
                && position > *end
            {
                consumer.seek(&(*end).into(), &[partition]).await?;
            }
        }
        Ok(consumer)
    }

    fn print(&self, batch: &Batch, sink: &mut Sink) -> Result<(), Failure> {
        match sink {
            Sink::Lines(layout) => {
                let lines = RecordLine::all(&batch.records, self.key, self.value);
                let mut out = io::BufWriter::new(io::stdout().lock());
                output::print(&lines, *layout, &mut out)?;
                out.flush().map_err(|error| Failure::of_output(&error))
            }
            Sink::Arrow(output) => output.write(&batch.records),
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
