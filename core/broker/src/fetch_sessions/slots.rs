//! The eviction of fetch sessions. Pure: the time is an argument.
//!
//! As in Kafka a new session takes a free slot. Without one it replaces the session that was unused for the longest
//! time, if that is more than two minutes. Otherwise it replaces the smallest session that was used while older than
//! two minutes, if the new one is larger.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::session_id::SessionId;

/// How long a session is protected after its creation and after its last use.
const PROTECTED_FOR: Duration = Duration::from_mins(2);

/// Sessions `S` by id.
#[derive(Debug)]
pub(crate) struct Slots<S> {
    count: usize,
    partitions_max: usize,
    partitions: usize,
    taken: HashMap<SessionId, Slot<S>>,
    by_use: BTreeSet<(Duration, SessionId)>,
    /// The sessions that are old enough to be evicted by a larger one, by size.
    by_size: BTreeSet<(usize, SessionId)>,
}

#[derive(Debug)]
struct Slot<S> {
    session: S,
    made: Duration,
    used: Duration,
    len: usize,
}

impl<S> Slots<S> {
    /// `count` free slots for sessions with at most `partitions_max` partitions together.
    pub(crate) fn new(count: usize, partitions_max: usize) -> Self {
        Self {
            count,
            partitions_max,
            partitions: 0,
            taken: HashMap::new(),
            by_use: BTreeSet::new(),
            by_size: BTreeSet::new(),
        }
    }

    /// The session with this id.
    pub(crate) fn get(&self, id: SessionId) -> Option<&S> {
        self.taken.get(&id).map(|slot| &slot.session)
    }

    /// Removes a session.
    pub(crate) fn remove(&mut self, id: SessionId) {
        if let Some(slot) = self.taken.remove(&id) {
            self.by_use.remove(&(slot.used, id));
            self.by_size.remove(&(slot.len, id));
            self.partitions -= slot.len;
        }
    }

    /// Marks a session as used at `now`, with `len` partitions. False if the session does not exist.
    pub(crate) fn touch(&mut self, id: SessionId, len: usize, now: Duration) -> bool {
        let Some(slot) = self.taken.get_mut(&id) else {
            return false;
        };
        self.by_use.remove(&(slot.used, id));
        self.by_use.insert((now, id));
        self.by_size.remove(&(slot.len, id));
        if now.saturating_sub(slot.made) > PROTECTED_FOR {
            self.by_size.insert((len, id));
        }
        self.partitions = self.partitions - slot.len + len;
        slot.used = now;
        slot.len = len;
        if self.partitions > self.partitions_max {
            self.remove(id);
            return false;
        }
        true
    }

    /// Inserts a new session of `len` partitions, if there is a slot for it.
    pub(crate) fn insert(
        &mut self,
        len: usize,
        now: Duration,
        session: impl FnOnce() -> S,
        mut random: impl FnMut() -> u32,
    ) -> Option<SessionId> {
        if len > self.partitions_max - self.partitions {
            return None;
        }
        if self.taken.len() >= self.count {
            let evicted = self.eviction_candidate(len, now)?;
            self.remove(evicted);
        }
        let mut id = SessionId::from_random(random());
        while self.taken.contains_key(&id) {
            id = SessionId::from_random(random());
        }
        self.taken.insert(
            id,
            Slot {
                session: session(),
                made: now,
                used: now,
                len,
            },
        );
        self.by_use.insert((now, id));
        self.partitions += len;
        Some(id)
    }

    /// The session to evict for a new one of `len` partitions.
    fn eviction_candidate(&self, len: usize, now: Duration) -> Option<SessionId> {
        let (used, longest_unused) = *self.by_use.first()?;
        if now.saturating_sub(used) > PROTECTED_FOR {
            return Some(longest_unused);
        }
        let (smallest_len, smallest) = *self.by_size.first()?;
        (len > smallest_len).then_some(smallest)
    }
}

#[cfg(test)]
mod tests;
