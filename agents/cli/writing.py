"""Files that a command writes for its user."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.errors import DiskFull, UserError, is_full


def write_page(file: Path, text: str) -> None:
    """Write a page, and its folder where it is not there; `UserError` where that cannot be."""
    with writing(file, "--html"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


@contextmanager
def writing(path: Path, option: str) -> Iterator[None]:
    """Around writing to a path that the user chose by an option; `UserError` where that cannot be, or not now."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise DiskFull(str(error.filename or path), error) from error
        msg = f"{error.filename or path} cannot be written ({error.strerror}): choose another with {option}"
        raise UserError(msg) from error
