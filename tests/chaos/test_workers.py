"""Imports of a workbook ended by signals: the process that reads it does not outlive the one that asked."""

import signal
import time
from contextlib import closing
from pathlib import Path
from random import Random

import openpyxl
import pytest

from tests.chaos.running import LOOK_S, running
from tests.chaos.tally import tally
from tests.support.program import LIMIT_S, Program
from tests.support.store_files import HEADER, row
from tests.support.webapp import open_app

ROWS = 1_500
TRIES = 10
ROUNDS_PER_KILL = 10


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_reader_of_a_workbook_ends_with_the_run(
    mongo_url: str, tmp_path: Path, sent: signal.Signals, rounds: int
) -> None:
    rng = Random(int(sent))  # noqa: S311 - chance, not cryptography
    book = openpyxl.Workbook()
    for cells in (HEADER, *(row(Contact=f"94{n:08}") for n in range(ROWS))):
        book.active.append(cells)
    book.save(tmp_path / "walkin_sg_calicut.xlsx")
    program = Program(tmp_path, DATABASE_URL=mongo_url)
    left = 1 + rounds // ROUNDS_PER_KILL
    for _ in range(TRIES * left):
        left -= interrupted_while_reading(program, sent, rng.uniform(0, 0.1))
        if not left:
            break
    assert left == 0
    assert program.run("import", "walkin", ".").status == 0
    with closing(open_app(mongo_url)) as app:
        assert len(app.leads()) == ROWS


def interrupted_while_reading(program: Program, sent: signal.Signals, after_s: float) -> bool:
    """Whether a workbook was open, its reader at work, when the signal came."""
    with running(program, "import", "walkin", ".") as run:
        give_up_at = time.monotonic() + LIMIT_S
        while not run.children() and run.is_alive:
            assert time.monotonic() < give_up_at
            time.sleep(LOOK_S)
        time.sleep(after_s)
        run.hold_still()
        readers = run.children()
        if not run.is_at_work or not readers:
            return False
        tally.add("kills")
        ended = run.end(sent)
    assert ended.status == (-sent if sent is signal.SIGKILL else 128 + sent), ended.output
    assert "Traceback" not in ended.output
    while any(Path(f"/proc/{reader}/fd/0").exists() for reader in readers):
        assert time.monotonic() < give_up_at
        time.sleep(LOOK_S)
    return True
