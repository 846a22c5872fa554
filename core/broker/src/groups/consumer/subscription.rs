//! What a group reads: topics by name and by pattern, and whether they have changed.

use std::collections::{BTreeMap, BTreeSet};

use headwater_metadata::Image;
use headwater_protocol::{ErrorCode, Str};
use regex::{Regex, RegexBuilder};
use uuid::Uuid;

use super::{ConsumerGroup, Draft, Member, Refusal};

/// The topics that there are.
pub(crate) trait Catalogue {
    /// The name of a topic.
    fn name(&self, id: Uuid) -> Option<Str>;
    /// Id and number of partitions of a topic.
    fn topic(&self, name: &str) -> Option<(Uuid, i32)>;
    /// The names of all topics, internal ones too: as in Kafka a pattern finds those.
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

/// The topics that a pattern found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResolvedRegex {
    pub(super) topics: BTreeSet<Str>,
}

/// The pattern, which has to match the whole name.
pub(super) fn parse(regex: &str) -> Result<Regex, Refusal> {
    /// Nobody may make the broker build more than this for one pattern.
    const COMPILED_BYTES_MAX: usize = 1 << 20;
    RegexBuilder::new(&format!("^(?:{regex})$"))
        .size_limit(COMPILED_BYTES_MAX)
        .build()
        .map_err(|error| {
            let message = format!("the pattern \"{regex}\" cannot be read: {error}");
            Refusal::new(ErrorCode::InvalidRegularExpression, message)
        })
}

impl ConsumerGroup {
    /// Whether a member reads that topic.
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

    /// The topics of a member that there are, with their numbers of partitions.
    pub(super) fn topics_of(
        &self,
        member: &Member,
        catalogue: &impl Catalogue,
    ) -> BTreeMap<Uuid, i32> {
        let found = self.pattern_of(member).map(|found| &found.topics);
        let names = member.topics.iter().chain(found.into_iter().flatten());
        names.filter_map(|name| catalogue.topic(name)).collect()
    }

    /// A number that changes when a topic of the group comes, goes, is made anew or grows.
    pub(super) fn subscription_hash(&self, catalogue: &impl Catalogue) -> i64 {
        let mut topics = BTreeMap::new();
        for member in self.members.values() {
            topics.extend(self.topics_of(member, catalogue));
        }
        // FNV-1a: it is written down, so it must be the same in every build.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for (id, partitions) in topics {
            for byte in id.as_bytes().iter().chain(&partitions.to_be_bytes()) {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        hash as i64
    }
}

impl Draft {
    /// Looks up again what each pattern finds, and forgets patterns that nobody has any more.
    pub(super) fn resolve_patterns(
        &mut self,
        catalogue: &impl Catalogue,
        (version, now_ms): (i64, i64),
    ) -> Result<(), Refusal> {
        let members = self.group.members.values();
        let wanted: BTreeSet<Str> = members.filter_map(|member| member.regex.clone()).collect();
        let forgotten: Vec<Str> = self
            .group
            .regexes
            .keys()
            .filter(|regex| !wanted.contains(*regex))
            .cloned()
            .collect();
        for regex in forgotten {
            let record = self.group.regex_record(&regex, None);
            self.push(record);
        }
        for regex in wanted {
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
