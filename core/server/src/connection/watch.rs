//! When a connection has had its time.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits::Bounds;

/// After how long without anything a connection gives its buffer back; also how often a busy one is looked at.
pub(super) const QUIET: Duration = Duration::from_secs(5);

/// When a connection that was just opened is looked at first.
pub(super) fn first_look(bounds: &Bounds) -> Duration {
    QUIET
        .min(bounds.broker.idle_max)
        .min(bounds.limits.handshake_max)
}

/// What is known of a connection at `now`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) now: Instant,
    pub(super) opened: Instant,
    /// When bytes last moved.
    pub(super) moved: Instant,
    pub(super) is_authenticated: bool,
    /// Whether the client waits for us: a request is at work, the client has taken all answers before it, and we would hear it leave.
    pub(super) is_owed: bool,
    /// Since when one request has been arriving or one answer leaving.
    pub(super) busy_since: Option<Instant>,
    pub(super) is_memory_short: bool,
}

/// Why a connection is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Overdue {
    /// The client did not authenticate in time.
    #[error("the client did not authenticate in time")]
    Handshake,
    /// The client sends or takes too slowly while others need the memory.
    #[error("the client sends or takes too slowly while memory is short")]
    Stalled,
    /// Nothing happened for long.
    #[error("nothing happened on it for long")]
    Idle,
}

/// What is to be done with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// End it.
    End(Overdue),
    /// Give back what it does not need, and look again then.
    Rest(Instant),
    /// Look again then.
    Look(Instant),
}

/// Judges a connection.
pub(super) fn judge(facts: Facts, bounds: &Bounds) -> Verdict {
    let (limits, idle_max) = (&bounds.limits, bounds.broker.idle_max);
    let Facts { now, moved, .. } = facts;
    if !facts.is_authenticated && now >= facts.opened + limits.handshake_max {
        return Verdict::End(Overdue::Handshake);
    }
    if facts.is_memory_short
        && facts
            .busy_since
            .is_some_and(|since| now >= since + limits.stall_max)
    {
        return Verdict::End(Overdue::Stalled);
    }
    if !facts.is_owed && now >= moved + idle_max {
        return Verdict::End(Overdue::Idle);
    }
    let is_quiet = now >= moved + QUIET;
    let next = if is_quiet && facts.busy_since.is_none() && !facts.is_owed {
        moved + idle_max
    } else if facts.is_owed {
        now + QUIET
    } else {
        (now + QUIET).min(moved + idle_max)
    };
    let next = if facts.is_authenticated {
        next
    } else {
        next.min(facts.opened + limits.handshake_max)
    };
    if is_quiet {
        Verdict::Rest(next)
    } else {
        Verdict::Look(next)
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

    fn facts(now: Instant) -> Facts {
        Facts {
            now,
            opened: now,
            moved: now,
            is_authenticated: true,
            is_owed: false,
            busy_since: None,
            is_memory_short: false,
        }
    }

    #[test]
    fn an_idle_connection_rests_and_then_ends() {
        let bounds = bounds();
        let begin = Instant::now();
        let at = |seconds| Facts {
            now: begin + Duration::from_secs(seconds),
            ..facts(begin)
        };
        assert_eq!(judge(at(0), &bounds), Verdict::Look(begin + QUIET));
        let end = begin + bounds.broker.idle_max;
        assert_eq!(judge(at(5), &bounds), Verdict::Rest(end));
        assert_eq!(judge(at(600), &bounds), Verdict::End(Overdue::Idle));
    }

    #[test]
    fn a_client_that_is_owed_an_answer_is_never_idle() {
        let begin = Instant::now();
        let facts = Facts {
            now: begin + Duration::from_hours(5),
            is_owed: true,
            ..facts(begin)
        };
        assert!(matches!(judge(facts, &bounds()), Verdict::Rest(_)));
    }

    #[test]
    fn a_slow_client_ends_only_while_memory_is_short() {
        let begin = Instant::now();
        let slow = Facts {
            now: begin + Duration::from_secs(20),
            moved: begin + Duration::from_secs(20),
            busy_since: Some(begin),
            ..facts(begin)
        };
        assert!(matches!(judge(slow, &bounds()), Verdict::Look(_)));
        let short = Facts {
            is_memory_short: true,
            ..slow
        };
        assert_eq!(judge(short, &bounds()), Verdict::End(Overdue::Stalled));
    }

    #[test]
    fn who_does_not_authenticate_in_time_ends_however_busy() {
        let begin = Instant::now();
        let talking = Facts {
            now: begin + Duration::from_secs(29),
            moved: begin + Duration::from_secs(29),
            is_authenticated: false,
            ..facts(begin)
        };
        let deadline = begin + Duration::from_secs(30);
        assert_eq!(judge(talking, &bounds()), Verdict::Look(deadline));
        let late = Facts {
            now: deadline,
            ..talking
        };
        assert_eq!(judge(late, &bounds()), Verdict::End(Overdue::Handshake));
    }
}
