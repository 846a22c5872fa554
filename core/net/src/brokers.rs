//! The addresses of a cluster's brokers.

use hashbrown::HashMap;
use headwater_client::BrokerAddress;
use headwater_env::{Env as _, RealEnv};
use parking_lot::Mutex;

use crate::address::Address;
use crate::error::ConnectionError;
use crate::recovery::RecoveryStrategy;

/// The bootstrap addresses, and the addresses from metadata. May be used concurrently.
#[derive(Debug)]
pub(crate) struct Brokers {
    bootstrap: Vec<Address>,
    strategy: RecoveryStrategy,
    by_id: Mutex<HashMap<i32, Address>>,
}

impl Brokers {
    pub(crate) fn new(bootstrap: Vec<Address>, strategy: RecoveryStrategy) -> Self {
        Self {
            bootstrap,
            strategy,
            by_id: Mutex::default(),
        }
    }

    /// Replaces the addresses from metadata.
    pub(crate) fn learn(&self, brokers: &[BrokerAddress]) {
        // A broker without a usable address cannot be called; Kafka gives it port -1.
        let usable = brokers
            .iter()
            .filter(|broker| broker.port > 0 && !broker.host.is_empty());
        let by_id = usable.map(|broker| {
            let address = Address {
                host: broker.host.clone(),
                port: broker.port,
            };
            (broker.id, address)
        });
        *self.by_id.lock() = by_id.collect();
    }

    /// The address of the broker with this id.
    pub(crate) fn address(&self, id: i32) -> Result<Address, ConnectionError> {
        self.by_id.lock().get(&id).cloned().ok_or_else(|| {
            ConnectionError::unreachable(format!(
                "Broker {id} is not in the cluster's metadata: it may have left, or may be starting"
            ))
        })
    }

    /// The id of the broker that has this address, by the metadata.
    pub(crate) fn id_of(&self, address: &Address) -> Option<i32> {
        let by_id = self.by_id.lock();
        let found = by_id.iter().find(|(_, known)| *known == address);
        found.map(|(id, _)| *id)
    }

    /// Drops the addresses from metadata.
    pub(crate) fn forget(&self) {
        self.by_id.lock().clear();
    }

    /// All addresses without repetition, in the order in which to try them: those from metadata in random order, then
    /// the bootstrap addresses in random order. With `metadata.recovery.strategy=none`, the bootstrap addresses only
    /// before there is metadata.
    pub(crate) fn candidates(&self) -> Vec<Address> {
        let mut candidates: Vec<Address> = self.by_id.lock().values().cloned().collect();
        shuffle(&mut candidates);
        if self.strategy == RecoveryStrategy::None && !candidates.is_empty() {
            return candidates;
        }
        let mut bootstrap = self.bootstrap.clone();
        bootstrap.retain(|address| !candidates.contains(address));
        shuffle(&mut bootstrap);
        candidates.append(&mut bootstrap);
        candidates
    }

    /// Whether the address is a bootstrap address.
    pub(crate) fn is_bootstrap(&self, address: &Address) -> bool {
        self.bootstrap.contains(address)
    }

    /// The bootstrap addresses as configured.
    pub(crate) fn bootstrap_list(&self) -> String {
        let written: Vec<String> = self.bootstrap.iter().map(Address::to_string).collect();
        written.join(",")
    }
}

/// A random number.
fn random() -> u32 {
    let mut bytes = [0; 4];
    RealEnv.fill_random(&mut bytes);
    u32::from_le_bytes(bytes)
}

/// Fisher-Yates.
fn shuffle(addresses: &mut [Address]) {
    for last in (1..addresses.len()).rev() {
        addresses.swap(last, random() as usize % (last + 1));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const REBOOTSTRAP: RecoveryStrategy = RecoveryStrategy::Rebootstrap(Duration::ZERO);

    /// Brokers with these bootstrap addresses.
    fn brokers<const N: usize>(bootstrap: [&str; N], strategy: RecoveryStrategy) -> Brokers {
        let addresses = bootstrap.map(|address| address.parse().unwrap());
        Brokers::new(addresses.into(), strategy)
    }

    fn broker(id: i32, host: &str) -> BrokerAddress {
        BrokerAddress {
            id,
            host: host.to_owned(),
            port: 9092,
            rack: None,
        }
    }

    #[test]
    fn brokers_from_metadata_come_before_bootstrap_addresses_without_repetition() {
        let brokers = brokers(["a:9092", "c:9092"], REBOOTSTRAP);
        brokers.learn(&[broker(1, "a"), broker(2, "b")]);
        let candidates: Vec<String> = brokers
            .candidates()
            .iter()
            .map(Address::to_string)
            .collect();
        let mut first = candidates[..2].to_vec();
        first.sort();
        assert_eq!(first, ["a:9092", "b:9092"]);
        assert_eq!(candidates[2..], ["c:9092"]);
    }

    #[test]
    fn without_recovery_the_brokers_from_metadata_are_the_only_ones() {
        let brokers = brokers(["a:9092"], RecoveryStrategy::None);
        let candidates = || -> Vec<String> {
            let candidates = brokers.candidates();
            candidates.iter().map(Address::to_string).collect()
        };
        assert_eq!(candidates(), ["a:9092"]);
        brokers.learn(&[broker(1, "b")]);
        assert_eq!(candidates(), ["b:9092"]);
    }

    #[test]
    fn new_metadata_replaces_the_addresses() {
        let brokers = brokers(["a:9092"], REBOOTSTRAP);
        assert!(brokers.address(1).is_err());
        brokers.learn(&[broker(1, "a")]);
        brokers.learn(&[broker(2, "b")]);
        assert!(brokers.address(1).is_err());
        assert_eq!(brokers.address(2).unwrap().to_string(), "b:9092");
    }
}
