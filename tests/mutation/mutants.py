"""Mutants (变异体): every small change to a module's source that a careful test would notice."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

COMPARISONS: Final[dict[type[ast.cmpop], tuple[tuple[str, type[ast.cmpop]], ...]]] = {
    ast.Lt: (("boundary", ast.LtE), ("comparison", ast.GtE)),
    ast.LtE: (("boundary", ast.Lt), ("comparison", ast.Gt)),
    ast.Gt: (("boundary", ast.GtE), ("comparison", ast.LtE)),
    ast.GtE: (("boundary", ast.Gt), ("comparison", ast.Lt)),
    ast.Eq: (("comparison", ast.NotEq),),
    ast.NotEq: (("comparison", ast.Eq),),
    ast.Is: (("comparison", ast.IsNot),),
    ast.IsNot: (("comparison", ast.Is),),
    ast.In: (("comparison", ast.NotIn),),
    ast.NotIn: (("comparison", ast.In),),
}
ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
UNSAID: Final = {"__slots__", "__all__"}
"""Names whose strings do nothing that a test could see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change: `new` in place of the bytes from `start` to `end`; `first` to `last` are its statement's lines."""

    module: str
    kind: str
    line: int
    first: int
    last: int
    start: int
    end: int
    old: str
    new: str

    def of(self, source: bytes) -> bytes:
        """The module with this change."""
        return source[: self.start] + self.new.encode() + source[self.end :]

    def __str__(self) -> str:
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{self.module}:{self.line} {self.kind}: {old} -> {new}"


def mutants_of(module: str, source: bytes) -> list[Mutant]:
    """All mutants of a module, in the order of its text."""
    found = list(_Finder(module, source).in_body(ast.parse(source).body))
    return sorted(found, key=lambda one: (one.start, one.end, one.kind, one.new))


def sampled(mutants: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """So many of them, spread evenly over all text: the same for the same seed."""
    if count >= len(mutants):
        return list(mutants)
    step = len(mutants) / count
    begin = Random(seed).random() * step
    return [mutants[int(begin + number * step)] for number in range(count)]


class _Finder:
    """Goes through the statements of one module."""

    def __init__(self, module: str, source: bytes) -> None:
        self._module = module
        self._source = source
        self._begins = [0]
        for line in source.splitlines(keepends=True):
            self._begins.append(self._begins[-1] + len(line))

    def in_body(self, body: Sequence[ast.stmt]) -> Iterator[Mutant]:
        """The mutants of these statements and of what stands in them."""
        for statement in body:
            if _is_docstring(statement) or isinstance(statement, ast.Import | ast.ImportFrom | ast.Raise):
                continue
            yield from self._removed(statement)
            for part in _parts(statement):
                yield from self._in_expression(part, statement)
            for inner in ("body", "orelse", "finalbody"):
                yield from self.in_body(getattr(statement, inner, ()))
            for handler in getattr(statement, "handlers", ()):
                yield from self.in_body(handler.body)

    def _removed(self, statement: ast.stmt) -> Iterator[Mutant]:
        if isinstance(statement, ast.Return) and not _is_none(statement.value):
            yield self._mutant("return", statement, statement, "return None")
        elif _can_go(statement):
            yield self._mutant("removed", statement, statement, "pass")

    def _in_expression(self, top: ast.expr, statement: ast.stmt) -> Iterator[Mutant]:
        waiting: list[ast.AST] = [top]
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.JoinedStr):
                continue  # the places of what stands in it are not known
            for kind, new in _changed(node):
                yield self._mutant(kind, node, statement, f"({ast.unparse(new)})")
            waiting += [child for child in ast.iter_child_nodes(node) if not _is_annotation(node, child)]

    def _mutant(self, kind: str, node: ast.AST, statement: ast.stmt, new: str) -> Mutant:
        assert isinstance(node, ast.expr | ast.stmt)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self._begins[node.lineno - 1] + node.col_offset
        end = self._begins[node.end_lineno - 1] + node.end_col_offset
        return Mutant(
            module=self._module,
            kind=kind,
            line=node.lineno,
            first=statement.lineno,
            last=_last_line(statement),
            start=start,
            end=end,
            old=self._source[start:end].decode(),
            new=new,
        )


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_none(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _can_go(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Assign):
        return any(isinstance(target, ast.Attribute | ast.Subscript) for target in statement.targets)
    return isinstance(statement, ast.Expr | ast.AugAssign | ast.Delete | ast.Continue | ast.Break)


def _last_line(statement: ast.stmt) -> int:
    """Of a compound statement its head's last line."""
    body = getattr(statement, "body", None)
    return max(body[0].lineno - 1, statement.lineno) if body else statement.end_lineno or statement.lineno


def _parts(statement: ast.stmt) -> list[ast.expr]:
    """What is reckoned by a statement itself; not annotations, decorators, base classes and what is only a name."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        return [*statement.args.defaults, *(one for one in statement.args.kw_defaults if one is not None)]
    if isinstance(statement, ast.ClassDef | ast.Assert):
        return []
    if isinstance(statement, ast.Assign) and any(
        isinstance(one, ast.Name) and one.id in UNSAID for one in statement.targets
    ):
        return []
    if isinstance(statement, ast.AnnAssign):
        return [] if statement.value is None else [statement.value]
    return [child for child in ast.iter_child_nodes(statement) if isinstance(child, ast.expr)]


def _is_annotation(node: ast.AST, child: ast.AST) -> bool:
    return isinstance(node, ast.arg) and child is node.annotation


def _changed(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Compare):
        yield from _compared(node)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "boolean", ast.BoolOp(op=other, values=node.values)
    elif isinstance(node, ast.UnaryOp):
        yield ("boolean" if isinstance(node.op, ast.Not) else "arithmetic"), node.operand
    elif isinstance(node, ast.IfExp):
        yield "condition", ast.IfExp(test=node.test, body=node.orelse, orelse=node.body)
    elif isinstance(node, ast.comprehension):
        return
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield "arithmetic", ast.BinOp(left=node.left, op=ARITHMETIC[type(node.op)](), right=node.right)
    elif isinstance(node, ast.Constant):
        yield from _other_constant(node.value)


def _compared(node: ast.Compare) -> Iterator[tuple[str, ast.expr]]:
    for place, operator in enumerate(node.ops):
        for kind, other in COMPARISONS[type(operator)]:
            operators = [*node.ops[:place], other(), *node.ops[place + 1 :]]
            yield kind, ast.Compare(left=node.left, ops=operators, comparators=node.comparators)


def _other_constant(value: object) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(value, bool):
        yield "constant", ast.Constant(not value)
    elif isinstance(value, int | float):
        yield "constant", ast.Constant(value + 1)
    elif isinstance(value, str):
        yield "constant", ast.Constant(value + "?")
