//! Clients while brokers die, move and lose connections: no acknowledged record is lost or duplicated, order is kept,
//! groups read each record.
//!
//! A scenario runs once for each seed, and a failure prints its seed. `HEADWATER_FAULT_SEED` is the first seed (1), and
//! `HEADWATER_FAULT_SEEDS` their number (1). A plain `cargo test` ignores the scenarios; `make test-faults` runs them,
//! on three Apache Kafka brokers (`kafka`) and on a Headwater server in its own process (`served`).

#![allow(clippy::unwrap_used, reason = "a panic ends a failed test")]

mod brokers;
mod judge;
mod load;
mod proxy;
mod scenarios;
mod scene;
mod wire;

use std::time::{Duration, Instant};

/// Long enough for any machine; passing tests never wait that long.
const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until there is a value. Panics with its description if it never appears.
fn eventually<T>(what: &str, mut get: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = get() {
            return value;
        }
        assert!(Instant::now() < deadline, "it never appeared: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
