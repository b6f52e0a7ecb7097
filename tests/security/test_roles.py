"""What follows from the role model alone, and how it is printed."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import orjson
from typer.testing import CliRunner

from agents.acls import commands
from agents.cli.main import program
from schemas.roles import PUBLIC, ROLES, Operation, Resource, rights_of, user_of
from schemas.topics import ALL, DEAD_LETTER, HISTORY, INTAKE, URGENT

RAW = {*INTAKE, HISTORY, DEAD_LETTER}


def who(**has: str) -> set[str]:
    """The roles that read or write a topic."""
    ((what, topic),) = has.items()
    return {role.name for role in ROLES if topic in getattr(role, what)}


def test_every_topic_is_somebodys_to_read_and_to_write() -> None:
    for topic in ALL:
        assert who(reads=topic.name), topic.name
        assert who(writes=topic.name) or topic.name.endswith(".seats"), topic.name


def test_no_role_names_what_is_no_topic() -> None:
    known = {topic.name for topic in ALL}
    assert {name for role in ROLES for name in (*role.reads, *role.writes)} <= known


def test_personal_data_is_read_by_who_must() -> None:
    for topic in INTAKE:
        assert who(reads=topic) == {"intake", "auditor"}
    assert who(reads=HISTORY) == {"intake", "auditor", "historian"}
    assert who(reads=DEAD_LETTER) == {"ledger", "auditor"}
    assert not RAW & set(PUBLIC)


def test_a_source_has_a_topic_of_its_own() -> None:
    for topic in INTAKE:
        if topic != URGENT:
            assert who(writes=topic) == {f"source-{topic.removeprefix('intake.')}"}


def test_facts_are_the_desks_alone_to_write() -> None:
    for topic in PUBLIC:
        assert who(writes=topic) in ({"desk"}, {"views"})


def test_who_is_not_a_stage_and_no_operator_has_no_transactions() -> None:
    assert {role.name for role in ROLES if role.transaction} == {"intake", "desk", "views", "operator"}


def test_names_of_users_are_names_that_kubernetes_takes() -> None:
    names = [user_of(role, "lianqin.nanjing.") for role in ROLES]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalnum() and name.islower() for name in names)


def printed(lines: Iterator[str]) -> set[tuple[str, str, str, str, str]]:
    """The rights that commands give: user, operation, resource, name, pattern."""
    found = set()
    for line in lines:
        words = shlex.split(line, comments=True)
        given = [(words[n], words[n + 1]) for n in range(len(words) - 1) if words[n].startswith("--")]
        if not given:
            continue
        options = dict(given)
        pattern = options.get("--resource-pattern-type", "literal")
        names = [(kind, name) for kind, name in given if kind in {"--topic", "--group", "--transactional-id"}]
        names += [("--cluster", "kafka-cluster")] if "--cluster" in words else []
        for operation in (value for option, value in given if option == "--operation"):
            found |= {(options["--allow-principal"], operation, kind, name, pattern) for kind, name in names}
    return found


def test_the_commands_give_the_rights_and_no_others() -> None:
    options = {
        Resource.TOPIC: "--topic",
        Resource.GROUP: "--group",
        Resource.TRANSACTION: "--transactional-id",
        Resource.CLUSTER: "--cluster",
    }
    wanted = {
        (f"User:{user_of(role, 'x.')}", operation.value, options[right.resource], right.name, pattern)
        for role in ROLES
        for right in rights_of(role, "x.")
        for pattern in ["prefixed" if right.prefixed else "literal"]
        for operation in right.operations
    }
    assert printed(commands("x.")) == wanted
    assert any(one[1] == Operation.WRITE for one in wanted)


def test_they_can_be_had_as_json() -> None:
    answer = CliRunner().invoke(program(), ["topics", "--acls", "--json"])
    assert answer.exit_code == 0
    told = {role["role"]: role for role in orjson.loads(answer.stdout)}
    assert {role.name for role in ROLES} == set(told)
    assert {"resource": "topic", "name": "lianqin.tickets", "pattern": "literal", "operations": ["Read"]} in told[
        "ledger"
    ]["rights"]


def test_the_page_has_each_role_with_what_it_reads_and_writes() -> None:
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text()
    table = page[page.index("| role |") :].split("\n\n")[0].splitlines()[2:]
    told = {}
    for row in table:
        name, reads, writes = (re.findall(r"`([^`]+)`", cell) for cell in row.strip("|").split("|"))
        told[name[0]] = ([one for one in reads if one != "intake.*"], writes, "intake.*" in reads)
    for role in ROLES:
        all_in = {*INTAKE, HISTORY} <= set(role.reads)
        reads = [one for one in role.reads if not (all_in and one in {*INTAKE, HISTORY})]
        assert told[role.name] == (reads, list(role.writes), all_in), role.name
    assert len(told) == len(ROLES)
