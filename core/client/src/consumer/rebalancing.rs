//! The group's wishes, carried out by who polls.

use std::collections::VecDeque;

use super::Consumer;
use super::following::Look;
use super::group::offsets::Offsets;
use super::group::subscription::Subscription;
use super::group::{Group, NewAssignment, Settings, Todo};
use crate::batch::TopicPartition;
use crate::error::{Error, ErrorKind, Result};

/// What a rebalance does to the consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rebalance {
    /// These partitions are read from now on.
    Assigned(Vec<TopicPartition>),
    /// These partitions go to others with the next poll: until then they can be committed.
    Revoked(Vec<TopicPartition>),
    /// These partitions are gone, and may be read by others already: a commit would be refused.
    Lost(Vec<TopicPartition>),
}

/// Whether rebalances are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Announce {
    /// They just happen.
    #[default]
    Nothing,
    /// Before anything else a poll comes back empty-handed for each, and [`Consumer::next_rebalance`] has it.
    Rebalances,
}

#[derive(Debug, Default)]
pub(super) struct Rebalancing {
    announce: Announce,
    events: VecDeque<Rebalance>,
    /// What the caller knows to be revoked.
    told: Vec<TopicPartition>,
    /// The group has assigned something, if only nothing.
    has_assignment: bool,
}

impl Consumer {
    /// Reads what the group `group.id` assigns of these topics from now on. The group assigns while the consumer is polled; a poll before
    /// that is empty. Subscribing again replaces the subscription.
    pub fn subscribe(&mut self, subscription: Subscription) -> Result<()> {
        self.refuse_if_closed()?;
        let (coordinator, config) = (self.coordinator()?, self.config.group.clone());
        if let Some(group) = &self.group {
            group.subscribe(subscription);
            return Ok(());
        }
        if !self.assignment.is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "Partitions are assigned to the consumer by hand: unsubscribe first, then subscribe.",
            ));
        }
        let group = config.expect("who has a coordinator has a group");
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
        Ok(())
    }

    /// Commits what is finished (with `enable.auto.commit`), leaves the group and reads nothing any more.
    pub async fn unsubscribe(&mut self) -> Result<()> {
        self.refuse_if_closed()?;
        self.give_everything_up().await;
        Ok(())
    }

    /// Commits what is finished (with `enable.auto.commit`), leaves the group, gives the assignment up and refuses further use. Idempotent.
    pub async fn close(&mut self) {
        if !self.closed {
            self.wakeup.close();
            self.give_everything_up().await;
            self.closed = true;
        }
    }

    /// Whether rebalances are told.
    pub fn announce(&mut self, announce: Announce) {
        self.rebalancing.announce = announce;
    }

    /// A rebalance that was not told yet. While there is one, polls are empty.
    pub fn next_rebalance(&mut self) -> Option<Rebalance> {
        self.rebalancing.events.pop_front()
    }

    /// Does what the group wants before records are handed out, and what is due. Each step may be given up and is then done again.
    pub(super) async fn tend(&mut self) -> Result<()> {
        self.group_polled();
        self.follow_topics(Look::WhenDue).await?;
        while !self.has_news() {
            let Some(group) = &self.group else { break };
            match group.todo() {
                Todo::Nothing => break,
                Todo::Fail(error) => {
                    group.failure_reported();
                    return Err(error);
                }
                Todo::Lose(partitions) => {
                    self.drop_partitions(&partitions);
                    self.tell(Rebalance::Lost(partitions));
                }
                Todo::Revoke(partitions) => self.revoke(partitions).await,
                Todo::Assign(new_assignment) => self.take(new_assignment).await?,
            }
        }
        self.commit_if_due();
        Ok(())
    }

    /// There is a rebalance that the caller is to hear of first.
    pub(super) fn has_news(&self) -> bool {
        !self.rebalancing.events.is_empty()
    }

    /// The group wants something.
    pub(super) fn has_todo(&self) -> bool {
        let group = self.group.as_ref();
        group.is_some_and(|group| !matches!(group.todo(), Todo::Nothing))
    }

    /// The group has not assigned anything yet.
    pub(super) fn waits_for_partitions(&self) -> bool {
        self.group.is_some() && !self.rebalancing.has_assignment
    }

    pub(super) fn group_polled(&self) {
        if let Some(group) = &self.group {
            group.polled();
        }
    }

    /// Finishes with partitions and gives them up, once the caller knows.
    async fn revoke(&mut self, partitions: Vec<TopicPartition>) {
        if self.rebalancing.told != partitions {
            self.commit_finished().await;
            if self.rebalancing.announce == Announce::Rebalances {
                self.rebalancing.told.clone_from(&partitions);
                self.tell(Rebalance::Revoked(partitions));
                return;
            }
        }
        self.drop_partitions(&partitions);
    }

    /// Takes an assignment over: first what goes, then what comes.
    async fn take(&mut self, new_assignment: NewAssignment) -> Result<()> {
        let mut revoked = self.assignment.partitions();
        revoked.retain(|partition| !new_assignment.partitions.contains(partition));
        if !revoked.is_empty() {
            self.revoke(revoked).await;
            return Ok(());
        }
        let new = self.assignment.missing(&new_assignment.partitions);
        let starts = self.starts(&new).await?;
        let accepted = self
            .group
            .as_ref()
            .is_some_and(|group| group.accept_assignment(new_assignment.generation));
        if accepted {
            self.assignment
                .replace(&new_assignment.partitions, &starts.positions);
            self.rebalancing.has_assignment = true;
            self.assignment_changed(&starts.committed);
            if !new.is_empty() {
                self.tell(Rebalance::Assigned(new));
            }
        }
        Ok(())
    }

    fn drop_partitions(&mut self, partitions: &[TopicPartition]) {
        self.rebalancing.told.clear();
        self.assignment.drop_all(partitions);
        self.assignment_changed(&Offsets::new());
        if let Some(group) = &self.group {
            group.release(partitions);
        }
    }

    /// Other partitions are read from now on. `committed` is what the group is known to have committed for the new ones.
    pub(super) fn assignment_changed(&mut self, committed: &Offsets) {
        self.known_topics.retain(&self.assignment.partitions());
        self.positions_changed(committed);
        self.decoder = None;
    }

    /// Partitions have got a position.
    pub(super) fn positions_changed(&mut self, committed: &Offsets) {
        let positions = self.assignment.positions();
        self.committing.finished.follow(&positions, committed);
    }

    fn tell(&mut self, rebalance: Rebalance) {
        if self.rebalancing.announce == Announce::Rebalances {
            self.rebalancing.events.push_back(rebalance);
        }
    }

    async fn give_everything_up(&mut self) {
        self.commit_finished().await;
        if let Some(group) = self.group.take() {
            group.leave().await;
        }
        self.assignment.clear();
        self.followed = None;
        self.assignment_changed(&Offsets::new());
        self.rebalancing = Rebalancing {
            announce: self.rebalancing.announce,
            ..Rebalancing::default()
        };
    }
}
