"""What the help says of each command beside its own docstring and options: commands.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from syncctl.domain.sources import SOURCES
from syncctl.errors import ExitCode

ANY_REPORT = "*"
"""The table of commands.toml that each report of the API has."""

GROUPS = ("Sync", "Import", "Look", "Repair", "Set up", "Try out")
"""The sections of the list of commands."""

OPTION_GROUPS: Mapping[str, tuple[str, ...]] = {
    "What to work on": (
        "--full", "--from", "--to", "--location", "--shard", "--kind", "--reason", "--file", "--store",
        "--sheet", "--limit", "--failed", "--stats", "--days", "--month", "--keep", "--only-if", "--fetch",
    ),
    "What to do": (
        "--dry-run", "--preview", "--apply", "--repair", "--yes", "--force", "--wait", "--evidence",
        "--systemd", "--nightly-full", "--nightly-verify",
    ),
    "What to show": ("--json", "--html", "--show-phone", "--watch", "--interval", "--man"),
    "With every command": ("--env-file", "--quiet", "--verbose", "--version"),
}  # fmt: skip
"""Section -> the options that stand in it, in this order. Others stand under "Options"."""

STATUSES: Mapping[ExitCode, str] = {
    ExitCode.OK: "all right",
    ExitCode.FAILED: "something failed",
    ExitCode.USAGE: "the command line is wrong",
    ExitCode.DATA: "a file can't be understood",
    ExitCode.UNAVAILABLE: "the database can't be reached",
    ExitCode.LOCK_HELD: "another run holds the lock",
    ExitCode.CONFIG: "a setting is wrong or missing",
    ExitCode.INTERRUPTED: "ended by Ctrl-C",
    ExitCode.TERMINATED: "ended by SIGTERM",
}
"""What each exit status means, unless the command says otherwise."""

EVERYDAY = (
    ("status", "Is everything all right?"),
    ("api", "Sync now, as cron does."),
    ("import walkin FILE", "Import a store's file."),
    ("explain PHONE", "What became of a customer's records, and why?"),
    ("rejects export FILE", "Correct in a sheet what was rejected."),
)
"""What is typed most, as in the README, for whoever types `syncctl` alone."""


class CommandHelp(NamedTuple):
    """What the help adds to one command."""

    examples: tuple[tuple[str, str], ...] = ()
    """What for, and what to type after `syncctl`."""

    group: str = ""
    """Of GROUPS; "" for a command of a group, and for one that commands.toml doesn't have."""

    statuses: tuple[tuple[ExitCode, str], ...] = ()
    """The exit statuses that it can end with, and what each means here."""

    docs: str = "reference/commands.md"
    """The page below docs/ that says more."""


@cache
def command_helps() -> Mapping[str, CommandHelp]:
    """commands.toml: by what is typed after `syncctl`, "" for the program as a whole."""
    tables = tomllib.loads(Path(__file__).with_name("commands.toml").read_text(encoding="utf-8"))
    of_reports = tables.pop(ANY_REPORT)
    for step, source in SOURCES.items():
        examples = [
            [text.replace("NAME", step.value).replace("RECORDS", source.plural) for text in example]
            for example in of_reports["examples"]
        ]
        tables[step.value] = {**of_reports, "examples": examples}
    found = {}
    for words, table in tables.items():
        meanings = {**STATUSES, ExitCode.FAILED: table.get("failed", STATUSES[ExitCode.FAILED])}
        codes = (ExitCode.OK, ExitCode.FAILED, ExitCode.USAGE, *map(ExitCode, table.get("statuses", ())))
        found[words] = CommandHelp(
            tuple((purpose, typed) for purpose, typed in table["examples"]),
            table.get("group", ""),
            tuple((code, meanings[code]) for code in codes),
            table["docs"],
        )
    return found


def help_of(words: str) -> CommandHelp:
    """What the help adds to a command, by what is typed after `syncctl`. An old system's name has what the
    command has that it stands for."""
    helps = command_helps()
    for name in (words, words.removeprefix("sync:"), words.replace(":", " ")):
        if name in helps:
            return helps[name]
    return CommandHelp()
