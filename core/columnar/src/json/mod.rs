//! JSON to Arrow.
