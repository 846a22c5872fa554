//! Deliberate faults in the log, to prove that the crash tests fail with them.

headwater_env::mutants! {
    /// Recovery takes every batch for whole without its CRC.
    SkipRecoveryCrc = "skip-recovery-crc",
    /// Log files are not synced, though it is said that they were.
    SkipFsync = "skip-fsync",
    /// The names of new and removed files are not synced.
    SkipDirectorySync = "skip-directory-sync",
    /// Appends go on after a failed sync.
    IgnorePoison = "ignore-poison",
    /// A producer's batch that was sent twice is appended twice.
    SkipSequenceCheck = "skip-sequence-check",
    /// Recovery leaves the indexes as they are.
    TrustIndexes = "trust-indexes",
    /// A truncation cuts a file that is mapped.
    CutUnderMap = "cut-under-map",
    /// A cleaned segment takes the place of others before it is on disk.
    SwapUnsynced = "swap-unsynced",
    /// Records that are not known to be on disk make older ones of their keys go.
    CleanUnflushed = "clean-unflushed",
    /// The files that a cleaned segment replaces go with it in any order.
    SwapInAnyOrder = "swap-in-any-order",
    /// Segments that compaction emptied are dropped in any order.
    DropInAnyOrder = "drop-in-any-order",
    /// A segment is sealed, and a log closed, with the room after its last batch.
    KeepRoom = "keep-room",
    /// A log goes on after a cut that is not on disk.
    CutUnsynced = "cut-unsynced",
    /// Segments whose files could not be renamed when they were deleted are forgotten.
    ForgetRemovals = "forget-removals",
    /// Appends go on after a truncation whose files were not cut.
    ForgetTruncation = "forget-truncation",
    /// Recovery removes the segments behind a gap.
    RemoveBehindGap = "remove-behind-gap",
    /// Appends go to a file that was removed.
    AppendUnlinked = "append-unlinked",
}
