"""Who is reminded of what (预警、催办、督办): limits that ran, reporters and operators who urge, alarms. Pure."""

from typing import Final

from schemas.codes import Step
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
    """The record; the event is in the view already. Where nobody is named it is for the unit that holds the ticket."""
    limit = event if isinstance(event, Ran) else None
    alarm = event if isinstance(event, AlarmRaised) else None
    return Reminded(
        ticket=view.ticket,
        matter=view.matter,
        what=_what(event),
        recipients=(view.unit,) if limit is None or not limit.recipients else limit.recipients,
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
