//! The allocator of the native half: mimalloc. Its default version 3 crashes Node's workers.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
