//! Election of the protocol of a generation, and the subscriptions of consumers.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use headwater_protocol::{Decoder, Str};

use super::{ClassicGroup, Member, Protocol, State};

impl ClassicGroup {
    /// Whether a member with these protocols may join: one of them is supported by all members.
    pub(super) fn supports(&self, protocol_type: &str, protocols: &[Protocol]) -> bool {
        if self.state == State::Empty {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        let all_support = |name: &str| self.members.values().all(|member| member.supports(name));
        self.protocol_type.as_deref() == Some(protocol_type)
            && protocols.iter().any(|protocol| all_support(&protocol.name))
    }

    /// The protocol that all members support and most prefer; ties go to the first name. `None` without members.
    pub(super) fn elected_protocol(&self) -> Option<Str> {
        let first = self.members.values().next()?;
        let common: BTreeSet<&Str> = first
            .protocols
            .iter()
            .map(|protocol| &protocol.name)
            .filter(|name| self.members.values().all(|member| member.supports(name)))
            .collect();
        let mut votes: BTreeMap<&Str, usize> = BTreeMap::new();
        for member in self.members.values() {
            let preferred = member.protocols.iter().map(|protocol| &protocol.name);
            if let Some(name) = preferred.into_iter().find(|name| common.contains(name)) {
                *votes.entry(name).or_default() += 1;
            }
        }
        let most = votes.values().copied().max()?;
        votes
            .into_iter()
            .find(|(_, count)| *count == most)
            .map(|(name, _)| name.clone())
    }

    /// The subscribed topics of all members; `None` if one of the subscriptions cannot be decoded.
    pub(super) fn subscription(&self) -> Option<BTreeSet<Str>> {
        if !self.has_consumer_protocol_type() {
            return None;
        }
        let topics_of = |member: &Member| topics(member.metadata(self.protocol.as_ref()?)?);
        let each = self.members.values().map(topics_of);
        let all: Option<Vec<_>> = each.collect();
        Some(all?.into_iter().flatten().collect())
    }
}

/// The topics of a consumer's subscription. Every version of its format starts with the version and these.
fn topics(metadata: &Bytes) -> Option<Vec<Str>> {
    let mut decoder = Decoder::new(metadata.clone());
    decoder.i16().ok()?;
    decoder.array(0).ok()
}
