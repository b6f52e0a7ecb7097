"""From facts on Kafka to rows in ClickHouse and back as figures."""
