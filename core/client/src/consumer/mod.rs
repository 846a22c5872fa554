//! The consumer: reads assigned partitions in offset order, as Arrow tables.

mod assignment;
mod filling;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use headwater_columnar::{Column, DecodeOptions, Decoder};
use headwater_record::{Offset, PartitionId};

use crate::batch::{Batch, TopicPartition};
use crate::client::Client;
pub use crate::config::consumer::ConsumerConfig;
use crate::config::consumer::OffsetReset;
use crate::decode;
use crate::error::{Error, ErrorKind, Result};
use crate::list_offsets;
use crate::position::Position;

use assignment::{Assignment, Ends};

/// When [`Consumer::next_batch`] stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Until {
    /// Never: it waits for more.
    #[default]
    Forever,
    /// At the end of each partition as it was at the first call.
    End,
}

/// How [`Consumer::next_batch`] cuts the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchOptions {
    /// Records in a table at most.
    pub max_records: usize,
    /// Fetched bytes behind a table at most, beyond what one fetch brings from one partition.
    pub max_bytes: usize,
    /// How long to wait for a fuller table once there is something.
    pub max_wait: Duration,
    /// When to stop.
    pub until: Until,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            max_records: 65_536,
            max_bytes: 16 << 20,
            max_wait: Duration::from_millis(100),
            until: Until::Forever,
        }
    }
}

/// Reads assigned partitions. One thread at a time; every future may be dropped without losing a record: positions move only when a table
/// is handed out.
#[derive(Debug)]
pub struct Consumer {
    client: Client,
    config: ConsumerConfig,
    decode: DecodeOptions,
    decoder: Option<Decoder>,
    assignment: Assignment,
    ends: Option<Ends>,
    closed: bool,
}

impl Consumer {
    pub(crate) fn new(client: Client, config: ConsumerConfig) -> Self {
        let decode = DecodeOptions {
            check_crc: config.check_crcs,
            ..DecodeOptions::default()
        };
        Self {
            client,
            config,
            decode,
            decoder: None,
            assignment: Assignment::default(),
            ends: None,
            closed: false,
        }
    }

    /// The client it came from.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What it was told.
    pub fn config(&self) -> &ConsumerConfig {
        &self.config
    }

    /// Chooses columns and formats of what is polled from now on. `check.crcs` stays as it was configured.
    pub fn decode_as(&mut self, decode: DecodeOptions) -> Result<()> {
        decode::decoder(decode.clone())?;
        self.decode = DecodeOptions {
            check_crc: self.config.check_crcs,
            ..decode
        };
        self.decoder = None;
        Ok(())
    }

    /// Reads these partitions from now on, and only these. A partition that stays keeps its position; a new one starts where
    /// `auto.offset.reset` says, as of now.
    pub async fn assign(&mut self, partitions: Vec<TopicPartition>) -> Result<()> {
        self.refuse_if_closed()?;
        let mut partitions = partitions;
        partitions.sort_unstable();
        partitions.dedup();
        for partition in &partitions {
            self.client
                .topic_metadata(&partition.topic)
                .await?
                .leader(partition.partition)?;
        }
        let new: Vec<_> = partitions
            .iter()
            .filter(|partition| !self.assignment.contains(partition))
            .cloned()
            .collect();
        let start = match self.config.auto_offset_reset {
            // Without a rule the first offset serves until the caller seeks.
            OffsetReset::None | OffsetReset::Earliest => Position::Earliest,
            OffsetReset::Latest => Position::Latest,
            OffsetReset::ByDuration(age) => {
                Position::AgoMs(u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
            }
        };
        let positions = self.resolve(&start, &new).await?;
        self.assignment.replace(&partitions, &positions);
        self.decoder = None;
        self.ends = None;
        Ok(())
    }

    /// Reads all partitions of these topics.
    pub async fn assign_topics(&mut self, topics: &[&str]) -> Result<()> {
        let mut partitions = Vec::new();
        for topic in topics {
            let metadata = self.client.refresh_topic(topic).await?;
            partitions.extend(
                metadata
                    .partition_ids()
                    .map(|partition| TopicPartition::new(metadata.name.clone(), partition)),
            );
        }
        self.assign(partitions).await
    }

    /// The partitions assigned, in order.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        self.assignment.partitions()
    }

    /// Goes on at `to` in the named partitions, or in all assigned ones if none is named.
    ///
    /// An offset is taken as it is; if it turns out not to be in the log, the next poll does what `auto.offset.reset` says.
    pub async fn seek(&mut self, to: &Position, partitions: &[TopicPartition]) -> Result<()> {
        self.refuse_if_closed()?;
        let partitions = self.assignment.named(partitions)?;
        let offsets = self.resolve(to, &partitions).await?;
        for (partition, offset) in offsets {
            self.assignment.seek(&partition, offset);
        }
        self.ends = None;
        Ok(())
    }

    /// The next offset to be handed out in each assigned partition.
    #[expect(
        clippy::unused_async,
        reason = "with a group, a position may first have to be asked for"
    )]
    pub async fn position(&self) -> Result<BTreeMap<TopicPartition, Offset>> {
        self.refuse_if_closed()?;
        Ok(self.assignment.positions())
    }

    /// How many offsets lie between the position and the end of each assigned partition.
    pub async fn lag(&self) -> Result<BTreeMap<TopicPartition, u64>> {
        self.refuse_if_closed()?;
        let ends = self
            .resolve(&Position::Latest, &self.assignment.partitions())
            .await?;
        let positions = self.assignment.positions();
        let lag = |(partition, end): (TopicPartition, Offset)| {
            let position = positions.get(&partition).copied().unwrap_or(end);
            (partition, u64::try_from(end - position).unwrap_or(0))
        };
        Ok(ends.into_iter().map(lag).collect())
    }

    /// Stops reading the named partitions, or all if none is named, without giving them up.
    pub fn pause(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let partitions = self.assignment.named(partitions)?;
        self.assignment.set_paused(&partitions, true);
        Ok(())
    }

    /// Reads paused partitions again; all if none is named.
    pub fn resume(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let partitions = self.assignment.named(partitions)?;
        self.assignment.set_paused(&partitions, false);
        Ok(())
    }

    /// The paused partitions, in order.
    pub fn paused(&self) -> Vec<TopicPartition> {
        self.assignment.paused()
    }

    /// The next records, at most `max_records` (`None`: `max.poll.records`); an empty table when `timeout` passes first.
    pub async fn poll(&mut self, timeout: Duration, max_records: Option<usize>) -> Result<Batch> {
        self.refuse_if_idle()?;
        let max_records = max_records.unwrap_or(self.config.max_poll_records).max(1);
        let deadline = Instant::now().checked_add(timeout);
        loop {
            let batch = self.hand_out(max_records, self.config.fetch_max_bytes, None)?;
            if !batch.is_empty() {
                return Ok(batch);
            }
            let left = deadline.map_or(Duration::MAX, |deadline| {
                deadline.saturating_duration_since(Instant::now())
            });
            let brought = self
                .fill(left.min(self.config.fetch_max_wait), None)
                .await?;
            if !brought && deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(batch);
            }
        }
    }

    /// The next table of a stream, or `None` at its end.
    pub async fn next_batch(&mut self, options: &BatchOptions) -> Result<Option<Batch>> {
        self.refuse_if_idle()?;
        self.fix_ends(options.until).await?;
        let ends = self.ends.clone();
        loop {
            self.gather(options, ends.as_ref()).await?;
            let batch =
                self.hand_out(options.max_records.max(1), options.max_bytes, ends.as_ref())?;
            if !batch.is_empty() {
                return Ok(Some(batch));
            }
            let more = self.assignment.ahead(ends.as_ref()).offsets > 0
                || self.assignment.fetchable(ends.as_ref()).next().is_some();
            if !more {
                return if options.until == Until::End {
                    Ok(None)
                } else {
                    Err(all_paused())
                };
            }
        }
    }

    /// Gives the assignment up and refuses further use. Idempotent.
    pub fn close(&mut self) {
        self.assignment.clear();
        self.closed = true;
    }

    /// Fetches until a table is full, until `max_wait` has passed since there was something, or until there is nothing more to fetch.
    async fn gather(&mut self, options: &BatchOptions, ends: Option<&Ends>) -> Result<()> {
        let mut full_by = None;
        loop {
            let ahead = self.assignment.ahead(ends);
            if ahead.offsets >= options.max_records as u64 || ahead.bytes >= options.max_bytes {
                return Ok(());
            }
            if self.assignment.fetchable(ends).next().is_none() {
                return Ok(());
            }
            let wait = if ahead.offsets == 0 {
                self.config.fetch_max_wait
            } else {
                let full_by = *full_by.get_or_insert_with(|| Instant::now() + options.max_wait);
                full_by.saturating_duration_since(Instant::now())
            };
            let brought = self.fill(wait, ends).await?;
            if !brought && full_by.is_some_and(|full_by| Instant::now() >= full_by) {
                return Ok(());
            }
        }
    }

    /// Decodes what lies ahead and moves the positions.
    fn hand_out(
        &mut self,
        max_records: usize,
        max_bytes: usize,
        ends: Option<&Ends>,
    ) -> Result<Batch> {
        let mut chunks = self.assignment.take(max_records, max_bytes, ends);
        let decoder = match self.decoder.take() {
            Some(decoder) => decoder,
            None => decode::decoder(self.columns_for_assignment())?,
        };
        let decoder = self.decoder.insert(decoder);
        if chunks.is_empty() {
            return decode::empty(decoder);
        }
        let batch = decode::decode(decoder, &mut chunks, max_records)?;
        self.assignment.passed(&batch.next_offsets);
        Ok(batch)
    }

    /// With several topics the table says which one a record is from.
    fn columns_for_assignment(&self) -> DecodeOptions {
        let mut decode = self.decode.clone();
        let partitions = self.assignment.partitions();
        let several = partitions
            .windows(2)
            .any(|pair| pair[0].topic != pair[1].topic);
        if several {
            decode.columns = decode.columns.with(Column::Topic);
        }
        decode
    }

    async fn fix_ends(&mut self, until: Until) -> Result<()> {
        match until {
            Until::Forever => self.ends = None,
            Until::End if self.ends.is_none() => {
                self.ends = Some(
                    self.resolve(&Position::Latest, &self.assignment.partitions())
                        .await?,
                );
            }
            Until::End => {}
        }
        Ok(())
    }

    /// The offset of `at` in each of `partitions`, whatever their topics.
    async fn resolve(
        &self,
        at: &Position,
        partitions: &[TopicPartition],
    ) -> Result<BTreeMap<TopicPartition, Offset>> {
        let mut topics: BTreeMap<&str, Vec<PartitionId>> = BTreeMap::new();
        for partition in partitions {
            topics
                .entry(&partition.topic)
                .or_default()
                .push(partition.partition);
        }
        let mut found = BTreeMap::new();
        for (topic, numbers) in topics {
            let offsets = list_offsets::resolve(
                &self.client,
                topic,
                &numbers,
                at,
                self.config.isolation_level,
            )
            .await?;
            found.extend(
                offsets
                    .into_iter()
                    .map(|(number, offset)| (TopicPartition::new(topic, number), offset)),
            );
        }
        Ok(found)
    }

    fn refuse_if_closed(&self) -> Result<()> {
        if self.closed {
            return Err(Error::new(
                ErrorKind::Closed,
                "The consumer is closed: make a new one to read on.",
            ));
        }
        Ok(())
    }

    fn refuse_if_idle(&self) -> Result<()> {
        self.refuse_if_closed()?;
        if self.assignment.is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "The consumer has no partition to read: assign some first.",
            ));
        }
        Ok(())
    }
}

fn all_paused() -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        "All partitions of the consumer are paused: resume one to read on.",
    )
}
