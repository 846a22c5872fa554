//! Rules that select frames and their faults.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use headwater_protocol::ApiKey;

use crate::chance::Chance;

/// The direction of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the broker.
    Request,
    /// From the broker to the client.
    Response,
}

/// The position where a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutAt {
    /// Nothing of the frame arrives.
    Before,
    /// Half of the frame arrives.
    Middle,
    /// The frame arrives, and nothing after it.
    After,
}

/// How a connection ends, for both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutHow {
    /// In order (FIN).
    Close,
    /// With an error (RST), which also drops unread bytes.
    Reset,
}

/// The fault of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It arrives later by this time, and so does everything after it.
    Delay(Range<Duration>),
    /// It stops in the middle for this time.
    Stall(Range<Duration>),
    /// The connection ends.
    Cut(CutAt, CutHow),
    /// It arrives twice.
    Repeat,
}

/// A rule for frames to disturb.
#[derive(Debug)]
pub struct Rule {
    /// The direction of the frames.
    pub direction: Direction,
    /// The APIs of the frames; all if empty.
    pub apis: Vec<ApiKey>,
    /// On average one of this many matching frames is disturbed.
    pub one_in: u64,
    /// The number of frames that may still be disturbed.
    pub times_left: AtomicU64,
    /// The fault.
    pub fault: Fault,
}

impl Rule {
    /// Disturbs one of `one_in` frames of these APIs, without a limit.
    pub fn new(
        direction: Direction,
        apis: impl Into<Vec<ApiKey>>,
        one_in: u64,
        fault: Fault,
    ) -> Self {
        Self {
            direction,
            apis: apis.into(),
            one_in,
            times_left: AtomicU64::new(u64::MAX),
            fault,
        }
    }

    /// Limits the number of disturbed frames.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times_left = AtomicU64::new(times);
        self
    }

    /// Whether this frame is disturbed. Counts it.
    pub(super) fn applies(
        &self,
        direction: Direction,
        api: Option<ApiKey>,
        chance: &mut Chance,
    ) -> bool {
        let is_meant = self.direction == direction
            && (self.apis.is_empty() || api.is_some_and(|api| self.apis.contains(&api)));
        is_meant && chance.one_in(self.one_in) && self.take_one()
    }

    fn take_one(&self) -> bool {
        let take = |left: u64| left.checked_sub(1);
        self.times_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }
}

/// A random duration within the range.
pub(super) fn duration_within(range: &Range<Duration>, chance: &mut Chance) -> Duration {
    let micros = range.start.as_micros() as u64..range.end.as_micros() as u64;
    Duration::from_micros(chance.within(micros))
}
