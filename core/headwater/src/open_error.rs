//! Converts errors of opening a directory to the public error.

use headwater_broker::OpenError;
use headwater_client::{Error, ErrorKind};

pub(crate) fn refused(error: OpenError) -> Error {
    let kind = match &error {
        OpenError::Locked { .. } => ErrorKind::Locked,
        OpenError::NotOurs { .. } => ErrorKind::NotADataDirectory,
        OpenError::Permission { .. } => ErrorKind::Permission,
        OpenError::Damaged { .. } => ErrorKind::CorruptLog,
        OpenError::Config(_) => ErrorKind::Config,
        OpenError::Io { .. } => ErrorKind::Storage,
    };
    Error::new(kind, format!("Cannot open the engine: {error}.")).caused_by(error)
}
