//! Features of the cluster (KIP-584): what this broker can do at which level, and the level that a new cluster begins with. The level in
//! force is a record in the metadata log.

/// One feature.
#[derive(Debug)]
pub(crate) struct Feature {
    pub(crate) name: &'static str,
    /// The lowest level that this broker can run at; 0 is without the feature.
    pub(crate) lowest: i16,
    /// The highest.
    pub(crate) highest: i16,
}

/// All features, by name. Transactions are not served yet, and so neither is `transaction.version`.
pub(crate) const FEATURES: &[Feature] = &[
    // Groups whose members are assigned by the broker (KIP-848).
    Feature {
        name: "group.version",
        lowest: 0,
        highest: 1,
    },
    // The oldest of Kafka 4: our records use nothing newer.
    Feature {
        name: "metadata.version",
        lowest: 7,
        highest: 7,
    },
];
