"""The command that cron or systemd shall run, by the settings in force."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from syncctl.errors import UsageError
from syncctl.filesystem.protected_files import OUTPUT_FILE
from syncctl.scheduling.crontab_line import ScheduledCommand
from syncctl.settings.sources import ENVIRONMENT, read_sources

if TYPE_CHECKING:
    from syncctl.settings.settings import Settings


def scheduled_command(settings: Settings, env_file: Path | None) -> ScheduledCommand:
    """What a scheduler has to run. Raises UsageError for an `env_file` that doesn't stay."""
    file, folder = _settings_file(env_file)
    return ScheduledCommand(
        schedule=settings.api_sync_time,
        zone=settings.api_sync_timezone.key,
        program=program_words(sys.argv[0], sys.executable),
        settings_file=file,
        folder=folder,
        output=settings.data_dir / OUTPUT_FILE,
        logs=settings.log_file is not None,
    )


def program_words(started_as: str, python: str) -> tuple[str, ...]:
    """The words that start this program anywhere: the way it was started, else the program beside its
    Python, else that Python with -m. Links are not followed: an upgrade may move what they lead to."""
    for candidate in (Path(os.path.abspath(started_as)), Path(python).parent / "syncctl"):
        if candidate.name == "syncctl" and candidate.is_file() and os.access(candidate, os.X_OK):
            return (str(candidate),)
    return (python, "-m", "syncctl")


def set_by_environment(env_file: Path | None) -> tuple[str, ...]:
    """The settings that are in force because this process's environment has them."""
    from syncctl.settings.settings import inspect_settings

    return tuple(setting.set_as for setting in inspect_settings(env_file) if setting.origin == ENVIRONMENT)


def _settings_file(env_file: Path | None) -> tuple[Path | None, Path]:
    """The settings file to be named to a run, or None, and the folder that paths are relative to."""
    sources = read_sources(env_file)
    if env_file is None:
        found = [Path(origin) for origin, _ in sources.sources if origin != ENVIRONMENT]
        # `.env` is the last one; the `.env.local` beside it is found by it.
        return (found[-1] if found else None), sources.folder
    named = Path.cwd() / os.path.expanduser(env_file)
    if not named.is_file():
        raise UsageError(f"--env-file {env_file} is no file that stays: a scheduled run needs one.")
    # A link to a settings file is kept: relative paths are relative to its own folder.
    return named.parent.resolve() / named.name, sources.folder
