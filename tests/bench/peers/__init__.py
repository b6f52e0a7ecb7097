"""The small job beside its peers: Kafka Streams, Quix Streams, plain Faust."""
