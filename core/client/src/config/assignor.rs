//! The assignors of the classic group protocol, by Kafka's names.

/// How a classic group assigns partitions to its members (`partition.assignment.strategy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assignor {
    /// `range`: of each topic a run of partitions.
    Range,
    /// `roundrobin`: one partition after the other, over all topics.
    RoundRobin,
    /// `sticky`: as even as can be, and as little moved as can be.
    Sticky,
    /// `cooperative-sticky`: the same, and what stays is read on while the group rebalances.
    CooperativeSticky,
}

impl Assignor {
    pub(crate) const ALL: [Self; 4] = [
        Self::Range,
        Self::RoundRobin,
        Self::Sticky,
        Self::CooperativeSticky,
    ];

    /// The name that members tell each other.
    pub fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::RoundRobin => "roundrobin",
            Self::Sticky => "sticky",
            Self::CooperativeSticky => "cooperative-sticky",
        }
    }

    /// The assignor of this name, or of the name of its class in Kafka's Java client.
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
