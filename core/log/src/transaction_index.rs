//! `.txnindex`: the aborted transactions whose marker is in the segment. Without any, the file does not exist.
//!
//! ```text
//!   file  = entry*                      by last_offset
//!   entry = version            i16 BE   0
//!           producer_id        i64 BE
//!           first_offset       i64 BE   of the transaction
//!           last_offset        i64 BE   of its abort marker
//!           last_stable_offset i64 BE   when it was aborted: before it no transaction was open
//! ```

use std::io;
use std::path::Path;

use headwater_env::Env;
use headwater_record::{Offset, ProducerId};

use crate::index_file::{IndexEntry, IndexFile, SyncTime};

/// An aborted transaction. `read_committed` readers skip its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTransaction {
    /// Its producer.
    pub producer_id: ProducerId,
    /// The offset of its first record.
    pub first_offset: Offset,
    /// The offset of its abort marker.
    pub last_offset: Offset,
    /// The last stable offset when it was aborted.
    pub last_stable_offset: Offset,
}

impl IndexEntry for AbortedTransaction {
    const LEN: usize = 34;

    fn decode(bytes: &[u8]) -> Self {
        let long = |at: usize| {
            let mut out = [0; 8];
            out.copy_from_slice(&bytes[at..at + 8]);
            i64::from_be_bytes(out)
        };
        Self {
            producer_id: ProducerId::new(long(2)),
            first_offset: Offset::new(long(10)),
            last_offset: Offset::new(long(18)),
            last_stable_offset: Offset::new(long(26)),
        }
    }

    fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&0_i16.to_be_bytes());
        out.extend_from_slice(&self.producer_id.get().to_be_bytes());
        for offset in [self.first_offset, self.last_offset, self.last_stable_offset] {
            out.extend_from_slice(&offset.get().to_be_bytes());
        }
    }
}

/// The transaction index of one segment.
#[derive(Debug)]
pub(crate) struct TransactionIndex {
    file: IndexFile<AbortedTransaction>,
}

impl TransactionIndex {
    /// An index without entries.
    pub(crate) fn empty() -> Self {
        Self {
            file: IndexFile::empty(),
        }
    }

    /// The index in a file of `len` bytes.
    pub(crate) fn on_disk(len: u64) -> Self {
        Self {
            file: IndexFile::on_disk(len),
        }
    }

    /// Loads the entries, so that [`push`](Self::push) can add to them.
    pub(crate) fn load<E: Env>(&self, env: &E, path: &Path) -> io::Result<()> {
        self.file.load(env, path)
    }

    /// Adds a transaction that was aborted after all others.
    pub(crate) fn push(&self, aborted: AbortedTransaction) {
        self.file.push(aborted);
    }

    /// Replaces all entries.
    pub(crate) fn replace(&self, entries: Vec<AbortedTransaction>) {
        self.file.replace(entries);
    }

    /// Keeps the transactions whose marker is before `offset`.
    pub(crate) fn truncate_to<E: Env>(
        &self,
        env: &E,
        path: &Path,
        offset: Offset,
    ) -> io::Result<()> {
        let mut entries = self.file.entries(env, path)?;
        entries.retain(|entry| entry.last_offset < offset);
        self.file.replace(entries);
        Ok(())
    }

    /// All transactions.
    pub(crate) fn entries<E: Env>(
        &self,
        env: &E,
        path: &Path,
    ) -> io::Result<Vec<AbortedTransaction>> {
        self.file.entries(env, path)
    }

    /// Adds the transactions that overlap `from..upper` to `out`. Returns whether later segments can have none: a
    /// transaction was aborted when everything before `upper` was decided.
    pub(crate) fn collect<E: Env>(
        &self,
        env: &E,
        path: &Path,
        from: Offset,
        upper: Offset,
        out: &mut Vec<AbortedTransaction>,
    ) -> io::Result<bool> {
        for aborted in self.file.entries(env, path)? {
            if aborted.last_offset >= from && aborted.first_offset < upper {
                out.push(aborted);
            }
            if aborted.last_stable_offset >= upper {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes the entries that the file does not have, and syncs the file now or leaves that to the caller. Creates no
    /// empty file.
    pub(crate) fn save<E: Env>(&self, env: &E, path: &Path, sync: SyncTime) -> io::Result<()> {
        if self.file.len() == 0 && env.metadata(path)?.is_none() {
            return Ok(());
        }
        self.file.save(env, path, sync)
    }

    /// Frees the memory if the file has all entries.
    pub(crate) fn release(&self) {
        self.file.release();
    }
}
