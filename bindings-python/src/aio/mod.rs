//! What only `headwater.aio` needs: the bridge from futures of the core to those of asyncio.

pub(crate) mod bridge;
pub(crate) mod call;
