"""One suite for both ways in: chDB in this process, and a server over HTTP (our own front, opened for writing)."""

# ruff: noqa: D101, D102 - a test's name is its sentence
# ruff: noqa: S106 - made-up passwords

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pytest

from schemas.codes import Outcome
from schemas.events import (
    CommandSettled,
    Event,
    LimitsChanged,
    TicketClosed,
    TicketDispatched,
    TicketDiverted,
    TicketReopened,
)
from streams.ledger import queries
from streams.ledger.access import Embedded, Server, Way, connect
from streams.ledger.asking import rows
from streams.ledger.errors import LedgerRefused
from streams.ledger.front import Front, FrontOptions
from streams.ledger.loop import Kept
from streams.ledger.migrate import migrate, migrations
from streams.ledger.newest import newest
from streams.ledger.rows import COLUMNS, Block, block_of, dead_letter_row, event_row
from streams.ledger.series import series
from streams.ledger.store import Store
from tests.facts import BEGIN, DAY, HOUR, deadline, fact, origin
from tests.ledger.histories import (
    DEAD_LETTERS,
    HISTORY,
    TICKETS,
    Partition,
    dead_block,
    dead_letter,
    full_history,
    newest_of,
    small_history,
)


def _large(rows: int) -> Block:
    """A block of so many rows of a thousand bytes and more."""
    one = dict(zip((column.name for column in COLUMNS), small_history().block(0, 1).columns, strict=True))
    many = {name: [values[0]] * rows for name, values in one.items()}
    many |= {"_offset": list(range(rows)), "data": [f"{number:01000d}" for number in range(rows)]}
    return Block("lianqin.tickets", 0, 0, rows - 1, tuple(many.values()), digest="large")


class _Column(list[object]):
    """A list that can be watched."""


class StoreSuite:
    """What every way in must do. A subclass gives `way`."""

    @pytest.fixture
    async def store(self, way: Way) -> AsyncIterator[Store]:
        async with Store(way) as opened:
            yield opened

    async def count(self, store: Store) -> tuple[int, int]:
        """Rows before and after rows with the same place are one."""
        sql = "SELECT (SELECT count() FROM events), (SELECT count() FROM events FINAL)"
        found = await store.ask(lambda client: rows(client, sql))
        return found[0][0], found[0][1]

    async def test_the_table_is_as_the_rows_say(self, store: Store) -> None:
        described = await store.ask(lambda client: rows(client, "DESCRIBE TABLE events"))
        assert [(row[0], row[1]) for row in described] == [(column.name, column.type) for column in COLUMNS]

    async def test_migrations_are_recorded_and_not_repeated(self, store: Store) -> None:
        assert await store.ask(migrate) == []
        done = await store.ask(lambda client: rows(client, "SELECT number, name FROM migrations ORDER BY number"))
        assert [tuple(row) for row in done] == [(one.number, one.name) for one in migrations()]

    async def test_a_database_ahead_of_the_build_is_refused(self, store: Store, way: Way) -> None:
        await store.ask(lambda client: client.insert("migrations", [[999, "x"]], column_names=["number", "name"]))
        with pytest.raises(LedgerRefused, match="newer"):
            await Store(way).open()

    async def test_the_same_block_again_is_not_written_again(self, store: Store) -> None:
        block = small_history().block()
        await store.insert(block)
        await store.insert(block)
        assert await self.count(store) == (block.rows, block.rows)

    async def test_another_logs_block_is_not_taken_for_one_already_written(self, store: Store) -> None:
        # A topic that was made anew: the same offsets and as many records.
        old, new = Partition(), Partition()
        for log, name in ((old, "old"), (new, "new")):
            log.open(name, origin(0), at=BEGIN if log is old else BEGIN + DAY)
        await store.insert(old.block())
        await store.insert(new.block())
        found = await store.ask(lambda client: rows(client, "SELECT DISTINCT ticket FROM events FINAL"))
        assert [row[0] for row in found] == ["new"]

    async def test_the_newest_row_is_known_by_its_record(self, store: Store) -> None:
        log, elsewhere = small_history(), Partition(number=1)
        elsewhere.rate("k1", origin(1), at=BEGIN)
        letters = [dead_letter(0, origin(20)), dead_letter(2, origin(21))]
        for block in (log.block(0, 6), log.block(4), elsewhere.block(), dead_block(*letters)):
            await store.insert(block)
        found = await store.ask(partial(newest, topic=TICKETS, partition=0))
        assert found is not None
        assert found == newest_of(log.block())
        assert [found.is_of(event_row(record)) for record in log.records[-2:]] == [False, True]
        found = await store.ask(partial(newest, topic=DEAD_LETTERS, partition=0))
        assert found is not None
        assert [found.is_of(dead_letter_row(letter)) for letter in letters] == [False, True]
        assert found.is_of(event_row(letters[0]))  # another build could not read it
        assert await store.ask(partial(newest, topic=TICKETS, partition=2)) is None

    async def test_a_large_block_is_there_whole(self, store: Store) -> None:
        # 5 MB: the client would cut it into pieces of 2, which share the block's token.
        await store.insert(_large(5_000))
        assert await self.count(store) == (5_000, 5_000)

    async def test_nothing_of_a_block_stays_once_it_is_written(self, store: Store) -> None:
        # A worker does not look for circles among what was under way when it last looked.
        gc.disable()
        try:
            log = small_history()
            first = log.block(0, 6)
            column = _Column(first.columns[0])
            kept = weakref.ref(column)
            await store.insert(replace(first, columns=(column, *first.columns[1:])))
            del column
            # The thread that writes has something else in hand by then.
            await store.insert(log.block(6))
            assert kept() is None
        finally:
            gc.enable()

    async def test_a_frozen_writers_late_block_changes_nothing(self, store: Store) -> None:
        # written by its successor:  [0 . . . . .][6 . . . . . .]
        # late, cut otherwise:             [4 . . . . .]
        log = small_history()
        await store.insert(log.block(0, 6))
        await store.insert(log.block(6))
        before = await store.ask(queries.figures)
        await store.insert(log.block(4, 9))
        stored, counted = await self.count(store)
        assert (stored, counted) == (len(log.records) + 5, len(log.records))
        assert await store.ask(queries.figures) == before

    async def test_what_is_written_comes_back(self, store: Store) -> None:
        log = small_history()
        await store.insert(log.block())
        sql = "SELECT toUnixTimestamp64Milli(time), lat, flags, inferred, data FROM events ORDER BY _offset"
        found = await store.ask(lambda client: rows(client, sql))
        for row, record in zip(found, log.records, strict=True):
            assert (row[0], row[4].encode()) == (record.timestamp, record.value)
        assert found[0][1] == pytest.approx(42.1)
        assert ["no-place"] in [row[2] for row in found]
        assert ["accepted", "handled"] in [row[3] for row in found]

    async def test_figures_of_a_small_history(self, store: Store) -> None:
        await store.insert(small_history().block())
        await store.insert(dead_block(dead_letter(0, origin(20)), dead_letter(1, origin(21))))
        found = await store.ask(queries.figures)
        assert found.reports == 6
        assert found.fates == {"ticketed": 4, "repeat": 1, "urged": 1}
        assert (found.outcomes, found.dead_letters, found.flags) == ({"applied": 4}, {"broken": 2}, {"no-place": 1})
        total = found.total
        assert (total.tickets, total.closed, total.open, total.overdue_now) == (4, 3, 1, 1)
        assert total.on_time_rate == pytest.approx(2 / 4)  # k1 and k3, of three closed and one overdue
        assert (total.p50_ms, total.p90_ms) == pytest.approx((5 * HOUR, 25 * HOUR))  # 2 h, 5 h, 30 h
        assert found.by_stage == {"closed": 2, "rated": 1, "opened": 1}
        assert {name: (part.tickets, part.closed) for name, part in found.by_area.items()} == {
            "a1": (3, 3),
            "a2": (1, 0),
        }
        assert found.by_area["a2"].on_time_rate == 0
        assert {name: part.overdue_now for name, part in found.by_category.items()} == {"pothole": 0, "graffiti": 1}

    async def test_figures_of_all_that_may_befall_tickets(self, store: Store) -> None:
        await store.insert(full_history().block())
        found = await store.ask(queries.figures)
        # Not the drill, the voided one and the child.
        assert (found.fates, found.outcomes, found.total.tickets) == ({"ticketed": 8}, {"refused": 1}, 7)
        # Open and overdue at 30 h: m2, p1, b1, q1 since 27 h; not the one that was suspended before, nor r1 anew.
        assert (found.total.closed, found.total.closed_on_time, found.total.overdue_now) == (1, 1, 4)
        assert found.by_stage == {"opened": 4, "accepted": 1, "signed": 1, "rated": 1}
        loop = found.loop
        assert loop.stages == {"dispatched": Kept(1, 1), "handled": Kept(0, 1), "signed": Kept(1, 2)}
        assert loop.stages["signed"].rate == 0.5
        assert loop.conditions == {"fenced": Kept(1, 1)}
        assert (loop.returns, loop.reworks, loop.wrong_dispatches, loop.reopens) == (1, 1, 2, 1)
        assert (loop.suspensions, loop.recurrences) == (1, 1)
        assert loop.extensions == {"automatic": 1, "approved": 1}
        assert (loop.requests, loop.refusals) == ({"return": 1, "extension": 1}, {"return": 1})
        assert loop.diversions == {"police to service": 1, "returned": 1}
        assert loop.steps == {"warned": 1, "yellow": 1, "escalated": 1}
        assert loop.alarms == {"no-owner": 1}
        assert loop.candidates == {"proposed": 1, "confirmed": 1, "refused": 1, "linked": 1}
        assert (loop.scores, loop.rated, loop.satisfied_rate) == ({5: 1}, 1, 1.0)
        assert loop.left_out == {"drill": 1, "voided": 1, "merged": 1}

    async def test_the_newest_state_knows_what_befell(self, store: Store) -> None:
        await store.insert(full_history().block())
        sql = "SELECT ticket, stage, standing, unit, closed, merged_into, counted FROM tickets ORDER BY ticket"
        found = {row[0]: tuple(row[1:]) for row in await store.ask(lambda client: rows(client, sql))}
        assert found["d1"] == ("signed", "running", "u1", 0, "", 0)
        assert found["v1"] == ("signed", "voided", "u1", 1, "", 0)
        assert found["m1"] == ("opened", "merged", "u1", 0, "m2", 0)
        assert found["r1"] == ("accepted", "running", "u3", 0, "", 1)
        assert found["s1"] == ("signed", "suspended", "u1", 0, "", 1)
        assert found["c1"] == ("rated", "running", "u1", 1, "", 1)
        sql = "SELECT closed_at IS NULL, took IS NULL, reopened_at IS NULL, reopens FROM tickets WHERE ticket = 'r1'"
        assert tuple((await store.ask(lambda client: rows(client, sql)))[0]) == (1, 1, 0, 1)

    async def test_a_ticket_opened_again_is_judged_by_its_last_closing(self, store: Store) -> None:
        log = Partition()
        log.open("k1", origin(0))
        log.close("k1", origin(1), at=BEGIN + 30 * HOUR)
        log.say(fact(TicketReopened, deadlines=(deadline(hours=60),)), at=BEGIN + 36 * HOUR, ticket="k1")
        await store.insert(log.block())
        assert (await store.ask(queries.figures)).total.closed == 0
        log.say(fact(TicketClosed, took=2 * HOUR, on_time=True), at=BEGIN + 38 * HOUR, ticket="k1")
        await store.insert(log.block(5))
        total = (await store.ask(queries.figures)).total
        assert (total.closed, total.closed_on_time, total.p50_ms) == (1, 1, 2 * HOUR)
        points = (await store.ask(series)).points
        assert [point.closed for point in points] == [*[0] * 38, 1]

    async def test_a_ticket_opened_again_under_another_policy_names_that_one(self, store: Store) -> None:
        log = Partition()
        log.open("k1", origin(0))
        log.close("k1", origin(1), at=BEGIN + HOUR)
        log.say(fact(LimitsChanged, policy="p2", deadlines=(), said={}), at=BEGIN + 2 * HOUR, ticket="k1")
        log.say(fact(TicketReopened, deadlines=(deadline(hours=60),)), at=BEGIN + 2 * HOUR, ticket="k1")
        await store.insert(log.block())
        sql = "SELECT policy, stage, closed, overall_due = toDateTime64({due} / 1000, 3, 'UTC') FROM tickets"
        sql = sql.format(due=deadline(hours=60).due_at)
        assert [tuple(row) for row in await store.ask(lambda client: rows(client, sql))] == [("p2", "accepted", 0, 1)]

    async def test_dead_letters_of_a_drill_count_nowhere(self, store: Store) -> None:
        await store.insert(dead_block(dead_letter(0, origin(20)), dead_letter(1, origin(21), drill=True)))
        assert (await store.ask(queries.figures)).dead_letters == {"broken": 1}

    @pytest.mark.parametrize(
        "taken",
        [
            (fact(TicketDiverted), fact(TicketDispatched)),
            (fact(LimitsChanged, policy="p2", said={}),),
            (fact(TicketClosed), fact(LimitsChanged, policy="p2", said={}), fact(TicketReopened)),
        ],
        ids=["by the other side", "by another policy", "by a reopening"],
    )
    async def test_a_ticket_whose_overall_limit_is_taken_away_is_not_overdue(
        self, store: Store, taken: tuple[Event, ...]
    ) -> None:
        log = Partition()
        for number, ticket in enumerate(("k1", "k2")):
            log.open(ticket, origin(number))
        for event in taken:
            log.say(event, at=BEGIN + HOUR, ticket="k1")
        log.pass_limit("k2", at=BEGIN + DAY)
        await store.insert(log.block())
        assert (await store.ask(queries.figures)).total.overdue_now == 1  # k2
        assert (await store.ask(series)).points[-1].overdue == 1

    async def test_figures_of_nothing(self, store: Store) -> None:
        found = await store.ask(queries.figures)
        assert (found.log_time, found.reports, found.total.tickets) == (None, 0, 0)
        assert (found.loop.satisfied_rate, found.loop.stages, found.loop.left_out) == (
            None, {}, {"drill": 0, "voided": 0, "merged": 0},
        )  # fmt: skip
        assert found.total.on_time_rate is None
        assert (await store.ask(series)).points == ()

    async def test_curves_of_a_small_history(self, store: Store) -> None:
        await store.insert(small_history().block())
        found = await store.ask(series)
        assert found.step == "hour"
        assert sum(point.reports for point in found.points) == 6
        assert sum(point.closed for point in found.points) == 3
        assert max(point.overdue for point in found.points) == 2
        assert found.points[-1].overdue == 1
        assert dict(found.closing)["1–4 h"] == 1
        assert dict(found.closing)["4–12 h"] == 1
        assert dict(found.closing)["1–2 d"] == 1

    async def test_a_policy_settled_before_any_time_counts_nowhere(self, store: Store) -> None:
        log = Partition()
        published = CommandSettled(
            outcome=Outcome.APPLIED, reason=None, command="policy", source="", source_id="", ticket=None, flags=(),
            origin=None,
        )  # fmt: skip
        log.say(published, at=0, ticket=None)
        await store.insert(log.block())
        assert (await store.ask(queries.figures)).log_time is None
        log.open("k1", origin(0))
        await store.insert(log.block(1))
        found = await store.ask(queries.figures)
        assert (found.outcomes, found.log_time) == ({}, datetime.fromtimestamp(BEGIN / 1000, UTC).replace(tzinfo=None))
        assert len((await store.ask(series)).points) == 1

    async def test_curves_without_a_report_or_a_ticket_that_counts(self, store: Store) -> None:
        log = Partition(drills={"d1"})
        log.open("d1", origin(0))
        log.say(fact(CommandSettled, command="policy", origin=None), at=BEGIN, ticket=None)
        await store.insert(log.block())
        found = await store.ask(series)
        assert (found.points, sum(count for _, count in found.closing)) == ([], 0)

    async def test_a_curve_has_no_gaps(self, store: Store) -> None:
        log = Partition()
        for number, days in enumerate((0, 3, 2000)):
            log.open(f"k{number}", origin(number), at=BEGIN + days * DAY)
        await store.insert(log.block(0, 4))
        assert [point.reports for point in (await store.ask(series)).points] == [1, *[0] * 71, 1]
        await store.insert(log.block(4))
        by_month = await store.ask(series)
        assert by_month.step == "month"
        assert [point.opened for point in by_month.points] == [2, *[0] * 65, 1]

    async def test_stages_name_the_inferred_ones(self, store: Store) -> None:
        await store.insert(small_history().block())
        sql = "SELECT stage, inferred, spent FROM stages WHERE ticket = 'k1' ORDER BY sequence, inferred DESC, stage"
        found = [tuple(row) for row in await store.ask(lambda client: rows(client, sql))]
        assert found == [
            ("opened", False, None),
            ("accepted", True, None),
            ("handled", True, None),
            ("closed", False, 2 * HOUR),
        ]

    async def test_views_of_settlements_limits_and_dead_letters(self, store: Store) -> None:
        await store.insert(small_history().block())
        await store.insert(dead_block(dead_letter(0, origin(20))))
        sql = (
            "SELECT (SELECT count() FROM settlements), (SELECT count() FROM dead_letters), "
            "(SELECT count() FROM limits WHERE passed AND allowed = {day:Int64}), "
            "(SELECT countIf(settled) FROM origins)"
        )
        found = await store.ask(lambda client: rows(client, sql, {"day": DAY}))
        assert tuple(found[0]) == (10, 1, 2, 10)

    async def test_settled_counts_each_origin_once(self, store: Store) -> None:
        await store.insert(small_history().block())
        await store.insert(dead_block(dead_letter(0, origin(9)), dead_letter(1, origin(11))))

        async def settled(first: int, last: int, partition: int = 0) -> int:
            return await store.ask(lambda client: queries.settled(client, HISTORY, partition, first, last))

        assert await settled(0, 11) == 11
        assert await settled(9, 11) == 2
        assert await settled(0, 11, partition=1) == 0

    async def test_questions_and_blocks_do_not_wait_for_each_other(self, store: Store) -> None:
        log = small_history()
        slow = "SELECT count() FROM numbers(30000000) WHERE NOT ignore(sipHash64(number))"
        asking = asyncio.ensure_future(store.ask(lambda client: rows(client, slow)))
        await asyncio.sleep(0.05)
        await store.insert(log.block())
        assert not asking.done()
        await asking


class TestEmbedded(StoreSuite):
    @pytest.fixture
    def way(self, embedded: Embedded) -> Way:
        return embedded

    async def test_closing_ends_a_question_that_runs(self, way: Way) -> None:
        store = Store(way)
        await store.open()
        endless = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))"
        asking = asyncio.ensure_future(store.ask(lambda client: rows(client, endless)))
        await asyncio.sleep(0.3)
        await asyncio.wait_for(store.close(), 10)
        with pytest.raises(Exception, match="QUERY_WAS_CANCELLED"):
            await asking


@pytest.mark.connected
class TestServer(StoreSuite):
    @pytest.fixture
    async def way(self, embedded: Embedded) -> AsyncIterator[Way]:
        connect(embedded, create=True).close()
        options = FrontOptions(user="u", password="p", database=embedded.database, writable=True)
        front = Front(embedded.folder, options)
        await front.start()
        yield Server(host="127.0.0.1", port=front.port, user="u", password="p", database=embedded.database)
        await front.stop()


def test_blocks_of_one_partition_are_in_order() -> None:
    log = small_history()
    assert list(block_of(log.records, event_row).columns[2]) == [record.offset for record in log.records]
