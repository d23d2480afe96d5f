"""Leads found only by audits are reported: in the log, by --json, `status`, `verify sync` and `doctor`."""

import json
import re
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from syncctl.domain.dialects import Dialect, Mode, Trial, Verdict
from syncctl.domain.requests import BodyForm
from syncctl.domain.sources import StepName
from syncctl.sandbox import Sandbox
from syncctl.storage.registry import open_storage
from tests.support.program import Ended, Program


@pytest.fixture
def program(program: Program) -> Program:
    """After a first sync, by dates from now on."""
    program.environment |= {"PATH": str(program.folder), "API_AUDIT_LOCATIONS": "40"}
    assert program.run("api", "-q").status == 0
    now = datetime.now(UTC)
    with closing(open_storage(f"sqlite:///{program.folder / 'data' / 'syncctl.db'}")) as database:
        database.prepare()
        for report in (StepName.BOOKING, StepName.RETURN):
            trial = Trial(
                now, "7", "2026-11-18 to 2026-11-28", BodyForm.ALL_KEYS, Verdict.AGREES, 60, 21, 21, 0
            )
            database.save_dialect(
                Dialect(
                    report, Mode.DATES, form=BodyForm.ALL_KEYS, since=now, measured_at=now, trials=(trial,)
                )
            )
    return program


def enter_late(sandbox: Sandbox, count: int) -> None:
    """Bookings that are entered today and dated weeks ago."""
    for row in sandbox.add_bookings(count):
        day = sandbox.today - timedelta(days=60)
        sandbox.change_booking(row["bookingNo"], bookingDate=day, deliveryDate=day + timedelta(days=90))


def audits(ended: Ended) -> list[object]:
    return [step.get("audit") for step in json.loads(ended.stdout)["steps"]]


def lines(ended: Ended, word: str) -> list[str]:
    return [line for line in ended.output.splitlines() if word in line]


def plain(shown: str) -> str:
    return " ".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).split())


AUDITED = "Bookings: 39 locations asked for everything as a check"


@pytest.mark.slow
def test_what_only_an_audit_brought_is_said_everywhere(program: Program, sandbox: Sandbox) -> None:
    enter_late(sandbox, 3)
    ended = program.run("api", "--json")
    assert ended.status == 0
    nothing = {"locations": 39, "saved": 0, "failed": 0}
    assert audits(ended) == [None, {**nothing, "saved": 3}, nothing]
    (line,) = lines(ended, "as a check")
    assert line.endswith(f" INFO  {AUDITED}: 3 added that the usual calls had missed")
    (line,) = lines(program.run("status"), "audits")
    assert line == "audits\tonly audits found 3 leads in the last 7 days (bookings 3)"
    assert json.loads(program.run("status", "--json").stdout)["audits"]["saved"] == {"booking": 3}
    for words in (("verify", "sync"), ("doctor",)):
        ended = program.run(*words)
        (line,) = lines(ended, "Audits: ")
        assert line.startswith("ok\tAudits: 40 locations in each run; each was asked for everything within ")
        assert line.endswith("; only audits found 3 leads in the last 7 days (bookings 3)")
        assert len(lines(ended, "Windows: ")) == 2
        assert "ok\tWindows: returns: by dates since " in ended.stdout


@pytest.mark.slow
def test_an_audit_that_brought_nothing_is_said_with_v_only(program: Program) -> None:
    assert not lines(program.run("api"), "as a check")
    said = lines(program.run("api", "-v"), "as a check")
    assert len(said) == 2
    assert f"{AUDITED}: nothing was missing" in said[0]
    assert not lines(program.run("status"), "audits")


@pytest.mark.slow
def test_on_a_terminal(program: Program, sandbox: Sandbox) -> None:
    enter_late(sandbox, 1)
    shown = plain(program.run_on_terminal("api").stdout)
    assert f"{AUDITED}: 1 added that the usual calls had missed" in shown
    shown = plain(program.run_on_terminal("api", "-v").stdout)
    assert f"{AUDITED}: nothing was missing" in shown
    shown = plain(program.run_on_terminal("status").stdout)
    assert "only audits found 1 lead in the last 7 days (bookings 1)" in shown


def test_without_audits(program: Program) -> None:
    ended = program.run("api", "--json", API_AUDIT_LOCATIONS="0")
    assert audits(ended) == [None, None, None]
    for words in (("verify", "sync"), ("doctor",)):
        ended = program.run(*words, API_AUDIT_LOCATIONS="0")
        (line,) = lines(ended, "Audits: ")
        assert line.startswith("WARNING\tAudits: off (API_AUDIT_LOCATIONS=0): only one measurement a day")
        assert ended.status == 0
