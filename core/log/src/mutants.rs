//! Ways to break the log on purpose, so that the crash tests can show that they would notice.
//!
//! Without the feature `mutants` every question here is answered with a constant no, and nothing of this is in the build. With it, the
//! environment variable `HEADWATER_MUTANT` names the one that lives.

/// One thing that is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Recovery takes every batch for whole without its CRC.
    SkipRecoveryCrc,
    /// Log files are not synced, though it is said that they were.
    SkipFsync,
    /// The names of new and removed files are not synced.
    SkipDirectorySync,
    /// Appends go on after a failed sync.
    IgnorePoison,
    /// A producer's batch that was sent twice is appended twice.
    SkipSequenceCheck,
    /// Recovery leaves the indexes as they are.
    TrustIndexes,
    /// A truncation cuts a file that is mapped.
    CutUnderMap,
    /// A cleaned segment takes the place of others before it is on disk.
    SwapUnsynced,
    /// Records that are not known to be on disk make older ones of their keys go.
    CleanUnflushed,
    /// The files that a cleaned segment replaces go with it in any order.
    SwapInAnyOrder,
    /// Segments that compaction emptied are dropped in any order.
    DropInAnyOrder,
    /// A segment is sealed, and a log closed, with the room after its last batch.
    KeepRoom,
    /// A log goes on after a cut that is not on disk.
    CutUnsynced,
    /// Segments whose files could not be renamed when they were deleted are forgotten.
    ForgetRemovals,
    /// Appends go on after a truncation whose files were not cut.
    ForgetTruncation,
    /// Recovery removes the segments behind a gap.
    RemoveBehindGap,
    /// Appends go to a file that was removed.
    AppendUnlinked,
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
            "skip-recovery-crc" => Mutant::SkipRecoveryCrc,
            "skip-fsync" => Mutant::SkipFsync,
            "skip-directory-sync" => Mutant::SkipDirectorySync,
            "ignore-poison" => Mutant::IgnorePoison,
            "skip-sequence-check" => Mutant::SkipSequenceCheck,
            "trust-indexes" => Mutant::TrustIndexes,
            "cut-under-map" => Mutant::CutUnderMap,
            "swap-unsynced" => Mutant::SwapUnsynced,
            "clean-unflushed" => Mutant::CleanUnflushed,
            "swap-in-any-order" => Mutant::SwapInAnyOrder,
            "drop-in-any-order" => Mutant::DropInAnyOrder,
            "keep-room" => Mutant::KeepRoom,
            "cut-unsynced" => Mutant::CutUnsynced,
            "forget-removals" => Mutant::ForgetRemovals,
            "forget-truncation" => Mutant::ForgetTruncation,
            "remove-behind-gap" => Mutant::RemoveBehindGap,
            "append-unlinked" => Mutant::AppendUnlinked,
            _ => return None,
        })
    });
    *LIVING == Some(mutant)
}
