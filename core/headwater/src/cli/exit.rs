//! The exit codes and errors of commands.

use std::io;
use std::process::ExitCode;

use headwater_client::{Error, ErrorKind};

/// The exit code of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Success: 0.
    Success,
    /// Failure: 1.
    Failed,
    /// Wrong usage: 2.
    Usage,
}

impl Exit {
    /// The exit code for the system.
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

/// The reason why a command failed. Messages are sentences with a remedy.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The arguments are not valid.
    Usage(String),
    /// The command failed.
    Failed(String),
    /// The reader of the output has closed it, which is not an error: `headwater consume | head`.
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

    /// An error of writing the output.
    pub(crate) fn of_output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::ReaderLeft;
        }
        Self::Failed(format!(
            "Cannot write the output ({error}): free space at its destination, or redirect it elsewhere."
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
