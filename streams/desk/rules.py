"""The rules of one policy, compiled once: whoever decides asks these, not the policy's tables. Pure."""

from schemas.policy import Policy
from streams.desk.limit_table import LimitTable
from streams.desk.routing import Routes
from streams.desk.working_time import WorkingTime


class Rules:
    """One policy, and what follows from it: its working time, its table of limits, its routing table."""

    __slots__ = ("limits", "policy", "routes", "working")

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.working = WorkingTime(policy.calendar)
        self.limits = LimitTable(policy)
        self.routes = Routes(policy)
