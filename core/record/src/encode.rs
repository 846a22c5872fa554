//! Writing records into a buffer: sizes first, then bytes.
