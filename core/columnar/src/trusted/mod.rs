//! The only module with unsafe code: it skips Arrow's second validation of arrays, and the zeroing of rows before they
//! are written.
//!
//! Arrow's checked constructors read every view, its prefix and (for text) every byte again, which costs as much as
//! decoding the record. [`ViewColumn`] guarantees the checked conditions by construction, as its invariant, and uses
//! the `unchecked` constructors.
#![allow(unsafe_code)]

mod buffers;
mod filling;
mod prefetch;
mod utf8;
mod view_column;

pub(crate) use buffers::{Block, Buffers};
pub(crate) use filling::{Columns, fill};
pub(crate) use prefetch::prefetch;
pub(crate) use view_column::ViewColumn;
