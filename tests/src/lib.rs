//! Whole-product tests: behaviour, crash, bindings

pub mod kafka;
