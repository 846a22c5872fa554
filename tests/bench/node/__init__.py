"""The Node package against kafkajs and @platformatic/kafka."""
