//! The one place with unsafe code: arrays that Arrow would check a second time, and rows that would be zeroed before they are written.
//!
//! Arrow's checked constructors read every view, its prefix and (for text) every byte again: as much work as decoding the record. Here a
//! [`ViewColumn`] keeps what they check as its invariant, by construction, and hands over with the `unchecked` ones.
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
