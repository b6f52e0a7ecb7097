-- What the desk in full says of a ticket: sides, standing, requests, steps of the ladder, matches, drills.
ALTER TABLE events ADD COLUMN IF NOT EXISTS drill UInt8;
ALTER TABLE events ADD COLUMN IF NOT EXISTS side LowCardinality(String);
ALTER TABLE events ADD COLUMN IF NOT EXISTS kind LowCardinality(String);
ALTER TABLE events ADD COLUMN IF NOT EXISTS standing LowCardinality(String);
ALTER TABLE events ADD COLUMN IF NOT EXISTS recorded LowCardinality(String);
ALTER TABLE events ADD COLUMN IF NOT EXISTS by LowCardinality(String);
ALTER TABLE events ADD COLUMN IF NOT EXISTS before LowCardinality(String);
ALTER TABLE events ADD COLUMN IF NOT EXISTS kept Nullable(UInt8);
ALTER TABLE events ADD COLUMN IF NOT EXISTS step LowCardinality(String);
ALTER TABLE events ADD COLUMN IF NOT EXISTS recipients Array(LowCardinality(String));
ALTER TABLE events ADD COLUMN IF NOT EXISTS condition LowCardinality(String);
ALTER TABLE events ADD COLUMN IF NOT EXISTS request LowCardinality(String);
ALTER TABLE events ADD COLUMN IF NOT EXISTS granted Nullable(Int64);
ALTER TABLE events ADD COLUMN IF NOT EXISTS automatic Nullable(UInt8);
ALTER TABLE events ADD COLUMN IF NOT EXISTS self_handled Nullable(UInt8);
ALTER TABLE events ADD COLUMN IF NOT EXISTS from_side LowCardinality(String);
ALTER TABLE events ADD COLUMN IF NOT EXISTS to_side LowCardinality(String);
ALTER TABLE events ADD COLUMN IF NOT EXISTS diversion_list LowCardinality(String);
ALTER TABLE events ADD COLUMN IF NOT EXISTS returned Nullable(UInt8);
ALTER TABLE events ADD COLUMN IF NOT EXISTS other String;
ALTER TABLE events ADD COLUMN IF NOT EXISTS why LowCardinality(String);
ALTER TABLE events ADD COLUMN IF NOT EXISTS match_score Nullable(UInt8);
ALTER TABLE events ADD COLUMN IF NOT EXISTS distance_m Nullable(Int32);
ALTER TABLE events ADD COLUMN IF NOT EXISTS likeness Nullable(UInt8);
ALTER TABLE events ADD COLUMN IF NOT EXISTS with_master String;
ALTER TABLE events ADD COLUMN IF NOT EXISTS recurrence_of String;
ALTER TABLE events ADD COLUMN IF NOT EXISTS alarm LowCardinality(String);

-- The newest state of each ticket, from the few events that carry it. `closed`: closed and not opened again, or voided.
-- `counted`: neither a drill nor voided, and nobody's child: what figures are made of.
CREATE OR REPLACE VIEW tickets AS
SELECT
    e.ticket AS ticket,
    any(e._partition) AS partition,
    anyIf(e.matter, e.stage = 'opened') AS matter,
    anyIf(e.area, e.stage = 'opened') AS area,
    anyIf(e.category, e.stage = 'opened') AS category,
    anyIf(e.kind, e.stage = 'opened') AS kind,
    anyIf(e.urgency, e.stage = 'opened') AS urgency,
    anyIf(e.source, e.stage = 'opened') AS source,
    anyIf(e.source_id, e.stage = 'opened') AS source_id,
    anyIf(e.grid, e.stage = 'opened') AS grid,
    anyIf(e.lat, e.stage = 'opened') AS lat,
    anyIf(e.lon, e.stage = 'opened') AS lon,
    anyIf(e.flags, e.stage = 'opened') AS flags,
    anyIf(e.recurrence_of, e.stage = 'opened') AS recurrence_of,
    max(e.drill) AS drill,
    argMaxIf(e.policy, e.sequence, e.policy != '') AS policy,
    argMaxIf(e.side, e.sequence, e.side != '') AS side,
    min(e.time) AS opened_at,
    argMaxIf(e.stage, e.sequence, e.stage != '') AS stage,
    maxIf(e.time, e.stage != '') AS stage_at,
    coalesce(nullIf(argMaxIf(e.standing, e.sequence, e.standing != ''), ''), 'running') AS standing,
    argMaxIf(e.unit, e.sequence, e.stage IN ('opened', 'dispatched')) AS unit,
    argMaxIf(e.level, e.sequence, e.stage IN ('opened', 'dispatched')) AS level,
    if(standing = 'merged', argMaxIf(e.other, e.sequence, e.type = 'lianqin.ticket.absorbed.v1'), '') AS merged_into,
    argMaxIf(e.overall_due, e.sequence, e.overall_due IS NOT NULL) AS overall_due,
    stage IN ('closed', 'rated') OR standing = 'voided' AS closed,
    if(closed, maxOrNullIf(e.time, e.stage = 'closed' OR e.standing = 'voided'), NULL) AS closed_at,
    if(stage IN ('closed', 'rated'), argMaxIf(e.took, e.sequence, e.took IS NOT NULL), NULL) AS took,
    if(stage IN ('closed', 'rated'), argMaxIf(e.on_time, e.sequence, e.on_time IS NOT NULL), NULL) AS on_time,
    argMaxIf(e.score, e.sequence, e.score IS NOT NULL) AS score,
    maxOrNullIf(e.time, e.type = 'lianqin.ticket.reopened.v1') AS reopened_at,
    if(standing = 'suspended', maxOrNullIf(e.time, e.standing = 'suspended'), NULL) AS suspended_at,
    countIf(e.type = 'lianqin.ticket.returned.v1') AS returns,
    countIf(e.type = 'lianqin.ticket.reworked.v1') AS reworks,
    countIf(e.type = 'lianqin.ticket.reopened.v1') AS reopens,
    countIf(e.type = 'lianqin.ticket.suspended.v1') AS suspensions,
    countIf(e.type = 'lianqin.ticket.dispatched.v1' AND e.before != '') AS wrong_dispatches,
    NOT drill AND standing NOT IN ('voided', 'merged') AS counted
FROM events AS e FINAL
WHERE e.ticket != '' AND (e.stage != '' OR e.standing != '' OR e.side != '' OR e.policy != '' OR isNotNull(e.overall_due))
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
    e.unit AS unit,
    if(reached.2, NULL, e.kept) AS kept,
    e.type AS type,
    e.before AS before,
    e.by AS by
FROM events AS e FINAL
ARRAY JOIN arrayConcat(arrayMap(s -> (s, true), e.inferred), [(e.stage, false)]) AS reached
WHERE e.stage != '' AND e.ticket != '';

-- Steps that limits have climbed: warned, passed, yellow, red, escalated.
CREATE OR REPLACE VIEW limits AS
SELECT
    e._topic AS _topic, e._partition AS _partition, e._offset AS _offset, e.time AS due_at, e.ticket AS ticket,
    e.area AS area, e.unit AS unit, e.limit_name AS limit_name, e.allowed AS allowed,
    e.type = 'lianqin.limit.passed.v1' AS passed,
    multiIf(e.step != '', e.step, passed, 'passed', 'warned') AS step,
    e.level AS level, e.recipients AS recipients, e.drill AS drill
FROM events AS e FINAL
WHERE e.type IN (
    'lianqin.limit.warned.v1', 'lianqin.limit.passed.v1', 'lianqin.limit.carded.v1', 'lianqin.limit.escalated.v1'
);

-- Tickets that are left out of figures although they are no drill: voided, or merged into another that is counted.
CREATE OR REPLACE VIEW left_out AS
SELECT e.ticket AS ticket, argMax(e.standing, e.sequence) AS standing
FROM events AS e FINAL
WHERE e.standing != '' AND e.ticket != ''
GROUP BY e.ticket
HAVING argMax(e.standing, e.sequence) IN ('voided', 'merged');

-- What was found of pairs of tickets.
CREATE OR REPLACE VIEW candidates AS
SELECT
    time, ticket, other,
    transform(
        type,
        ['lianqin.match.proposed.v1', 'lianqin.match.refused.v1', 'lianqin.ticket.absorbed.v1',
         'lianqin.ticket.restored.v1', 'lianqin.ticket.linked.v1'],
        ['proposed', 'refused', 'confirmed', 'parted', 'linked'], ''
    ) AS finding,
    match_score, distance_m, likeness, why, by, area, drill
FROM events FINAL
WHERE finding != '';
