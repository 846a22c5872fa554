//! Crashes, damage and failing disks of the log, judged by a model.
//!
//! A [`Script`](script::Script) is a list of appends, rolls, flushes, deletions and truncations drawn from a seed. It
//! is run once on a good disk, to record the result of each step and the number of its disk operations, and then
//! repeatedly with a fault at one of these operations. The recovered state is compared with an
//! [`Expectation`](model::Expectation).

pub mod chance;
pub mod compacted;
pub mod judge;
pub mod model;
pub mod reference;
pub mod runner;
pub mod scan;
pub mod script;
pub mod session;
pub mod survival;
