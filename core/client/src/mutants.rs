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
    /// A member of a consumer group reports partitions as released before the caller has released them.
    ReleaseEarly,
    /// A fenced member of a consumer group keeps its partitions.
    IgnoreFencing,
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
            "release-early" => Mutant::ReleaseEarly,
            "ignore-fencing" => Mutant::IgnoreFencing,
            _ => return None,
        })
    });
    *ACTIVE == Some(mutant)
}
