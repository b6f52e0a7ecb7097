-- The landing table: one row a record of `tickets` and `dead-letter`. All else follows from it.
-- Not partitioned: an INSERT is whole or not at all only within one ClickHouse partition.
-- The deduplication window is needed for insert tokens to count at all (default 0).
CREATE TABLE IF NOT EXISTS events
(
    _topic LowCardinality(String),
    _partition Int32,
    _offset Int64,
    type LowCardinality(String),
    id String,
    emitter LowCardinality(String),
    time DateTime64(3, 'UTC'),
    area LowCardinality(String),
    ticket String,
    sequence UInt32,
    matter String,
    cause String,
    source LowCardinality(String),
    source_id String,
    fate LowCardinality(String),
    outcome LowCardinality(String),
    reason LowCardinality(String),
    command LowCardinality(String),
    origin_topic LowCardinality(String),
    origin_partition Int32,
    origin_offset Int64,
    stage LowCardinality(String),
    inferred Array(LowCardinality(String)),
    occurred_at Nullable(DateTime64(3, 'UTC')),
    spent Nullable(Int64),
    allowed Nullable(Int64),
    limit_name LowCardinality(String),
    overall_due Nullable(DateTime64(3, 'UTC')),
    took Nullable(Int64),
    on_time Nullable(UInt8),
    score Nullable(UInt8),
    unit LowCardinality(String),
    level LowCardinality(String),
    category LowCardinality(String),
    urgency LowCardinality(String),
    flags Array(LowCardinality(String)),
    policy LowCardinality(String),
    grid LowCardinality(String),
    lat Nullable(Float64),
    lon Nullable(Float64),
    hint String,
    data String CODEC(ZSTD(3)),
    INDEX origins origin_offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (_topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;
