//! Commits, fetches and deletes offsets; deletes groups.

use headwater_env::Env;
use headwater_protocol::{ErrorCode, Str};
use uuid::Uuid;

use super::committed::{CommittedOffset, tombstone};
use super::coordinator::{Coordinator, Groups};
use super::detached::detached;
use super::group::Group;
use super::offsets_topic::WriteError;

/// The sender of an offset commit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Committer<'a> {
    pub(crate) group_id: &'a Str,
    pub(crate) member_id: &'a str,
    pub(crate) instance_id: Option<&'a Str>,
    /// The generation or the member epoch; negative if the sender is not a member.
    pub(crate) generation: i32,
    pub(crate) rules: CommitRules,
}

/// The kinds of members that the request version supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommitRules {
    /// Classic members, identified by a generation (versions before 9).
    Generations,
    /// Members of consumer groups too, identified by an epoch.
    Epochs,
}

/// An offset to commit.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub(crate) topic: Str,
    pub(crate) partition: i32,
    pub(crate) offset: CommittedOffset,
}

impl<E: Env> Groups<E> {
    /// Commits all of the offsets or none. They are written when this returns.
    pub(crate) async fn commit_offsets(
        &self,
        committer: Committer<'_>,
        commits: Vec<Commit>,
    ) -> Result<(), ErrorCode> {
        self.ensure_coordinators()
            .await
            .map_err(|refusal| refusal.code)?;
        let group_id = detached(committer.group_id);
        let mut coordinator = self.coordinator_of(&group_id)?;
        coordinator.check_commit(&group_id, &committer)?;
        let records: Vec<_> = commits
            .iter()
            .map(|commit| {
                commit
                    .offset
                    .record(&group_id, &commit.topic, commit.partition)
            })
            .collect();
        coordinator.write(&records).map_err(|error| match error {
            WriteError::TooLarge => ErrorCode::InvalidCommitOffsetSize,
            error => error.code(),
        })?;
        if !commits.is_empty() {
            let entry = coordinator.shard_mut().get_or_new(&group_id);
            for commit in commits {
                entry
                    .offsets
                    .set(&commit.topic, commit.partition, Some(commit.offset));
            }
        }
        Ok(())
    }

    /// Deletes a group without members, and its offsets.
    pub(crate) fn delete_group(&self, group_id: &Str) -> Result<(), ErrorCode> {
        let mut coordinator = self.coordinator_of(group_id)?;
        let Some(entry) = coordinator.shard().get(group_id) else {
            return Err(ErrorCode::GroupIdNotFound);
        };
        if !entry.group.is_empty() {
            return Err(ErrorCode::NonEmptyGroup);
        }
        let partitions = entry.offsets.partitions(None);
        coordinator.forget_offsets(group_id, &partitions)?;
        coordinator.forget_group(group_id)
    }

    /// Deletes offsets of partitions that the group is not subscribed to. The results are in the order of `partitions`.
    pub(crate) fn delete_offsets(
        &self,
        group_id: &Str,
        partitions: &[(Str, i32)],
    ) -> Result<Vec<ErrorCode>, ErrorCode> {
        let mut coordinator = self.coordinator_of(group_id)?;
        let Some(entry) = coordinator.shard().get(group_id) else {
            return Err(ErrorCode::GroupIdNotFound);
        };
        if !entry.group.is_empty() && !entry.group.has_consumer_protocol_type() {
            return Err(ErrorCode::NonEmptyGroup);
        }
        let code = |(topic, _): &(Str, i32)| {
            if entry.group.is_subscribed_to(topic) {
                ErrorCode::GroupSubscribedToTopic
            } else {
                ErrorCode::None
            }
        };
        let codes: Vec<_> = partitions.iter().map(code).collect();
        let has_offset =
            |(topic, partition): &(Str, i32)| entry.offsets.get(topic, *partition).is_some();
        let chosen = partitions.iter().zip(&codes);
        let chosen: Vec<_> = chosen
            .filter(|(partition, code)| code.is_ok() && has_offset(partition))
            .map(|(partition, _)| partition.clone())
            .collect();
        coordinator.forget_offsets(group_id, &chosen)?;
        Ok(codes)
    }

    /// Deletes the offsets of a deleted topic from all groups.
    pub(crate) fn forget_offsets_of_topic(&self, topic: &str, topic_id: Uuid) {
        if self
            .controller
            .image()
            .topic(super::offsets_topic::TOPIC)
            .is_none()
        {
            return;
        }
        for index in 0..self.coordinators() {
            let Ok(mut coordinator) = self.coordinator(index) else {
                return;
            };
            let with_offsets = coordinator.shard().iter().map(|(group_id, entry)| {
                let mut partitions = entry.offsets.partitions(Some(topic));
                // A new topic of the same name may already have commits.
                partitions.retain(|(topic, partition)| {
                    entry.offsets.get(topic, *partition).is_some_and(|offset| {
                        offset.topic_id.is_nil() || offset.topic_id == topic_id
                    })
                });
                (group_id.clone(), partitions)
            });
            let with_offsets: Vec<_> = with_offsets.collect();
            for (group_id, partitions) in with_offsets {
                if let Err(code) = coordinator.forget_offsets(&group_id, &partitions) {
                    tracing::warn!(%group_id, topic, %code, "the offsets of a deleted topic were not deleted; they stay until they expire");
                }
            }
        }
    }
}

impl<E: Env> Coordinator<'_, E> {
    /// Writes tombstones for the offsets, then removes them.
    pub(super) fn forget_offsets(
        &mut self,
        group_id: &Str,
        partitions: &[(Str, i32)],
    ) -> Result<(), ErrorCode> {
        /// Keeps a batch of tombstones well below the smallest sensible `max.message.bytes`.
        const AT_ONCE: usize = 500;
        for some in partitions.chunks(AT_ONCE) {
            let records: Vec<_> = some
                .iter()
                .map(|(topic, partition)| tombstone(group_id, topic, *partition))
                .collect();
            self.write(&records).map_err(|error| error.code())?;
            if let Some(entry) = self.shard_mut().get_mut(group_id) {
                for (topic, partition) in some {
                    entry.offsets.set(topic, *partition, None);
                }
            }
        }
        Ok(())
    }

    fn check_commit(&mut self, group_id: &Str, committer: &Committer<'_>) -> Result<(), ErrorCode> {
        let (member_id, generation) = (committer.member_id, committer.generation);
        match self.shard().get(group_id).map(|entry| &entry.group) {
            None if generation < 0 => Ok(()),
            None if committer.rules == CommitRules::Epochs => Err(ErrorCode::GroupIdNotFound),
            None => Err(ErrorCode::IllegalGeneration),
            Some(Group::Consumer(group)) => {
                // Only members of the consumer protocol need a version with member epochs.
                let is_member = !group.is_empty() || generation >= 0;
                let needs_epochs = is_member && !group.is_classic_member(member_id);
                if needs_epochs && committer.rules == CommitRules::Generations {
                    return Err(ErrorCode::UnsupportedVersion);
                }
                group.check_commit(member_id, generation)
            }
            Some(Group::Classic(_)) => {
                let checked = self.change(group_id, |group, context, _| {
                    group.check_commit(member_id, committer.instance_id, generation, context)
                });
                checked.unwrap_or(Ok(()))
            }
        }
    }

    /// Writes the tombstones of a group without members and offsets, then removes it.
    pub(super) fn forget_group(&mut self, group_id: &Str) -> Result<(), ErrorCode> {
        let Some(entry) = self.shard().get(group_id) else {
            return Ok(());
        };
        let tombstones = entry.group.tombstones(group_id);
        self.write(&tombstones).map_err(|error| error.code())?;
        self.shard_mut().remove(group_id);
        Ok(())
    }
}
