"""Which statements the front lets through: one SELECT or DESCRIBE over the ledger's own tables, and nothing else.

chDB has no users, and even `readonly` reads and writes local files there. So ClickHouse's own parser reads the
statement and writes it anew (comments gone, one statement, literals in one form); only what is then known to be
harmless is run, in that new wording. Every other statement is refused.
"""

import re
from dataclasses import dataclass
from typing import Final, NoReturn, Protocol

FORMATS: Final = frozenset(
    {
        "Native",
        "TabSeparated",
        "TabSeparatedWithNames",
        "TabSeparatedWithNamesAndTypes",
        "TSV",
        "TSVWithNames",
        "CSV",
        "CSVWithNames",
        "JSON",
        "JSONCompact",
        "JSONEachRow",
        "JSONCompactEachRow",
        "RowBinary",
        "RowBinaryWithNamesAndTypes",
        "PrettyCompact",
        "Vertical",
        "Values",
        "Null",
    }
)
SYSTEM_TABLES: Final = frozenset({"settings", "one", "numbers", "databases", "tables", "columns", "functions"})
_HARMLESS_TABLE_FUNCTIONS: Final = frozenset({"numbers", "zeros", "values", "generate_series", "generateseries"})
_SCALARS_REFUSED: Final = re.compile(
    r"(file.*|dict.*|joinget.*|ai[a-z]+|hascolumnintable|catboost.*|evalmlmethod|generateserialid|sleep.*|"
    r"showcertificate|addressto.*|demangle|getserversetting|getclienthttpheader|logtrace|zookeeper.*|fuzz.*|iceberg.*|"
    r"formatquery.*|executable.*|python.*|query|eval)\Z"
)
_TOKEN: Final = re.compile(
    r"""'(?:[^'\\]|\\.|'')*' | `(?:[^`\\]|\\.|``)*` | "(?:[^"\\]|\\.|"")*" | [A-Za-z_][A-Za-z_0-9]* | \s+ | .""",
    re.VERBOSE | re.DOTALL,
)
_STARTS: Final = frozenset({"SELECT", "WITH", "DESCRIBE"})
_WORDS_REFUSED: Final = frozenset({"OUTFILE", "INFILE", "SETTINGS", "APPLY", "IDENTIFIER"})
"""Files, settings, functions without their brackets, and names that come as parameters."""


class Refused(Exception):
    """The statement is not let through; the text says why."""


def refuse(text: str) -> NoReturn:
    """Raise `Refused`."""
    raise Refused(text)


class Parser(Protocol):
    """ClickHouse's own parser."""

    def rewritten(self, statement: str) -> str:
        """The one statement in ClickHouse's own wording, on one line; raises where it is none, or several."""
        ...

    def tree(self, statement: str) -> list[str]:
        """The syntax tree of a rewritten statement, one node a line."""
        ...

    def table_functions(self) -> frozenset[str]:
        """Names of all table functions, in small letters."""
        ...

    def databases(self) -> frozenset[str]:
        """Names of all databases."""
        ...


@dataclass(frozen=True, slots=True)
class Passed:
    """What may be run, and the format of its answer where the statement names one."""

    statement: str
    format: str | None


def check(statement: str, parser: Parser, database: str) -> Passed:
    """The statement as it may be run with `database` as the current one; raises `Refused`."""
    rewritten = parser.rewritten(statement)
    words = _words(rewritten)
    wanted = None
    if len(words) > 2 and words[-2].group().upper() == "FORMAT":
        wanted = words[-1].group()
        if wanted not in FORMATS:
            refuse(f"the format {wanted} is not given out here")
        rewritten = rewritten[: words[-2].start()].rstrip()
        words = words[:-2]
    # First the words, all of them: not every part of a statement shows in the tree.
    _check_words([word.group() for word in words], parser, database)
    for line in parser.tree(rewritten):
        _check_node(line.split(" (")[0].split(maxsplit=1), parser, database)
    return Passed(rewritten, wanted)


def _words(rewritten: str) -> list[re.Match[str]]:
    return [match for match in _TOKEN.finditer(rewritten) if not match.group().isspace()]


def _check_words(words: list[str], parser: Parser, database: str) -> None:
    """What kind of statement it is, where its answer goes, what it calls, which databases it names."""
    if next((word.upper() for word in words if word != "("), "") not in _STARTS:
        refuse("only a single SELECT or DESCRIBE is answered here")
    for before, word, after in zip(["", *words], words, [*words[1:], ""], strict=False):
        if word == ";" or (word.upper() in _WORDS_REFUSED and before != "."):
            refuse(f"{word} is not allowed here")
        if after == "(":
            _check_function(_bare(word), parser)
        if after == "." and before != "." and _bare(word) in parser.databases() - {database, "system"}:
            refuse(f"{word} is not the ledger's")


def _bare(word: str) -> str:
    """A name in small letters, without its quotes."""
    return word.strip('`"').lower()


def _check_node(node: list[str], parser: Parser, database: str) -> None:
    kind, name = node[0], node[1] if len(node) > 1 else ""
    if kind == "Set":
        refuse("settings are not allowed in a statement here")
    if kind == "Function":
        _check_function(name.lower(), parser)
    if kind == "TableIdentifier":
        _check_table(name, parser, database)
    if kind == "Identifier" and _database_of(name, parser) not in {None, database}:
        # Behind IN a plain name may be a table's.
        refuse(f"{name} is not the ledger's")


def _check_function(name: str, parser: Parser) -> None:
    is_table_function = name in parser.table_functions() - _HARMLESS_TABLE_FUNCTIONS
    if is_table_function or _SCALARS_REFUSED.match(name):
        refuse(f"the function {name} is not allowed here")


def _check_table(name: str, parser: Parser, database: str) -> None:
    owner = _database_of(name, parser)
    if owner == "system" and name.removeprefix("system.") in SYSTEM_TABLES:
        return
    if owner not in {None, database} or (owner is None and "." in name):
        refuse(f"{name} is not the ledger's")


def _database_of(name: str, parser: Parser) -> str | None:
    """The database that a dotted name begins with, where it begins with one."""
    owner, dot, _ = name.partition(".")
    return owner if dot and owner.lower() in parser.databases() else None
