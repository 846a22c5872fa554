//! Ways to break the client on purpose, so that its tests can show that they would notice.
//!
//! Without the feature `mutants` every question here is answered with a constant no, and nothing of this is in the build. With it, the
//! environment variable `HEADWATER_MUTANT` names the one that lives.

/// One thing that is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Metadata of an earlier leader epoch replaces that of a later one.
    DropLeaderEpochs,
    /// The list of aborted transactions in a fetch response is ignored.
    ForgetAborted,
    /// A fetch for another position than the present one is taken.
    TakeStaleAnswers,
    /// A fetch in flight is given up by each call that waits for it.
    DropFetches,
}

/// Whether this one lives.
#[cfg(not(feature = "mutants"))]
pub(crate) const fn lives(_mutant: Mutant) -> bool {
    false
}

/// Whether this one lives.
#[cfg(feature = "mutants")]
pub(crate) fn lives(mutant: Mutant) -> bool {
    static LIVING: std::sync::LazyLock<Option<Mutant>> = std::sync::LazyLock::new(|| {
        Some(match std::env::var("HEADWATER_MUTANT").ok()?.as_str() {
            "drop-leader-epochs" => Mutant::DropLeaderEpochs,
            "forget-aborted" => Mutant::ForgetAborted,
            "take-stale-answers" => Mutant::TakeStaleAnswers,
            "drop-fetches" => Mutant::DropFetches,
            _ => return None,
        })
    });
    *LIVING == Some(mutant)
}
