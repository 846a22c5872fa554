//! The native half of the npm package `headwater`: it converts between JavaScript and the core, and does nothing else.
//!
//! There is one file per class of the public API, with the same names as in the Python package. The public classes are
//! in TypeScript (`lib/`), which implements iterators, `AbortSignal`, disposal and `run()`. `runtime` runs futures of
//! the core and settles promises on the event loop, `errors` creates the error classes of TypeScript, `convert`
//! converts arguments, `flat` writes records for messages.

#![allow(
    unsafe_code,
    reason = "napi-derive writes it into each module; our own is in `runtime`, `errors`, `convert` and `command_line`"
)]
#![allow(
    clippy::needless_pass_by_value,
    clippy::trivially_copy_pass_by_ref,
    reason = "napi-derive decides how arguments are passed"
)]
#![allow(
    unreachable_pub,
    reason = "items exported to JavaScript must be public"
)]
#![allow(
    clippy::doc_markdown,
    reason = "the comments become TypeScript documentation"
)]
#![cfg_attr(
    test,
    allow(
        dead_code,
        reason = "napi-derive exports nothing to JavaScript in a test build"
    )
)]

mod abort;
mod allocator;
mod batch;
mod client;
mod command_line;
mod consumer;
mod convert;
mod engine;
mod errors;
mod event_loop;
mod external_memory;
mod flat;
mod json_values;
mod metrics;
mod owned;
mod producer;
mod recovery;
mod runtime;
mod scan;
mod schema;
mod sends;
mod server;
mod topic;
