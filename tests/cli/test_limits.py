"""Attacks as seen by the user: one plain line, its exit status, in little time."""

import time
from pathlib import Path

import pytest

from tests.chaos.test_wire_attacks import MEGABYTE, status_and_peak
from tests.support.program import Program
from tests.support.scripted_server import Received, Reply, ScriptedServer, reply, rows_reply
from tests.unit.files.support import ANJU, HEADER, SHEET_1, save_xlsx, with_part

pytestmark = pytest.mark.attack("answers")
STORES = rows_reply({"locCode": "7", "locName": "SG Perinthalmanna", "status": 1})
IN_TIME_S = 30.0


def answering(body: bytes) -> ScriptedServer:
    """An API whose reports are all this."""

    def answer(received: Received) -> Reply:
        return STORES if received.method == "GET" else reply(body)

    return ScriptedServer(answer)


@pytest.mark.attack("files", counted=False)
def test_a_file_over_a_limit_is_65_and_the_others_are_imported(tmp_path: Path) -> None:
    hostile = save_xlsx(tmp_path / "walkin_sg_calicut.xlsx", {"A": [HEADER, ANJU]})
    cells = "".join(f'<row r="{n}"><c r="ZZZ{n}"><f>1</f></c></row>' for n in range(3, 20_003))
    with_part(hostile, SHEET_1, lambda xml: xml.replace("</sheetData>", cells + "</sheetData>"))
    fine = save_xlsx(tmp_path / "walkin_sg_kottayam.xlsx", {"A": [HEADER, ANJU]})
    begin = time.monotonic()
    ended = Program(tmp_path).run("import", "walkin", str(hostile), str(fine))
    assert time.monotonic() - begin < IN_TIME_S
    assert ended.status == 65
    (line,) = [line for line in ended.output.splitlines() if "ERROR" in line]
    assert "walkin_sg_calicut.xlsx: something is written in ZZZ3, and only 256 columns are read" in line
    assert "Total new records saved: 1" in ended.output


@pytest.mark.attack("answers", counted=False)
def test_an_answer_over_a_limit_is_1_and_names_the_setting(tmp_path: Path) -> None:
    with answering(b"[" + b"{}," * 2000 + b"{}]") as server:
        program = Program(tmp_path, API_BASE_URL=server.url, API_MAX_ROWS=1000)
        ended = program.run("booking", "--location", "7")
    assert ended.status == 1
    assert "2,001 rows in one answer, more than 1,000 rows: ask for fewer days" in ended.output
    assert "or raise API_MAX_ROWS" in ended.output


@pytest.mark.attack("answers", counted=False)
def test_invalid_rows_that_are_not_listed_are_one_warning(tmp_path: Path) -> None:
    with answering(b"[" + b",".join(b"%d" % number for number in range(1500)) + b"]") as server:
        ended = Program(tmp_path, API_BASE_URL=server.url).run("booking", "--location", "7")
    (line,) = [line for line in ended.output.splitlines() if "did not fit on the rejects list" in line]
    assert "500 invalid rows did not fit on the rejects list" in line
    assert "(location 7)" in line


@pytest.mark.slow
@pytest.mark.parametrize(("item", "times"), [(b"{}", 21_000_000), (b"1", 30_000_000)])
def test_millions_of_values_take_little_memory(tmp_path: Path, item: bytes, times: int) -> None:
    body = b"[" + (item + b",") * times + item + b"]"
    with answering(body) as server:
        program = Program(tmp_path, API_BASE_URL=server.url, API_RUN_DEADLINE_S=30)
        begin = time.monotonic()
        status, peak = status_and_peak(program, "booking", "--location", "7")
    assert time.monotonic() - begin < IN_TIME_S
    assert status == 1
    assert peak < 250 * MEGABYTE
