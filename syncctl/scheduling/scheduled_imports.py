"""Finds crontab lines and systemd timers that import the stores' files. Files are imported by hand only,
so there should be none."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path, PurePath

from syncctl.ports.machine import ScheduledImport
from syncctl.scheduling.crontab_line import crontab_lines

_PROGRAM = "syncctl"
_KINDS = ("walkin", "lossofsale")
_OLD_NAMES = re.compile(r"sync:all|import:[\w:]+")
_WITH_VALUE = ("--env-file",)
"""Options before the command that take a value."""

_DRY_RUN_OPTIONS = re.compile(r"--dry-run|-[qv]*[nh]|--help|--preview(=.*)?")
_INFO_OPTIONS = ("echo", "printf", "logger")
_TAKES_A_COMMAND = ("sh", "bash", "dash", "zsh", "ksh", "su", "runuser", "flock")
"""Programs whose option -c takes a command line."""

_COMMAND_OPTION = re.compile(r"-[a-z]*c")
_EXEC_PREFIXES = "@-:+!|"
"""What may stand before the program of ExecStart (systemd.service(5))."""

_PERCENT = re.compile(r"(?<!\\)%")
"""In a crontab, an unescaped % ends the command (crontab(5))."""


def scheduled_imports(crontab: bytes, user: str) -> Iterator[ScheduledImport]:
    """The lines of the user's crontab that import files, inside or outside our block."""
    for line in crontab_lines(crontab):
        if command := import_in(line.command):
            written = f"{line.schedule} {line.command}"
            yield ScheduledImport(f"{user}'s crontab", written, command, "crontab -e")


def timer_imports(system_folder: Path, own_folder: Path, user: str) -> Iterator[ScheduledImport]:
    """The enabled systemd timers that import files: system units that run as this user, and the user's own
    units."""
    for folder, of_system in ((system_folder, True), (own_folder, False)):
        for timer in sorted(folder.glob("*.timer")):
            if not any(folder.glob(f"*.wants/{timer.name}")):
                continue
            service = folder / (_values(timer, "Unit") or [f"{timer.stem}.service"])[-1]
            if of_system and (_values(service, "User") or ["root"])[-1] != user:
                continue
            remove = f"systemctl {'' if of_system else '--user '}disable --now {timer.name}"
            for value in _values(service, "ExecStart"):
                line = value.lstrip(_EXEC_PREFIXES)
                if command := import_in(line):
                    place = f"the systemd timer {timer}"
                    yield ScheduledImport(place, line, command, remove, by_systemd=True)


def import_in(command: str) -> str:
    """The part of a command line that imports files, in short; "" if none does.

    Finds `syncctl all` and `syncctl import …` with any path and options, and the old system's names with any
    runner, also within `sh -c "…"`. A dry run does not count.
    """
    for words in _simple_commands(_PERCENT.split(command)[0]):
        if PurePath(words[0]).name in _INFO_OPTIONS:
            continue
        if found := _import_of(words):
            return found
        runs_another = any(PurePath(word).name in _TAKES_A_COMMAND for word in words)
        for option, inner in pairwise(words):
            if runs_another and _COMMAND_OPTION.fullmatch(option) and (found := import_in(inner)):
                return found
    return ""


def _simple_commands(command: str) -> Iterator[list[str]]:
    """The simple commands of a shell command line, as words, without redirections and comments."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        tokens = list(lexer)
    except ValueError:  # an unclosed quotation, which the shell would reject
        tokens = command.split()
    words: list[str] = []
    is_file = False
    for token in tokens:
        if token.startswith("#"):
            break
        if is_file or (set(token) <= set("<>&") and set(token) & set("<>")):
            is_file = not is_file
        elif set(token) <= set(";&|()"):
            if words:
                yield words
            words = []
        else:
            words.append(token)
    if words:
        yield words


def _import_of(words: Sequence[str]) -> str:
    is_ours = any(map(_is_program, words))
    for place, word in enumerate(words):
        arguments = words[place + 1 :]
        if any(_DRY_RUN_OPTIONS.fullmatch(argument) for argument in arguments):
            continue
        if _is_program(word) and (found := _import_by(arguments)):
            return f"{_PROGRAM} {found}"
        if not is_ours and _OLD_NAMES.fullmatch(word):
            return word
    return ""


def _is_program(word: str) -> bool:
    return word.rpartition("/")[2] == _PROGRAM


def _import_by(arguments: Sequence[str]) -> str:
    """The import command among syncctl's arguments, if any."""
    match list(_without_options(arguments)):
        case ["all", *_]:
            return "all"
        case ["import", kind, *_] if kind in _KINDS:
            return f"import {kind}"
        case [name, *_] if _OLD_NAMES.fullmatch(name):
            return name
        case _:
            return ""


def _without_options(arguments: Sequence[str]) -> Iterator[str]:
    is_value = False
    for argument in arguments:
        if not is_value and not argument.startswith("-"):
            yield argument
        is_value = argument in _WITH_VALUE


def _values(unit: Path, name: str) -> list[str]:
    """The values of a name in a unit file, in order; an empty value resets the earlier ones
    (systemd.syntax). Empty if it can't be read."""
    try:
        text = unit.read_text("utf-8", errors="replace")
    except OSError:
        return []  # a dangling symlink, or another user's file
    found: list[str] = []
    for line in re.sub(r"\\\n", " ", text).splitlines():
        key, _, value = line.partition("=")
        if key.strip() == name:
            found = [*found, value.strip()] if value.strip() else []
    return found
