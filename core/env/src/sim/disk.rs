//! The simulated disk: the live tree, the durable tree that a power cut restores, and the pending changes between them.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;

use bytes::Bytes;

use super::contents::{Contents, PendingCall};
use super::fault::{CallDecision, Operation, Script, power_is_off};
use super::random::Random;
use super::survival::Survival;
use crate::tree::{Change, Location, Node, Tree};

pub(super) type FileId = u64;

/// The call that a power cut interrupted.
#[derive(Debug, Clone)]
enum InterruptedCall {
    File(FileId, PendingCall),
    Names(Vec<Change<FileId>>),
}

#[derive(Debug)]
pub(super) struct Disk {
    seed: u64,
    pub(super) random: Random,
    pub(super) script: Script,
    pub(super) live: Tree<FileId>,
    durable: Tree<FileId>,
    /// The changes in the live tree that are not durable yet, in order.
    pending: Vec<Change<FileId>>,
    files: HashMap<FileId, Contents>,
    next_file: FileId,
    under_way: Option<InterruptedCall>,
    pub(super) capacity: Option<u64>,
    pub(super) used: u64,
    pub(super) short_reads: bool,
}

impl Disk {
    pub(super) fn new(seed: u64) -> Disk {
        Disk::with_files(seed, Tree::new(), HashMap::new())
    }

    fn with_files(seed: u64, tree: Tree<FileId>, files: HashMap<FileId, Contents>) -> Disk {
        Disk {
            seed,
            random: Random::new(seed),
            script: Script::default(),
            live: tree.clone(),
            durable: tree,
            pending: Vec::new(),
            next_file: files.keys().max().map_or(0, |last| last + 1),
            used: files.values().map(|file| file.allocated).sum(),
            files,
            under_way: None,
            capacity: None,
            short_reads: false,
        }
    }

    /// The disk after a power cut; the live tree is lost.
    pub(super) fn after_power_cut(&self, seed: u64) -> Disk {
        let mut survival = Survival::new(Random::derived(self.seed, seed));
        let (no_names, mut tree) = (Vec::new(), self.durable.clone());
        let (file_under_way, names_under_way) = match &self.under_way {
            Some(InterruptedCall::File(id, call)) => (Some((*id, call)), &no_names),
            Some(InterruptedCall::Names(changes)) => (None, changes),
            None => (None, &no_names),
        };
        let changes: Vec<_> = self.pending.iter().chain(names_under_way).collect();
        for (change, survives) in changes.iter().zip(survival.changes(changes.len())) {
            if survives {
                tree.apply(change);
            }
        }
        let mut files = HashMap::new();
        for id in tree.files().into_values() {
            let under_way = file_under_way
                .filter(|(file, _)| *file == id)
                .map(|(_, call)| call);
            // A file whose creation was interrupted is empty.
            let found = self.files.get(&id).map_or_else(
                || Contents::new(0),
                |file| Contents::found(file.surviving(under_way, &mut survival), file.modified_ms),
            );
            files.insert(id, found);
        }
        Disk::with_files(Random::derived(self.seed, !seed).next(), tree, files)
    }

    /// The disk after the death of the process: all completed calls, and a part of the interrupted one. Unsynced
    /// changes stay unsynced.
    pub(super) fn after_kill(&self, seed: u64) -> Disk {
        let mut random = Random::derived(self.seed, seed);
        let files = self
            .files
            .iter()
            .map(|(id, file)| (*id, file.after_kill()))
            .collect();
        let mut disk = Disk {
            random: Random::derived(self.seed, !seed),
            live: self.live.clone(),
            durable: self.durable.clone(),
            pending: self.pending.clone(),
            capacity: self.capacity,
            used: self.used,
            next_file: self.next_file + 1,
            ..Disk::with_files(self.seed ^ random.next(), Tree::new(), files)
        };
        match self.under_way.clone() {
            Some(InterruptedCall::Names(mut changes)) => {
                changes.truncate(random.below(changes.len() + 1));
                disk.change_names(changes);
            }
            Some(InterruptedCall::File(
                id,
                PendingCall::Write {
                    position,
                    mut bytes,
                },
            )) => {
                bytes.truncate(random.below(bytes.len() + 1));
                disk.change_file(
                    id,
                    PendingCall::Write { position, bytes },
                    self.file(id).modified_ms,
                );
            }
            Some(InterruptedCall::File(id, call)) if random.percent(50) => {
                disk.change_file(id, call, self.file(id).modified_ms);
            }
            Some(InterruptedCall::File(..)) | None => {}
        }
        disk
    }

    pub(super) fn file(&self, id: FileId) -> &Contents {
        &self.files[&id]
    }

    pub(super) fn file_mut(&mut self, id: FileId) -> &mut Contents {
        self.files
            .get_mut(&id)
            .expect("ids are assigned on insertion, and files are never removed")
    }

    /// The bytes of all files by path.
    pub(super) fn image(&self) -> BTreeMap<String, Bytes> {
        let files = self.live.files().into_iter();
        files
            .map(|(path, id)| (path, Bytes::copy_from_slice(&self.file(id).live)))
            .collect()
    }

    /// Whether the path leads to the file.
    pub(super) fn is_at(&self, id: FileId, path: &Path) -> bool {
        matches!(self.live.find(path), Ok(Node::File(found)) if found == id)
    }

    /// Whether a file has a name, usually the one it was opened with.
    pub(super) fn is_linked(&self, id: FileId, opened_by: &Path) -> bool {
        self.is_at(id, opened_by) || self.live.files().into_values().any(|found| found == id)
    }

    /// Counts a call that does not change the disk; an error if it should fail.
    pub(super) fn pass(&mut self, operation: Operation, path: &Path) -> io::Result<()> {
        match self.script.decide(operation, path) {
            CallDecision::Proceed => Ok(()),
            CallDecision::Fail(error) => Err(error),
            CallDecision::Crash => Err(power_is_off()),
        }
    }

    /// Runs a call that changes names.
    pub(super) fn change(
        &mut self,
        operation: Operation,
        path: &Path,
        changes: Vec<Change<FileId>>,
    ) -> io::Result<()> {
        match self.script.decide(operation, path) {
            CallDecision::Fail(error) => return Err(error),
            CallDecision::Crash => {
                self.under_way = Some(InterruptedCall::Names(changes));
                return Err(power_is_off());
            }
            CallDecision::Proceed => {}
        }
        self.change_names(changes);
        Ok(())
    }

    fn change_names(&mut self, changes: Vec<Change<FileId>>) {
        for change in changes {
            if let Change::Link {
                node: Node::File(id),
                ..
            } = &change
            {
                self.files.entry(*id).or_insert_with(|| Contents::new(0));
            }
            if let Some(nameless) = self.live.apply(&change) {
                self.used -= self.file(nameless).allocated;
                self.file_mut(nameless).has_name = false;
            }
            self.pending.push(change);
        }
    }

    pub(super) fn create(&mut self, path: &Path, at: Location, now_ms: i64) -> io::Result<FileId> {
        let id = self.next_file;
        self.change(
            Operation::Create,
            path,
            vec![Change::Link {
                at,
                node: Node::File(id),
            }],
        )?;
        self.next_file += 1;
        self.file_mut(id).modified_ms = now_ms;
        Ok(id)
    }

    pub(super) fn write(
        &mut self,
        id: FileId,
        path: &Path,
        bytes: Vec<u8>,
        position: u64,
        now_ms: i64,
    ) -> io::Result<()> {
        let (written, result) = match self.script.decide(Operation::Write, path) {
            CallDecision::Crash => {
                self.under_way = Some(InterruptedCall::File(
                    id,
                    PendingCall::Write { position, bytes },
                ));
                return Err(power_is_off());
            }
            CallDecision::Fail(error) if self.script.crashed => return Err(error),
            CallDecision::Fail(error) => (self.random.below(bytes.len() + 1), Err(error)),
            CallDecision::Proceed => match self.room_for(id, position, bytes.len()) {
                room if room < bytes.len() => (room, Err(io::ErrorKind::StorageFull.into())),
                _ => (bytes.len(), Ok(())),
            },
        };
        let mut bytes = bytes;
        bytes.truncate(written);
        if !bytes.is_empty() {
            self.change_file(id, PendingCall::Write { position, bytes }, now_ms);
        }
        result
    }

    pub(super) fn set_len(
        &mut self,
        id: FileId,
        path: &Path,
        len: u64,
        now_ms: i64,
    ) -> io::Result<()> {
        if self.file(id).is_mapped_beyond(len) {
            return Err(io::Error::other(
                "a file was truncated under a map: a real process would die here",
            ));
        }
        match self.script.decide(Operation::SetLen, path) {
            CallDecision::Proceed => self.change_file(id, PendingCall::SetLen(len), now_ms),
            CallDecision::Fail(error) => return Err(error),
            CallDecision::Crash => {
                self.under_way = Some(InterruptedCall::File(id, PendingCall::SetLen(len)));
                return Err(power_is_off());
            }
        }
        Ok(())
    }

    pub(super) fn sync(&mut self, id: FileId, path: &Path) -> io::Result<()> {
        match self.script.decide(Operation::Sync, path) {
            CallDecision::Proceed => self.file_mut(id).sync(),
            CallDecision::Crash => return Err(power_is_off()),
            CallDecision::Fail(error) => {
                if !self.script.crashed {
                    let mut survival = Survival::new(Random::new(self.random.next()));
                    self.file_mut(id).fail_sync(&mut survival);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Makes all files and names durable; after an error nothing is.
    pub(super) fn sync_all(&mut self) -> io::Result<()> {
        match self.script.decide(Operation::Sync, Path::new("")) {
            CallDecision::Proceed => {}
            CallDecision::Crash => return Err(power_is_off()),
            CallDecision::Fail(error) => return Err(error),
        }
        self.files.values_mut().for_each(Contents::sync);
        for change in self.pending.drain(..) {
            self.durable.apply(&change);
        }
        Ok(())
    }

    pub(super) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        let dir = self.live.find_dir(path)?;
        self.pass(Operation::SyncDir, path)?;
        for change in self.pending.extract_if(.., |change| change.touches(dir)) {
            self.durable.apply(&change);
        }
        Ok(())
    }

    fn change_file(&mut self, id: FileId, call: PendingCall, now_ms: i64) {
        let file = self.file_mut(id);
        let before = file.allocated;
        file.change(call);
        file.modified_ms = now_ms;
        if file.has_name {
            let after = file.allocated;
            self.used = self.used - before + after;
        }
    }

    /// The number of bytes that fit on the disk.
    fn room_for(&self, id: FileId, position: u64, len: usize) -> usize {
        let Some(capacity) = self.capacity else {
            return len;
        };
        let end = self.file(id).allocated + capacity.saturating_sub(self.used);
        usize::try_from(end.saturating_sub(position))
            .unwrap_or(usize::MAX)
            .min(len)
    }
}
