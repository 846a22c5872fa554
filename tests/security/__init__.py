"""Our client on Apache Kafka with TLS, SASL and access rules."""
