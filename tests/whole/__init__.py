"""The whole path as its users meet it: `lianqin` as a program, Kafka and ClickHouse behind it."""
