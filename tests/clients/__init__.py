"""Foreign clients, each through a whole scenario, against Headwater or (``--broker=kafka``) against Apache Kafka."""
