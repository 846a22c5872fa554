"""The broker over TCP: the same foreign clients with Headwater and Apache Kafka, in turns."""
