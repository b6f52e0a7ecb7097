"""Names and numbers of persons stand where the sources put them, in `intake.*` and `dead-letter`, and nowhere else."""

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import clickhouse_connect
import pytest
from confluent_kafka import Message
from confluent_kafka.admin import AdminClient

from tests.chaos.centre import Up
from tests.chaos.kafka import Reader, headers_of
from tests.mission import sources
from tests.whole.live import Live

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]

PLANTED: Final = {
    "name": "司马测试",
    "second name": "诸葛样本",
    "phone": "13912340987",
    "second phone": "13812340986",
    "landline": "025-58880987",
    "identity card": "320111199003070987",
    "mail": "planted.person@example.org",
    "account": "u-planted-0987",
    "officer": "officer-planted-0987",
}
TEXT: Final = "{name}(电话{phone}, 身份证{identity card}, 邮箱{mail}, 固话{landline})与邻居争吵".format_map(PLANTED)


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A centre that was told everything: by each source, by handlers, and by records that cannot be used."""
    with Up(tmp_path_factory.mktemp("privacy") / "data", "--workers", "1") as up:
        tell(up)
        yield up


def tell(up: Up) -> None:
    """Send each planted word in every place where a source may put it."""
    live = Live(up.bootstrap, up.run["prefix"])
    at = int(time.time() * 1000)
    name, phone = PLANTED["name"], PLANTED["phone"]
    alarm = sources.alarm(at, "p-1", BJLX="501000", BJRXM=name, BJDH=phone, BJNR=TEXT, SFDZ=f"{name}家, {phone}")
    citizen = {"phone": phone, "user_id": PLANTED["account"], "nickname": name, "content": TEXT}
    patrol = {"officer_name": name, "officer_phone": phone, "officer_id": PLANTED["officer"], "description": TEXT}
    order = {"来电人": name, "联系电话": phone, "起因": TEXT, "经过": TEXT}
    sent = [
        ("intake.police", "police110", alarm),
        ("intake.urgent", "police110", alarm),
        ("intake.citizen", "citizenapp", sources.citizen(at, "p-2", type="dispute", **citizen)),
        ("intake.grid", "gridapp", sources.patrol(at, "p-3", category_code="0703", **patrol)),
        ("intake.hotline", "hotline12345", sources.work_order(at, "p-4", 诉求分类="邻里纠纷", **order)),
        ("intake.citizen", "citizenapp", json.dumps({"id": "", "phone": phone, "content": TEXT}).encode()),
        ("intake.police", "police110", f"{name} {phone}".encode()),
    ]
    places = [live.send(topic, value, {"lianqin-source": source.encode()}) for topic, source, value in sent]
    became = live.settled(*places)
    # A record's own words are searched for the persons that it names itself: a note names none, and has numbers alone.
    note = "已联系{second phone}, 身份证{identity card}, 邮箱{mail}".format_map(PLANTED)
    # And what names a unit is no place for a person's number, whoever puts one there.
    helper = "协助员 {second phone} {identity card} {mail}".format_map(PLANTED)
    said = [
        sources.handling(at, action, ticket=became[0].ticket, unit=unit, note=note)
        for action, unit in (
            ("签收", "江浦街道派出所"),
            ("加派", helper),
            ("申请退单", "江浦街道派出所"),
            ("处置完成", "江浦街道派出所"),
            ("说不清", helper),
        )
    ]
    live.settled(*(live.send("intake.feedback", value, {"lianqin-source": b"handlers"}) for value in said))
    live.close()
    time.sleep(2)  # the views and the ledger are a moment behind


def bytes_of(message: Message) -> Iterator[bytes]:
    """All that a record holds."""
    for part in (message.key(), message.value(), *headers_of(message).values()):
        yield part if isinstance(part, bytes) else (part or "").encode()


def found_in(text: bytes) -> list[str]:
    """Which of the planted words stand in a text, as they are or as JSON escapes them."""
    return [what for what, word in PLANTED.items() if word.encode() in text or json.dumps(word)[1:-1].encode() in text]


def test_on_the_topics_they_stand_where_they_came_in_alone(centre: Up) -> None:
    prefix = centre.run["prefix"]
    known = AdminClient({"bootstrap.servers": centre.bootstrap}).list_topics(timeout=20).topics
    where = {}
    for topic in known:
        if topic.startswith(prefix):
            reader = Reader(centre.bootstrap, [topic])
            text = b"\n".join(b"\n".join(bytes_of(message)) for message in reader.new())
            reader.close()
            where[topic.removeprefix(prefix)] = found_in(text)
    raw = {topic: words for topic, words in where.items() if topic.startswith("intake.") or topic == "dead-letter"}
    assert {topic: words for topic, words in where.items() if words and topic not in raw} == {}
    assert {"tickets", "desk", "desk.state", "replies", "assignments", "tickets.current"} <= set(where)
    assert set(raw["dead-letter"]) >= {"name", "phone"}
    assert set(raw["intake.police"]) >= {"name", "phone", "identity card", "mail", "landline"}


def test_clickhouse_does_not_know_them(centre: Up) -> None:
    ledger = centre.ledger
    client = clickhouse_connect.get_client(
        host=ledger.host, port=ledger.port, username=ledger.user, password=ledger.password
    )
    tables = [
        row[0] for row in client.query("SELECT name FROM system.tables WHERE database = currentDatabase()").result_rows
    ]
    assert "events" in tables
    for table in tables:
        rows = client.query(f"SELECT * FROM {table}").result_rows  # noqa: S608 - its own tables
        assert found_in(repr(rows).encode()) == [], table
    assert client.query("SELECT count() FROM events").result_rows[0][0] > 20
    client.close()


def test_neither_logs_nor_metrics_nor_pages_nor_what_is_told_to_a_user(centre: Up, tmp_path: Path) -> None:
    files = [centre.log, *(file for file in (centre.folder / "logs").rglob("*") if file.is_file())]
    assert len(files) >= 3
    for file in files:
        assert found_in(file.read_bytes()) == [], file
    for url in centre.run["metrics"].values():
        with urllib.request.urlopen(url) as answer:  # noqa: S310 - its own workers
            assert found_in(answer.read()) == [], url
    page = tmp_path / "page.html"
    for command in (["report", "--html", str(page)], ["report", "--json"], ["audit", "--json"]):
        told = centre.ask(*command)
        assert told.returncode == 0, told.stderr
        assert found_in((told.stdout + told.stderr).encode()) == []
    assert found_in(page.read_bytes()) == []


def test_an_error_about_a_file_names_the_line_and_not_what_stands_there(centre: Up, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    lines = ["工单编号,来电时间,来电人,联系电话,工单类型,紧急程度,事发时间,事发地址,起因,经过,诉求分类,街道"]
    lines += [f"x-1,gestern,{PLANTED['name']},{PLANTED['phone']},投诉,一般,,,{PLANTED['mail']},,邻里纠纷,江浦街道"]
    file.write_text("\n".join(lines), "utf-8")
    told = centre.ask("feed", "hotline12345", str(file), "--dry-run")
    assert "line 2" in told.stdout + told.stderr
    assert found_in((told.stdout + told.stderr).encode()) == []
