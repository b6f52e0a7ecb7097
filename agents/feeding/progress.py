"""How far a feed is: a bar on a terminal, a line every tenth elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Bar:
    """A bar that is drawn where somebody looks. A context: leaving it takes the bar away."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None
        self._what = ""
        self._total = 0
        self._tenth = 0

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def say(self, text: str) -> None:
        """One line, above the bar."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def begin(self, what: str, total: int) -> None:
        """A new bar."""
        self._what, self._total, self._tenth = what, total, 0
        self._task = self._bars.add_task(what, total=total)

    def reach(self, done: int) -> None:
        """So many of the total are done."""
        if self._task is not None:
            self._bars.update(self._task, completed=done)
        tenth = 10 * done // max(self._total, 1)
        if tenth > self._tenth and not self._console.is_terminal:
            self._tenth = tenth
            self.say(f"{self._what}: {done:,} of {self._total:,}")
