//! Who may have a session while there are not enough for all. Pure: time is handed in.
//!
//! As in Kafka a new session takes a free slot, or else the slot of the session that nobody has used for the longest, if that is more
//! than two minutes, or else that of the smallest of the sessions that were used when older than two minutes, if the new one is larger.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::session_id::SessionId;

/// How long a session is safe: after its last use, and after it was made.
const SAFE: Duration = Duration::from_mins(2);

/// Sessions `S` by their ids.
#[derive(Debug)]
pub(crate) struct Slots<S> {
    count: usize,
    partitions_max: usize,
    partitions: usize,
    taken: HashMap<SessionId, Slot<S>>,
    by_use: BTreeSet<(Duration, SessionId)>,
    /// Those that have lived long enough to go for another, by size.
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
    /// `count` free slots, for sessions of `partitions_max` partitions together.
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

    /// The session of that id.
    pub(crate) fn get(&self, id: SessionId) -> Option<&S> {
        self.taken.get(&id).map(|slot| &slot.session)
    }

    /// Frees the slot of a session.
    pub(crate) fn remove(&mut self, id: SessionId) {
        if let Some(slot) = self.taken.remove(&id) {
            self.by_use.remove(&(slot.used, id));
            self.by_size.remove(&(slot.len, id));
            self.partitions -= slot.len;
        }
    }

    /// A session is used at `now` and has `len` partitions. False if it has no slot (any more).
    pub(crate) fn touch(&mut self, id: SessionId, len: usize, now: Duration) -> bool {
        let Some(slot) = self.taken.get_mut(&id) else {
            return false;
        };
        self.by_use.remove(&(slot.used, id));
        self.by_use.insert((now, id));
        self.by_size.remove(&(slot.len, id));
        if now.saturating_sub(slot.made) > SAFE {
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

    /// Gives a new session of `len` partitions a slot, if it may have one.
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
            let goes = self.who_goes(len, now)?;
            self.remove(goes);
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

    /// The session that goes for a new one of `len` partitions.
    fn who_goes(&self, len: usize, now: Duration) -> Option<SessionId> {
        let (used, longest_unused) = *self.by_use.first()?;
        if now.saturating_sub(used) > SAFE {
            return Some(longest_unused);
        }
        let (smallest_len, smallest) = *self.by_size.first()?;
        (len > smallest_len).then_some(smallest)
    }
}

#[cfg(test)]
#[path = "slots_tests.rs"]
mod tests;
