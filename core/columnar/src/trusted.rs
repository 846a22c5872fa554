//! Unchecked construction.
