//! Features of the cluster (KIP-584): the levels that this broker supports, and the level of a new cluster. The
//! finalized level is a record in the metadata log.

/// A feature.
#[derive(Debug)]
pub(crate) struct Feature {
    pub(crate) name: &'static str,
    /// The lowest supported level; 0 means without the feature.
    pub(crate) lowest: i16,
    /// The highest supported level.
    pub(crate) highest: i16,
}

/// All features, by name. There are no transactions yet, so `transaction.version` is missing.
pub(crate) const FEATURES: &[Feature] = &[
    // Consumer groups (KIP-848).
    Feature {
        name: "group.version",
        lowest: 0,
        highest: 1,
    },
    // The oldest version of Kafka 4: our metadata records use nothing newer.
    Feature {
        name: "metadata.version",
        lowest: 7,
        highest: 7,
    },
];
