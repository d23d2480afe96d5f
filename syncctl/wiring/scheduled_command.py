"""The command that cron or systemd should run, according to the settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from syncctl.errors import UsageError
from syncctl.filesystem.private_files import OUTPUT_FILE
from syncctl.scheduling.crontab_line import ScheduledCommand
from syncctl.settings.sources import ENVIRONMENT, read_sources
from syncctl.storage.registry import backend_for

if TYPE_CHECKING:
    from syncctl.settings.settings import Settings


def scheduled_command(settings: Settings, env_file: Path | None) -> ScheduledCommand:
    """What a scheduler has to run. Raises UsageError for an `env_file` that is temporary."""
    file, folder = _settings_file(env_file)
    return ScheduledCommand(
        schedule=settings.api_sync_time,
        zone=settings.api_sync_timezone.key,
        program=program_words(sys.argv[0], sys.executable),
        settings_file=file,
        folder=folder,
        output=settings.data_dir / OUTPUT_FILE,
        logs=settings.log_file is not None,
        writes=_folders_written(settings),
        keys={name: Path(key_file) for name, key_file in settings.own_files.key_files().items()},
    )


def _folders_written(settings: Settings) -> tuple[Path, ...]:
    """The folders in which a run makes or replaces files, without those that stand in another of them."""
    database = backend_for(settings.database_url).files(settings.database_url)
    files = (settings.lock_file, settings.log_file, settings.metrics_file, *map(Path, database))
    folders = {settings.data_dir, *(file.parent for file in files if file)}
    return tuple(sorted(folder for folder in folders if folders.isdisjoint(folder.parents)))


def program_words(started_as: str, python: str) -> tuple[str, ...]:
    """The words that start this program from any folder: as it was started, else the script next to its
    Python, else that Python with -m. Symlinks are not resolved: an upgrade may move their targets."""
    for candidate in (Path(os.path.abspath(started_as)), Path(python).parent / "syncctl"):
        if candidate.name == "syncctl" and candidate.is_file() and os.access(candidate, os.X_OK):
            return (str(candidate),)
    return (python, "-m", "syncctl")


def set_by_environment(env_file: Path | None) -> tuple[str, ...]:
    """The settings that take effect only because this process's environment has them."""
    from syncctl.settings.settings import inspect_settings

    return tuple(setting.set_as for setting in inspect_settings(env_file) if setting.origin == ENVIRONMENT)


def schedule_warnings(settings: Settings, env_file: Path | None) -> Iterator[str]:
    """Problems that scheduled runs would have with any scheduler."""
    if lost := set_by_environment(env_file):
        yield (
            f"this shell's environment sets {', '.join(lost)}, but a scheduled run reads only the .env: put "
            "them into .env.local beside it."
        )
    if not settings.api_sync_enabled:
        yield "API_SYNC_ENABLED=false: until that is true, the scheduled runs do nothing."


def _settings_file(env_file: Path | None) -> tuple[Path | None, Path]:
    """The settings file to name to a run, or None, and the folder that paths are relative to."""
    sources = read_sources(env_file)
    if env_file is None:
        found = [Path(origin) for origin, _ in sources.sources if origin != ENVIRONMENT]
        # `.env` comes last; `.env.local` is found next to it.
        return (found[-1] if found else None), sources.folder
    named = Path.cwd() / os.path.expanduser(env_file)
    if not named.is_file():
        raise UsageError(f"--env-file {env_file} isn't a permanent file: a scheduled run needs one.")
    # A symlink to a settings file is kept: relative paths are relative to the symlink's folder.
    return named.parent.resolve() / named.name, sources.folder
