"""Tests of the ledger: from facts on Kafka to ClickHouse, and back as report and audit."""
