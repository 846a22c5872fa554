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
    /// A request is sent to a broker that has throttled the lane.
    IgnoreThrottle,
    /// A recreated topic counts as the topic that it replaces.
    IgnoreTopicIds,
    /// A broker that lags behind is believed when it does not know a topic.
    BelieveLaggingBrokers,
    /// A partition that is not fetched any more stays in its fetch session.
    KeepForgotten,
    /// A session goes on after a fetch whose response is unknown.
    KeepLostSession,
    /// A position is fetched from a new leader before it is validated.
    SkipValidation,
    /// A truncated position counts as valid.
    IgnoreDivergence,
    /// A preferred replica is used after it has failed.
    KeepFailedReplica,
    /// A preferred replica is used for ever.
    KeepExpiredReplica,
    /// A batch that is sent again goes behind the batches that wait.
    ResendOutOfOrder,
    /// Sequences of a batch that may have been written are used again in the same epoch.
    SkipEpochBump,
    /// The second batch of an epoch is sent before the first is acknowledged.
    PipelineFirstBatch,
    /// A batch is sent to a new leader while others are in flight to the old one.
    SendToTwoLeaders,
    /// A member of a consumer group reports partitions as released before the caller has released them.
    ReleaseEarly,
    /// A fenced member of a consumer group keeps its partitions.
    IgnoreFencing,
    /// A hand-out that is taken back takes the record before it along, which is delivered twice.
    TakeBackTwice,
    /// A consumer that leaves commits the records that its caller is still working on.
    CommitInHand,
    /// A table decoded ahead is handed out although its partitions were revoked, or a position has changed.
    KeepDecodedAhead,
    /// A batch whose response is lost counts as written.
    AcknowledgeLost,
    /// A batch that is sent again gets new sequences.
    RestartSequences,
    /// Each part of a table repeats the last record of the part before it.
    RepeatRecords,
    /// An assignment starts by `auto.offset.reset`, whatever the group has committed.
    IgnoreCommitted,
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
            "ignore-throttle" => Mutant::IgnoreThrottle,
            "ignore-topic-ids" => Mutant::IgnoreTopicIds,
            "believe-lagging-brokers" => Mutant::BelieveLaggingBrokers,
            "keep-forgotten" => Mutant::KeepForgotten,
            "keep-lost-session" => Mutant::KeepLostSession,
            "skip-validation" => Mutant::SkipValidation,
            "ignore-divergence" => Mutant::IgnoreDivergence,
            "keep-failed-replica" => Mutant::KeepFailedReplica,
            "keep-expired-replica" => Mutant::KeepExpiredReplica,
            "resend-out-of-order" => Mutant::ResendOutOfOrder,
            "skip-epoch-bump" => Mutant::SkipEpochBump,
            "pipeline-first-batch" => Mutant::PipelineFirstBatch,
            "send-to-two-leaders" => Mutant::SendToTwoLeaders,
            "release-early" => Mutant::ReleaseEarly,
            "ignore-fencing" => Mutant::IgnoreFencing,
            "take-back-twice" => Mutant::TakeBackTwice,
            "commit-in-hand" => Mutant::CommitInHand,
            "keep-decoded-ahead" => Mutant::KeepDecodedAhead,
            "acknowledge-lost" => Mutant::AcknowledgeLost,
            "restart-sequences" => Mutant::RestartSequences,
            "repeat-records" => Mutant::RepeatRecords,
            "ignore-committed" => Mutant::IgnoreCommitted,
            _ => return None,
        })
    });
    *ACTIVE == Some(mutant)
}
