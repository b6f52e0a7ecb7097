"""Files that a command writes for its user."""

from pathlib import Path

from agents.errors import UserError


def write_page(file: Path, text: str) -> None:
    """Write a page, and its folder where it is not there; `UserError` where that cannot be."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        msg = f"{file} cannot be written ({error.strerror}): choose another file with --html"
        raise UserError(msg) from error
