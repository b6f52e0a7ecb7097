-- The newest state of each ticket, from the few events that carry it.
CREATE OR REPLACE VIEW tickets AS
SELECT
    e.ticket AS ticket,
    anyIf(e.matter, e.stage = 'opened') AS matter,
    anyIf(e.area, e.stage = 'opened') AS area,
    anyIf(e.category, e.stage = 'opened') AS category,
    anyIf(e.urgency, e.stage = 'opened') AS urgency,
    anyIf(e.source, e.stage = 'opened') AS source,
    anyIf(e.source_id, e.stage = 'opened') AS source_id,
    anyIf(e.grid, e.stage = 'opened') AS grid,
    anyIf(e.lat, e.stage = 'opened') AS lat,
    anyIf(e.lon, e.stage = 'opened') AS lon,
    anyIf(e.flags, e.stage = 'opened') AS flags,
    anyIf(e.policy, e.stage = 'opened') AS policy,
    min(e.time) AS opened_at,
    argMax(e.stage, e.sequence) AS stage,
    max(e.time) AS stage_at,
    argMaxIf(e.unit, e.sequence, e.unit != '') AS unit,
    argMaxIf(e.level, e.sequence, e.level != '') AS level,
    argMaxIf(e.overall_due, e.sequence, e.overall_due IS NOT NULL) AS overall_due,
    countIf(e.stage IN ('closed', 'rated')) > 0 AS closed,
    minOrNullIf(e.time, e.stage IN ('closed', 'rated')) AS closed_at,
    coalesce(max(e.took), dateDiff('millisecond', opened_at, closed_at)) AS took,
    coalesce(max(e.on_time), if(closed, overall_due IS NULL OR closed_at <= overall_due, NULL)) AS on_time,
    max(e.score) AS score
FROM events AS e FINAL
WHERE e.stage != '' AND e.ticket != ''
GROUP BY e.ticket;

-- Each stage that a ticket reached; inferred ones passed with a later one and were reported by nobody.
CREATE OR REPLACE VIEW stages AS
SELECT
    e.ticket AS ticket,
    e.sequence AS sequence,
    reached.1 AS stage,
    reached.2 AS inferred,
    e.time AS at,
    if(reached.2, NULL, e.spent) AS spent,
    if(reached.2, NULL, e.allowed) AS allowed,
    e.source AS source,
    e.unit AS unit
FROM events AS e FINAL
ARRAY JOIN arrayConcat(arrayMap(s -> (s, true), e.inferred), [(e.stage, false)]) AS reached
WHERE e.stage != '' AND e.ticket != '';

-- What became of each command: of a report its fate, of any other its outcome.
CREATE OR REPLACE VIEW settlements AS
SELECT
    _topic, _partition, _offset, time, ticket, type, fate, outcome, reason, command, source, source_id, flags,
    origin_topic, origin_partition, origin_offset
FROM events FINAL
WHERE type IN ('lianqin.report.settled.v1', 'lianqin.command.settled.v1');

-- Input that could not be used.
CREATE OR REPLACE VIEW dead_letters AS
SELECT
    _topic, _partition, _offset, time, source, reason, hint, origin_topic, origin_partition, origin_offset
FROM events FINAL
WHERE type = 'dead-letter';

-- Which records of the sources stand here, as settled (1) or as a dead letter (0).
CREATE OR REPLACE VIEW origins AS
SELECT
    _topic, _partition, _offset, origin_topic, origin_partition, origin_offset, type != 'dead-letter' AS settled
FROM events FINAL
WHERE origin_topic != '';

-- Limits that ran out (overdue) or nearly did (warned).
CREATE OR REPLACE VIEW limits AS
SELECT
    _topic, _partition, _offset, time AS due_at, ticket, area, unit, limit_name, allowed,
    type = 'lianqin.limit.passed.v1' AS passed
FROM events FINAL
WHERE type IN ('lianqin.limit.warned.v1', 'lianqin.limit.passed.v1');
