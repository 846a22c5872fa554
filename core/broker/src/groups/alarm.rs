//! The timer task: expires the time-outs of all groups.

use std::sync::{Arc, Weak};
use std::time::Duration;

use headwater_env::Env;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::coordinator::Groups;

/// The earliest deadline of all groups. It may be too early: a deadline that is extended does not move it.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    due: Mutex<Option<Duration>>,
    earlier: Arc<Notify>,
}

impl Alarm {
    /// Fires at `deadline` or earlier.
    pub(super) fn no_later_than(&self, deadline: Duration) {
        let mut due = self.due.lock();
        if due.is_none_or(|due| deadline < due) {
            *due = Some(deadline);
            self.earlier.notify_one();
        }
    }

    /// Clears the deadline if it has passed at `now`; the caller then sets the next one. Returns whether it had passed.
    fn take_due(&self, now: Duration) -> bool {
        let mut due = self.due.lock();
        let is_due = due.is_some_and(|due| due <= now);
        if is_due {
            *due = None;
        }
        is_due
    }

    fn wait(&self, now: Duration) -> Duration {
        // A simulated clock may jump.
        const LONGEST: Duration = Duration::from_secs(1);
        let due = *self.due.lock();
        due.map_or(LONGEST, |due| due.saturating_sub(now).min(LONGEST))
    }
}

/// Runs until the broker is closed or dropped.
pub(crate) async fn run<E: Env>(groups: Weak<Groups<E>>, runtime: Handle) {
    let Some(first) = groups.upgrade() else {
        return;
    };
    let earlier = Arc::clone(&first.alarm.earlier);
    drop(first);
    loop {
        let Some(wait) = groups
            .upgrade()
            .filter(|groups| groups.partitions.is_open())
            .map(|groups| groups.alarm.wait(groups.partitions.env.monotonic()))
        else {
            return;
        };
        tokio::select! {
            () = earlier.notified() => continue,
            () = tokio::time::sleep(wait) => {}
        }
        let Some(groups) = groups.upgrade() else {
            return;
        };
        let now = groups.partitions.env.monotonic();
        if !groups.alarm.take_due(now) {
            continue;
        }
        // A time-out may write a record, and file I/O is synchronous.
        let round = runtime.spawn_blocking(move || {
            if let Some(next) = groups.fire_group_timers() {
                groups.alarm.no_later_than(next);
            }
        });
        if let Err(error) = round.await {
            tracing::error!(%error, "a round of group time-outs failed; the next request to each group continues it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_deadline_counts_until_it_is_taken() {
        let (alarm, at) = (Alarm::default(), Duration::from_millis);
        assert!(!alarm.take_due(at(9)));
        alarm.no_later_than(at(20));
        alarm.no_later_than(at(10));
        alarm.no_later_than(at(30));
        assert_eq!(alarm.wait(at(4)), at(6));
        assert!(!alarm.take_due(at(9)));
        assert!(alarm.take_due(at(10)));
        assert!(!alarm.take_due(at(40)), "taking the deadline clears it");
    }
}
