//! The assignors of the classic group protocol, by Kafka's names.

/// How a classic group assigns partitions to its members (`partition.assignment.strategy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assignor {
    /// `range`: contiguous partitions of each topic.
    Range,
    /// `roundrobin`: the partitions of all topics, one by one.
    RoundRobin,
    /// `sticky`: balanced, with few moves.
    Sticky,
    /// `cooperative-sticky`: like `sticky`, and members keep reading unmoved partitions during a rebalance.
    CooperativeSticky,
}

impl Assignor {
    pub(crate) const ALL: [Self; 4] = [
        Self::Range,
        Self::RoundRobin,
        Self::Sticky,
        Self::CooperativeSticky,
    ];

    /// The name in the group protocol.
    pub fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::RoundRobin => "roundrobin",
            Self::Sticky => "sticky",
            Self::CooperativeSticky => "cooperative-sticky",
        }
    }

    /// The assignor with this name, or with this class name of Kafka's Java client.
    pub fn named(name: &str) -> Option<Self> {
        let class = name.rsplit('.').next().unwrap_or(name);
        Self::ALL.into_iter().find(|assignor| {
            let java = match assignor {
                Self::Range => "RangeAssignor",
                Self::RoundRobin => "RoundRobinAssignor",
                Self::Sticky => "StickyAssignor",
                Self::CooperativeSticky => "CooperativeStickyAssignor",
            };
            name == assignor.name() || class == java
        })
    }
}
