"""The way from a process to the broker: requests take time, get lost, and wait while the process is frozen."""

import asyncio
import random
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from aiokafka.errors import ConcurrentTransactions, KafkaError

from tests.protocol.trace import Trace

_BACKOFF_S: Final = 0.005
_ASK_AGAIN_S: Final = 0.05


@dataclass(slots=True)
class Weather:
    """How the network is just now; the schedule changes it."""

    usual_s: float = 0.002
    """A request, and its answer, take up to that."""
    lost: float = 0.0
    """The share of requests that are lost, half of them with their effect done."""
    late: float = 0.0
    """The share that takes up to `late_s`."""
    late_s: float = 0.5


class Link:
    """One process's way to the broker. What was sent before the process died still arrives."""

    def __init__(self, name: str, weather: Weather, chance: random.Random, trace: Trace) -> None:
        self._loop = asyncio.get_running_loop()
        self.name = name
        self.alive = True
        self.frozen_until = 0.0
        # In the order of their beginning: a set's order would differ from run to run.
        self.tasks: WeakKeyDictionary[asyncio.Task[Any], None] = WeakKeyDictionary()
        self._weather = weather
        self._chance = chance
        self._trace = trace
        self._waiting: dict[asyncio.Future[Any], None] = {}

    def ask(self, what: str, act: Callable[..., Any], *about: Any, **named: Any) -> "asyncio.Future[Any]":
        """Let something happen at the broker, and tell what came of it. Asks again when it is lost or told to."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if not self.alive:
            future.cancel()
            return future
        self._waiting[future] = None
        self._send(_Request(what, act, about, named, future))
        return future

    def kill(self) -> None:
        """Let the process end here: nothing more is sent, and its tasks get no answer."""
        self.alive = False
        for future in list(self._waiting):
            future.cancel()
        for task in list(self.tasks):
            task.cancel()

    def freeze(self, for_s: float) -> None:
        """Let nothing in or out for some seconds."""
        self.frozen_until = self._loop.time() + for_s

    def _send(self, request: "_Request") -> None:
        if request.future.done():
            self._waiting.pop(request.future, None)
            return
        loop, chance = self._loop, self._chance
        wait_s = max(0.0, self.frozen_until - loop.time()) + self._under_way_s()
        fortune = chance.random()
        if fortune * 2 < self._weather.lost:
            self._trace(self.name, "lost", request.what)
            loop.call_later(wait_s + _ASK_AGAIN_S, self._send, request)
        else:
            loop.call_later(wait_s, self._arrive, request, fortune < self._weather.lost)

    def _under_way_s(self) -> float:
        weather, chance = self._weather, self._chance
        most = weather.late_s if weather.late and chance.random() < weather.late else weather.usual_s
        return chance.random() * most

    def _arrive(self, request: "_Request", answer_lost: bool) -> None:
        later = self._loop.call_later
        try:
            result, error = request.act(*request.about, **request.named), None
        except KafkaError as raised:
            result, error = None, raised
        self._trace(self.name, request.what, *request.about, "->", result if error is None else error)
        if isinstance(error, ConcurrentTransactions) or (error is not None and error.retriable):
            later(_BACKOFF_S, self._send, request)
        elif answer_lost:
            later(_ASK_AGAIN_S, self._send, request)
        else:
            later(self._under_way_s(), self._answer, request.future, result, error)

    def _answer(self, future: "asyncio.Future[Any]", result: Any, error: KafkaError | None) -> None:
        loop = self._loop
        if loop.time() < self.frozen_until:
            loop.call_at(self.frozen_until, self._answer, future, result, error)
            return
        self._waiting.pop(future, None)
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


@dataclass(frozen=True, slots=True)
class _Request:
    what: str
    act: Callable[..., Any]
    about: tuple[Any, ...]
    named: dict[str, Any]
    future: "asyncio.Future[Any]"


HERE: Final[ContextVar[Link]] = ContextVar("HERE")
"""The link of the process that runs just now."""
