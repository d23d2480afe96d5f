"""Files that syncctl and its settings keep: what is written over one of them would destroy it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from syncctl.safe_output.printable import printable

LOGS_KEPT = 5
"""How many old log files are kept beside the log, under its name and a number."""

BACKUP_FOLDER, OUTPUT_FILE = "backups", "cron.log"
"""In DATA_DIR: the backups of cleanups, and what cron's runs say."""


@dataclass(frozen=True, slots=True)
class OwnFiles:
    """The files that must not be written over.

    `settings_files`: those in force. `named`: by the setting that names them. `kept`: further files and
    folders of syncctl's own by what they are; all that is in such a folder counts.
    """

    settings_files: tuple[str, ...] = ()
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)

    def clash(self, path: str | os.PathLike[str]) -> str | None:
        """What a file at `path` is already, or would be taken for, if anything.

        Links are followed: it is the file that counts, not its name. A device or pipe has nothing to lose.
        """
        if os.path.exists(path) and not os.path.isfile(path):
            return None
        file = _identity(path)
        for settings_file in self.settings_files:
            if file == _identity(settings_file):
                return f"it is the settings file {printable(settings_file)}"
        for setting, others in self.named.items():
            if file in map(_identity, others):
                return f"{setting} names the same file"
        # Also where there is none yet: it would be read as one from then on.
        if os.path.basename(path) in (".env", ".env.local"):
            return "it has the name of a settings file"
        return next((what for what, kept in self.kept.items() if _is_in(path, kept)), None)

    def key_files(self) -> Mapping[str, str]:
        """The files that hold an API key, by the settings that name them."""
        return {
            setting: files[0]
            for setting, files in self.named.items()
            if setting.endswith(("_KEY_FILE", "_TOKEN_FILE"))
        }


NONE = OwnFiles()


def log_files(log_file: str) -> list[str]:
    """The files of a log that is rotated."""
    return [log_file, *(f"{log_file}.{number}" for number in range(1, LOGS_KEPT + 1))]


def _identity(path: str | os.PathLike[str]) -> tuple[int, int] | str:
    """The same for two paths if they lead to the same file, be it that it is not there yet."""
    real = os.path.realpath(path)  # a missing folder on the way to it would be made
    try:
        status = os.stat(real)
    except (OSError, ValueError):
        return real
    return status.st_dev, status.st_ino


def _is_in(path: str | os.PathLike[str], kept: str) -> bool:
    real = Path(os.path.realpath(path))
    return real.is_relative_to(os.path.realpath(kept)) or _identity(path) == _identity(kept)
