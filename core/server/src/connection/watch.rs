//! The time-outs of a connection.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits::Bounds;

/// The time without activity after which a connection releases its buffer; also the interval of checks of a busy
/// connection.
pub(super) const QUIET: Duration = Duration::from_secs(5);

/// The delay of the first check of a new connection.
pub(super) fn first_look(bounds: &Bounds) -> Duration {
    QUIET
        .min(bounds.broker.idle_max)
        .min(bounds.limits.handshake_max)
}

/// The activity of a connection at `now`.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConnectionActivity {
    pub(super) now: Instant,
    pub(super) opened: Instant,
    /// When bytes were last received or sent.
    pub(super) moved: Instant,
    pub(super) is_authenticated: bool,
    /// Whether the client waits for a response: a request is running, all earlier responses are sent, and a disconnect
    /// would be noticed.
    pub(super) is_response_due: bool,
    /// When the current frame started to arrive, or the current response started to be sent.
    pub(super) busy_since: Option<Instant>,
    pub(super) is_memory_short: bool,
}

/// Why a connection is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Overdue {
    /// The client did not authenticate in time.
    #[error("the client did not authenticate in time")]
    Handshake,
    /// The client sends or receives too slowly while memory is short.
    #[error("the client sends or receives too slowly while memory is short")]
    Stalled,
    /// The connection was idle for too long.
    #[error("the connection was idle")]
    Idle,
}

/// The next action for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WatchAction {
    /// End the connection.
    End(Overdue),
    /// Release unused memory, and check again at this time.
    Release(Instant),
    /// Check again at this time.
    Check(Instant),
}

/// The next action for a connection.
pub(super) fn next_action(activity: ConnectionActivity, bounds: &Bounds) -> WatchAction {
    let (limits, idle_max) = (&bounds.limits, bounds.broker.idle_max);
    let ConnectionActivity { now, moved, .. } = activity;
    if !activity.is_authenticated && now >= activity.opened + limits.handshake_max {
        return WatchAction::End(Overdue::Handshake);
    }
    if activity.is_memory_short
        && activity
            .busy_since
            .is_some_and(|since| now >= since + limits.stall_max)
    {
        return WatchAction::End(Overdue::Stalled);
    }
    if !activity.is_response_due && now >= moved + idle_max {
        return WatchAction::End(Overdue::Idle);
    }
    let is_quiet = now >= moved + QUIET;
    let next = if is_quiet && activity.busy_since.is_none() && !activity.is_response_due {
        moved + idle_max
    } else if activity.is_response_due {
        now + QUIET
    } else {
        (now + QUIET).min(moved + idle_max)
    };
    let next = if activity.is_authenticated {
        next
    } else {
        next.min(activity.opened + limits.handshake_max)
    };
    if is_quiet {
        WatchAction::Release(next)
    } else {
        WatchAction::Check(next)
    }
}

#[cfg(test)]
mod tests {
    use headwater_metadata::BrokerConfig;

    use super::*;
    use crate::{BrokerLimits, Limits};

    fn bounds() -> Bounds {
        Bounds {
            limits: Limits::default(),
            broker: BrokerLimits::from(&BrokerConfig::default()),
        }
    }

    fn activity(now: Instant) -> ConnectionActivity {
        ConnectionActivity {
            now,
            opened: now,
            moved: now,
            is_authenticated: true,
            is_response_due: false,
            busy_since: None,
            is_memory_short: false,
        }
    }

    #[test]
    fn an_idle_connection_releases_memory_and_then_ends() {
        let bounds = bounds();
        let begin = Instant::now();
        let at = |seconds| ConnectionActivity {
            now: begin + Duration::from_secs(seconds),
            ..activity(begin)
        };
        assert_eq!(
            next_action(at(0), &bounds),
            WatchAction::Check(begin + QUIET)
        );
        let end = begin + bounds.broker.idle_max;
        assert_eq!(next_action(at(5), &bounds), WatchAction::Release(end));
        assert_eq!(
            next_action(at(600), &bounds),
            WatchAction::End(Overdue::Idle)
        );
    }

    #[test]
    fn a_client_that_waits_for_a_response_is_never_idle() {
        let begin = Instant::now();
        let activity = ConnectionActivity {
            now: begin + Duration::from_hours(5),
            is_response_due: true,
            ..activity(begin)
        };
        assert!(matches!(
            next_action(activity, &bounds()),
            WatchAction::Release(_)
        ));
    }

    #[test]
    fn a_slow_client_ends_only_while_memory_is_short() {
        let begin = Instant::now();
        let slow = ConnectionActivity {
            now: begin + Duration::from_secs(20),
            moved: begin + Duration::from_secs(20),
            busy_since: Some(begin),
            ..activity(begin)
        };
        assert!(matches!(
            next_action(slow, &bounds()),
            WatchAction::Check(_)
        ));
        let short = ConnectionActivity {
            is_memory_short: true,
            ..slow
        };
        assert_eq!(
            next_action(short, &bounds()),
            WatchAction::End(Overdue::Stalled)
        );
    }

    #[test]
    fn a_busy_client_must_authenticate_in_time() {
        let begin = Instant::now();
        let talking = ConnectionActivity {
            now: begin + Duration::from_secs(29),
            moved: begin + Duration::from_secs(29),
            is_authenticated: false,
            ..activity(begin)
        };
        let deadline = begin + Duration::from_secs(30);
        assert_eq!(
            next_action(talking, &bounds()),
            WatchAction::Check(deadline)
        );
        let late = ConnectionActivity {
            now: deadline,
            ..talking
        };
        assert_eq!(
            next_action(late, &bounds()),
            WatchAction::End(Overdue::Handshake)
        );
    }
}
