//! The file format and search that the indexes of a segment share: entries of equal length in ascending order.
//!
//! The entries of a growing index are in memory; [`save`](IndexFile::save) writes those that the file does not have
//! yet. The index of a sealed segment stays on disk: a lookup reads the few entries that it compares, so that thousands
//! of segments cost no memory and no open files. An index makes lookups fast, not correct: callers check the result
//! against the log.

use std::io;
use std::path::Path;

use headwater_env::{Env, File, OpenMode};
use parking_lot::RwLock;

/// One entry of an index.
pub(crate) trait IndexEntry: Copy + Send + Sync + 'static {
    /// The size of an entry on disk.
    const LEN: usize;
    /// Decodes an entry from exactly [`LEN`](Self::LEN) bytes.
    fn decode(bytes: &[u8]) -> Self;
    /// Appends the encoded entry.
    fn encode(self, out: &mut Vec<u8>);
}

/// The number of entries that the end of a search reads at once.
const BLOCK_ENTRIES: usize = 128;

#[derive(Debug)]
enum State<T> {
    /// All entries are in the file.
    Disk { entries: usize },
    /// All entries are in memory. The first `saved` are in the file too; unless `saved` is 0, the file has no others.
    Memory {
        entries: Vec<T>,
        saved: usize,
        file: FileState,
    },
}

/// Whether the file has the entries that are in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileState {
    /// The file lacks entries or has others.
    Old,
    /// The file has all entries, but may not be synced.
    Written,
    /// The file has all entries and is synced.
    Synced,
}

/// When written entries are synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SyncTime {
    /// Before the call returns.
    Now,
    /// Later, by the caller.
    Later,
}

/// A file of entries. Any number of threads may look up; one at a time may change it.
#[derive(Debug)]
pub(crate) struct IndexFile<T> {
    state: RwLock<State<T>>,
}

impl<T: IndexEntry> IndexFile<T> {
    /// An index without entries. The content of an existing file is ignored.
    pub(crate) fn empty() -> Self {
        Self {
            state: RwLock::new(State::Memory {
                entries: Vec::new(),
                saved: 0,
                file: FileState::Old,
            }),
        }
    }

    /// The index in a file of `len` bytes. A partial entry at the end is ignored.
    pub(crate) fn on_disk(len: u64) -> Self {
        Self {
            state: RwLock::new(State::Disk {
                entries: len as usize / T::LEN,
            }),
        }
    }

    /// The number of entries.
    pub(crate) fn len(&self) -> usize {
        match &*self.state.read() {
            State::Disk { entries } => *entries,
            State::Memory { entries, .. } => entries.len(),
        }
    }

    /// The last entry.
    pub(crate) fn last<E: Env>(&self, env: &E, path: &Path) -> io::Result<Option<T>> {
        match &*self.state.read() {
            State::Memory { entries, .. } => Ok(entries.last().copied()),
            State::Disk { entries: 0 } => Ok(None),
            State::Disk { entries } => {
                let file = env.open_file(path, OpenMode::Read)?;
                Ok(read_entries(&file, *entries - 1, 1)?.pop())
            }
        }
    }

    /// The last entry for which `is_below` holds. `is_below` must hold for a prefix of the entries and for no others.
    pub(crate) fn floor<E: Env>(
        &self,
        env: &E,
        path: &Path,
        is_below: impl Fn(&T) -> bool,
    ) -> io::Result<Option<T>> {
        match &*self.state.read() {
            State::Memory { entries, .. } => {
                let below = entries.partition_point(is_below);
                Ok(below.checked_sub(1).map(|last| entries[last]))
            }
            State::Disk { entries: 0 } => Ok(None),
            State::Disk { entries } => {
                let file = env.open_file(path, OpenMode::Read)?;
                floor_on_disk(&file, *entries, is_below)
            }
        }
    }

    /// All entries.
    pub(crate) fn entries<E: Env>(&self, env: &E, path: &Path) -> io::Result<Vec<T>> {
        match &*self.state.read() {
            State::Memory { entries, .. } => Ok(entries.clone()),
            State::Disk { entries: 0 } => Ok(Vec::new()),
            State::Disk { entries } => {
                let file = env.open_file(path, OpenMode::Read)?;
                read_entries(&file, 0, *entries)
            }
        }
    }

    /// Loads the entries into memory, so that [`push`](Self::push) can add to them.
    pub(crate) fn load<E: Env>(&self, env: &E, path: &Path) -> io::Result<()> {
        let mut state = self.state.write();
        if let State::Disk { entries } = *state {
            let entries = match entries {
                0 => Vec::new(),
                _ => read_entries(&env.open_file(path, OpenMode::Read)?, 0, entries)?,
            };
            let saved = entries.len();
            let file = FileState::Old;
            *state = State::Memory {
                entries,
                saved,
                file,
            };
        }
        Ok(())
    }

    /// Adds an entry, which must not be less than the last one. The index must be in memory.
    pub(crate) fn push(&self, entry: T) {
        match &mut *self.state.write() {
            State::Memory { entries, file, .. } => {
                entries.push(entry);
                *file = FileState::Old;
            }
            State::Disk { .. } => unreachable!("entries are pushed after `load` only"),
        }
    }

    /// Replaces all entries.
    pub(crate) fn replace(&self, entries: Vec<T>) {
        *self.state.write() = State::Memory {
            entries,
            saved: 0,
            file: FileState::Old,
        };
    }

    /// Writes the entries that the file does not have, and syncs the file now or leaves that to the caller.
    pub(crate) fn save<E: Env>(&self, env: &E, path: &Path, sync: SyncTime) -> io::Result<()> {
        let mut guard = self.state.write();
        let State::Memory {
            entries,
            saved,
            file: state,
        } = &mut *guard
        else {
            return Ok(());
        };
        if *state == FileState::Synced || (*state == FileState::Written && sync == SyncTime::Later)
        {
            return Ok(());
        }
        let file = env.open_file(path, OpenMode::Create)?;
        if *state == FileState::Old {
            write_entries(&file, entries, *saved)?;
            *saved = entries.len();
            *state = FileState::Written;
        }
        if sync == SyncTime::Now {
            file.sync_data()?;
            *state = FileState::Synced;
        }
        Ok(())
    }

    /// Frees the memory if the file has all entries.
    pub(crate) fn release(&self) {
        let mut state = self.state.write();
        if let State::Memory { entries, file, .. } = &*state
            && *file == FileState::Synced
        {
            *state = State::Disk {
                entries: entries.len(),
            };
        }
    }
}

/// Makes the file contain exactly these entries, of which it has the first `saved`.
fn write_entries<T: IndexEntry>(file: &impl File, entries: &[T], saved: usize) -> io::Result<()> {
    let start = (saved * T::LEN) as u64;
    let end = (entries.len() * T::LEN) as u64;
    let mut bytes = Vec::with_capacity((end - start) as usize);
    for entry in &entries[saved..] {
        entry.encode(&mut bytes);
    }
    file.write_all_at(&bytes, start)?;
    if file.len()? != end {
        file.set_len(end)?;
    }
    Ok(())
}

fn read_entries<T: IndexEntry>(file: &impl File, first: usize, count: usize) -> io::Result<Vec<T>> {
    let bytes = file.read_bytes((first * T::LEN) as u64, count * T::LEN)?;
    if bytes.len() != count * T::LEN {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes.chunks_exact(T::LEN).map(T::decode).collect())
}

fn floor_on_disk<T: IndexEntry>(
    file: &impl File,
    entries: usize,
    is_below: impl Fn(&T) -> bool,
) -> io::Result<Option<T>> {
    // Invariant: `is_below` holds for all entries before `low`, and for none from `high` on.
    let (mut low, mut high) = (0, entries);
    let mut buffer = vec![0; T::LEN];
    while high - low > BLOCK_ENTRIES {
        let middle = low + (high - low) / 2;
        file.read_exact_at(&mut buffer, (middle * T::LEN) as u64)?;
        if is_below(&T::decode(&buffer)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    // Read one more entry on the left: the last one below may come before the block.
    let first = low.saturating_sub(1);
    let block = read_entries::<T>(file, first, high - first)?;
    let below = block.partition_point(is_below);
    Ok(below.checked_sub(1).map(|last| block[last]))
}
