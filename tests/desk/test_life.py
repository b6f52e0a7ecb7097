"""The life of a ticket as stories: every action where it is legal, and every reason it is refused for."""

from typing import Final

import pytest

from schemas.codes import Action, Side, Stage
from schemas.commands import Feedback, Tick
from tests.desk.logs import GAS, HOUR, LAMPS, MINUTE, SECOND, T0, feedback, report
from tests.desk.telling import Story, applied, check, refused, ticket_of_step

A = Action
OPENED: Final = ["ticket.opened", "ticket.dispatched", "report.settled ticketed"]
UNOWNED: Final = ["ticket.opened", "alarm.raised no-owner", "ticket.dispatched", "report.settled ticketed"]
NOT_NOW: Final = "not-legal-now"
MET: Final = applied(A.CONDITION_MET, "condition.met repaired")


def said(action: Action, **others: object) -> Feedback:
    """Feedback of a source that closes nothing by itself, on the ticket of the first step."""
    named: dict[str, object] = {"source": "grid", "ticket": ticket_of_step(1)}
    return feedback(action, str(others.pop("source_id", "")), **(named | others))


def moved(action: Action, name: str | None = None) -> list[str]:
    return applied(action, f"ticket.{name or action.value}")


LOOP: Story = [
    (0, report(), OPENED),
    (1, said(A.SIGNED), moved(A.SIGNED)),
    (2, said(A.CONTACTED), moved(A.CONTACTED)),
    (3, said(A.ARRIVED), moved(A.ARRIVED)),
    (4, said(A.HANDLED), moved(A.HANDLED)),
    (5, said(A.CLOSED), refused(A.CLOSED, NOT_NOW)),
    (6, said(A.VERIFIED), moved(A.VERIFIED)),
    (7, said(A.CALLED_BACK), moved(A.CALLED_BACK)),
    (8, said(A.CLOSED), moved(A.CLOSED)),
    (9, said(A.CLOSED), refused(A.CLOSED, NOT_NOW)),
    (10, said(A.RATED), refused(A.RATED, "bad-score")),
    (11, said(A.RATED, score=0), refused(A.RATED, "bad-score")),
    (12, said(A.RATED, score=6), refused(A.RATED, "bad-score")),
    (13, said(A.RATED, score=3), moved(A.RATED)),
    (14, said(A.RATED, score=3), refused(A.RATED, NOT_NOW)),
]

MOVES: dict[str, Story] = {
    "the whole loop, stage by stage": LOOP,
    "a later stage implies the earlier, and whoever was offline may still tell of those": [
        (0, report(), OPENED),
        (1, said(A.ARRIVED), moved(A.ARRIVED)),
        (2, said(A.SIGNED), applied(A.SIGNED, "stage.recorded signed")),
        (3, said(A.SIGNED), refused(A.SIGNED, NOT_NOW)),
        (4, said(A.ARRIVED), refused(A.ARRIVED, NOT_NOW)),
        (5, said(A.CALLED_BACK), moved(A.CALLED_BACK)),
        (6, said(A.CONTACTED), applied(A.CONTACTED, "stage.recorded contacted")),
        (7, said(A.CLOSED), moved(A.CLOSED)),
        (8, said(A.HANDLED, by=GAS.name), refused(A.HANDLED, "not-yours")),
        (9, said(A.HANDLED), applied(A.HANDLED, "stage.recorded handled")),
        (10, said(A.ACCEPTED), refused(A.ACCEPTED, NOT_NOW)),
    ],
    "whoever may close by itself closes from any stage": [
        (0, report(), OPENED),
        (1, said(A.CLOSED, source="city"), moved(A.CLOSED)),
        (2, said(A.VERIFIED), applied(A.VERIFIED, "stage.recorded verified")),
        (3, said(A.RATED, score=5), moved(A.RATED)),
        (4, said(A.SIGNED), applied(A.SIGNED, "stage.recorded signed")),
    ],
    "a stage is unreported again once the ticket has gone back behind it": [
        (0, report(), OPENED),
        (1, said(A.HANDLED), moved(A.HANDLED)),
        (2, said(A.REWORKED), moved(A.REWORKED)),
        (3, said(A.CONTACTED), moved(A.CONTACTED)),
        (4, said(A.SIGNED), applied(A.SIGNED, "stage.recorded signed")),
        (5, said(A.DISPATCHED, unit="gas"), moved(A.DISPATCHED)),
        (6, said(A.ARRIVED), moved(A.ARRIVED)),
        (7, said(A.SIGNED), applied(A.SIGNED, "stage.recorded signed")),
    ],
    "a ticket changes hands until it is handled, to another unit only": [
        (0, report(), OPENED),
        (1, said(A.DISPATCHED), refused(A.DISPATCHED, "no-unit")),
        (2, said(A.DISPATCHED, unit=LAMPS.name), refused(A.DISPATCHED, "no-unit")),
        (3, said(A.DISPATCHED, unit="lamps"), refused(A.DISPATCHED, "no-unit")),
        (4, said(A.DISPATCHED, unit="gas"), moved(A.DISPATCHED)),
        (5, said(A.SIGNED, by=LAMPS.name), refused(A.SIGNED, "not-yours")),
        (6, said(A.ARRIVED, by=GAS.name), moved(A.ARRIVED)),
        (7, said(A.DISPATCHED, unit="nobody knows it"), moved(A.DISPATCHED)),
        (8, said(A.SIGNED, by="nobody knows it"), moved(A.SIGNED)),
        (9, said(A.HANDLED), moved(A.HANDLED)),
        (10, said(A.DISPATCHED, unit="gas"), refused(A.DISPATCHED, NOT_NOW)),
    ],
    "who may say what, where a unit is named": [
        (0, report(), OPENED),
        (1, said(A.ASSISTED), refused(A.ASSISTED, "no-unit")),
        (2, said(A.ASSISTED, unit=LAMPS.name), refused(A.ASSISTED, "no-unit")),
        (3, said(A.CONTACTED, by=GAS.name), refused(A.CONTACTED, "not-yours")),
        (4, said(A.ASSISTED, unit="gas"), applied(A.ASSISTED, "ticket.assisted")),
        (5, said(A.ASSISTED, unit=GAS.name), refused(A.ASSISTED, "no-unit")),
        (6, said(A.SIGNED, by=GAS.name), refused(A.SIGNED, "not-yours")),
        (7, said(A.CONTACTED, by=GAS.name), moved(A.CONTACTED)),
        (8, said(A.ARRIVED, by=GAS.name), moved(A.ARRIVED)),
        (9, said(A.RETURN_REQUESTED, by=GAS.name), refused(A.RETURN_REQUESTED, "not-yours")),
        (10, said(A.EXTENSION_REQUESTED, by=GAS.name), refused(A.EXTENSION_REQUESTED, "not-yours")),
        (11, said(A.SUSPENSION_REQUESTED, by=GAS.name), refused(A.SUSPENSION_REQUESTED, "not-yours")),
        (12, said(A.HANDLED, by=GAS.name), refused(A.HANDLED, "not-yours")),
        (13, said(A.HANDLED, by=LAMPS.name), moved(A.HANDLED)),
        (14, said(A.VERIFIED, by="the centre"), moved(A.VERIFIED)),
        (15, said(A.ASSISTED, unit="street"), refused(A.ASSISTED, NOT_NOW)),
    ],
    "stage and standing come before whose it is, and that before what is lacking": [
        (0, report(), OPENED),
        (1, said(A.EXTENSION_REQUESTED, by=GAS.name), refused(A.EXTENSION_REQUESTED, "not-yours")),
        (2, said(A.HANDLED), moved(A.HANDLED)),
        (3, said(A.EXTENSION_REQUESTED, by=GAS.name), refused(A.EXTENSION_REQUESTED, NOT_NOW)),
    ],
    "rework goes back to the unit, as often as it takes": [
        (0, report(), OPENED),
        (1, said(A.REWORKED), refused(A.REWORKED, NOT_NOW)),
        (2, said(A.HANDLED), moved(A.HANDLED)),
        (3, said(A.REWORKED), moved(A.REWORKED)),
        (4, said(A.REWORKED), refused(A.REWORKED, NOT_NOW)),
        (5, said(A.HANDLED), moved(A.HANDLED)),
        (6, said(A.VERIFIED), moved(A.VERIFIED)),
        (7, said(A.REWORKED), moved(A.REWORKED)),
        (8, said(A.CALLED_BACK), moved(A.CALLED_BACK)),
        (9, said(A.REWORKED), moved(A.REWORKED)),
    ],
    "reopened by whoever is not satisfied": [
        (0, report(), OPENED),
        (1, said(A.REOPENED), refused(A.REOPENED, NOT_NOW)),
        (2, said(A.CLOSED, source="city"), moved(A.CLOSED)),
        (3, said(A.REOPENED), applied(A.REOPENED, "ticket.reopened", "ticket.dispatched")),
        (4, said(A.CLOSED, source="city"), moved(A.CLOSED)),
        (5, said(A.RATED, score=2), applied(A.RATED, "ticket.rated", "ticket.reopened", "ticket.dispatched")),
        (6, said(A.CLOSED, source="city"), moved(A.CLOSED)),
        (7, said(A.RATED, score=3), moved(A.RATED)),
        (8, said(A.REOPENED, unit="gas"), applied(A.REOPENED, "ticket.reopened", "ticket.dispatched")),
        (9, said(A.SIGNED, by=GAS.name), moved(A.SIGNED)),
    ],
    "voided for good": [
        (0, report(reporter="ann"), OPENED),
        (1, said(A.VOIDED), moved(A.VOIDED)),
        (2, said(A.VOIDED), refused(A.VOIDED, NOT_NOW)),
        (3, said(A.SIGNED), refused(A.SIGNED, NOT_NOW)),
        (4, said(A.REOPENED), refused(A.REOPENED, NOT_NOW)),
        (5, said(A.URGED), refused(A.URGED, NOT_NOW)),
        (6, report("r2", reporter="ann"), OPENED),
        (7, report(), ["report.settled repeat"]),
    ],
    "urged by an operator": [
        (0, report(), OPENED),
        (1, said(A.URGED), applied(A.URGED, "ticket.reminded")),
        (2, said(A.CLOSED, source="city"), moved(A.CLOSED)),
        (3, said(A.URGED), refused(A.URGED, NOT_NOW)),
    ],
    "conditions are met in their turn, or out of it": [
        (0, report(category="gas"), OPENED),
        (1, said(A.CONDITION_MET), refused(A.CONDITION_MET, "no-such-condition")),
        (2, said(A.CONDITION_MET, condition="painted"), refused(A.CONDITION_MET, "no-such-condition")),
        (3, said(A.CONDITION_MET, condition="fenced", by="a unit"), refused(A.CONDITION_MET, "not-yours")),
        (
            4,
            said(A.CONDITION_MET, condition="repaired", by=LAMPS.name),
            applied(A.CONDITION_MET, "condition.met repaired"),
        ),
        (5, said(A.CONDITION_MET, condition="repaired"), refused(A.CONDITION_MET, "no-such-condition")),
        (6, said(A.CONDITION_MET, condition="fenced"), applied(A.CONDITION_MET, "condition.met fenced")),
        (7, said(A.CLOSED, source="city"), moved(A.CLOSED)),
        (8, said(A.CONDITION_MET, condition="fenced"), refused(A.CONDITION_MET, NOT_NOW)),
        (9, said(A.REOPENED), applied(A.REOPENED, "ticket.reopened", "ticket.dispatched")),
        (10, said(A.CONDITION_MET, condition="fenced"), applied(A.CONDITION_MET, "condition.met fenced")),
    ],
    "put right on the spot": [
        (
            0,
            report(self_handled=True),
            ["ticket.opened", "ticket.dispatched", "ticket.handled", "report.settled ticketed"],
        ),
        (1, said(A.ARRIVED), applied(A.ARRIVED, "stage.recorded arrived")),
        (2, said(A.VERIFIED), moved(A.VERIFIED)),
        (3, said(A.REWORKED), moved(A.REWORKED)),
        (4, said(A.HANDLED), moved(A.HANDLED)),
    ],
    "each ticket of a joint dispatch lives by itself": [
        (
            0,
            report(category="spill"),
            [
                *OPENED[:2],
                *["ticket.opened", "ticket.dispatched", "ticket.linked", "ticket.linked"] * 2,
                "report.settled ticketed",
            ],
        ),
        (1, said(A.HANDLED, ticket=ticket_of_step(1, number=2), by=LAMPS.name), moved(A.HANDLED)),
        (2, said(A.SIGNED, ticket=ticket_of_step(1, number=3), by="police station"), moved(A.SIGNED)),
        (3, said(A.CLOSED, source="city", source_id="r1", ticket=None), moved(A.CLOSED)),
        (4, said(A.CLOSED, ticket=ticket_of_step(1, number=2)), refused(A.CLOSED, NOT_NOW)),
        (5, said(A.CLOSED, source="city", ticket=ticket_of_step(1, number=2)), moved(A.CLOSED)),
        (6, said(A.HANDLED, ticket=ticket_of_step(1, number=3)), moved(A.HANDLED)),
    ],
    "diverted, and back again": [
        (
            0,
            report(source="110", side=Side.POLICE, category="noise"),
            ["ticket.opened", "ticket.diverted", "ticket.dispatched", "report.settled ticketed"],
        ),
        (1, said(A.DIVERTED), refused(A.DIVERTED, "no-diversion")),
        (2, said(A.DIVERSION_RETURNED), applied(A.DIVERSION_RETURNED, "ticket.diverted", "ticket.dispatched")),
        (3, said(A.DIVERSION_RETURNED), refused(A.DIVERSION_RETURNED, "no-diversion")),
        (4, said(A.DIVERTED), applied(A.DIVERTED, "ticket.diverted", "ticket.dispatched")),
        (5, said(A.HANDLED), moved(A.HANDLED)),
        (6, said(A.DIVERSION_RETURNED), refused(A.DIVERSION_RETURNED, NOT_NOW)),
    ],
}

REQUESTS: dict[str, Story] = {
    "a return: asked, refused, asked again, granted": [
        (0, report(), OPENED),
        (1, said(A.RETURN_APPROVED), refused(A.RETURN_APPROVED, "no-request")),
        (2, said(A.RETURN_REQUESTED, by=LAMPS.name), applied(A.RETURN_REQUESTED, "request.made return")),
        (3, said(A.RETURN_REQUESTED), refused(A.RETURN_REQUESTED, "request-pending")),
        (4, said(A.EXTENSION_REQUESTED, seconds=-1), refused(A.EXTENSION_REQUESTED, "request-pending")),
        (5, said(A.SUSPENSION_APPROVED), refused(A.SUSPENSION_APPROVED, "no-request")),
        (6, said(A.EXTENSION_REFUSED), refused(A.EXTENSION_REFUSED, "no-request")),
        (7, said(A.RETURN_REFUSED), applied(A.RETURN_REFUSED, "request.refused return")),
        (8, said(A.RETURN_REFUSED), refused(A.RETURN_REFUSED, "no-request")),
        (9, said(A.RETURN_REQUESTED), applied(A.RETURN_REQUESTED, "request.made return")),
        (10, said(A.SIGNED), moved(A.SIGNED)),
        (11, said(A.RETURN_APPROVED), applied(A.RETURN_APPROVED, "ticket.returned")),
        (12, said(A.RETURN_REQUESTED), refused(A.RETURN_REQUESTED, NOT_NOW)),
        (13, said(A.DISPATCHED), moved(A.DISPATCHED)),
        (14, said(A.RETURN_REQUESTED), applied(A.RETURN_REQUESTED, "request.made return")),
        (
            15,
            said(A.RETURN_APPROVED, unit="gas"),
            applied(A.RETURN_APPROVED, "ticket.returned", "ticket.dispatched"),
        ),
        (16, said(A.SIGNED, by=GAS.name), moved(A.SIGNED)),
        (17, said(A.HANDLED), moved(A.HANDLED)),
        (18, said(A.RETURN_REQUESTED), refused(A.RETURN_REQUESTED, NOT_NOW)),
    ],
    "an extension: short ones once by themselves, others by an operator": [
        (0, report(), OPENED),
        (1, said(A.EXTENSION_REQUESTED), refused(A.EXTENSION_REQUESTED, "bad-amount")),
        (2, said(A.EXTENSION_REQUESTED, seconds=0), refused(A.EXTENSION_REQUESTED, "bad-amount")),
        (3, said(A.EXTENSION_REQUESTED, seconds=7201), refused(A.EXTENSION_REQUESTED, "bad-amount")),
        (4, said(A.EXTENSION_REQUESTED, seconds=3600), applied(A.EXTENSION_REQUESTED, "ticket.extended")),
        (5, said(A.EXTENSION_REQUESTED, seconds=60), applied(A.EXTENSION_REQUESTED, "request.made extension")),
        (6, said(A.EXTENSION_APPROVED, seconds=7201), refused(A.EXTENSION_APPROVED, "bad-amount")),
        (7, said(A.EXTENSION_APPROVED, seconds=0), refused(A.EXTENSION_APPROVED, "bad-amount")),
        (8, said(A.RETURN_APPROVED), refused(A.RETURN_APPROVED, "no-request")),
        (9, said(A.EXTENSION_APPROVED, seconds=7200), applied(A.EXTENSION_APPROVED, "ticket.extended")),
        (10, said(A.EXTENSION_APPROVED), refused(A.EXTENSION_APPROVED, "no-request")),
        (11, said(A.EXTENSION_REQUESTED, seconds=60), applied(A.EXTENSION_REQUESTED, "request.made extension")),
        (12, said(A.EXTENSION_REFUSED), applied(A.EXTENSION_REFUSED, "request.refused extension")),
    ],
    "a first extension that is long asks an operator": [
        (0, report(), OPENED),
        (1, said(A.EXTENSION_REQUESTED, seconds=3601), applied(A.EXTENSION_REQUESTED, "request.made extension")),
        (2, said(A.EXTENSION_APPROVED), applied(A.EXTENSION_APPROVED, "ticket.extended")),
    ],
    "a suspension ends by itself, or by an operator": [
        (0, report(), OPENED),
        (1, said(A.RESUMED), refused(A.RESUMED, NOT_NOW)),
        (2, said(A.SUSPENSION_REQUESTED), applied(A.SUSPENSION_REQUESTED, "request.made suspension")),
        (3, said(A.SUSPENSION_REFUSED), applied(A.SUSPENSION_REFUSED, "request.refused suspension")),
        (4, said(A.SUSPENSION_REQUESTED), applied(A.SUSPENSION_REQUESTED, "request.made suspension")),
        (5, said(A.SUSPENSION_APPROVED, seconds=60), moved(A.SUSPENSION_APPROVED, "suspended")),
        (6, said(A.SIGNED), refused(A.SIGNED, NOT_NOW)),
        (7, said(A.CLOSED, source="city"), refused(A.CLOSED, NOT_NOW)),
        (8, said(A.SUSPENSION_APPROVED), refused(A.SUSPENSION_APPROVED, NOT_NOW)),
        (9, said(A.URGED), applied(A.URGED, "ticket.reminded")),
        (MINUTE + 4, Tick(), []),
        (MINUTE + 5, Tick(), ["ticket.resumed"]),
        (MINUTE + 6, said(A.SUSPENSION_REQUESTED), applied(A.SUSPENSION_REQUESTED, "request.made suspension")),
        (MINUTE + 7, said(A.SUSPENSION_APPROVED), moved(A.SUSPENSION_APPROVED, "suspended")),
        (HOUR, said(A.RESUMED), moved(A.RESUMED)),
        (HOUR, said(A.SIGNED), moved(A.SIGNED)),
    ],
    "nothing fires on a suspended ticket, and it can be voided": [
        (0, report(), OPENED),
        (1, said(A.SUSPENSION_REQUESTED), applied(A.SUSPENSION_REQUESTED, "request.made suspension")),
        (2, said(A.SUSPENSION_APPROVED), moved(A.SUSPENSION_APPROVED, "suspended")),
        (23 * HOUR, Tick(), []),
        (23 * HOUR, said(A.VOIDED), moved(A.VOIDED)),
        (30 * HOUR, Tick(), []),
    ],
    "a request lapses with the handling": [
        (0, report(), OPENED),
        (1, said(A.RETURN_REQUESTED), applied(A.RETURN_REQUESTED, "request.made return")),
        (2, said(A.ARRIVED), moved(A.ARRIVED)),
        (3, said(A.HANDLED), moved(A.HANDLED)),
        (4, said(A.RETURN_APPROVED), refused(A.RETURN_APPROVED, "no-request")),
    ],
    "a request lapses with another dispatch": [
        (0, report(), OPENED),
        (1, said(A.RETURN_REQUESTED), applied(A.RETURN_REQUESTED, "request.made return")),
        (2, said(A.DISPATCHED, unit="gas"), moved(A.DISPATCHED)),
        (3, said(A.RETURN_APPROVED), refused(A.RETURN_APPROVED, "no-request")),
    ],
    "a request lapses with the closing": [
        (0, report(), OPENED),
        (1, said(A.RETURN_REQUESTED), applied(A.RETURN_REQUESTED, "request.made return")),
        (2, said(A.CLOSED, source="city"), moved(A.CLOSED)),
        (3, said(A.RETURN_REFUSED), refused(A.RETURN_REFUSED, "no-request")),
    ],
}

CHILD, MASTER, THIRD = ticket_of_step(1), ticket_of_step(2), ticket_of_step(3)
MERGE: Final = applied(A.MERGE_CONFIRMED, "ticket.absorbed", "ticket.adopted")
TWO: Story = [(0, report(), OPENED), (0, report("r2"), OPENED)]
THREE: Story = [*TWO, (0, report("r3"), OPENED)]

FAMILIES: dict[str, Story] = {
    "a child only listens to what is said of the two": [
        *TWO,
        (1, said(A.RETURN_REQUESTED), applied(A.RETURN_REQUESTED, "request.made return")),
        (2, said(A.MERGE_CONFIRMED, other=MASTER), MERGE),
        (3, said(A.SIGNED), refused(A.SIGNED, NOT_NOW)),
        (4, said(A.CLOSED), refused(A.CLOSED, NOT_NOW)),
        (5, said(A.VOIDED), refused(A.VOIDED, NOT_NOW)),
        (6, said(A.MERGE_CONFIRMED, other=MASTER), refused(A.MERGE_CONFIRMED, "same-ticket")),
        (7, said(A.URGED), ["ticket.reminded", "command.settled urged applied"]),
        (8, said(A.VOIDED, ticket=MASTER), refused(A.VOIDED, NOT_NOW)),
        (9, said(A.UNMERGED), applied(A.UNMERGED, "ticket.restored", "ticket.released")),
        (10, said(A.RETURN_APPROVED), refused(A.RETURN_APPROVED, "no-request")),
        (11, said(A.UNMERGED), refused(A.UNMERGED, NOT_NOW)),
        (12, said(A.VOIDED, ticket=MASTER), moved(A.VOIDED)),
    ],
    "a master is closed with its children, and theirs": [
        *THREE,
        (1, said(A.MERGE_CONFIRMED, other=MASTER), MERGE),
        (2, said(A.MERGE_CONFIRMED, ticket=MASTER, other=THIRD), MERGE),
        (3, said(A.CLOSED, source="city", ticket=THIRD), applied(A.CLOSED, *["ticket.closed"] * 3)),
        (4, said(A.URGED), refused(A.URGED, NOT_NOW)),
        (5, said(A.RATED, score=5), refused(A.RATED, NOT_NOW)),
        (6, said(A.REOPENED, ticket=THIRD), applied(A.REOPENED, "ticket.reopened", "ticket.dispatched")),
        (7, said(A.CLOSED, source="city", ticket=THIRD), moved(A.CLOSED)),
    ],
    "a child that its own source closes leaves its master": [
        *TWO,
        (1, said(A.MERGE_CONFIRMED, other=MASTER), MERGE),
        (2, feedback(A.CLOSED), applied(A.CLOSED, "ticket.closed", "ticket.released")),
        (3, feedback(A.CLOSED), refused(A.CLOSED, NOT_NOW)),
        (4, said(A.UNMERGED), refused(A.UNMERGED, NOT_NOW)),
        (5, said(A.REOPENED), applied(A.REOPENED, "ticket.reopened", "ticket.dispatched")),
        (6, said(A.VOIDED, ticket=MASTER), moved(A.VOIDED)),
    ],
    "a child that its own source closes takes its own children along": [
        *THREE,
        (1, said(A.MERGE_CONFIRMED, other=MASTER), MERGE),
        (2, said(A.MERGE_CONFIRMED, ticket=MASTER, other=THIRD), MERGE),
        (3, feedback(A.CLOSED, "r2"), applied(A.CLOSED, "ticket.closed", "ticket.closed", "ticket.released")),
        (4, said(A.CLOSED, source="city", ticket=THIRD), moved(A.CLOSED)),
    ],
    "what was closed with its master by mistake comes back": [
        *TWO,
        (1, said(A.MERGE_CONFIRMED, other=MASTER), MERGE),
        (2, said(A.CLOSED, source="city", ticket=MASTER), applied(A.CLOSED, "ticket.closed", "ticket.closed")),
        (3, said(A.REOPENED), refused(A.REOPENED, NOT_NOW)),
        (4, said(A.UNMERGED), applied(A.UNMERGED, "ticket.restored", "ticket.released")),
        (5, said(A.URGED), refused(A.URGED, NOT_NOW)),
        (6, said(A.REOPENED), applied(A.REOPENED, "ticket.reopened", "ticket.dispatched")),
        (7, said(A.SIGNED), moved(A.SIGNED)),
    ],
    "merging is asked of the child's root, refusing of the child": [
        *THREE,
        (1, said(A.MERGE_CONFIRMED, other=MASTER), MERGE),
        (2, said(A.MERGE_REFUSED, other=THIRD), applied(A.MERGE_REFUSED, "match.refused")),
        (3, said(A.MERGE_REFUSED, other=THIRD), refused(A.MERGE_REFUSED, "same-ticket")),
        (4, said(A.MERGE_CONFIRMED, other=THIRD), MERGE),
        (5, said(A.CLOSED, source="city", ticket=THIRD), applied(A.CLOSED, *["ticket.closed"] * 3)),
        (6, said(A.MERGE_CONFIRMED, other=MASTER), refused(A.MERGE_CONFIRMED, NOT_NOW)),
    ],
    "a suspended ticket that is merged and taken out again goes on": [
        *TWO,
        (1, said(A.SUSPENSION_REQUESTED), applied(A.SUSPENSION_REQUESTED, "request.made suspension")),
        (2, said(A.SUSPENSION_APPROVED, seconds=60), moved(A.SUSPENSION_APPROVED, "suspended")),
        (3, said(A.MERGE_CONFIRMED, other=MASTER), MERGE),
        (30 * MINUTE, Tick(), []),
        (40 * MINUTE, said(A.UNMERGED), applied(A.UNMERGED, "ticket.restored", "ticket.released")),
        (40 * MINUTE, said(A.SIGNED), moved(A.SIGNED)),
    ],
    "a report that joined can be closed or taken out, whatever became of the ticket": [
        (0, report(object="lamp 1"), OPENED),
        (1, report("r2", object="lamp 1"), ["ticket.merged", "report.settled merged"]),
        (2, report("r3", object="lamp 1"), ["ticket.merged", "report.settled merged"]),
        (3, feedback(A.SIGNED, "r2"), refused(A.SIGNED, NOT_NOW)),
        (4, feedback(A.CLOSED, "r2", by="anybody"), applied(A.CLOSED, "report.closed")),
        (5, feedback(A.CLOSED, "r2"), refused(A.CLOSED, NOT_NOW)),
        (6, feedback(A.UNMERGED), refused(A.UNMERGED, NOT_NOW)),
        (7, feedback(A.CLOSED), moved(A.CLOSED)),
        (8, feedback(A.UNMERGED, "r3"), applied(A.UNMERGED, "ticket.released", "ticket.opened", "ticket.dispatched")),
        (9, feedback(A.SIGNED, "r3"), moved(A.SIGNED)),
        (10, feedback(A.CLOSED, "r2"), refused(A.CLOSED, NOT_NOW)),
        (11, feedback(A.RATED, "r1", score=5), moved(A.RATED)),
    ],
}

OUT_OF_ORDER: dict[str, Story] = {
    "feedback on what is not there": [
        (0, said(A.SIGNED, ticket="north.none"), refused(A.SIGNED, "unknown")),
        (1, said(A.SIGNED, ticket=None), refused(A.SIGNED, "unknown")),
        (2, said(A.SIGNED, ticket="north.none", source_id="r1"), refused(A.SIGNED, "unknown")),
    ],
    "feedback waits for its report, and is taken in its order": [
        (0, feedback(A.HANDLED), []),
        (1, feedback(A.RATED, score=9), []),
        (2, feedback(A.CLOSED), []),
        (3, feedback(A.CLOSED, area="south"), []),
        (
            4,
            report(),
            [
                *OPENED,
                *moved(A.HANDLED),
                *refused(A.RATED, NOT_NOW),
                *moved(A.CLOSED),
            ],
        ),
        (2 * HOUR + 2, Tick(), []),
        (2 * HOUR + 3, Tick(), refused(A.CLOSED, "unknown")),
        (2 * HOUR + 4, Tick(), []),
    ],
    "a report that joins calls what waited for it": [
        (0, report(object="lamp 1"), OPENED),
        (1, feedback(A.CLOSED, "r2"), []),
        (
            2,
            report("r2", object="lamp 1"),
            ["ticket.merged", "report.settled merged", *applied(A.CLOSED, "report.closed")],
        ),
    ],
    "what comes twice is refused the second time": [
        (0, report(), OPENED),
        (1, said(A.HANDLED), moved(A.HANDLED)),
        (1, said(A.HANDLED), refused(A.HANDLED, NOT_NOW)),
    ],
    "an earlier stage that arrives late is recorded": [
        (0, report(), OPENED),
        (1, said(A.HANDLED, occurred_at=T0 + SECOND), moved(A.HANDLED)),
        (2, said(A.ARRIVED, occurred_at=T0), applied(A.ARRIVED, "stage.recorded arrived")),
    ],
    "a ticket without an owner has one": [
        (0, report(category="litter"), UNOWNED),
        (1, said(A.SIGNED, by="street office"), moved(A.SIGNED)),
    ],
}

STORIES: dict[str, Story] = MOVES | REQUESTS | FAMILIES | OUT_OF_ORDER


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_story(story: Story) -> None:
    check(story)


def test_every_stage_is_reached_by_the_loop() -> None:
    log = check(LOOP)
    assert log.memory.tickets[ticket_of_step(1)].stage is Stage.RATED
