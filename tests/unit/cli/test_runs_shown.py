"""What a person sees of a run: while it works, and at its end."""

import io
import logging
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from syncctl.cli.logs.run_events import LogListener
from syncctl.cli.logs.setup import configure_logging, reset_logging
from syncctl.cli.render.clock import Clock
from syncctl.cli.render.history import render_run_detail, run_words
from syncctl.cli.render.runs import render_run
from syncctl.cli.run_words import closing_lines, counts_text
from syncctl.cli.terminal.progress import ProgressListener
from syncctl.domain.run_documents import history_document
from syncctl.domain.run_history import RunEntry
from syncctl.domain.run_results import Counts, LocationResult, RunResult, StepResult
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.ports.machine import NextStart, StartedBy
from syncctl.ports.waiting import RetryWait, RunWait
from syncctl.services.checks.history import past_run

STARTED = datetime(2026, 11, 27, 21, 45, tzinfo=UTC)
CLOCK = Clock(ZoneInfo("Asia/Kolkata"), STARTED)
SCHEDULED = NextStart(StartedBy.CRONTAB, datetime(2026, 11, 27, 21, 50, tzinfo=UTC))
REFUSAL = "api.example refused the key (401): check API_TOKEN"
SAVED = Counts(rows=1500, saved=1400, existing=60, merged=40)
REFUSED = tuple(
    StepResult(
        step,
        StepStatus.FAILED,
        errors=21,
        total=21,
        error=f"all 21 locations failed: {REFUSAL}",
        refusal=REFUSAL,
        locations=tuple(LocationResult(str(n), "", error=REFUSAL, is_refused=True) for n in range(21)),
    )
    for step in (StepName.BOOKING, StepName.RETURN)
)
PART = StepResult(
    StepName.BOOKING, StepStatus.PARTIAL, SAVED, 20, 21, 1, "1 of 21 locations failed: no answer"
)


def run_of(*steps: StepResult, dry_run: bool = False) -> RunResult:
    next_sync = datetime(2026, 11, 27, 21, 50, tzinfo=UTC)
    return RunResult("api", "ab" * 16, Trigger.MANUAL, dry_run, STARTED, 1.25, next_sync, steps)


class Screen(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    def show(result: RunResult, *, start: NextStart = SCHEDULED) -> str:
        screen = Screen()
        monkeypatch.setattr(sys, "stdout", screen)
        monkeypatch.setenv("COLUMNS", "80")
        render_run(result, CLOCK, lambda: start, as_json=False)
        return re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())

    return show


def test_the_table_counts_in_peoples_words(ended: Callable[..., str]) -> None:
    counts = replace(SAVED, rows=1506, updated=1, reported=2, invalid=3)
    shown = ended(run_of(StepResult(StepName.BOOKING, StepStatus.SUCCESS, counts, 21, 21)))
    assert [" ".join(line.split()) for line in shown.splitlines()] == [
        "",
        "Bookings",
        "Status success",
        "Locations 21/21",
        "Rows 1,506",
        "Added 1,400",
        "Changed 1",
        "Already there 60",
        "Finished 2",
        "Merged 40",
        "Rejected 3",
        "Took 1.2 s · Next sync: 03:20 IST",
    ]


def test_what_failed_and_when_it_is_tried_again(ended: Callable[..., str]) -> None:
    assert "Nothing was synced. Next try at 03:20 IST.\n" in ended(run_of(*REFUSED))
    assert "A part failed; everything else is stored. Next try at 03:20 IST.\n" in ended(run_of(PART))
    by_hand = ended(run_of(*REFUSED), start=NextStart())
    assert "Nothing was synced. Run it again when that is fixed.\n" in by_hand
    assert "Next sync: none scheduled: `syncctl cron install`" in by_hand
    with_files = run_of(*REFUSED, StepResult(StepName.WALKIN, StepStatus.SUCCESS, SAVED, 1, 1))
    assert "Nothing was synced from the API. Next try at" in ended(with_files)
    assert "Next try" not in ended(run_of(PART, dry_run=True))
    assert "Next" not in ended(run_of(StepResult(StepName.WALKIN, StepStatus.SUCCESS, SAVED, 1, 1)))


def test_the_history_of_a_refused_key_says_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "120")
    run = past_run(RunEntry("ab" * 16, STARTED, history_document(run_of(*REFUSED))))
    render_run_detail(run, str, CLOCK, as_json=False)
    assert screen.getvalue().count(REFUSAL) == 1
    assert screen.getvalue().count("failed for the same reason") == 1
    monkeypatch.setattr(sys, "stdout", piped := io.StringIO())
    render_run_detail(run, str, CLOCK, as_json=False)
    assert piped.getvalue().count(REFUSAL) == 1
    same = "; returns: failed for the same reason"
    assert run_words(run) == f"bookings: all 21 locations failed: {REFUSAL}{same}"


def test_the_log_says_it_in_utc() -> None:
    assert closing_lines(run_of(*REFUSED))[-1] == "Next sync: none scheduled: `syncctl cron install`"
    paused = closing_lines(run_of(*REFUSED), lambda: SCHEDULED.if_enabled(False))
    assert paused[0] == "Nothing was synced. Run it again when that is fixed."
    assert paused[-1] == "Next sync: none while paused (API_SYNC_ENABLED=false)"
    assert closing_lines(run_of(*REFUSED), lambda: SCHEDULED) == [
        "Nothing was synced. Next try at 2026-11-27T21:50:00Z.",
        "Duration: 1.2 s",
        "Next sync: 2026-11-27T21:50:00Z",
    ]


def test_a_dry_run_says_what_would_be() -> None:
    counts = Counts(rows=80, saved=57, updated=1, existing=9, reported=4, merged=5, invalid=3, ignored=1)
    assert counts_text(counts, dry_run=True) == (
        "80 rows: 57 would be added, 1 would be changed, 9 already there, 4 finished, 5 merged, "
        "3 would be rejected, 1 ignored"
    )
    assert counts_text(replace(Counts(), rows=1, saved=1)) == "1 row: 1 added"


def followed(result: RunResult, *, quiet: bool = False, verbose: bool = False, animated: bool = True) -> str:
    """What the display writes of a run."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=100, color_system=None)
    with ProgressListener(console, quiet=quiet, verbose=verbose, animated=animated) as listener:
        listener.run_started(result.command, result.trigger, result.dry_run, result.started_at)
        for number, step in enumerate(result.steps, start=1):
            listener.step_started(step.name, number, len(result.steps), step.total)
            for location in step.locations:
                listener.location_done(step.name, location)
            listener.step_finished(step)
        listener.run_finished(result)
    return written.getvalue()


def lines(shown: str) -> list[str]:
    return [
        line.strip() for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\n", shown).splitlines() if line.strip()
    ]


@pytest.mark.parametrize("how", [{}, {"verbose": True}, {"quiet": True}, {"animated": False}])
def test_a_refused_key_is_explained_once(how: dict[str, bool]) -> None:
    shown = followed(run_of(*REFUSED), **how)
    assert shown.count("401") == 1
    assert f"✗ Bookings: all 21 locations failed: {REFUSAL}" in shown
    assert "✗ Returns: 21 locations failed for the same reason" in shown


def test_in_the_log_too() -> None:
    stream = io.StringIO()
    configure_logging(level=logging.DEBUG, stream=stream, redactor=lambda text: text)
    try:
        listener = LogListener()
        for step in REFUSED:
            for location in step.locations:
                listener.location_done(step.name, location)
            listener.step_finished(step)
    finally:
        reset_logging()
    assert stream.getvalue().count("401") == 1


DONE = LocationResult("7", "Suitor Guy - Calicut", Counts(rows=12, saved=12))
LOST = LocationResult("9", "", error="no answer")
STEP = replace(PART, locations=(DONE, LOST))


def test_verbose_says_each_location_and_each_retry() -> None:
    shown = followed(run_of(STEP), verbose=True)
    assert "Bookings, 7 Suitor Guy - Calicut: 12 rows: 12 added" in shown
    assert "! Bookings, 9: no answer" in shown
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=100, color_system=None)
    with ProgressListener(console, verbose=True) as listener:
        listener.begun(RetryWait(StepName.BOOKING, "3", "503", 2, 6, 2.0))
    assert "location 3: 503, try 2 of 6 in 2 s" in written.getvalue()


def test_quiet_says_what_went_wrong_and_nothing_else() -> None:
    assert lines(followed(run_of(STEP), quiet=True)) == ["✗ Bookings: 1 of 21 locations failed: no answer"]
    fine = replace(STEP, status=StepStatus.SUCCESS, errors=0, error=None, locations=(DONE,))
    assert followed(run_of(fine), quiet=True) == ""


def test_a_step_with_nothing_to_do_is_skipped_on_its_bar() -> None:
    shown = followed(run_of(StepResult(StepName.WALKIN, StepStatus.SKIPPED)))
    assert "1/1 Walk-ins" in shown
    assert lines(shown)[-1].split()[-2:] == ["skipped", "0:00"]
    assert "added" not in lines(shown)[-1]


def test_a_terminal_that_can_not_redraw_gets_lines() -> None:
    shown = followed(run_of(STEP), animated=False)
    assert "\x1b" not in shown
    assert lines(shown)[:3] == [
        "Syncing stores, bookings and returns",
        "1/1 Bookings …",
        "20 locations, 1,400 added",
    ]


def test_the_display_shows_waits_before_there_is_a_run() -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=100, color_system=None)
    wait = RunWait(29274, None, 30.0)
    now = [100.0]
    with ProgressListener(console, clock=lambda: now[0]) as listener:
        listener.begun(wait)
        now[0] += 12.0
        listener._progress.refresh()
        listener.ended(wait)
    shown = written.getvalue()
    assert "waiting for run 29274, 12 s of 30" in shown
    assert "\n" not in shown.partition("of 30")[2].strip("\n")


def test_the_log_has_one_line_for_a_lock_and_none_for_the_rest() -> None:
    stream = io.StringIO()
    configure_logging(level=logging.INFO, stream=stream, redactor=lambda text: text)
    try:
        listener = LogListener()
        for wait in (RunWait(29274, None, 30.0), RetryWait(StepName.BOOKING, "3", "503", 2, 6, 2.0)):
            listener.begun(wait)
            listener.ended(wait)
    finally:
        reset_logging()
    (line,) = stream.getvalue().splitlines()
    assert line.endswith("INFO  Waiting for run 29274, up to 30 s")


@pytest.mark.parametrize(
    ("environment", "is_coloured"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_a_pipe_is_coloured_on_request(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], is_coloured: bool
) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = io.StringIO()
    configure_logging(level=logging.INFO, stream=stream, redactor=lambda text: text)
    try:
        logging.getLogger("syncctl.run").error("no \x1b[31m")
    finally:
        reset_logging()
    escape, line = "\x1b[", stream.getvalue()
    assert ("\x1b[31mERROR\x1b[0m no" in line) is is_coloured
    assert line.count(escape) == (2 if is_coloured else 0)
