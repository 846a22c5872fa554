//! The environment: clock, randomness and files.
//!
//! All other crates take an [`Env`] as a type parameter and do no I/O of their own. Static dispatch makes the real
//! environment free, and tests can use one with injected faults.
//!
//! | environment | for |
//! |---|---|
//! | [`RealEnv`] | a data directory on disk |
//! | [`MemoryEnv`] | an engine without a directory: nothing outlives the process |
//! | [`SimEnv`] | tests: a seeded disk that loses unsynced changes, tears writes, fails calls and fills up; a clock
//! that jumps |
//!
//! All three pass the same contract tests (`tests/contract/`).

mod directory;
mod environment;
mod file;
mod file_pool;
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
pub use file_pool::{Closable, CloseAttempt, FilePool};
pub use fork::{PerProcess, forks};
pub use lock::{Lock, LockError, PathLock};
pub use memory::{MemoryDirectory, MemoryEnv, MemoryFile};
pub use open_files::{allow_most_open_files, is_out_of_files, open_files_max};
pub use real::{FilePlace, RealDirectory, RealEnv, RealFile, RealLock, file_behind};
pub use scheduling::{Wake, wake_this_thread};
pub use sim::{Boundary, Fault, Operation, SimDirectory, SimEnv, SimFile, Times};
