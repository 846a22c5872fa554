//! The consumer: reads assigned partitions in offset order, as Arrow tables.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater_columnar::DecodeOptions;
use headwater_record::Offset;

use crate::batch::{Batch, TopicPartition};
use crate::client::Client;
pub use crate::config::consumer::ConsumerConfig;
use crate::error::Result;
use crate::position::Position;

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
    /// Fetched bytes behind a table at most, beyond one record batch.
    pub max_bytes: usize,
    /// How long to wait for a fuller table once there is something.
    pub max_wait: Duration,
    /// When to stop.
    pub until: Until,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self { max_records: 65_536, max_bytes: 16 << 20, max_wait: Duration::from_millis(100), until: Until::Forever }
    }
}

/// Reads assigned partitions. One thread at a time; every future may be dropped without losing a record.
#[derive(Debug)]
pub struct Consumer {
    client: Client,
    config: ConsumerConfig,
}

impl Consumer {
    pub(crate) fn new(client: Client, config: ConsumerConfig) -> Self {
        Self { client, config }
    }

    /// Chooses columns and formats of what is polled from now on.
    pub fn decode_as(&mut self, decode: DecodeOptions) {
        let _ = decode;
        todo!()
    }

    /// Reads these partitions from now on, and only these. A partition that stays keeps its position; a new one starts where
    /// `auto.offset.reset` says.
    pub async fn assign(&mut self, partitions: Vec<TopicPartition>) -> Result<()> {
        let _ = partitions;
        todo!()
    }

    /// Reads all partitions of these topics.
    pub async fn assign_topics(&mut self, topics: &[&str]) -> Result<()> {
        let _ = topics;
        todo!()
    }

    /// The partitions assigned, in order.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        todo!()
    }

    /// Goes on at `to` in the named partitions, or in all assigned ones if none is named.
    pub async fn seek(&mut self, to: &Position, partitions: &[TopicPartition]) -> Result<()> {
        let _ = (to, partitions);
        todo!()
    }

    /// The next offset to be read in each assigned partition.
    pub async fn position(&mut self) -> Result<BTreeMap<TopicPartition, Offset>> {
        todo!()
    }

    /// How many records lie between the position and the end of each assigned partition.
    pub async fn lag(&mut self) -> Result<BTreeMap<TopicPartition, u64>> {
        todo!()
    }

    /// Stops reading the named partitions, or all if none is named, without giving them up.
    pub fn pause(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let _ = partitions;
        todo!()
    }

    /// Reads paused partitions again; all if none is named.
    pub fn resume(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let _ = partitions;
        todo!()
    }

    /// The paused partitions, in order.
    pub fn paused(&self) -> Vec<TopicPartition> {
        todo!()
    }

    /// The next records, at most `max_records` (`None`: `max.poll.records`); an empty table when `timeout` passes first.
    pub async fn poll(&mut self, timeout: Duration, max_records: Option<usize>) -> Result<Batch> {
        let _ = (timeout, max_records);
        todo!()
    }

    /// The next table of a stream, or `None` at its end.
    pub async fn next_batch(&mut self, options: &BatchOptions) -> Result<Option<Batch>> {
        let _ = options;
        todo!()
    }

    /// Gives the assignment up. Idempotent.
    pub fn close(&mut self) {}
}
