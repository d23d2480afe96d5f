"""Asks the person at the terminal before something is done that they may not have meant."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

import typer

from syncctl.errors import ExitCode, NotConfirmedError

Plan = TypeVar("Plan")


def can_ask() -> bool:
    """Whether there is a person to be asked, who sees the plan as well: in a pipe nobody is."""
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()


def agreed_plan(
    yes: bool,
    plan: Callable[[], Plan],
    show: Callable[[Plan], None],
    question: Callable[[Plan], str | None],
    *,
    as_json: bool = False,
) -> Plan | None:
    """The plan to which the person at the terminal has said yes, having seen it; None where nobody is asked.

    `question`: what to ask about a plan; empty where it would change nothing, which ends the command; None to
    go on unasked. `as_json`: the plan isn't shown, the one object is the result's.

    Raises:
        NotConfirmedError: the answer is not yes.
        typer.Exit: there is nothing to do.
    """
    if yes or not can_ask():
        return None
    found = plan()
    asked = question(found)
    if not as_json:
        show(found)
        if asked == "":
            raise typer.Exit(ExitCode.OK)
    if asked:
        confirm(asked)
    return found


def confirm(question: str) -> None:
    """Ask once. Raises NotConfirmedError unless the answer is yes."""
    sys.stdout.flush()
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if answer.strip().casefold() not in ("y", "yes"):
        if not answer.endswith("\n"):  # Ctrl-D leaves the cursor behind the question
            sys.stderr.write("\n")
        raise NotConfirmedError
