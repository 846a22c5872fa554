//! The consumer: reads partitions in offset order, as Arrow tables. Its partitions are assigned by the caller
//! ([`Consumer::assign`]), or by its group ([`Consumer::subscribe`]).

mod answers;
mod assigned_partition;
mod assignment;
mod assignment_epochs;
#[cfg(test)]
mod assignment_tests;
mod committing;
mod filling;
mod finished;
mod following;
mod gauge;
mod group;
mod group_metadata;
mod known_topics;
mod leader_epochs;
mod leader_fetches;
mod missing;
mod options;
mod positions;
mod preferred_replica;
mod rebalancing;
mod start_lookup;
mod stream;
mod truncation;
mod wakeup;

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_columnar::{DecodeOptions, Decoder, Infer};
use headwater_record::Offset;
use tokio::runtime::Handle;

use crate::batch::TopicPartition;
use crate::cluster::{Cluster, Coordinator};
use crate::config::ClientConfig;
pub use crate::config::consumer::ConsumerConfig;
use crate::decode;
use crate::error::{Error, ErrorKind, Result};
use crate::position::Position;
use crate::skipped::SkippedRecords;
use crate::transport::Purpose;

use assignment::Assignment;
use committing::Committing;
use following::{FollowedTopics, Refresh};
use group::Group;
use group::offsets::Offsets;
use known_topics::KnownTopics;
use leader_fetches::LeaderFetches;
use rebalancing::Rebalancing;
use start_lookup::RunningLookups;
use stream::DecodeAhead;

pub use gauge::ConsumerGauge;
pub(crate) use gauge::ConsumerRegistry;
pub use group::offsets::CommitMetadata;
pub use group::subscription::Subscription;
pub use group_metadata::GroupMetadata;
pub use options::{BatchOptions, BatchStream, Until};
pub use rebalancing::Rebalance;
pub use stream::{Event, Finishing, MessageRow, Operation};
pub use wakeup::WakeupHandle;

/// Reads assigned partitions: as tables ([`Consumer::poll`], [`Consumer::next_batch`]) or message by message
/// ([`Consumer::next_message`]). [`Consumer::next_event`] is the same for callers that report rebalances.
///
/// Not for concurrent use, except [`Consumer::wakeup_handle`]. Futures can be dropped without losing records: positions
/// move only when records are handed out. In a group, auto-commit commits finished records: those that were handed out
/// before the caller requested more.
#[derive(Debug)]
pub struct Consumer {
    cluster: Cluster,
    /// The same cluster, with a lane for fetches.
    fetches: Cluster,
    leader_fetches: LeaderFetches,
    config: ConsumerConfig,
    decode: DecodeOptions,
    decoder: Option<Decoder>,
    decode_ahead: Option<DecodeAhead>,
    assignment: Assignment,
    known_topics: KnownTopics,
    lookups: RunningLookups,
    /// Set by [`Consumer::assign_topics`].
    followed: Option<FollowedTopics>,
    /// Set by [`Consumer::assign_topics_at_first_use`].
    deferred_topics: Option<Vec<String>>,
    /// The limits for fetching messages.
    message_stream: BatchStream,
    /// The number of requested messages.
    messages: usize,
    closed: bool,
    wakeup: WakeupHandle,
    /// The coordinator of `group.id`.
    coordinator: Option<Arc<Coordinator>>,
    /// Set while subscribed.
    group: Option<Group>,
    rebalancing: Rebalancing,
    committing: Committing,
    /// Positions and ends, for [`Client::metrics`](crate::Client::metrics).
    gauge: Arc<ConsumerGauge>,
}

impl Consumer {
    pub(crate) fn new(cluster: Cluster, config: ConsumerConfig) -> Self {
        let decode = for_consumers(DecodeOptions::default(), &config);
        let group = config.group.as_ref();
        let coordinator = group.map(|group| Arc::new(Coordinator::of(&group.group_id)));
        let gauge = ConsumerGauge::new(
            &cluster.config().client_id,
            group.map(|group| &*group.group_id),
        );
        let committing = Committing::new(group.and_then(|group| group.auto_commit_interval));
        Self {
            fetches: cluster.with_lane(Purpose::Fetch),
            leader_fetches: LeaderFetches::new(&config.client_rack),
            cluster,
            config,
            decode,
            decoder: None,
            decode_ahead: None,
            assignment: Assignment::default(),
            known_topics: KnownTopics::default(),
            lookups: RunningLookups::default(),
            followed: None,
            deferred_topics: None,
            message_stream: BatchStream::for_messages(),
            messages: 0,
            closed: false,
            wakeup: WakeupHandle::default(),
            coordinator,
            gauge,
            group: None,
            rebalancing: Rebalancing::default(),
            committing,
        }
    }

    /// The runtime that drives its timers and background work.
    pub fn runtime(&self) -> &Handle {
        self.cluster.runtime()
    }

    /// The client's configuration with the keys that this consumer overrides.
    pub fn client_config(&self) -> &ClientConfig {
        self.cluster.config()
    }

    /// Its configuration.
    pub fn config(&self) -> &ConsumerConfig {
        &self.config
    }

    /// Its assignment and its membership, for other threads.
    pub fn gauge(&self) -> &Arc<ConsumerGauge> {
        &self.gauge
    }

    /// A handle that interrupts waiting calls from any thread.
    pub fn wakeup_handle(&self) -> WakeupHandle {
        self.wakeup.clone()
    }

    /// Sets the columns and formats of later polls. Takes `check.crcs` from the configuration. JSON without a schema is
    /// inferred for each table.
    pub fn decode_as(&mut self, decode: DecodeOptions) -> Result<()> {
        let decode = for_consumers(decode, &self.config);
        decode::decoder(decode.clone())?;
        self.finish_before_last();
        self.assignment.forget_table();
        self.decode = decode;
        self.decoder = None;
        Ok(())
    }

    /// Replaces the assignment. Partitions that stay keep their position. New ones start at the group's committed
    /// offset, or else according to `auto.offset.reset`. Finished records of removed partitions are committed (with
    /// `enable.auto.commit`).
    pub async fn assign(&mut self, partitions: Vec<TopicPartition>) -> Result<()> {
        self.refuse_if_closed()?;
        if self.group.is_some() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "The consumer is subscribed, and its group assigns the partitions: unsubscribe first, then assign.",
            ));
        }
        let mut partitions = partitions;
        partitions.sort_unstable();
        partitions.dedup();
        for partition in &partitions {
            self.cluster
                .topic_metadata(&partition.topic)
                .await?
                .leader(partition.partition)?;
        }
        let starts = self
            .starts(&self.assignment.not_assigned(&partitions))
            .await?;
        self.finish_before_last();
        let mut dropped = self.assignment.partitions();
        dropped.retain(|partition| !partitions.contains(partition));
        if !dropped.is_empty() {
            self.commit_finished().await;
        }
        self.assignment.replace(&partitions, &starts.positions);
        self.assignment.start_with_epochs(&starts.leader_epochs);
        self.followed = None;
        self.deferred_topics = None;
        self.assignment_changed(&starts.committed);
        Ok(())
    }

    /// The assigned partitions, sorted.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        self.assignment.partitions()
    }

    /// Moves the position of these partitions, or of all assigned ones if empty, to `to`.
    ///
    /// Offsets are not checked. If one is out of range, the next poll applies `auto.offset.reset`.
    pub async fn seek(&mut self, to: &Position, partitions: &[TopicPartition]) -> Result<()> {
        self.refuse_if_closed()?;
        self.ready().await?;
        for partition in partitions {
            self.cluster.topic_metadata(&partition.topic).await?;
        }
        let partitions = self.assignment.named(partitions)?;
        let offsets = self.resolve(to, &partitions).await?;
        self.finish_before_last();
        for (partition, offset) in &offsets {
            self.assignment.seek(partition, *offset);
            self.committing.finished.seek(partition);
        }
        self.positions_changed(&Offsets::new());
        Ok(())
    }

    /// The position of each assigned partition that exists: the next offset to hand out, also in the middle of a table
    /// that is read message by message. Fails if a partition has no start position.
    pub async fn position(&mut self) -> Result<BTreeMap<TopicPartition, Offset>> {
        self.refuse_if_closed()?;
        self.ready().await?;
        self.find_positions().await?;
        Ok(self.assignment.positions())
    }

    /// The known positions. Sends no request.
    pub fn consumed(&self) -> BTreeMap<TopicPartition, Offset> {
        self.assignment.positions()
    }

    /// The number of records that `on_error="skip"` has skipped so far. Records that are decoded again, after a seek or
    /// a rebalance, count again.
    pub fn skipped(&self) -> SkippedRecords {
        self.gauge.skipped.clone()
    }

    /// The number of offsets between the position and the end of each assigned partition that exists.
    pub async fn lag(&mut self) -> Result<BTreeMap<TopicPartition, u64>> {
        self.refuse_if_closed()?;
        self.ready().await?;
        self.follow_topics(Refresh::Now).await?;
        let ends = self
            .resolve(&Position::Latest, &self.assignment.partitions())
            .await?;
        let positions = self.assignment.positions();
        let lag = |(partition, end): (TopicPartition, Offset)| {
            let position = positions.get(&partition).copied()?;
            Some((partition, u64::try_from(end - position).unwrap_or(0)))
        };
        Ok(ends.into_iter().filter_map(lag).collect())
    }

    /// Stops fetching these partitions, or all if empty. They stay assigned.
    pub fn pause(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let partitions = self.assignment.named(partitions)?;
        self.finish_before_last();
        self.assignment.set_paused(&partitions, true);
        Ok(())
    }

    /// Resumes these partitions, or all if empty.
    pub fn resume(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let partitions = self.assignment.named(partitions)?;
        self.assignment.set_paused(&partitions, false);
        Ok(())
    }

    /// The paused partitions, sorted.
    pub fn paused(&self) -> Vec<TopicPartition> {
        self.assignment.paused()
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    fn refuse_if_closed(&self) -> Result<()> {
        if self.closed {
            return Err(wakeup::closed());
        }
        Ok(())
    }

    fn refuse_if_idle(&self) -> Result<()> {
        self.refuse_if_closed()?;
        if self.assignment.is_empty() && self.group.is_none() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "The consumer has no partitions: subscribe to topics, or assign partitions first.",
            ));
        }
        Ok(())
    }
}

/// The decode options of a consumer with this configuration.
fn for_consumers(decode: DecodeOptions, config: &ConsumerConfig) -> DecodeOptions {
    DecodeOptions {
        check_crc: config.check_crcs,
        infer: Infer::EachTable,
        ..decode
    }
}
