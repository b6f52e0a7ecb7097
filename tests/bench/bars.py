"""Progress bars: one for each thing that is measured."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.bench.stand import Tell


class Bar:
    """Makes bars."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def of(self, name: str, total: int) -> Tell:
        """A new bar, and what moves it."""
        task = self._progress.add_task(name, total=total)
        return lambda done: self._progress.update(task, completed=done)


@contextmanager
def bars(console: Console) -> Iterator[Bar]:
    """Show bars until it is left."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        yield Bar(progress)
