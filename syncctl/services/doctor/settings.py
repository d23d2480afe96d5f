"""`doctor` on the settings: invalid ones, misspelt ones, files with secrets that others can read."""

from __future__ import annotations

from collections.abc import Iterator

from syncctl.domain.checks import Finding
from syncctl.ports.machine import MappingFacts, PathFacts, SettingsFacts, UnknownSetting
from syncctl.services.doctor.machine import OTHERS
from syncctl.text import and_more

ENTRIES_SHOWN = 10
"""Of a mapping file, in one line."""


def check_settings(facts: SettingsFacts) -> Iterator[Finding]:
    """A finding for each problem; at least one finding."""
    name = "Settings"
    files = ", ".join(map(str, facts.files))
    wrong = [setting for setting in facts.settings if setting.problem]
    for setting in wrong:
        place = "the environment" if setting.origin == "environment" else setting.origin
        yield Finding.failed(
            setting.set_as, f"{setting.problem} (in {place})", f"Correct it there; {_SETTINGS_TABLE}"
        )
    if not facts.files:
        yield Finding.warning(
            name,
            "no .env in the working folder or above it: only defaults and the environment are in force",
            "Go to the folder with the .env, or name it: syncctl --env-file FILE doctor.",
        )
    elif not wrong:
        yield Finding.passed(name, f"all {len(facts.settings)} valid, from {files}")
    for unknown in facts.unknown:
        yield _unknown(unknown)
    for file in facts.secret_files:
        yield _secret_file(file)


def check_mapping(facts: MappingFacts | None) -> Finding:
    """Which mapping file is in force, and what it adds. None: MAPPING_FILE names none."""
    name = "Mapping file"
    if facts is None:
        return Finding.passed(name, "none (MAPPING_FILE is not set): the packaged stores and column titles")
    if not facts.added:
        return Finding.warning(
            name,
            f"{facts.path} adds nothing to the packaged tables",
            "Remove MAPPING_FILE, or see docs/reference/mapping.md for what it can add.",
        )
    shown = ", ".join(facts.added[:ENTRIES_SHOWN]) + and_more(len(facts.added) - ENTRIES_SHOWN)
    if facts.repeated:
        first = ", ".join(facts.repeated[:ENTRIES_SHOWN]) + and_more(len(facts.repeated) - ENTRIES_SHOWN)
        return Finding.warning(
            name,
            f"{facts.path} adds {shown}; the packaged tables already have {first}",
            "The repeated lines can be removed.",
        )
    return Finding.passed(name, f"{facts.path} adds {shown}")


def _unknown(unknown: UnknownSetting) -> Finding:
    if unknown.meant is None:
        hint = "syncctl never asks for rent-outs: delete this line."
    else:
        hint = f"If {unknown.meant} is meant, rename it."
    return Finding.warning(
        unknown.name, f"syncctl has no setting of this name; it is in {unknown.file}", hint
    )


_SETTINGS_TABLE = "docs/reference/settings.md says what is allowed, `syncctl config` shows what is in force."


def _secret_file(file: PathFacts) -> Finding:
    name, found = file.what, f"{file.path} holds secrets"
    if file.mode & OTHERS:
        others = "writable" if file.mode & 0o022 else "readable"
        return Finding.failed(
            name, f"{found} and is {others} by others ({file.mode:04o})", f"chmod 600 {file.path}"
        )
    return Finding.passed(name, f"{found}, and only {file.owner} can open it ({file.mode:04o})")
