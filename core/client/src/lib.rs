//! Producer, consumer and admin over typed Kafka requests
