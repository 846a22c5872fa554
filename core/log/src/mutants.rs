//! Deliberate faults in the log, to prove that the crash tests fail with them.

headwater_env::mutants! {
    /// Recovery accepts every batch without a check of its CRC.
    SkipRecoveryCrc = "skip-recovery-crc",
    /// Log files are reported as synced but are not.
    SkipFsync = "skip-fsync",
    /// The names of new and removed files are not synced.
    SkipDirectorySync = "skip-directory-sync",
    /// Appends continue after a failed sync.
    IgnorePoison = "ignore-poison",
    /// A producer's repeated batch is appended twice.
    SkipSequenceCheck = "skip-sequence-check",
    /// Recovery leaves the indexes unchanged.
    TrustIndexes = "trust-indexes",
    /// A truncation cuts a file that is mapped.
    CutUnderMap = "cut-under-map",
    /// A cleaned segment replaces others before it is on disk.
    SwapUnsynced = "swap-unsynced",
    /// Records that are not known to be on disk remove older ones of their keys.
    CleanUnflushed = "clean-unflushed",
    /// The files that a cleaned segment replaces are removed in any order.
    SwapInAnyOrder = "swap-in-any-order",
    /// Segments that compaction emptied are dropped in any order.
    DropInAnyOrder = "drop-in-any-order",
    /// A segment is sealed, and a log closed, with the padding after its last batch.
    KeepPadding = "keep-padding",
    /// A log continues after a truncation that is not on disk.
    CutUnsynced = "cut-unsynced",
    /// Deleted segments whose files could not be renamed are forgotten.
    ForgetRemovals = "forget-removals",
    /// Appends continue after a truncation that did not cut the files.
    ForgetTruncation = "forget-truncation",
    /// Recovery removes the segments after a gap.
    RemoveBehindGap = "remove-behind-gap",
    /// Appends go to a file that was removed.
    AppendUnlinked = "append-unlinked",
}
