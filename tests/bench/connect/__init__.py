"""The client on a running cluster: ours and its peers, at one broker of Apache Kafka, in turns."""
