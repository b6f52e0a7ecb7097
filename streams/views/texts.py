"""What a reporter reads (短信口径): one sentence an answer, without a name, a number or a text of anybody. Pure."""

from typing import Final

from schemas.codes import Fate, Refusal
from schemas.views import Answer, CurrentTicket

ANSWERS: Final = {
    Answer.REGISTERED: "您反映的事项已登记，工单号{ticket}。",
    Answer.ACCEPTED: "工单{ticket}已受理。",
    Answer.DISPATCHED: "工单{ticket}已派遣至{unit}。",
    Answer.SIGNED: "{unit}已签收工单{ticket}。",
    Answer.CONTACTED: "{unit}已就工单{ticket}与反映人联系。",
    Answer.ARRIVED: "{unit}已到达工单{ticket}的现场。",
    Answer.HANDLED: "工单{ticket}已由{unit}处置，等待核查。",
    Answer.VERIFIED: "工单{ticket}的处置结果已核查通过。",
    Answer.REWORKED: "工单{ticket}的处置结果未通过核查，已要求{unit}返工。",
    Answer.CALLED_BACK: "工单{ticket}已回访。",
    Answer.CLOSED: "工单{ticket}已结案，欢迎评价。",
    Answer.RATED: "工单{ticket}已收到评价，感谢您的参与。",
    Answer.REOPENED: "工单{ticket}已重新办理。",
    Answer.VOIDED: "工单{ticket}已作废。",
    Answer.SUSPENDED: "工单{ticket}暂时无法办理，已挂账，条件具备后恢复办理。",
    Answer.RESUMED: "工单{ticket}已恢复办理。",
    Answer.EXTENDED: "工单{ticket}的办理期限已延长。",
    Answer.MERGED: "工单{ticket}与工单{other}为同一事项，已合并办理。",
    Answer.SPLIT: "您反映的事项已拆分为单独的工单，工单号{ticket}。",
    Answer.AMENDED: "您补充的情况已记入工单{ticket}。",
    Answer.REPEATED: "该事项此前已登记，工单号{ticket}。",
}
REPORTER: Final = "上报人"
"""Stands for the unit where whoever reported it put it right on the spot (自处理)."""
JOINED: Final = {
    Fate.URGED: "您反映的事项正在办理，已催促承办单位，工单号{ticket}。",
    Fate.MERGED: "您反映的事项已有工单在办，已合并办理，工单号{ticket}。",
}
REFUSED: Final = {
    Refusal.UNKNOWN: "没有找到对应的工单",
    Refusal.NOT_LEGAL_NOW: "工单当前的状态不允许此操作",
    Refusal.NO_REQUEST: "没有待审批的此类申请",
    Refusal.REQUEST_PENDING: "已有一项申请等待审批",
    Refusal.BAD_AMOUNT: "申请的时长不符合规定",
    Refusal.NOT_YOURS: "工单由其他单位承办",
    Refusal.NO_UNIT: "没有指明承办单位，或该单位已在办理",
    Refusal.NO_SUCH_CONDITION: "没有此项阶段性条件，或已经完成",
    Refusal.NO_DIVERSION: "该类事项不在分流清单内，或没有分流过",
    Refusal.SAME_TICKET: "两张工单已是同一工单，或已否决并案",
    Refusal.OTHER_UNKNOWN: "本辖区没有所指的另一张在办工单",
    Refusal.BAD_SCORE: "评分应为1至5分",
    Refusal.BAD_COMMAND: "提交的内容无法读取",
    Refusal.WRONG_CLOCK: "时钟方式不允许更改",
    Refusal.BUG: "系统故障，未能处理，请稍后重试或联系值班席",
}


def answer(what: Answer, view: CurrentTicket, unit: str) -> str:
    """The sentence for a report of `view`; `unit` did it, or has the ticket that is worked on."""
    return ANSWERS[what].format(ticket=view.ticket, unit=unit, other=view.merged_into)


def settled(what: Answer, fate: Fate, ticket: str) -> str:
    """The sentence for a report that did not become a ticket of its own."""
    return (JOINED[fate] if what is Answer.JOINED else ANSWERS[what]).format(ticket=ticket)


def refused(reason: Refusal | None) -> str:
    """The sentence for a command that did not hold."""
    return f"操作未生效：{REFUSED[reason or Refusal.BUG]}。"
