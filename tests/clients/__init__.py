"""Foreign clients, each through a whole scenario, against Headwater or (``--target=kafka``) against Apache Kafka."""
