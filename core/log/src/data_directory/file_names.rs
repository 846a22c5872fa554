//! The names of the files of a data directory, apart from the checkpoints.

/// Locks the directory.
pub(super) const LOCK: &str = ".lock";
/// The boot id of the last open.
pub(super) const BOOT: &str = ".boot";
/// The clean shutdown marker.
pub(super) const CLEAN_SHUTDOWN: &str = ".kafka_cleanshutdown";
/// The identity of the directory.
pub(super) const META_PROPERTIES: &str = "meta.properties";
