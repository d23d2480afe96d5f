"""`status` on a terminal and in a pipe: the reader's clock or UTC, and when the next sync starts."""

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from syncctl.cli.render.clock import Clock
from syncctl.cli.render.cron import start_words
from syncctl.cli.render.status import _next_sync, _screen, render_status
from syncctl.domain.run_documents import instant
from syncctl.domain.run_history import SyncLog
from syncctl.domain.run_results import Counts
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.ports.admin import DuplicateCount
from syncctl.ports.machine import LockState, NextStart, StartedBy
from syncctl.ports.storage import OpenRejects
from syncctl.services.checks.attention import LastImport
from syncctl.services.checks.freshness import ApiStep
from syncctl.services.checks.severity import Trouble
from syncctl.services.checks.status import DatabaseContent, Status, StepHealth

NOW = datetime(2026, 11, 27, 14, 2, tzinfo=UTC)  # 19:32 in India
CLOCK = Clock(ZoneInfo("Asia/Kolkata"), NOW)
SOON = NextStart(StartedBy.CRONTAB, NOW + timedelta(minutes=3))
RAN = SyncLog("booking", Trigger.AUTO, NOW - timedelta(minutes=2), 1234, StepStatus.SUCCESS, None)
FILES = SyncLog("walkin", Trigger.MANUAL, NOW - timedelta(hours=20), 1, StepStatus.PARTIAL, "x")
ONE_SET = DuplicateCount(1, 1, NOW - timedelta(hours=3), "verify data")
WAITING = Status(
    findings=(Trouble.REJECTS.reason("2 rejects, the oldest 9 days old: `syncctl rejects list` says why"),),
    checked_at=NOW,
    sync_enabled=True,
    start=SOON,
    lock=LockState(True, 4711, "web1", NOW - timedelta(minutes=3)),
    steps=(
        StepHealth(ApiStep(StepName.BOOKING, RAN, RAN.at, late=False), Counts(rows=1234, saved=1234)),
        StepHealth(ApiStep(StepName.RETURN, None, None, late=True), None),
    ),
    content=DatabaseContent(6873, {NOW.date(): 12}, ONE_SET, OpenRejects(2, NOW - timedelta(days=9))),
    imports=(LastImport(StepName.WALKIN, FILES),),
)


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (SOON, "19:35 IST, in 3 min"),
        (SOON._replace(by=StartedBy.OTHER), "19:35 IST, in 3 min, not from this user's crontab"),
        (NextStart(), "none scheduled: `syncctl cron install`"),
        (
            NextStart(may_be_hidden=True),
            "none scheduled: `syncctl cron install`, unless something that can't be seen from here starts it",
        ),
        (NextStart(StartedBy.CRONTAB, problem="no daemon"), "none: no daemon"),
        (NextStart(StartedBy.CRONTAB, problem="no daemon", hint="Start it."), "none: no daemon. Start it."),
        (NextStart(problem="crontab refuses"), "not known: crontab refuses"),
        (NextStart(StartedBy.CRONTAB), "see `syncctl cron show` for when"),
    ],
)
def test_the_next_sync(start: NextStart, words: str) -> None:
    assert _next_sync(start, CLOCK, CLOCK.time) == words
    paused = start.if_enabled(False)
    assert _next_sync(paused, CLOCK, CLOCK.time) == "none while paused (API_SYNC_ENABLED=false)"


def test_in_a_pipe_colours_are_added_on_request_and_nothing_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    render_status(WAITING, CLOCK, str, as_json=False)
    plain = capsys.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    render_status(WAITING, CLOCK, str, as_json=False)
    coloured = capsys.readouterr().out
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain
    assert re.findall(r"\x1b\[[1-9]\d*m(\S+?)\x1b\[0m|\x1b\[33m2 rej", coloured) == ["OK", "", "success"]


def test_quietly_only_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    render_status(WAITING, CLOCK, str, as_json=False, quiet=True)
    assert capsys.readouterr().out == f"reason\t{WAITING.reasons[0]}\n"
    render_status(replace(WAITING, findings=()), CLOCK, str, as_json=False, quiet=True)
    assert capsys.readouterr().out == ""


def test_in_a_pipe_moments_are_utc(capsys: pytest.CaptureFixture[str]) -> None:
    render_status(WAITING, CLOCK, str, as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "health\tOK\t2026-11-27T14:02:00Z",
        f"reason\t{WAITING.reasons[0]}",
        "bookings\t2026-11-27T14:00:00Z\tsuccess\t120 s ago"
        "\t1234 added\t0 changed\t0 already there\t0 rejected",
        "returns\tnever",
        "next sync\t2026-11-27T14:05:00Z, in 3 min",
        "walk-ins\tlast import 2026-11-26T18:02:00Z, 20 h ago: failed in part, 1 lead added or changed",
        "leads\t6873",
        "duplicates\t1 set, 1 copy too many, counted 2026-11-27T11:02:00Z by `syncctl verify data`",
        "rejects\t2, the oldest 9 days old",
        "lock\theld by pid 4711 on web1 for 3 min",
        "leads of a day\t2026-11-27\t12",
    ]


def test_on_a_terminal_the_clock_is_the_readers_and_what_waits_is_yellow() -> None:
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=True, color_system="standard")
    console.print(_screen(WAITING, CLOCK, str, 80))
    shown = out.getvalue()
    assert "\x1b[1;33mOK, 1 thing to look at\x1b[0m" in shown
    assert "today 19:32 IST" in shown
    assert "last import yesterday 23:32 IST, 20 h ago" in shown
    assert "UTC" not in shown
    assert "1,234" in shown


def test_when_cron_starts_it() -> None:
    assert start_words(SOON._replace(daemon="cron"), CLOCK, "First run") == (
        f"First run: {instant(NOW + timedelta(minutes=3))}, in 3 min; cron is running."
    )
    assert start_words(SOON, CLOCK).endswith("in 3 min.")
    assert start_words(NextStart(StartedBy.CRONTAB, problem="no daemon."), CLOCK) == (
        "The sync won't start by itself: no daemon."
    )
    assert "see the line's schedule" in start_words(NextStart(StartedBy.CRONTAB), CLOCK)
