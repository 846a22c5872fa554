//! Code that several handlers share.

pub(super) mod authorized_operations;
pub(super) mod errors;
pub(super) mod lookup;
pub(super) mod members;
pub(super) mod resources;
pub(super) mod transactions;
