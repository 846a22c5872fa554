//! Kafka's messages with a codec that is safe on hostile bytes
