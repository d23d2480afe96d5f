"""The line of a terminal that tells how far an import is."""

import io
import re
from datetime import UTC, datetime
from unittest.mock import Mock

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from syncctl.cli.logs.run_events import LogListener
from syncctl.cli.terminal.progress import SHORTEST_NAME, FileLine, ProgressListener
from syncctl.domain.run_results import Counts, StepResult
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.ports.listener import FileProgress


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def progress(bytes_read: int = 0, rows: int = 0, *, number: int = 1, of: int = 1) -> FileProgress:
    return FileProgress("walkin_sg_calicut.xlsx", number, of, 8_000_000, bytes_read, rows)


def test_a_file_is_told_from_the_first_moment_and_its_time_moves() -> None:
    clock = Clock()
    line = FileLine(clock)
    assert line.text(80) == ""
    line.reading(progress())
    assert line.text(80) == "  walkin_sg_calicut.xlsx: 8.0 MB, opening, 0:00"
    clock.now += 61
    assert line.text(80) == "  walkin_sg_calicut.xlsx: 8.0 MB, opening, 1:01"


def test_what_is_read_how_fast_and_how_long_the_rest_takes() -> None:
    clock = Clock()
    line = FileLine(clock)
    line.reading(progress())
    clock.now += 5
    line.reading(progress(0, 250))
    assert line.text(80) == "  walkin_sg_calicut.xlsx: 0.0 of 8.0 MB, 250 rows"
    clock.now += 10
    line.reading(progress(2_000_000, 15_250))
    said = "  walkin_sg_calicut.xlsx: 2.0 of 8.0 MB, 15,250 rows, 1,500 rows/s, 0:30 left"
    assert line.text(80) == said
    line.reading(progress(0, 0, number=2, of=3))
    assert line.text(80) == "  2/3 walkin_sg_calicut.xlsx: 8.0 MB, opening, 0:00"


def test_leads_are_counted_in_groups_on_the_bar_too() -> None:
    out = io.StringIO()
    with ProgressListener(Console(file=out, force_terminal=True, width=100)) as listener:
        listener.run_started("import walkin", Trigger.MANUAL, False, datetime(2026, 11, 27, tzinfo=UTC))
        listener.step_started(StepName.WALKIN, 1, 1, 1)
        listener.step_finished(StepResult(StepName.WALKIN, StepStatus.SUCCESS, Counts(4000, saved=4000)))
        listener.run_finished(Mock())
    assert "4,000 added" in out.getvalue()


def test_what_is_stored() -> None:
    clock = Clock()
    line = FileLine(clock)
    line.storing("stored", 0, 60_000)
    assert line.text(80) == "  stored 0 of 60,000 records"
    clock.now += 2
    line.storing("stored", 6_000, 60_000)
    assert line.text(80) == "  stored 6,000 of 60,000 records, 3,000 rows/s, 0:18 left"
    line.clear()
    assert line.text(80) == ""


@given(
    st.text(min_size=1, max_size=120).filter(str.isprintable),
    st.integers(1, 10**9),
    st.integers(0, 10**9),
    st.integers(0, 10**6),
    st.floats(0, 10_000),
    st.sampled_from([80, 120]),
)
def test_it_fits_whatever_is_read(  # noqa: PLR0917
    name: str, size: int, done: int, rows: int, passed: float, width: int
) -> None:
    clock = Clock()
    line = FileLine(clock)
    line.reading(FileProgress(name, 1, 1, size, 0, 1))
    clock.now += passed
    line.reading(FileProgress(name, 1, 1, size, min(done, size), rows))
    shown = line.text(width)
    numbers = shown.rpartition(": ")[2]
    assert len(shown) <= max(width, SHORTEST_NAME + len(numbers) + 4)


def terminal(width: int, *, quiet: bool = False) -> tuple[ProgressListener, io.StringIO, Clock]:
    written, clock = io.StringIO(), Clock()
    console = Console(file=written, force_terminal=True, width=width, color_system=None)
    return ProgressListener(console, quiet=quiet, clock=clock), written, clock


def test_the_terminal_shows_it_below_the_bar() -> None:
    for width in (80, 120):
        listener, written, clock = terminal(width)
        with listener:
            listener.step_started(StepName.WALKIN, 1, 1, 1)
            listener.file_read(StepName.WALKIN, progress())
            listener.file_read(StepName.WALKIN, progress(0, 250))
            clock.now += 10
            listener.file_read(StepName.WALKIN, progress(2_000_000, 15_250))
            listener._progress.start()
            listener._progress.refresh()
            listener.step_finished(StepResult(StepName.WALKIN, StepStatus.SUCCESS))
            listener._progress.refresh()
        lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.getvalue()).splitlines()
        assert any("2.0 of 8.0 MB, 15,250 rows, 1,500 rows/s, 0:30 left" in line for line in lines)
        assert "MB" not in lines[-1]
        assert all(len(line.strip("\r")) <= width for line in lines)


def test_quiet_says_nothing_of_it() -> None:
    listener, written, _ = terminal(80, quiet=True)
    with listener:
        listener.step_started(StepName.WALKIN, 1, 1, 1)
        listener.file_read(StepName.WALKIN, progress(1, 250))
        listener.records_stored(StepName.WALKIN, 1, 2)
        listener._progress.refresh()
    assert "MB" not in written.getvalue()


def test_the_log_has_no_line_for_it(caplog: object) -> None:
    listener = LogListener()
    listener.file_read(StepName.WALKIN, progress(1, 250))
    listener.records_stored(StepName.WALKIN, 1, 2)
    assert not caplog.records  # type: ignore[attr-defined]
