"""The Headwater client with an Apache Kafka that has TLS, SASL and access rules."""
