//! Calls that fail on purpose, and the count of calls that they go by.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// The kinds of calls that can fail. All but [`Open`](Operation::Open) of a file that exists and [`Read`](Operation::Read) change the
/// disk and are boundaries: the power can be cut in the middle of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Opening a file that exists.
    Open,
    /// Making a file or a directory.
    Create,
    /// Reading bytes.
    Read,
    /// Writing bytes.
    Write,
    /// Cutting or extending a file.
    SetLen,
    /// Making a file's bytes durable.
    Sync,
    /// Making a directory's names durable.
    SyncDir,
    /// Renaming.
    Rename,
    /// Removing a file or a directory.
    Remove,
}

impl Operation {
    /// Whether the disk can be different before and after such a call.
    pub fn is_boundary(self) -> bool {
        !matches!(self, Operation::Open | Operation::Read)
    }
}

/// How often a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Times {
    /// One call fails, later ones work.
    Once,
    /// That call and all later ones of its kind fail, until the faults are cleared.
    Forever,
}

/// A call that will fail.
///
/// What fails does so as on a real disk: of a failed write any prefix may be in the file; after a failed sync the bytes it should have
/// made durable are on the disk or gone, by chance, though reads still show them, and a later sync that succeeds does not bring them back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The kind of call.
    pub operation: Operation,
    /// Which one, counted from now; 0 is the next.
    pub nth: u64,
    /// Once or for ever.
    pub times: Times,
    /// What the caller gets; a full disk is `StorageFull`.
    pub error: io::ErrorKind,
}

/// One call that changed the disk, or would have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boundary {
    /// What was asked.
    pub operation: Operation,
    /// Of which path.
    pub path: PathBuf,
}

/// What is to become of a call.
#[derive(Debug)]
pub(super) enum Verdict {
    Proceed,
    Fail(io::Error),
    /// The power goes in the middle of it.
    Crash,
}

/// Counts calls and says which ones fail.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) history: Vec<Boundary>,
    pub(super) crash_at: Option<u64>,
    pub(super) crashed: bool,
    /// Calls that need a file descriptor get none.
    pub(super) out_of_files: bool,
    /// The boundary from which on that is so.
    pub(super) out_of_files_at: Option<u64>,
    calls: HashMap<Operation, u64>,
    /// With the number of the first call that fails.
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

    pub(super) fn judge(&mut self, operation: Operation, path: &Path) -> Verdict {
        if self.crashed {
            return Verdict::Fail(power_is_off());
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
                return Verdict::Crash;
            }
        }
        let needs_descriptor = matches!(operation, Operation::Open | Operation::Create);
        if self.out_of_files && needs_descriptor {
            return Verdict::Fail(no_descriptor());
        }
        let strikes = |(first, fault): &&(u64, Fault)| {
            fault.operation == operation
                && match fault.times {
                    Times::Once => call == *first,
                    Times::Forever => call >= *first,
                }
        };
        match self.armed.iter().find(strikes) {
            Some((_, fault)) => Verdict::Fail(fault.error.into()),
            None => Verdict::Proceed,
        }
    }
}

/// What the system says when the process may open no more files.
pub(super) fn no_descriptor() -> io::Error {
    Errno::MFILE.into()
}

pub(super) fn power_is_off() -> io::Error {
    io::Error::other("the simulated machine has lost its power")
}
