"""What is longer than the screen goes through a pager, what isn't does not, and no pager is no failure."""

import io
import signal
import sys
from pathlib import Path

import pytest

from syncctl.cli.render.printer import console, print_line
from syncctl.cli.terminal.pager import paged

LINES = 10


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def at_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Not a fixture: pytest sets stdout anew before each test's own code."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setenv("LINES", str(LINES))
    monkeypatch.setenv("TERM", "xterm")
    return terminal


def pager(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Make PAGER a script whose output is the file that this gives."""
    program, shown = folder / "the pager.sh", folder / "shown"
    program.write_text(f"#!/bin/sh\nexec > '{shown}'\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PAGER", f"'{program}' --an-option")
    return shown


def print_lines(count: int) -> None:
    with paged():
        for number in range(count):
            print_line(f"line {number}")


def test_what_is_longer_than_the_screen_is_paged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = at_terminal(monkeypatch)
    shown = pager(tmp_path, monkeypatch, 'echo "$1 $LESS"; cat')
    monkeypatch.delenv("LESS", raising=False)
    print_lines(LINES - 1)
    assert (terminal.getvalue().count("\n"), shown.exists()) == (LINES - 1, False)
    terminal.seek(0)
    terminal.truncate()
    before = signal.getsignal(signal.SIGINT)
    with paged():
        for number in range(LINES + 5):
            console().print(f"line {number}")
            if number == LINES:
                assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    assert signal.getsignal(signal.SIGINT) == before
    assert terminal.getvalue() == ""
    assert shown.read_text("utf-8").splitlines() == [
        "--an-option FRX",
        *(f"line {n}" for n in range(LINES + 5)),
    ]
    assert sys.stdout is terminal


def test_a_pager_that_is_left_early_ends_the_block_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = at_terminal(monkeypatch)
    shown = pager(tmp_path, monkeypatch, "head -n 3")
    written = []
    with paged():
        for number in range(20_000):
            console().print("x" * 70)
            written.append(number)
    assert len(written) < 15_000
    assert len(shown.read_text("utf-8").splitlines()) == 3
    assert sys.stdout is terminal
    print_line("on it goes")
    assert terminal.getvalue() == "on it goes\n"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PAGER", "no-such-program-at-all -x"),
        ("PAGER", "less 'unclosed"),
        ("PAGER", "/"),
        ("PAGER", "cat"),
        ("PAGER", " "),
        ("PAGER", "echo x; touch made"),
        ("TERM", "dumb"),
    ],
)
def test_without_a_pager_all_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    terminal = at_terminal(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAGER", "false")
    monkeypatch.setenv(variable, value)
    if value.startswith("echo"):  # one program with odd arguments, never a shell's line
        print_lines(3 * LINES)
        assert not (tmp_path / "made").exists()
        return
    print_lines(3 * LINES)
    assert terminal.getvalue().splitlines() == [f"line {n}" for n in range(3 * LINES)]


def test_in_a_pipe_there_is_no_pager(monkeypatch: pytest.MonkeyPatch) -> None:
    at_terminal(monkeypatch)
    monkeypatch.setenv("PAGER", "false")
    for name in ("stdout", "stdin"):
        with monkeypatch.context() as here:
            here.setattr(sys, name, io.StringIO())
            out = sys.stdout
            assert isinstance(out, io.StringIO)
            print_lines(3 * LINES)
            assert out.getvalue().count("line") == 3 * LINES


def test_an_error_within_shows_what_was_said_before(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = at_terminal(monkeypatch)

    def fail() -> None:
        with paged():
            print_line("said")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert terminal.getvalue() == "said\n"
