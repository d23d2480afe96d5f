"""What `status` and `explain` say of phone numbers that were corrected at the source."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.program import Program
from tests.support.scripted_server import Received, Reply, ScriptedServer, reply, rows_reply
from tests.support.webapp import SqliteApp

DAY = (datetime.now(UTC) - timedelta(days=3)).strftime("%Y-%m-%d")
CALLED = range(1, 6)
"""Bookings whose leads somebody has called."""


def row(number: int, phone: str) -> dict[str, Any]:
    return {
        "bookingNo": f"20250201001000{number:02}",
        "customerName": f"Made Up {number}",
        "phoneNo": phone,
        "bookingDate": f"{DAY}T08:59:27",
    }


@pytest.fixture
def corrected(tmp_path: Path) -> Iterator[Program]:
    """Six bookings whose numbers were corrected after five of their leads were called."""
    rows = [row(number, f"98460123{number:02}") for number in range(6)]

    def script(received: Received) -> Reply:
        if received.method == "GET":
            return rows_reply({"locCode": "7", "locName": "SG.Perinthalmanna", "status": 1})
        return reply(json.dumps({"data": rows if received.location == "7" else []}).encode())

    with ScriptedServer(script) as server:
        program = Program(tmp_path, API_BASE_URL=server.url, API_AUDIT_LOCATIONS=0)
        assert program.run("api").status == 0
        app = SqliteApp(str(tmp_path / "data" / "syncctl.db"))
        for number in CALLED:
            (lead,) = app.leads(bookingNo=rows[number]["bookingNo"])
            app.edit(lead["_id"], callStatus="Connected")
        app.close()
        rows[:] = [row(number, f"97440123{number:02}") for number in range(6)]
        ended = program.run("api", "--json")
        assert ended.status == 0, ended.output
        (step,) = (step for step in json.loads(ended.stdout)["steps"] if step["name"] == "booking")
        assert (step["rows"], step["updated"], step["existing"]) == (6, 1, 5)
        assert "01230" not in ended.stderr
        yield program


@pytest.mark.slow
def test_status_counts_them_and_lists_those_that_were_left(corrected: Program) -> None:
    status = json.loads(corrected.run("status", "--json").stdout)["corrections"]
    assert (status["days"], status["count"]) == (14, 6)
    assert status["by_outcome"] == {"taken": 1, "left": 5}
    assert {left["booking_no"] for left in status["left"]} == {row(n, "")["bookingNo"] for n in CALLED}
    assert {left["phone_before"][:2] + left["phone"][:2] for left in status["left"]} == {"9897"}
    assert all("x" in left["phone"] for left in status["left"])
    shown = corrected.run("status").stdout.splitlines()
    (line,) = (line for line in shown if line.startswith("corrected phones\t"))
    assert line.split("\t")[1].startswith("6 in 14 days: 1 ")
    assert sum(line.startswith("left as it was\t") for line in shown) == 4
    assert any(line.endswith("2 more: see `syncctl status --json`") for line in shown)


@pytest.mark.slow
def test_what_a_person_has_put_right_is_not_listed_any_more(corrected: Program) -> None:
    app = SqliteApp(str(corrected.folder / "data" / "syncctl.db"))
    for number in CALLED:
        (lead,) = app.leads(bookingNo=row(number, "")["bookingNo"])
        app.edit(lead["_id"], phone=f"97440123{number:02}")
    app.close()
    status = json.loads(corrected.run("status", "--json").stdout)["corrections"]
    assert (status["count"], status["left"]) == (6, [])


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["9846012300", "9744012300", row(0, "")["bookingNo"]])
def test_explain_tells_the_story_from_either_number(corrected: Program, asked: str) -> None:
    found = json.loads(corrected.run("explain", asked, "--json").stdout)
    (record,) = found["records"]
    assert (record["now"], record["phone"]) == ("in leads", "97xxxxxx00")
    said = [event["what"] for event in record["events"]]
    assert any("from 98xxxxxx00 to 97xxxxxx00: the lead has the new number" in what for what in said)
    assert sum(what.startswith("first seen in") for what in said) == 2
    assert record["lead"]["differs"] == []


@pytest.mark.slow
def test_explain_says_that_a_lead_was_left(corrected: Program) -> None:
    (record,) = json.loads(corrected.run("explain", row(1, "")["bookingNo"], "--json").stdout)["records"]
    assert any("left as it was" in event["what"] for event in record["events"])
    (differs,) = record["lead"]["differs"]
    assert (differs["field"], differs["lead"], differs["source"]) == ("phone", "98xxxxxx01", "97xxxxxx01")


@pytest.mark.slow
def test_verify_source_finds_nothing_missing_and_nothing_gone(corrected: Program) -> None:
    ended = corrected.run("verify", "source", "--json")
    checks = {check["name"]: check for check in json.loads(ended.stdout)["checks"]}
    assert {checks[name]["result"] for name in ("Missing", "Dropped by the API")} == {"ok"}, ended.stdout
