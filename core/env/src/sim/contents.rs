//! The bytes of one simulated file: as programs see them, and as the disk has them.

use std::sync::{Arc, Weak};

use super::survival::Survival;

/// A call whose effect is not yet durable.
#[derive(Debug, Clone)]
pub(super) enum Pending {
    Write { position: u64, bytes: Vec<u8> },
    SetLen(u64),
}

impl Pending {
    pub(super) fn apply(&self, contents: &mut Vec<u8>) {
        match self {
            Pending::SetLen(len) => contents.resize(*len as usize, 0),
            Pending::Write { bytes, .. } if bytes.is_empty() => {}
            Pending::Write { position, bytes } => {
                let from = *position as usize;
                let end = from + bytes.len();
                if contents.len() < end {
                    contents.resize(end, 0);
                }
                contents[from..end].copy_from_slice(bytes);
            }
        }
    }
}

/// One file. The two byte vectors are shared with the worlds that power cuts made, until either changes.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) live: Arc<Vec<u8>>,
    durable: Arc<Vec<u8>>,
    pending: Vec<Pending>,
    /// Bytes of disk it takes: up to the last one written. A hole that `set_len` made takes none.
    pub(super) allocated: u64,
    pub(super) has_name: bool,
    pub(super) modified_ms: i64,
    maps: Vec<(u64, Weak<Vec<u8>>)>,
}

impl Contents {
    pub(super) fn new(modified_ms: i64) -> Contents {
        Contents {
            modified_ms,
            has_name: true,
            ..Contents::default()
        }
    }

    /// A file as a machine finds it when it starts.
    pub(super) fn found(bytes: Arc<Vec<u8>>, modified_ms: i64) -> Contents {
        let allocated = bytes.len() as u64;
        Contents {
            live: bytes.clone(),
            durable: bytes,
            allocated,
            ..Contents::new(modified_ms)
        }
    }

    /// The file as it is after the process died: maps are gone, and nothing else.
    pub(super) fn after_kill(&self) -> Contents {
        Contents {
            live: self.live.clone(),
            durable: self.durable.clone(),
            pending: self.pending.clone(),
            maps: Vec::new(),
            ..*self
        }
    }

    pub(super) fn change(&mut self, call: Pending) {
        call.apply(Arc::make_mut(&mut self.live));
        self.allocated = match &call {
            Pending::Write { position, bytes } => self.allocated.max(position + bytes.len() as u64),
            Pending::SetLen(len) => self.allocated.min(*len),
        };
        self.pending.push(call);
    }

    pub(super) fn sync(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let durable = Arc::make_mut(&mut self.durable);
        self.pending.drain(..).for_each(|call| call.apply(durable));
    }

    /// A sync that fails: what was pending is on the disk or not, and nobody will write it again.
    pub(super) fn fail_sync(&mut self, survival: &mut Survival) {
        survival.apply(Arc::make_mut(&mut self.durable), &self.pending);
        self.pending.clear();
    }

    /// The bytes after a power cut, with one more call that was under way.
    pub(super) fn surviving(
        &self,
        under_way: Option<&Pending>,
        survival: &mut Survival,
    ) -> Arc<Vec<u8>> {
        let mut durable = self.durable.clone();
        let pending: Vec<Pending> = self.pending.iter().chain(under_way).cloned().collect();
        if !pending.is_empty() {
            survival.apply(Arc::make_mut(&mut durable), &pending);
        }
        durable
    }

    /// The first `len` bytes, with a note that they must not be cut.
    pub(super) fn map(&mut self, len: u64) -> Arc<Vec<u8>> {
        let map = Arc::new(self.live[..len as usize].to_vec());
        self.maps.retain(|(_, map)| map.strong_count() > 0);
        self.maps.push((len, Arc::downgrade(&map)));
        map
    }

    /// Whether cutting to `len` would take bytes from under a map that is still held.
    pub(super) fn is_mapped_beyond(&self, len: u64) -> bool {
        self.maps
            .iter()
            .any(|(mapped, map)| *mapped > len && map.strong_count() > 0)
    }
}
