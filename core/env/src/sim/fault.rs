//! Injected faults, and the call counts that trigger them.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// The kinds of calls that can fail. All except [`Open`](Operation::Open) of an existing file and
/// [`Read`](Operation::Read) change the disk and are boundaries, at which the power can be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Opens an existing file.
    Open,
    /// Creates a file or a directory.
    Create,
    /// Reads bytes.
    Read,
    /// Writes bytes.
    Write,
    /// Truncates or extends a file.
    SetLen,
    /// Makes a file's bytes durable.
    Sync,
    /// Makes a directory's names durable.
    SyncDir,
    /// Renames a file or a directory.
    Rename,
    /// Removes a file or a directory.
    Remove,
}

impl Operation {
    /// Whether the call can change the disk.
    pub fn is_boundary(self) -> bool {
        !matches!(self, Operation::Open | Operation::Read)
    }
}

/// How often a fault occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Times {
    /// One call fails, later ones succeed.
    Once,
    /// This call and all later ones of its kind fail until the faults are cleared.
    Forever,
}

/// A call that will fail.
///
/// Failures behave like those of a real disk. A failed write may have written any prefix. After a failed sync the
/// unsynced bytes are on the disk or lost, at random; reads still return them, and a later successful sync does not
/// restore them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The kind of call.
    pub operation: Operation,
    /// The number of the call, counted from now; 0 is the next one.
    pub nth: u64,
    /// Once or for ever.
    pub times: Times,
    /// The error; a full disk is `StorageFull`.
    pub error: io::ErrorKind,
}

/// A call that changed the disk, or would have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boundary {
    /// The kind of call.
    pub operation: Operation,
    /// The path.
    pub path: PathBuf,
}

/// The decision about a call.
#[derive(Debug)]
pub(super) enum CallDecision {
    Proceed,
    Fail(io::Error),
    /// The power is cut during the call.
    Crash,
}

/// Counts calls and decides which of them fail.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) history: Vec<Boundary>,
    pub(super) crash_at: Option<u64>,
    pub(super) crashed: bool,
    /// Whether calls that need a file descriptor fail.
    pub(super) out_of_files: bool,
    /// The boundary at which `out_of_files` is set.
    pub(super) out_of_files_at: Option<u64>,
    calls: HashMap<Operation, u64>,
    /// The faults, each with the number of its first call.
    armed: Vec<(u64, Fault)>,
}

impl Script {
    pub(super) fn arm(&mut self, fault: Fault) {
        self.armed
            .push((self.calls(fault.operation) + fault.nth, fault));
    }

    pub(super) fn disarm(&mut self) {
        self.armed.clear();
    }

    pub(super) fn calls(&self, operation: Operation) -> u64 {
        self.calls.get(&operation).copied().unwrap_or(0)
    }

    pub(super) fn decide(&mut self, operation: Operation, path: &Path) -> CallDecision {
        if self.crashed {
            return CallDecision::Fail(power_is_off());
        }
        let call = self.calls(operation);
        self.calls.insert(operation, call + 1);
        if operation.is_boundary() {
            self.history.push(Boundary {
                operation,
                path: path.to_owned(),
            });
            self.out_of_files |= self.out_of_files_at == Some(self.history.len() as u64 - 1);
            if self.crash_at == Some(self.history.len() as u64 - 1) {
                self.crashed = true;
                return CallDecision::Crash;
            }
        }
        let needs_descriptor = matches!(operation, Operation::Open | Operation::Create);
        if self.out_of_files && needs_descriptor {
            return CallDecision::Fail(no_descriptor());
        }
        let strikes = |(first, fault): &&(u64, Fault)| {
            fault.operation == operation
                && match fault.times {
                    Times::Once => call == *first,
                    Times::Forever => call >= *first,
                }
        };
        match self.armed.iter().find(strikes) {
            Some((_, fault)) => CallDecision::Fail(fault.error.into()),
            None => CallDecision::Proceed,
        }
    }
}

/// The error of the system when a process has no free file descriptor.
pub(super) fn no_descriptor() -> io::Error {
    Errno::MFILE.into()
}

pub(super) fn power_is_off() -> io::Error {
    io::Error::other("the simulated machine has lost its power")
}
