//! `headwater.aio`: the bridge from futures of the core to awaitables of asyncio.

pub(crate) mod bridge;
pub(crate) mod call;
