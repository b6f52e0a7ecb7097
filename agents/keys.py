"""The key of the hashes that stand for persons: production supplies its own, else one is made under the data folder."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from agents.errors import DiskFull, UserError, is_full
from agents.settings import Settings

FILE: Final = "privacy.key"
LEAST_BYTES: Final = 16


def privacy_key(settings: Settings, folder: Path, *, make: bool) -> bytes:
    """The key, 16 to 64 bytes; with `make` made once where none is set and none stands yet, else `UserError`.

    Where one stands, nothing is written. Two programs never make two in one folder. But those with folders of their
    own would, and one person would be two.
    """
    file = folder / FILE
    if settings.privacy_key is not None:
        key = settings.privacy_key.get_secret_value().encode()
    elif (standing := _read(file)) is not None:
        key = standing
    elif make:
        key = _made(file)
    else:
        msg = (
            "no privacy key: all workers of a centre hash persons with the same one, so set LIANQIN_PRIVACY_KEY, or "
            f"put the centre's {FILE} into {folder}; only `lianqin up` makes one"
        )
        raise UserError(msg)
    if not LEAST_BYTES <= len(key) <= 64:
        msg = f"the privacy key has {len(key)} bytes: set LIANQIN_PRIVACY_KEY to {LEAST_BYTES} to 64 of them"
        raise UserError(msg)
    return key


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def _made(file: Path) -> bytes:
    trial = file.with_name(f"{FILE}.{os.getpid()}")
    try:
        trial.write_bytes(secrets.token_bytes(32))
        trial.chmod(0o600)
        # A link fails where the name stands: the first one wins, whole.
        with suppress(FileExistsError):
            os.link(trial, file)
    except OSError as error:
        if is_full(error):
            raise DiskFull(str(file), error) from error
        raise
    finally:
        trial.unlink(missing_ok=True)
    return file.read_bytes()
