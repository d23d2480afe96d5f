"""Files of syncctl and its settings that must not be overwritten."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from syncctl.safe_output.printable import printable

LOGS_KEPT = 5
"""How many rotated log files are kept, numbered."""

BACKUP_FOLDER, OUTPUT_FILE = "backups", "cron.log"
"""In DATA_DIR: the cleanups' backups, and the output of cron's runs."""


@dataclass(frozen=True, slots=True)
class OwnFiles:
    """Files that must not be overwritten."""

    settings_files: tuple[str, ...] = ()
    """The settings files in use."""

    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By the setting that names them."""

    kept: Mapping[str, str] = field(default_factory=dict)
    """Further files and folders of syncctl, with what they are; everything inside such a folder counts."""

    def clash(self, path: str | os.PathLike[str]) -> str | None:
        """What a file at `path` already is, or would be mistaken for; None if nothing.

        Symlinks are followed: the file counts, not its name. A device or pipe has nothing to lose.
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
        # Also if it does not exist yet: from then on it would be read as one.
        if os.path.basename(path) in (".env", ".env.local"):
            return "it has the name of a settings file"
        return next((what for what, kept in self.kept.items() if _is_in(path, kept)), None)

    def key_files(self) -> Mapping[str, str]:
        """The files with API keys, by the settings that name them."""
        return {
            setting: files[0]
            for setting, files in self.named.items()
            if setting.endswith(("_KEY_FILE", "_TOKEN_FILE"))
        }


NONE = OwnFiles()


def log_files(log_file: str) -> list[str]:
    """The files of a rotating log."""
    return [log_file, *(f"{log_file}.{number}" for number in range(1, LOGS_KEPT + 1))]


def _identity(path: str | os.PathLike[str]) -> tuple[int, int] | str:
    """Equal for two paths that lead to the same file, even if it does not exist yet."""
    real = os.path.realpath(path)  # a missing parent folder would be created
    try:
        status = os.stat(real)
    except (OSError, ValueError):
        return real
    return status.st_dev, status.st_ino


def _is_in(path: str | os.PathLike[str], kept: str) -> bool:
    real = Path(os.path.realpath(path))
    return real.is_relative_to(os.path.realpath(kept)) or _identity(path) == _identity(kept)
