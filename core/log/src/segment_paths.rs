//! The paths of a segment's files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use headwater_record::Offset;
use parking_lot::Mutex;

use crate::error::FileError;
use crate::file_name::{FileKind, Suffix, segment_file};

/// The names of a segment's files: its base offset, and a suffix that changes when they are renamed.
#[derive(Debug)]
pub(crate) struct SegmentPaths {
    dir: Arc<Path>,
    base_offset: Offset,
    suffix: Mutex<Suffix>,
}

impl SegmentPaths {
    pub(crate) fn new(dir: Arc<Path>, base_offset: Offset, suffix: Suffix) -> Self {
        Self {
            dir,
            base_offset,
            suffix: Mutex::new(suffix),
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn base_offset(&self) -> Offset {
        self.base_offset
    }

    /// The current path of one of the files.
    pub(crate) fn path(&self, kind: FileKind) -> PathBuf {
        let suffix = *self.suffix.lock();
        self.dir
            .join(segment_file(self.base_offset, kind) + suffix.text())
    }

    /// Records that the files were renamed to this suffix.
    pub(crate) fn set_suffix(&self, suffix: Suffix) {
        *self.suffix.lock() = suffix;
    }

    /// The error of an action on one of the files.
    pub(crate) fn error(
        &self,
        action: &'static str,
        kind: FileKind,
        source: io::Error,
    ) -> FileError {
        FileError::new(action, self.path(kind), source)
    }
}
