"""What differs between two policies, field by field. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

import orjson
import yaml
from pydantic import TypeAdapter

from schemas.policy import Policy

_POLICY: Final = TypeAdapter(Policy)
_OWN_NAME: Final = {"version"}
"""Differs whenever anything does."""


class Difference(NamedTuple):
    """One field; of what was added `before` is None, of what was taken away `after` is. Of a table: a row."""

    field: str
    before: object
    after: object


def differences(before: Policy, after: Policy) -> list[Difference]:
    """All that differs, in the order of the contract's fields."""
    old, new = _plain(before), _plain(after)
    return [one for field in old if field not in _OWN_NAME for one in _between(field, old[field], new[field])]


def told(value: object) -> str:
    """A value as a pack would have it, in one line."""
    if isinstance(value, str) and "\n" not in value:
        return value
    dumped = yaml.safe_dump(_short(value), default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False)
    return str(dumped).removesuffix("\n").removesuffix("\n...")


def _plain(policy: Policy) -> dict[str, object]:
    plain: dict[str, object] = _POLICY.dump_python(policy, mode="json")
    # Lists have names: by them a change inside one is told, not the whole list.
    plain["diversions"] = {one.name: _named(one) for one in policy.diversions}
    return plain


def _named(diversion: object) -> object:
    return TypeAdapter(type(diversion)).dump_python(diversion, mode="json")


def _between(field: str, old: object, new: object) -> Iterator[Difference]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _between(f"{field}.{key}", old.get(key), new.get(key))
    elif isinstance(old, Sequence) and isinstance(new, Sequence) and not isinstance(old, str):
        yield from _rows(field, old, new)
    else:
        yield Difference(field, old, new)


def _rows(field: str, old: Sequence[object], new: Sequence[object]) -> Iterator[Difference]:
    matcher = SequenceMatcher(None, [orjson.dumps(one) for one in old], [orjson.dumps(one) for one in new], False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind != "equal":
            yield from (Difference(f"{field}.{place + 1}", old[place], None) for place in range(i, j))
            yield from (Difference(f"{field}.{place + 1}", None, new[place]) for place in range(k, m))


def _short(value: object) -> object:
    """Without what a row does not name, and lengths of time as they were written."""
    if isinstance(value, Mapping):
        if value.get("written"):
            exact = f" ({value['seconds']} s)" if value["clock"] == "working" else ""
            return f"{value['written']}{exact}"
        return {key: _short(one) for key, one in value.items() if one not in (None, [], {}, "")}
    if isinstance(value, list):
        return [_short(one) for one in value]
    return value
