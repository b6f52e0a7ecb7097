"""What officers call things: the desk's events, stages, steps and days, Chinese beside English."""

from typing import Final

from schemas.codes import LimitClock, Stage
from streams.desk.working_time import Kind

EVENTS: Final = {
    "ticket.opened": "opened 立案",
    "ticket.accepted": "accepted 受理",
    "ticket.dispatched": "dispatched 派遣",
    "ticket.signed": "signed 签收",
    "ticket.contacted": "contacted 先行联系",
    "ticket.arrived": "arrived 到场",
    "ticket.handled": "handled 处置",
    "ticket.verified": "verified 核查通过",
    "ticket.called-back": "called back 回访",
    "ticket.closed": "closed 结案",
    "ticket.rated": "rated 评价",
    "ticket.returned": "returned 退单",
    "ticket.reworked": "reworked 返工",
    "ticket.reopened": "reopened 重开",
    "stage.recorded": "told of later 补记",
    "request.made": "asked for 申请",
    "request.refused": "refused 不同意",
    "ticket.extended": "extended 延时",
    "ticket.suspended": "suspended 挂账",
    "ticket.resumed": "resumed 挂账恢复",
    "ticket.voided": "voided 作废",
    "condition.met": "condition met 阶段性条件完成",
    "ticket.diverted": "diverted 分流",
    "ticket.assisted": "assisted 加派",
    "ticket.amended": "amended 补充",
    "ticket.urged": "urged 催办",
    "ticket.merged": "a report merged 并案",
    "ticket.reminded": "reminded 催办",
    "report.closed": "a joined report closed",
    "match.proposed": "may be the same 疑似重复",
    "match.refused": "not the same 否决并案",
    "ticket.absorbed": "merged into 并入",
    "ticket.adopted": "took in 并入",
    "ticket.restored": "on its own again 拆分",
    "ticket.released": "let go 拆分",
    "ticket.linked": "linked 关联",
    "limit.warned": "warned 预警",
    "limit.passed": "overdue 超时, urged 催办",
    "limit.carded": "carded 督办",
    "limit.escalated": "escalated 升级",
    "limits.changed": "other rules hold",
    "alarm.raised": "alarm",
    "report.settled": "report settled",
    "command.settled": "answered",
}
"""By type, without `lianqin.` and the version."""

LIMITS: Final = {
    "overall": "overall 总时限",
    Stage.ACCEPTED.value: "accepted 受理",
    Stage.DISPATCHED.value: "dispatched 派遣",
    Stage.SIGNED.value: "signed 签收",
    Stage.CONTACTED.value: "contacted 先行联系",
    Stage.ARRIVED.value: "arrived 到场",
    Stage.HANDLED.value: "handled 处置",
    Stage.VERIFIED.value: "verified 核查",
    Stage.CALLED_BACK.value: "called back 回访",
}

CARDS: Final = {"yellow": "yellow card 黄牌", "red": "red card 红牌"}
CLOCKS: Final = {LimitClock.WALL: "wall clock 自然时间", LimitClock.WORKING: "working time 工作时间"}
DAYS: Final = {
    Kind.WEEKDAY: "worked 工作日",
    Kind.ADJUSTED: "worked, adjusted 调休上班",
    Kind.HOLIDAY: "holiday 节假日",
    Kind.WEEKEND: "free 休息日",
}


def event(kind: str) -> str:
    """An event by its type."""
    name = kind.removeprefix("lianqin.").removesuffix(".v1")
    return EVENTS.get(name, name)


def limit(name: str) -> str:
    """A limit by its name; conditions have names of the district's own."""
    return LIMITS.get(name, name)


def length(ms: int) -> str:
    """A length of time, exactly to the minute."""
    minutes, seconds = divmod(round(ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h" if hours else "", f"{minutes} min" if minutes else "", f"{seconds} s" if seconds else ""]
    return " ".join(part for part in parts if part) or "0 s"
