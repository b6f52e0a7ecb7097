"""The rules of one policy, compiled once: whoever decides asks these, not the policy's tables. Pure."""

from schemas.policy import Policy
from schemas.state import Deadline
from streams.desk.limit_table import Limit, LimitTable
from streams.desk.routing import Routes
from streams.desk.sides import Sides
from streams.desk.urgency import Urgencies
from streams.desk.working_time import WorkingTime


class Rules:
    """One policy, and what follows from it: its working time, its tables of limits, routes, sides and words."""

    __slots__ = ("begun", "begun_at", "limits", "policy", "routes", "sides", "urgencies", "working")

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.working = WorkingTime(policy.calendar)
        self.limits = LimitTable(policy)
        self.routes = Routes(policy)
        self.sides = Sides(policy)
        self.urgencies = Urgencies(policy)
        self.begun_at = -1
        self.begun: dict[Limit, Deadline] = {}
        """Limits that began at that moment: records of one batch of the log were appended at the same one."""
