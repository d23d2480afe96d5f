"""Asks the person at the terminal before something is done that they may not have meant."""

from __future__ import annotations

import sys

from syncctl.errors import NotConfirmedError


def can_ask() -> bool:
    """Whether there is a person to be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str) -> None:
    """Ask once. Raises NotConfirmedError unless the answer is yes."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if answer.strip().casefold() not in ("y", "yes"):
        if not answer.endswith("\n"):  # Ctrl-D leaves the cursor behind the question
            sys.stderr.write("\n")
        raise NotConfirmedError
