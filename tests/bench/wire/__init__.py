"""The broker on the wire: the same foreign clients against Headwater and Apache Kafka, in turns."""
