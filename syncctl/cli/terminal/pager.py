"""Shows what is longer than the screen in the person's pager, while it is still being written."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

DEFAULT = "less -FRX"
"""The pager where PAGER names none: it ends by itself behind what fits, and leaves the text on the screen."""

LESS = "FRX"
"""How less is to work where the person has not said so (LESS): without R it shows colours as gibberish."""

NO_PAGER = ("", "cat")
"""Values of PAGER that ask for none."""


class _ReaderLeftError(Exception):
    """The person has left the pager: nobody reads on."""


@contextmanager
def paged() -> Iterator[None]:
    """Within, stdout goes through the pager as soon as it is longer than the screen; in a pipe, with
    TERM=dumb and where there is no pager, it is the plain stdout. Once the person leaves the pager, the rest
    of the block is left out, which is no error."""
    wanted = _command()
    if not wanted or not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield
        return
    before = sys.stdout
    output = _PagedOutput(before, wanted, shutil.get_terminal_size().lines)
    sys.stdout = output
    try:
        yield
    except _ReaderLeftError:
        """What is left of the block has no reader."""
    finally:
        sys.stdout = before
        output.end()


def _command() -> list[str]:
    """The pager's command, without a shell that could make more of it; empty for none."""
    if os.environ.get("TERM", "dumb") == "dumb":
        return []
    written = os.environ.get("PAGER", DEFAULT).strip()
    if written in NO_PAGER:
        return []
    try:
        return shlex.split(written)
    except ValueError:
        return []  # an open quotation mark: no command


class _PagedOutput(io.TextIOBase, TextIO):
    """Holds back one screen; what is more starts the pager, which then takes each write."""

    def __init__(self, terminal: TextIO, command: list[str], lines: int) -> None:
        self._terminal = terminal
        self._command = command
        self._room = lines - 1  # the last line is the next prompt's
        self._held: list[str] = []
        self._pager: subprocess.Popen[bytes] | None = None
        self._is_plain = False
        self._handler_before: Any = None

    def write(self, text: str, /) -> int:
        if self._is_plain:
            return self._terminal.write(text)
        if self._pager is None:
            self._held.append(text)
            self._room -= text.count("\n")
            if self._room < 0:
                self._start()
                held, self._held = self._held, []
                self.write("".join(held))
            return len(text)
        try:
            self._input.write(text.encode(self.encoding, "backslashreplace"))
            self._input.flush()
        except OSError:
            raise _ReaderLeftError from None
        return len(text)

    def end(self) -> None:
        """Everything is written: wait until the person has read it."""
        if self._pager is None:
            self._terminal.write("".join(self._held))
            self._terminal.flush()
            return
        with suppress(OSError):  # the person has left
            self._input.close()
        self._pager.wait()
        signal.signal(signal.SIGINT, self._handler_before)

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._terminal.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._terminal.encoding or "utf-8"

    @property
    def _input(self) -> io.BufferedIOBase:
        return self._pager.stdin  # type: ignore[union-attr, return-value]

    def _start(self) -> None:
        self._terminal.flush()
        environment = {"LESS": LESS} | os.environ
        try:
            self._pager = subprocess.Popen(self._command, stdin=subprocess.PIPE, env=environment)
        except OSError:
            self._is_plain = True  # there is no such program
            return
        # Ctrl-C is the pager's: less leaves off searching by it, others end and have nobody read on.
        self._handler_before = signal.signal(signal.SIGINT, signal.SIG_IGN)
