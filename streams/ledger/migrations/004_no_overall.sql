-- As before, but for `overall_due`: a ticket that is handed to a side, or taken over by a policy, without an overall limit
-- has none from then on. Closing says no limits either, and leaves what the ticket was judged by.
--
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
    argMaxIf(
        tuple(e.overall_due), e.sequence,
        e.overall_due IS NOT NULL
        OR e.type IN ('lianqin.ticket.dispatched.v1', 'lianqin.ticket.reopened.v1', 'lianqin.limits.changed.v1')
    ).1 AS overall_due,
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
