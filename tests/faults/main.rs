//! Clients while brokers die, move and get cut off: nothing acknowledged is lost or doubled, order is kept, groups read each record.
//!
//! A scenario is run once for each seed, and a failure prints its seed. `HEADWATER_FAULT_SEED` is the first seed (1), and
//! `HEADWATER_FAULT_SEEDS` how many there are (1). Scenarios are ignored by a plain `cargo test`: `make test-faults` runs them, on three Apache
//! Kafka brokers (`kafka`) and on a Headwater server in a process of its own (`served`).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod brokers;
mod judge;
mod load;
mod proxy;
mod scenarios;
mod scene;
mod wire;

use std::time::{Duration, Instant};

/// Long enough for every machine; tests never wait for it when all is well.
const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until there is a value, and says what is missing if it never comes.
fn eventually<T>(what: &str, mut get: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = get() {
            return value;
        }
        assert!(Instant::now() < deadline, "it never came: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
