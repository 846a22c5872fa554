//! Carries out the group's todos during a poll: revokes, loses and applies assignments.

use std::collections::VecDeque;

use super::Consumer;
use super::following::Refresh;
use super::group::offsets::Offsets;
use super::group::subscription::Subscription;
use super::group::{Group, NewAssignment, Settings, Todo};
use super::start_lookup::LookupKey;
use super::stream::{Finishing, LeaveTime};
use crate::batch::TopicPartition;
use crate::cluster::can_retry;
use crate::error::{Error, ErrorKind, Result};
use crate::mutants::{self, Mutant};

/// A change of the assignment by a rebalance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rebalance {
    /// These partitions were added.
    Assigned(Vec<TopicPartition>),
    /// These partitions are released by the next call that reads; until then their offsets can be committed.
    Revoked(Vec<TopicPartition>),
    /// These partitions may already belong to other members: a commit would fail.
    Lost(Vec<TopicPartition>),
}

#[derive(Debug, Default)]
pub(super) struct Rebalancing {
    /// The rebalances to report. Nothing else happens before.
    pub(super) events: VecDeque<Rebalance>,
    /// The partitions of the last [`Rebalance::Revoked`], until they are released.
    pub(super) announced: Vec<TopicPartition>,
    /// Whether the group has sent an assignment, which may be empty.
    has_assignment: bool,
    /// Whether the member has had all partitions that the group intended for it.
    has_had_target: bool,
    /// The time left to leave the group; `None` before that begins.
    pub(super) leave_time: Option<LeaveTime>,
}

impl Consumer {
    /// Subscribes to topics as a member of `group.id`. The consumer joins the group while it is polled; polls before
    /// the first assignment return no records. Subscribing again replaces the subscription.
    pub fn subscribe(&mut self, subscription: Subscription) -> Result<()> {
        self.refuse_if_closed()?;
        let (coordinator, config) = (self.coordinator()?, self.config.group.clone());
        if let Some(group) = &self.group {
            group.subscribe(subscription);
            return Ok(());
        }
        if !self.assignment.is_empty() || self.deferred_topics.is_some() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "The consumer has partitions assigned with assign(): unsubscribe first, then subscribe.",
            ));
        }
        let group = config.expect("a consumer with a coordinator has a group");
        let settings = Settings {
            group,
            retry: self.cluster.config().retry,
            metadata_max_age: self.cluster.config().metadata_max_age,
            exclude_internal_topics: self.config.exclude_internal_topics,
        };
        self.group = Some(Group::join(
            &self.cluster,
            coordinator,
            settings,
            subscription,
        ));
        self.gauge.set_member(self.committer());
        Ok(())
    }

    /// Carries out the group's todos, refreshes followed topics, and auto-commits if due. Returns a rebalance that must
    /// be reported before anything else. Safe to cancel: the next call continues with the unfinished step.
    pub(super) async fn run_due_work(&mut self) -> Result<Option<Rebalance>> {
        self.group_polled();
        self.follow_topics(Refresh::WhenDue).await?;
        while self.rebalancing.events.is_empty() {
            let Some(group) = &self.group else { break };
            let todo = group.todo();
            if !self.rebalancing.announced.is_empty() && !matches!(todo, Todo::Lose(_)) {
                self.release_announced().await;
                continue;
            }
            match todo {
                Todo::Nothing => break,
                Todo::Fail(error) => {
                    group.failure_reported();
                    return Err(self.cluster.located(error));
                }
                Todo::Lose(partitions) => {
                    // Another attempt, after the member has rejoined, would overwrite a commit of the next owner.
                    self.committing.give_up();
                    self.drop_partitions(&partitions);
                    self.report(Rebalance::Lost(partitions));
                }
                Todo::Revoke(partitions) => self.revoke(partitions).await,
                Todo::Assign(new_assignment) => self.apply_assignment(new_assignment).await?,
            }
        }
        self.commit_if_due();
        Ok(self.rebalancing.events.pop_front())
    }

    /// Whether the group has a todo.
    pub(super) fn group_needs_action(&self) -> bool {
        let group = self.group.as_ref();
        group.is_some_and(|group| !matches!(group.todo(), Todo::Nothing))
    }

    /// Whether the consumer is subscribed and has not had an assignment yet.
    pub(super) fn awaits_assignment(&self) -> bool {
        self.group.is_some() && !self.rebalancing.has_assignment
    }

    /// Whether the group intends to assign more partitions to a member that has not had all of them yet. An assignment
    /// counts as complete if the coordinator does not let this client describe the group.
    pub(super) async fn awaits_more_partitions(&mut self) -> bool {
        let Some(group) = &self.group else {
            return false;
        };
        if self.rebalancing.has_had_target || mutants::is_active(Mutant::TakeFirstAssignment) {
            return false;
        }
        let assigned = self.assignment.partitions();
        self.rebalancing.has_had_target =
            group.has_target(&assigned).await.unwrap_or_else(|error| {
                tracing::debug!(%error, "could not find out whether the group assigns more partitions");
                !can_retry(&error)
            });
        !self.rebalancing.has_had_target
    }

    pub(super) fn group_polled(&self) {
        if let Some(group) = &self.group {
            group.polled();
        }
    }

    /// Releases the partitions that were reported as revoked, even if the group has changed its assignment since: the
    /// caller does not expect records of them before they are assigned again.
    async fn release_announced(&mut self) {
        let partitions = self.rebalancing.announced.clone();
        if self.committing.finishing == Finishing::Explicit {
            // The caller may have finished more records before it released the partitions.
            self.commit_finished().await;
        } else {
            // A retry after the release could overwrite a commit of the next owner.
            self.wait_for_commit().await;
        }
        self.drop_partitions(&partitions);
    }

    /// Commits the finished records of partitions and reports the partitions; the next call releases them.
    async fn revoke(&mut self, partitions: Vec<TopicPartition>) {
        self.commit_finished().await;
        self.rebalancing.announced.clone_from(&partitions);
        self.report(Rebalance::Revoked(partitions));
    }

    /// Applies an assignment: first revokes the removed partitions, then adds the new ones.
    async fn apply_assignment(&mut self, new_assignment: NewAssignment) -> Result<()> {
        let mut revoked = self.assignment.partitions();
        revoked.retain(|partition| !new_assignment.partitions.contains(partition));
        if !revoked.is_empty() {
            self.revoke(revoked).await;
            return Ok(());
        }
        let new = self.assignment.not_assigned(&new_assignment.partitions);
        let key = LookupKey::Assignment(new_assignment.version, new.clone());
        let starts = self.look_up(key).await.found?;
        let accepted = self
            .group
            .as_ref()
            .is_some_and(|group| group.accept_assignment(new_assignment.version));
        if accepted {
            self.assignment
                .replace(&new_assignment.partitions, &starts.positions);
            self.assignment.start_with_epochs(&starts.leader_epochs);
            self.rebalancing.has_assignment = true;
            self.assignment_changed(&starts.committed);
            if !new.is_empty() {
                self.report(Rebalance::Assigned(new));
            }
        }
        Ok(())
    }

    fn drop_partitions(&mut self, partitions: &[TopicPartition]) {
        self.rebalancing.announced.clear();
        self.assignment.drop_all(partitions);
        self.assignment_changed(&Offsets::new());
        if let Some(group) = &self.group {
            group.release(partitions);
        }
    }

    /// Updates the state that depends on the assignment. `committed` has the known committed offsets of new partitions.
    pub(super) fn assignment_changed(&mut self, committed: &Offsets) {
        self.known_topics.retain(&self.assignment.partitions());
        self.positions_changed(committed);
        self.decoder = None;
    }

    /// Updates the finished offsets after positions were set.
    pub(super) fn positions_changed(&mut self, committed: &Offsets) {
        self.lookups.stop_all();
        let positions = self.assignment.positions();
        self.gauge.set_positions(&positions);
        self.committing
            .finished
            .set_positions(&positions, committed);
    }

    fn report(&mut self, rebalance: Rebalance) {
        self.rebalancing.events.push_back(rebalance);
    }
}
