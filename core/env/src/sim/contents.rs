//! The bytes of a simulated file: the live ones and the durable ones.

use std::sync::{Arc, Weak};

use super::survival::Survival;

/// A call whose effect is not durable yet.
#[derive(Debug, Clone)]
pub(super) enum PendingCall {
    Write { position: u64, bytes: Vec<u8> },
    SetLen(u64),
}

impl PendingCall {
    pub(super) fn apply(&self, contents: &mut Vec<u8>) {
        match self {
            PendingCall::SetLen(len) => contents.resize(*len as usize, 0),
            PendingCall::Write { bytes, .. } if bytes.is_empty() => {}
            PendingCall::Write { position, bytes } => {
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

/// A file. The two byte vectors are shared with other machines until either changes.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) live: Arc<Vec<u8>>,
    durable: Arc<Vec<u8>>,
    pending: Vec<PendingCall>,
    /// The disk space in bytes, up to the last written one. Holes from `set_len` take none.
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

    /// The file after a start of the machine.
    pub(super) fn found(bytes: Arc<Vec<u8>>, modified_ms: i64) -> Contents {
        let allocated = bytes.len() as u64;
        Contents {
            live: bytes.clone(),
            durable: bytes,
            allocated,
            ..Contents::new(modified_ms)
        }
    }

    /// The file after the death of the process: only the maps are gone.
    pub(super) fn after_kill(&self) -> Contents {
        Contents {
            live: self.live.clone(),
            durable: self.durable.clone(),
            pending: self.pending.clone(),
            maps: Vec::new(),
            ..*self
        }
    }

    pub(super) fn change(&mut self, call: PendingCall) {
        call.apply(Arc::make_mut(&mut self.live));
        self.allocated = match &call {
            PendingCall::Write { position, bytes } => {
                self.allocated.max(position + bytes.len() as u64)
            }
            PendingCall::SetLen(len) => self.allocated.min(*len),
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

    /// A failed sync: pending writes reach the disk or not, and are never written again.
    pub(super) fn fail_sync(&mut self, survival: &mut Survival) {
        survival.apply(Arc::make_mut(&mut self.durable), &self.pending);
        self.pending.clear();
    }

    /// The bytes after a power cut; `last` is the interrupted call.
    pub(super) fn surviving(
        &self,
        under_way: Option<&PendingCall>,
        survival: &mut Survival,
    ) -> Arc<Vec<u8>> {
        let mut durable = self.durable.clone();
        let pending: Vec<PendingCall> = self.pending.iter().chain(under_way).cloned().collect();
        if !pending.is_empty() {
            survival.apply(Arc::make_mut(&mut durable), &pending);
        }
        durable
    }

    /// The first `len` bytes, marked as mapped.
    pub(super) fn map(&mut self, len: u64) -> Arc<Vec<u8>> {
        let map = Arc::new(self.live[..len as usize].to_vec());
        self.maps.retain(|(_, map)| map.strong_count() > 0);
        self.maps.push((len, Arc::downgrade(&map)));
        map
    }

    /// Whether truncating to `len` would remove bytes under a map.
    pub(super) fn is_mapped_beyond(&self, len: u64) -> bool {
        self.maps
            .iter()
            .any(|(mapped, map)| *mapped > len && map.strong_count() > 0)
    }
}
