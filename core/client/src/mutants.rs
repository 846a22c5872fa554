//! Deliberate faults in the client, to prove that its tests fail with them.
//!
//! Without the feature `mutants`, [`is_active`] is a constant `false`. With it, the environment variable `HEADWATER_MUTANT` names the active
//! one.

/// A deliberate fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Metadata with an earlier leader epoch replaces metadata with a later one.
    DropLeaderEpochs,
    /// The list of aborted transactions in a fetch response is ignored.
    ForgetAborted,
    /// The response to a fetch for an old position is used.
    TakeStaleAnswers,
    /// Every call drops the fetches in flight.
    DropFetches,
    /// A hand-out that is taken back takes the record before it along, which is delivered twice.
    TakeBackTwice,
    /// A consumer that leaves commits the records that its caller is still working on.
    CommitInHand,
    /// A table decoded ahead is handed out although its partitions were revoked, or a position has changed.
    KeepDecodedAhead,
}

/// Whether this fault is active.
#[cfg(not(feature = "mutants"))]
pub(crate) const fn is_active(_mutant: Mutant) -> bool {
    false
}

/// Whether this fault is active.
#[cfg(feature = "mutants")]
pub(crate) fn is_active(mutant: Mutant) -> bool {
    static ACTIVE: std::sync::LazyLock<Option<Mutant>> = std::sync::LazyLock::new(|| {
        Some(match std::env::var("HEADWATER_MUTANT").ok()?.as_str() {
            "drop-leader-epochs" => Mutant::DropLeaderEpochs,
            "forget-aborted" => Mutant::ForgetAborted,
            "take-stale-answers" => Mutant::TakeStaleAnswers,
            "drop-fetches" => Mutant::DropFetches,
            "take-back-twice" => Mutant::TakeBackTwice,
            "commit-in-hand" => Mutant::CommitInHand,
            "keep-decoded-ahead" => Mutant::KeepDecodedAhead,
            _ => return None,
        })
    });
    *ACTIVE == Some(mutant)
}
