"""Who handles what (分流交办): the routing table with its catch-all, read once a policy. Pure."""

from schemas.codes import Urgency
from schemas.commands import Report
from schemas.policy import Policy, Route, Unit


class Routes:
    """The routing table of one policy, its rows sorted by category so that a report looks at few of them."""

    def __init__(self, policy: Policy) -> None:
        self._catch_all = policy.catch_all
        self._any = tuple(row for row in policy.routes if row.category is None)
        named = {row.category for row in policy.routes if row.category is not None}
        self._by_category = {
            category: tuple(row for row in policy.routes if row.category in (None, category)) for category in named
        }
        self._units = {unit.name: unit for unit in (policy.catch_all, *(row.unit for row in policy.routes))}

    def unit_for(self, report: Report, urgency: Urgency) -> Unit:
        """The unit of the first row whose every named field fits, else the catch-all (兜底)."""
        for row in self._by_category.get(report.category, self._any):
            if _fits(row, report, urgency):
                return row.unit
        return self._catch_all

    def unit_named(self, name: str) -> Unit | None:
        """The unit of that name, where the table knows it."""
        return self._units.get(name)


def _fits(row: Route, report: Report, urgency: Urgency) -> bool:
    return (
        row.area in (None, report.area)
        and row.source in (None, report.source)
        and (row.urgency is None or row.urgency is urgency)
    )
