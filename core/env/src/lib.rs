//! The outside world behind one seam: clock, chance and files.
//!
//! Everything above takes an [`Env`] by type parameter and does no I/O of its own, so static dispatch makes the real one free and a
//! test can swap in one that fails on purpose.
//!
//! | environment | for |
//! |---|---|
//! | [`RealEnv`] | a data directory on disk |
//! | [`MemoryEnv`] | an engine without a directory: nothing outlives the process |
//! | [`SimEnv`] | tests: a seeded disk that forgets what was not synced, tears writes, fails calls, fills up; a clock that jumps |
//!
//! All three pass the same contract tests (`tests/contract/`).

mod directory;
mod environment;
mod file;
mod fork;
mod lock;
mod memory;
mod mutants;
mod open_files;
mod real;
mod scheduling;
mod sim;
mod tree;

pub use directory::{DirEntry, Directory, DiskSpace, EntryKind, Metadata};
pub use environment::Env;
pub use file::{File, OpenMode};
pub use fork::{PerProcess, forks};
pub use lock::{Lock, LockError, PathLock};
pub use memory::{MemoryDirectory, MemoryEnv, MemoryFile};
pub use open_files::{allow_most_open_files, is_out_of_files, open_files_max};
pub use real::{FilePlace, RealDirectory, RealEnv, RealFile, RealLock, file_behind};
pub use scheduling::{Wake, wake_this_thread};
pub use sim::{Boundary, Fault, Operation, SimDirectory, SimEnv, SimFile, Times};
