"""Foreign clients, each in a complete scenario, with Headwater or, with ``--broker=kafka``, with Apache Kafka."""
