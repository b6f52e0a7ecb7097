"""The ledger stage: from `tickets` and `dead-letter` to ClickHouse."""
