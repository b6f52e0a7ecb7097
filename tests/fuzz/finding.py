"""What the fuzzer has found, as an exception that says it in a line."""


class Finding(Exception):
    """Something that must not be was; the text says what."""


def hold(true: object, what: str) -> None:
    """Raise `Finding` where it is not so."""
    if not true:
        raise Finding(what)
