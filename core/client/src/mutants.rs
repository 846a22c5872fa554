//! Deliberate faults in the client, to prove that its tests fail with them.

headwater_env::mutants! {
    /// Metadata with an earlier leader epoch replaces metadata with a later one.
    DropLeaderEpochs = "drop-leader-epochs",
    /// The list of aborted transactions in a fetch response is ignored.
    ForgetAborted = "forget-aborted",
    /// The response to a fetch for an old position is used.
    TakeStaleAnswers = "take-stale-answers",
    /// Every call drops the fetches in flight.
    DropFetches = "drop-fetches",
    /// A request is sent to a broker that has throttled the lane.
    IgnoreThrottle = "ignore-throttle",
    /// A cancelled call stops its lookup of start positions, and the next call begins again.
    ForgetLookups = "forget-lookups",
    /// The address of a coordinator is not kept.
    ForgetCoordinator = "forget-coordinator",
    /// A recreated topic counts as the topic that it replaces.
    IgnoreTopicIds = "ignore-topic-ids",
    /// The answer of a lagging broker that a topic is unknown is final.
    BelieveLaggingBrokers = "believe-lagging-brokers",
    /// A partition that is no longer fetched stays in its fetch session.
    KeepForgotten = "keep-forgotten",
    /// A session continues after a fetch whose response is unknown.
    KeepLostSession = "keep-lost-session",
    /// A position is fetched from a new leader before it is validated.
    SkipValidation = "skip-validation",
    /// A truncated position counts as valid.
    IgnoreDivergence = "ignore-divergence",
    /// A preferred replica is used after it has failed.
    KeepFailedReplica = "keep-failed-replica",
    /// A preferred replica never expires.
    KeepExpiredReplica = "keep-expired-replica",
    /// A batch that is sent again goes after the queued batches.
    ResendOutOfOrder = "resend-out-of-order",
    /// Sequences of a batch that may have been written are reused in the same epoch.
    SkipEpochBump = "skip-epoch-bump",
    /// The second batch of an epoch is sent before the first is acknowledged.
    PipelineFirstBatch = "pipeline-first-batch",
    /// A batch is sent to a new leader while others are in flight to the old one.
    SendToTwoLeaders = "send-to-two-leaders",
    /// A member of a consumer group reports partitions as released before the caller has released them.
    ReleaseEarly = "release-early",
    /// A fenced member of a consumer group keeps its partitions.
    IgnoreFencing = "ignore-fencing",
    /// Taking back a message also takes back the one before it, which is delivered twice.
    TakeBackTwice = "take-back-twice",
    /// A consumer that leaves commits the records that its caller is still processing.
    CommitInHand = "commit-in-hand",
    /// A table decoded ahead is returned although its partitions were revoked or a position has changed.
    KeepDecodedAhead = "keep-decoded-ahead",
    /// A request is sent in a version that the broker does not support.
    SendNewestVersion = "send-newest-version",
    /// A request for an older version keeps the shape of the newest one.
    KeepNewestShape = "keep-newest-shape",
    /// A shorter throttle time replaces a longer one that has not passed.
    ShortenThrottle = "shorten-throttle",
    /// A position in a topic that was recreated is kept.
    KeepOldPositions = "keep-old-positions",
    /// A record of a recreated topic is finished with a record of the old topic.
    FinishOldTopic = "finish-old-topic",
    /// A topic that this client has created is not expected to exist if it is unknown to a broker.
    ForgetCreatedTopics = "forget-created-topics",
    /// A stream to the end of a new member ends with its first assignment, even if more follows.
    TakeFirstAssignment = "take-first-assignment",
    /// Leaving a group has no limit of its own.
    LeaveWithoutLimit = "leave-without-limit",
    /// A new leader in a response is not used.
    IgnoreNamedLeaders = "ignore-named-leaders",
    /// A batch whose response is lost counts as written.
    AcknowledgeLost = "acknowledge-lost",
    /// A batch that is sent again gets new sequences.
    RestartSequences = "restart-sequences",
    /// Each part of a table repeats the last record of the part before it.
    RepeatRecords = "repeat-records",
    /// An assignment starts at `auto.offset.reset`, whatever the group has committed.
    IgnoreCommitted = "ignore-committed",
}
