"""`explain` as a person runs it."""

import json
from pathlib import Path

import pytest

from syncctl.sandbox import Sandbox
from tests.support.program import Program

PHONE = "9000000077"


@pytest.fixture
def booked(program: Program, sandbox: Sandbox) -> str:
    """The number of a booking of PHONE's that is synced."""
    number = f"{sandbox.today:%Y%m%d}00700999"
    row = {
        "bookingNo": number,
        "customerName": "[bold]Anagha[/bold]",
        "phoneNo": PHONE,
        "bookingDate": f"{sandbox.today}T00:00:00",
        "remarks": f"call {PHONE}",
    }
    sandbox.add_rows(sandbox.locations[0], [row])
    assert program.run("booking").status == 0
    return number


def test_in_a_pipe_each_fact_is_a_line(program: Program, booked: str) -> None:
    ended = program.run("explain", "+91 90000 00077")
    assert (ended.status, ended.stderr) == (0, "")
    rows = [line.split("\t") for line in ended.stdout.splitlines()]
    assert {len(row) for row in rows} == {3}
    assert {row[0].split(" · ")[1] for row in rows} == {booked}
    assert [row[2] for row in rows if row[1] == "now"] == ["in leads"]
    assert any("(booking, auto)" in row[2] for row in rows)
    assert all("· +91 90000 00077 ·" in row[0] for row in rows)
    assert PHONE not in ended.output
    by_booking = program.run("explain", booked).stdout
    assert "90xxxxxx77" in by_booking
    assert PHONE not in by_booking
    assert f"· {PHONE} ·" in program.run("explain", booked, "--show-phone").stdout


def test_json_is_one_object(program: Program, booked: str) -> None:
    ended = program.run("explain", booked, "--fetch", "--json")
    found = json.loads(ended.stdout)
    assert (found["command"], found["ok"], found["asked"]) == ("explain", True, booked)
    (record,) = found["records"]
    assert (record["booking_no"], record["phone"], record["now"]) == (booked, "90xxxxxx77", "in leads")
    assert record["source_now"]["state"].endswith(", unchanged")
    assert record["lead"]["touched"] is False
    assert PHONE not in ended.stdout


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 80, 200])
def test_on_a_terminal(program: Program, booked: str, columns: int) -> None:
    ended = program.run_on_terminal("explain", booked, columns=columns)
    assert ended.status == 0
    for word in ("[bold]Anagha[/bold]", booked, "first seen", "in leads"):
        assert word in ended.stdout
    assert PHONE not in ended.stdout


def test_nothing_found_is_status_1_and_says_where_was_looked(program: Program, sandbox: Sandbox) -> None:
    ended = program.run("explain", PHONE)
    assert (ended.status, ended.stdout) == (1, "")
    for word in ("90xxxxxx77", "leads", "reports", "rejects", "verify source", "--fetch"):
        assert word in ended.stderr
    assert json.loads(program.run("explain", PHONE, "--json").stdout)["records"] == []
    assert not (program.folder / "data").exists()
    row = {"bookingNo": "4711", "customerName": "A", "phoneNo": PHONE}
    sandbox.add_rows(sandbox.locations[0], [{**row, "bookingDate": f"{sandbox.today}T10:00:00"}])
    fetched = program.run("explain", PHONE, "--fetch")
    assert fetched.status == 1
    assert "at the source, not in the database" in fetched.stdout


@pytest.mark.slow
def test_what_is_no_number_is_status_2_and_an_unreachable_database_69(tmp_path: Path) -> None:
    program = Program(tmp_path, DATABASE_URL="mongodb://127.0.0.1:9/x")
    assert program.run("explain", " - ").status == 2
    ended = program.run("explain", PHONE)
    assert ended.status == 69
    assert len(ended.stderr.splitlines()) == 1
