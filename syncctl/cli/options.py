"""The options that several commands have."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncctl.errors import UsageError

if TYPE_CHECKING:
    from syncctl.cli.render.clock import Clock

EnvFile = Annotated[
    Path | None,
    typer.Option(
        "--env-file",
        readable=False,
        help="Read the settings from FILE, not from .env.local and .env.",
        metavar="FILE",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what is wrong, nothing if all is well.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more: each location, each retry.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Ask the API and show what a sync would do; write nothing.")
]
ImportDryRun = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Show what the import would do; write nothing.")
]
Apply = Annotated[
    bool, typer.Option("--apply", show_default="only show it", help="Do it, after writing a backup.")
]
Yes = Annotated[bool, typer.Option("--yes", help="With --apply: don't ask first.")]
YesAtOnce = Annotated[bool, typer.Option("--yes", help="Don't ask first.")]
Full = Annotated[
    bool,
    typer.Option(
        "--full", show_default="what is new", help="Fetch whole windows, those of dormant locations too."
    ),
]
From = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help="Fetch again from this day on, as in 2026-01-31.")
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="DAY", show_default="today", help="With --from: up to and with this day."),
]
Location = Annotated[
    list[str] | None,
    typer.Option(
        "--location",
        metavar="ID",
        show_default="all",
        help="Only this location, by its id or its store's name; repeatable.",
    ),
]
ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        show_default="all",
        help="Only part I of N of the locations: hosts that share the work have 1/N to N/N.",
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force", help="Run even if API_SYNC_ENABLED=false, which stops only runs without a terminal."
    ),
]
Wait = Annotated[
    float,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        min=0,
        show_default="don't wait",
        help="Wait this long at most while another run holds the lock.",
    ),
]

_GOES_WITH = (
    ("yes", ("apply", "ids")),
    ("wait", ("apply", "repair")),
    ("interval", ("watch",)),
    ("force", ("preview", "evidence")),
)
"""A parameter -> those of which one must be given with it, in a command that has any of them."""

_IDLE_WITH = (("limit", "run"), ("dry_run", "systemd"))
"""A parameter that means nothing where the second one is given."""


def refuse_idle_options(context: typer.Context) -> None:
    """Raises UsageError where an option is given that means nothing, by itself or beside the others."""
    given_names = {
        param.name
        for param in context.command.params
        if param.name
        and (source := context.get_parameter_source(param.name))
        and source.name == "COMMANDLINE"
    }
    shown = {param.name: _shown(param) for param in context.command.params}
    for name, value in context.params.items():
        if isinstance(value, float) and math.isnan(value):  # Typer's limits let it through
            raise UsageError(f"{shown[name]} needs a number.")
    for name, needed in _GOES_WITH:
        there = [each for each in needed if each in shown]
        if name in given_names and there and not given_names.intersection(there):
            raise UsageError(f"{shown[name]} goes with {' or '.join(shown[each] for each in there)}.")
    for name, other in _IDLE_WITH:
        if {name, other} <= given_names:
            raise UsageError(f"{shown[name]} means nothing beside {shown[other]}: leave it out.")


def _shown(param: Any) -> str:
    return str(param.opts[0] if param.param_type_name == "option" else param.metavar.strip("[]"))


def given(text: str) -> str:
    """A parser for values: an unset shell variable must not be mistaken for the current folder or for a
    missing option."""
    if not text.strip():
        raise typer.BadParameter("it is empty.")
    return text


def output_file(text: str) -> Path:
    """A parser for the name of a file to write, "-" for stdout: one like an option's is a slip."""
    return Path(text) if text == "-" else output_folder(text)


def output_folder(text: str) -> Path:
    """A parser for the name of a folder to write to."""
    if given(text).startswith("-"):
        raise typer.BadParameter(f"{text} looks like an option; write ./{text} if it is meant.")
    return Path(text)


def _day(option: str, written: str | None) -> date | None:
    if written is None:
        return None
    try:
        return datetime.strptime(written, "%Y-%m-%d").date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError:
        raise UsageError(f"{option} {written!r} isn't a date: write it as 2026-01-31.") from None


def window_of(
    full: bool, date_from: str | None, date_to: str | None, clock: Callable[[], Clock]
) -> tuple[date | None, date | None]:
    """--from and --to as days. `clock`: asked for today, if that is needed. Raises UsageError where they make
    no window."""
    first, last = _day("--from", date_from), _day("--to", date_to)
    if last is not None and first is None:
        raise UsageError("--to goes with --from: name the first day, too.")
    if full and first is not None:
        raise UsageError("Use either --full or --from: --from asks dormant locations as well.")
    if first is not None and last is not None and last < first:
        raise UsageError(f"--from {first} is after --to {last}.")
    if first is not None and last is None and first > clock().today:
        raise UsageError(f"--from {first} is after today.")
    return first, last
