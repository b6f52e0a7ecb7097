"""Who is reminded of what (预警、催办、督办): limits that ran, reporters and operators who urge, alarms. Pure."""

from typing import Final

from schemas.codes import Alarm, Step
from schemas.events import AlarmRaised, LimitEscalated, Ran, TicketReminded, TicketUrged
from schemas.views import CurrentTicket, Reminded, Reminder
from streams.views.fold import step_of

Reminding = Ran | TicketUrged | TicketReminded | AlarmRaised

_STEPS: Final = {
    Step.WARNED: Reminder.WARNED,
    Step.PASSED: Reminder.PASSED,
    Step.YELLOW: Reminder.YELLOW,
    Step.RED: Reminder.RED,
    Step.ESCALATED: Reminder.ESCALATED,
}


def reminded(view: CurrentTicket, event: Reminding, at: int) -> Reminded:
    """The record; the event is in the view already."""
    limit = event if isinstance(event, Ran) else None
    alarm = event if isinstance(event, AlarmRaised) else None
    return Reminded(
        ticket=view.ticket,
        matter=view.matter,
        what=_what(event),
        recipients=_recipients(view, event),
        unit=view.unit,
        at=at,
        limit=None if limit is None else limit.limit,
        allowed=None if limit is None else limit.allowed,
        level=event.level if isinstance(event, LimitEscalated) else None,
        alarm=None if alarm is None else alarm.alarm,
        about="" if alarm is None else alarm.about,
        urges=view.urges,
        note=event.note if isinstance(event, TicketReminded) else "",
        category=view.category,
        urgency=view.urgency,
        area=view.area,
        drill=view.drill,
    )


def _recipients(view: CurrentTicket, event: Reminding) -> tuple[str, ...]:
    """Who is named; where nobody is, the unit that holds the ticket.

    That nobody owns a ticket is said before it is dispatched to the unit that the alarm is about.
    """
    if isinstance(event, Ran) and event.recipients:
        return event.recipients
    if isinstance(event, AlarmRaised) and event.alarm is Alarm.NO_OWNER:
        return (event.about,)
    return (view.unit,)


def _what(event: Reminding) -> Reminder:
    match event:
        case TicketUrged():
            return Reminder.URGED
        case TicketReminded():
            return Reminder.REMINDED
        case AlarmRaised():
            return Reminder.ALARM
        case _:
            return _STEPS[step_of(event)]
