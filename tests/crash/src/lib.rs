//! Crashes, damage and failing disks against the log, judged by a model.
//!
//! A [`Script`](script::Script) is a list of appends, rolls, flushes, deletions and truncations drawn from a seed. It is run once on a
//! good disk, to learn what each step does and how many times it touches the disk, and then again and again with something going wrong
//! at one of those touches. What is found afterwards is held against an [`Expectation`](model::Expectation).

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
