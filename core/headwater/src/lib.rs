//! Kafka as a library: open a directory, produce, consume Arrow
