"""The Headwater client and its peers in turns, with one broker of Apache Kafka."""
