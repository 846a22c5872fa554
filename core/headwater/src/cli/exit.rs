//! The exit codes and errors of commands.

use std::io;
use std::process::ExitCode;

use headwater_client::{Error, ErrorKind};

use super::wording;

/// The exit codes, as the help shows them.
pub(super) const CODES: &str = "Exit codes:
  0    success
  1    failure: the message on standard error has the reason
  2    wrong usage: an argument, a setting or the target is not valid
  130  stopped by Ctrl-C (SIGINT)
  143  stopped by SIGTERM
headwater serve ends with 0 after either signal.";

/// The exit code of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Success: 0.
    Success,
    /// Failure: 1.
    Failed,
    /// Wrong usage: 2.
    Usage,
    /// Stopped by `SIGINT`: 130.
    Interrupted,
    /// Stopped by `SIGTERM`: 143.
    Terminated,
}

impl Exit {
    /// The exit code for the system.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Interrupted => 130,
            Self::Terminated => 143,
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
    /// A signal stopped the command.
    Stopped(Exit),
}

impl Failure {
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::Usage(message) | Self::Failed(message) => Some(message),
            Self::ReaderLeft | Self::Stopped(_) => None,
        }
    }

    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Failed(_) => Exit::Failed,
            Self::ReaderLeft => Exit::Success,
            Self::Stopped(exit) => *exit,
        }
    }

    /// The same failure with text before its message.
    pub(crate) fn prefixed(self, prefix: &str) -> Self {
        match self {
            Self::Usage(message) => Self::Usage(format!("{prefix}{message}")),
            Self::Failed(message) => Self::Failed(format!("{prefix}{message}")),
            Self::ReaderLeft | Self::Stopped(_) => self,
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
        let message = wording::for_shell(error.message());
        match error.kind() {
            ErrorKind::Config | ErrorKind::InvalidArgument | ErrorKind::InvalidTopic => {
                Self::Usage(message)
            }
            _ => Self::Failed(message),
        }
    }
}
