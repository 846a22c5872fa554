//! Topics that are read whole, without a group: partitions that are added later are read, too.

use std::sync::Arc;
use std::time::Instant;

use super::Consumer;
use super::group::offsets::Offsets;
use crate::batch::TopicPartition;
use crate::error::{ErrorKind, Result};
use crate::position::Position;

/// The topics whose partitions are all read.
#[derive(Debug)]
pub(super) struct Followed {
    topics: Vec<Arc<str>>,
    /// When the topics were looked at, and which state of the client's metadata showed them.
    looked: Instant,
    generation: u64,
}

/// When topics are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// When the client's metadata has changed, or after `metadata.max.age.ms`.
    WhenDue,
    Now,
}

impl Consumer {
    /// Reads all partitions of these topics, those that are added later from their first record on.
    pub async fn assign_topics(&mut self, topics: &[&str]) -> Result<()> {
        let generation = self.cluster.metadata_generation();
        let mut partitions = Vec::new();
        let mut names = Vec::with_capacity(topics.len());
        for topic in topics {
            let metadata = self.cluster.refresh_topic(topic).await?;
            partitions.extend(
                metadata
                    .partition_ids()
                    .map(|partition| TopicPartition::new(metadata.name.clone(), partition)),
            );
            names.push(Arc::clone(&metadata.name));
        }
        self.assign(partitions).await?;
        self.followed = Some(Followed {
            topics: names,
            looked: Instant::now(),
            generation,
        });
        Ok(())
    }

    /// Reads partitions that were added to the topics, and drops those that are not there any more.
    pub(super) async fn follow_topics(&mut self, look: Look) -> Result<()> {
        let Some(followed) = &self.followed else {
            return Ok(());
        };
        let generation = self.cluster.metadata_generation();
        let is_due = look == Look::Now
            || generation != followed.generation
            || followed.looked.elapsed() >= self.cluster.config().metadata_max_age;
        if !is_due {
            return Ok(());
        }
        let mut there = Vec::new();
        for topic in followed.topics.clone() {
            match self.cluster.try_refresh_topic(&topic).await {
                Ok(Some(metadata)) => there.extend(
                    metadata
                        .partition_ids()
                        .map(|partition| TopicPartition::new(Arc::clone(&topic), partition)),
                ),
                // It may come back.
                Ok(None) => there.extend(self.assignment.of_topic(&topic)),
                Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {
                    there.extend(self.assignment.of_topic(&topic));
                }
                Err(error) => return Err(error),
            }
        }
        let new = self.assignment.missing(&there);
        let starts = self.resolve(&Position::Earliest, &new).await?;
        if !new.is_empty() || there.len() < self.assignment.len() {
            self.assignment.replace(&there, &starts);
            self.assignment_changed(&Offsets::new());
        }
        if let Some(followed) = &mut self.followed {
            followed.looked = Instant::now();
            followed.generation = generation;
        }
        Ok(())
    }
}
