"""The rules of one policy, compiled once: whoever decides asks these, not the policy's tables. Pure."""

from schemas.policy import Policy
from streams.desk.limit_table import LimitTable
from streams.desk.routing import Routes
from streams.desk.sides import Sides
from streams.desk.urgency import Urgencies
from streams.desk.working_time import WorkingTime


class Rules:
    """One policy, and what follows from it: its working time, its tables of limits, routes, sides and words."""

    __slots__ = ("limits", "policy", "routes", "sides", "urgencies", "working")

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.working = WorkingTime(policy.calendar)
        self.limits = LimitTable(policy)
        self.routes = Routes(policy)
        self.sides = Sides(policy)
        self.urgencies = Urgencies(policy)
