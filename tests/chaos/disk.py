"""A small disk under the data folder that can be filled to the last byte: a tmpfs, which only root may mount."""

import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

FILLER: Final = "filler"
BLOCK: Final = 1 << 20


def allowed() -> bool:
    """Whether this user may mount one."""
    return os.geteuid() == 0


class SmallDisk:
    """A context: leaving it takes the disk away with what is on it, but for what the processes said."""

    def __init__(self, folder: Path, size_mb: int) -> None:
        self.folder = folder
        self._size_mb = size_mb

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True)
        asked = ["mount", "-t", "tmpfs", "-o", f"size={self._size_mb}m,mode=700", "tmpfs", str(self.folder)]
        subprocess.run(asked, check=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for log in self.folder.glob("**/*.log"):
            if log.parent == self.folder or log.parent.name == "logs":
                shutil.copy(log, self.folder.parent)
        # Lazily: whoever still has a file open there is on its way out.
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)

    def fill(self) -> Callable[[], None]:
        """Leave no byte; what is returned makes room again."""
        filler = self.folder / FILLER
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * BLOCK)
        with suppress(OSError), filler.open("ab", buffering=0) as file:
            while True:
                file.write(b"\0")
        return filler.unlink
