"""A process is killed while it writes; the next one writes again what was not acknowledged: each row stands once."""

import random
import subprocess
import sys
import time
from pathlib import Path

WRITER = """
import sys
from pathlib import Path
from streams.ledger.access import Embedded, connect
from streams.ledger.migrate import migrate
from streams.ledger.rows import Block, COLUMNS
from streams.ledger.store import insert

folder, progress = Path(sys.argv[1]), Path(sys.argv[2])
client = connect(Embedded(folder), create=True)
migrate(client)
blocks, rows = 40, 500
done = int(progress.read_text()) if progress.exists() else 0
for number in range(done, blocks):
    first = number * rows
    empty = {column.name: [column.empty] * rows for column in COLUMNS}
    empty |= {"_topic": ["t"] * rows, "_offset": list(range(first, first + rows)), "time": [1_700_000_000_000] * rows}
    insert(client, Block("t", 0, first, first + rows - 1, list(empty.values()), digest="d"))
    new = progress.with_suffix(".new")
    new.write_text(str(number + 1))
    new.rename(progress)
    print(number, flush=True)
found = client.query("SELECT count(), uniqExact(_offset), max(_offset) FROM events FINAL").result_rows
client.close()
assert found == [(blocks * rows, blocks * rows, blocks * rows - 1)], found
print("whole")
"""


def test_kill_9_during_inserts_leaves_each_row_once(tmp_path: Path) -> None:
    chance = random.Random(7)
    argv = [sys.executable, "-c", WRITER, str(tmp_path / "chdb"), str(tmp_path / "progress")]
    (tmp_path / "chdb").mkdir()
    for _ in range(4):
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(chance.uniform(0, 0.15))
            writer.kill()
    last = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert last.returncode == 0, last.stderr[-800:]
    assert last.stdout.endswith("whole\n")


def test_a_folder_in_use_is_told_in_one_line(tmp_path: Path) -> None:
    ask = (
        "import sys; from pathlib import Path; from streams.ledger.access import *\n"
        "client = connect(Embedded(Path(sys.argv[1])), create=True)\n"
        "print('open', flush=True); sys.stdin.readline(); client.close()"
    )
    argv = [sys.executable, "-c", ask, str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        first.stdout.readline()
        second = subprocess.run(argv, capture_output=True, text=True, check=False, input="\n", timeout=60)
        first.communicate("\n")
    assert "LedgerRefused" in second.stderr
    assert "in use by another process" in second.stderr
