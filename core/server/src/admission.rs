//! The limits for connections: in all, and for each address.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::BrokerLimits;

/// The connections of one server.
#[derive(Debug)]
pub(crate) struct Admission {
    per_address: usize,
    all: Arc<Semaphore>,
    counts: Mutex<HashMap<IpAddr, usize>>,
}

/// A permit for one connection; released when it is dropped.
pub(crate) type ConnectionPermit = OwnedSemaphorePermit;

/// A permit for one connection of an address; released when it is dropped.
#[derive(Debug)]
pub(crate) struct AddressPermit {
    admission: Arc<Admission>,
    address: IpAddr,
}

impl Admission {
    pub(crate) fn new(limits: &BrokerLimits) -> Self {
        let all = limits.connections_max.min(Semaphore::MAX_PERMITS);
        Self {
            per_address: limits.connections_per_ip_max,
            all: Arc::new(Semaphore::new(all)),
            counts: Mutex::default(),
        }
    }

    /// Waits for a permit for a connection.
    pub(crate) async fn acquire(&self) -> ConnectionPermit {
        let all = Arc::clone(&self.all);
        all.acquire_owned()
            .await
            .expect("the semaphore is never closed")
    }

    /// A permit for a connection of `address`; `None` if the limit is reached.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<AddressPermit> {
        // Listeners on [::] see IPv4 clients with mapped addresses.
        let address = address.to_canonical();
        let mut counts = self.counts.lock();
        let count = counts.get(&address).copied().unwrap_or(0);
        if count >= self.per_address {
            return None;
        }
        counts.insert(address, count + 1);
        Some(AddressPermit {
            admission: Arc::clone(self),
            address,
        })
    }
}

impl Drop for AddressPermit {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = self.admission.counts.lock().entry(self.address) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_metadata::BrokerConfig;

    use super::*;

    #[test]
    fn connections_of_an_address_are_limited_and_released() {
        let limits = BrokerLimits {
            connections_max: 10,
            connections_per_ip_max: 2,
            ..BrokerLimits::from(&BrokerConfig::default())
        };
        let admission = Arc::new(Admission::new(&limits));
        let one: IpAddr = "10.0.0.1".parse().unwrap();
        let same: IpAddr = "::ffff:10.0.0.1".parse().unwrap();
        let other: IpAddr = "10.0.0.2".parse().unwrap();
        let first = admission.admit(one).unwrap();
        let second = admission.admit(same).unwrap();
        assert!(admission.admit(one).is_none());
        let third = admission.admit(other).unwrap();
        drop(first);
        let fourth = admission.admit(same).unwrap();
        drop((second, third, fourth));
        assert!(admission.counts.lock().is_empty(), "counts remain");
    }
}
