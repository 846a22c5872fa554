//! Kafka's record batch v2: header, builder, views, validation, compression. No I/O
