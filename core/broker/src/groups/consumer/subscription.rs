//! The subscription of a group: topics by name and by pattern, and a hash to detect changes.

use std::collections::{BTreeMap, BTreeSet};

use headwater_metadata::Image;
use headwater_protocol::{ErrorCode, Str};
use regex::{Regex, RegexBuilder};
use uuid::Uuid;

use super::{ConsumerGroup, GroupUpdate, Member, Refusal};

/// The existing topics.
pub(crate) trait Catalogue {
    /// The name of a topic.
    fn name(&self, id: Uuid) -> Option<Str>;
    /// The id and the number of partitions of a topic.
    fn topic(&self, name: &str) -> Option<(Uuid, i32)>;
    /// The names of all topics, including internal ones: patterns match those too, as in Kafka.
    fn names(&self) -> Vec<Str>;
}

impl Catalogue for Image {
    fn name(&self, id: Uuid) -> Option<Str> {
        Some(Str::from(&*self.topic_by_id(id)?.name))
    }

    fn topic(&self, name: &str) -> Option<(Uuid, i32)> {
        let topic = Image::topic(self, name)?;
        Some((topic.id, topic.partitions.len() as i32))
    }

    fn names(&self) -> Vec<Str> {
        self.topics().map(|topic| Str::from(&*topic.name)).collect()
    }
}

/// The topics that match a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResolvedRegex {
    pub(super) topics: BTreeSet<Str>,
}

/// Parses a pattern, which has to match the whole name.
pub(super) fn parse(regex: &str) -> Result<Regex, Refusal> {
    /// The limit for the compiled size of one pattern.
    const COMPILED_BYTES_MAX: usize = 1 << 20;
    RegexBuilder::new(&format!("^(?:{regex})$"))
        .size_limit(COMPILED_BYTES_MAX)
        .build()
        .map_err(|error| {
            let message =
                format!("the pattern \"{regex}\" is not a valid regular expression: {error}");
            Refusal::new(ErrorCode::InvalidRegularExpression, message)
        })
}

impl ConsumerGroup {
    /// Whether a member is subscribed to the topic.
    pub(crate) fn is_subscribed_to(&self, topic: &str) -> bool {
        let reads = |member: &Member| {
            member.topics.contains(topic)
                || self
                    .pattern_of(member)
                    .is_some_and(|found| found.topics.contains(topic))
        };
        self.members.values().any(reads)
    }

    fn pattern_of(&self, member: &Member) -> Option<&ResolvedRegex> {
        self.regexes.get(member.regex.as_ref()?)
    }

    /// The existing topics that a member is subscribed to, with their numbers of partitions.
    pub(super) fn topics_of(
        &self,
        member: &Member,
        catalogue: &impl Catalogue,
    ) -> BTreeMap<Uuid, i32> {
        let found = self.pattern_of(member).map(|found| &found.topics);
        let names = member.topics.iter().chain(found.into_iter().flatten());
        names.filter_map(|name| catalogue.topic(name)).collect()
    }

    /// A hash that changes when a subscribed topic is created, deleted, recreated or extended.
    pub(super) fn subscription_hash(&self, catalogue: &impl Catalogue) -> i64 {
        let mut topics = BTreeMap::new();
        for member in self.members.values() {
            topics.extend(self.topics_of(member, catalogue));
        }
        // FNV-1a. The hash is stored, so it must not depend on the build.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for (id, partitions) in topics {
            for byte in id.as_bytes().iter().chain(&partitions.to_be_bytes()) {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        hash as i64
    }
}

impl GroupUpdate {
    /// Resolves all patterns again, and removes patterns that no member uses.
    pub(super) fn resolve_patterns(
        &mut self,
        catalogue: &impl Catalogue,
        (version, now_ms): (i64, i64),
    ) -> Result<(), Refusal> {
        let members = self.group.members.values();
        let patterns: BTreeSet<Str> = members.filter_map(|member| member.regex.clone()).collect();
        let forgotten: Vec<Str> = self
            .group
            .regexes
            .keys()
            .filter(|regex| !patterns.contains(*regex))
            .cloned()
            .collect();
        for regex in forgotten {
            let record = self.group.regex_record(&regex, None);
            self.push(record);
        }
        for regex in patterns {
            let pattern = parse(&regex)?;
            let names = catalogue.names().into_iter();
            let topics: BTreeSet<Str> = names.filter(|name| pattern.is_match(name)).collect();
            let known = self.group.regexes.get(&regex);
            if known.is_none_or(|known| known.topics != topics) {
                let resolved = (&topics, version, now_ms);
                let record = self.group.regex_record(&regex, Some(resolved));
                self.push(record);
            }
        }
        Ok(())
    }
}
