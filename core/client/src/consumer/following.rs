//! Topics read in full without a group, including partitions added later.

use std::sync::Arc;
use std::time::Instant;

use super::Consumer;
use super::group::offsets::Offsets;
use crate::batch::TopicPartition;
use crate::error::{ErrorKind, Result};
use crate::position::Position;

/// Topics whose partitions are all read.
#[derive(Debug)]
pub(super) struct FollowedTopics {
    topics: Vec<Arc<str>>,
    /// The time of the last metadata refresh, and the generation at that time.
    refreshed_at: Instant,
    generation: u64,
}

/// When to refresh the metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refresh {
    /// When the client's metadata has changed, or after `metadata.max.age.ms`.
    WhenDue,
    Now,
}

impl Consumer {
    /// Assigns all partitions of these topics. Partitions added later are read from their first record.
    pub async fn assign_topics(&mut self, topics: &[&str]) -> Result<()> {
        let generation = self.cluster.metadata_generation();
        let mut partitions = Vec::new();
        let mut names = Vec::with_capacity(topics.len());
        for topic in topics {
            let metadata = self.cluster.look_up_topic(topic).await?;
            partitions.extend(
                metadata
                    .partition_ids()
                    .map(|partition| TopicPartition::new(metadata.name.clone(), partition)),
            );
            names.push(Arc::clone(&metadata.name));
        }
        self.assign(partitions).await?;
        self.followed = Some(FollowedTopics {
            topics: names,
            refreshed_at: Instant::now(),
            generation,
        });
        Ok(())
    }

    /// Adds new partitions of the topics, and removes deleted ones.
    pub(super) async fn follow_topics(&mut self, refresh: Refresh) -> Result<()> {
        let Some(followed) = &self.followed else {
            return Ok(());
        };
        let generation = self.cluster.metadata_generation();
        let is_due = refresh == Refresh::Now
            || followed.refreshed_at.elapsed() >= self.cluster.config().metadata_max_age;
        if !is_due && generation == followed.generation {
            return Ok(());
        }
        let mut partitions = Vec::new();
        for topic in followed.topics.clone() {
            let metadata = if is_due {
                self.cluster.try_refresh_topic(&topic).await
            } else {
                // The cache has the changes.
                self.cluster.try_topic_metadata(&topic).await
            };
            match metadata {
                Ok(Some(metadata)) => partitions.extend(
                    metadata
                        .partition_ids()
                        .map(|partition| TopicPartition::new(Arc::clone(&topic), partition)),
                ),
                // The topic may come back.
                Ok(None) => partitions.extend(self.assignment.of_topic(&topic)),
                Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {
                    partitions.extend(self.assignment.of_topic(&topic));
                }
                Err(error) => return Err(error),
            }
        }
        let new = self.assignment.not_assigned(&partitions);
        let starts = self.resolve(&Position::Earliest, &new).await?;
        if !new.is_empty() || partitions.len() < self.assignment.len() {
            self.assignment.replace(&partitions, &starts);
            self.assignment_changed(&Offsets::new());
        }
        if let Some(followed) = &mut self.followed {
            if is_due {
                followed.refreshed_at = Instant::now();
            }
            followed.generation = generation;
        }
        Ok(())
    }
}
