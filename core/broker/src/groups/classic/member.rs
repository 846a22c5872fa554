//! A member of a classic group.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use headwater_protocol::Str;

use super::{GroupContext, PendingRequestId};
use crate::memory::MemoryReservation;

/// A protocol that a member supports, with the member's metadata for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Protocol {
    pub(crate) name: Str,
    pub(crate) metadata: Bytes,
}

/// Whether a member has completed a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MemberPhase {
    /// It waits for its first generation. Its client may be gone, so it expires even while it waits.
    New,
    /// While a join or sync is pending, the session does not expire.
    Established,
}

#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) id: Str,
    pub(crate) instance_id: Option<Str>,
    pub(crate) client_id: Str,
    pub(crate) client_host: Str,
    pub(crate) rebalance_timeout: Duration,
    pub(crate) session_timeout: Duration,
    pub(super) protocols: Vec<Protocol>,
    /// Memory reserved for the protocols' metadata.
    pub(super) memory: Option<Arc<MemoryReservation>>,
    pub(crate) assignment: Bytes,
    pub(super) phase: MemberPhase,
    /// `None` while a request of the member is pending; its response starts a new session.
    pub(super) session_deadline: Option<Duration>,
    pub(super) join: Option<PendingRequestId>,
    pub(super) sync: Option<PendingRequestId>,
}

impl Member {
    pub(super) const fn is_joining(&self) -> bool {
        self.join.is_some()
    }

    /// Whether a request of the member is pending.
    pub(super) const fn waits(&self) -> bool {
        self.join.is_some() || self.sync.is_some()
    }

    /// The supported protocols, in order of preference.
    pub(crate) fn protocols(&self) -> &[Protocol] {
        &self.protocols
    }

    /// Starts a new session.
    pub(super) fn touch(&mut self, context: &GroupContext) {
        self.session_deadline = Some(context.now.monotonic.saturating_add(self.session_timeout));
    }

    /// The member's metadata for a protocol.
    pub(crate) fn metadata(&self, protocol: &str) -> Option<&Bytes> {
        let found = self.protocols.iter().find(|known| known.name == protocol);
        found.map(|protocol| &protocol.metadata)
    }

    pub(super) fn supports(&self, protocol: &str) -> bool {
        self.metadata(protocol).is_some()
    }
}
