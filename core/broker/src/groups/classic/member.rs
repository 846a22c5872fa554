//! One member of a classic group.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use headwater_protocol::Str;

use super::{Facts, Ticket};
use crate::memory::Held;

/// A protocol that a member offers, with what it says in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Protocol {
    pub(crate) name: Str,
    pub(crate) metadata: Bytes,
}

/// Whether a member has been through a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It waits for its first; its client may be gone without our knowing, so it is removed when its time is up all the same.
    New,
    /// Waiting for a join or sync counts as a sign of life.
    Established,
}

/// A member.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) id: Str,
    pub(crate) instance_id: Option<Str>,
    pub(crate) client_id: Str,
    pub(crate) client_host: Str,
    pub(crate) rebalance_timeout: Duration,
    pub(crate) session_timeout: Duration,
    pub(super) protocols: Vec<Protocol>,
    /// Counts what it says in them.
    pub(super) memory: Option<Arc<Held>>,
    pub(crate) assignment: Bytes,
    pub(super) standing: Standing,
    /// `None`: it satisfied its session by waiting; the answer to what it waits for starts a new one.
    pub(super) session_deadline: Option<Duration>,
    pub(super) join: Option<Ticket>,
    pub(super) sync: Option<Ticket>,
}

impl Member {
    pub(super) const fn is_joining(&self) -> bool {
        self.join.is_some()
    }

    /// Whether it waits for an answer.
    pub(super) const fn waits(&self) -> bool {
        self.join.is_some() || self.sync.is_some()
    }

    /// The protocols that it offers, in order of preference.
    pub(crate) fn protocols(&self) -> &[Protocol] {
        &self.protocols
    }

    /// Its session begins anew.
    pub(super) fn touch(&mut self, facts: &Facts) {
        self.session_deadline = Some(facts.now.monotonic.saturating_add(self.session_timeout));
    }

    /// What it says in a protocol.
    pub(crate) fn metadata(&self, protocol: &str) -> Option<&Bytes> {
        let found = self.protocols.iter().find(|known| known.name == protocol);
        found.map(|protocol| &protocol.metadata)
    }

    pub(super) fn supports(&self, protocol: &str) -> bool {
        self.metadata(protocol).is_some()
    }
}
