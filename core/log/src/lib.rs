//! A partition's log: segments, indexes, append, read, retention, recovery. Synchronous
