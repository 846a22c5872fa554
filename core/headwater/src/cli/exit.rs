//! How a command ends.

use std::io;
use std::process::ExitCode;

use headwater_client::{Error, ErrorKind};

/// The exit code of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// It did what it was asked for: 0.
    Success,
    /// It could not: 1.
    Failed,
    /// What it was asked for cannot be right: 2.
    Usage,
}

impl Exit {
    /// What the system is told.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command did not do what it was asked for. The messages are sentences that say what to do.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was asked for cannot be right.
    Usage(String),
    /// It could not be done.
    Failed(String),
    /// Whoever read the output wants no more of it, which is no failure: `headwater consume | head`.
    ReaderLeft,
}

impl Failure {
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::Usage(message) | Self::Failed(message) => Some(message),
            Self::ReaderLeft => None,
        }
    }

    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Failed(_) => Exit::Failed,
            Self::ReaderLeft => Exit::Success,
        }
    }

    /// A failure to write what was asked for.
    pub(crate) fn of_output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::ReaderLeft;
        }
        Self::Failed(format!(
            "Cannot write the output ({error}): make room where it goes, or send it elsewhere."
        ))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.message().to_owned();
        match error.kind() {
            ErrorKind::Config | ErrorKind::InvalidArgument | ErrorKind::InvalidTopic => {
                Self::Usage(message)
            }
            _ => Self::Failed(message),
        }
    }
}
