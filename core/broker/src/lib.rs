//! Partitions and the Kafka API handlers over the log
