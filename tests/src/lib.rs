//! Whole-product tests: behaviour, crash, bindings
