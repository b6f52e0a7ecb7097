"""The shell: where Kafka, Faust, ClickHouse and the command line meet the core."""
