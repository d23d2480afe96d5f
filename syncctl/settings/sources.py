"""Where settings come from: the environment, then `.env.local`, then `.env`."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from syncctl.errors import SettingsError
from syncctl.filesystem.ordinary_files import open_ordinary, read_named
from syncctl.filesystem.trusted_files import refuse_if_foreign_owner, refuse_if_others_can_write

ENVIRONMENT = "environment"

LONGEST_FILE = 1 << 20
"""Bytes; an endless device is not a settings file."""

_SHARED = ".env"
_LOCAL = ".env.local"


class Found(NamedTuple):
    """A setting found in a source."""

    name: str
    """The name used there."""

    text: str

    origin: str
    """"environment" or a file's path."""


class Sources(NamedTuple):
    """The sources of settings."""

    sources: tuple[tuple[str, Mapping[str, str]], ...]
    """Settings by origin; the first source wins."""

    folder: Path
    """The folder for relative paths."""

    @property
    def files(self) -> tuple[tuple[str, Mapping[str, str]], ...]:
        """The sources that are files."""
        return tuple(source for source in self.sources if source[0] != ENVIRONMENT)

    def find(self, names: Sequence[str]) -> Found | None:
        """The first source that has any of `names`; within it, the first name. Blank values are skipped."""
        for origin, values in self.sources:
            for name in names:
                text = values.get(name, "").strip()
                if text:
                    return Found(name, text, origin)
        return None


def read_sources(
    env_file: Path | None = None, environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Sources:
    """The sources of settings: `environ` (default: the process's), then the files.

    The files are `env_file` and the `.env.local` next to it, or else `.env.local` and `.env` in the first
    folder from `cwd` (absolute; default: the working folder) upwards that has either. Relative paths in
    settings are relative to that folder, else to `cwd`.

    Raises SettingsError for a file that can't be read or parsed, as the program would then ignore its
    settings; and for a file that was not named and that another user may have planted or can write.
    """
    environment = (ENVIRONMENT, os.environ if environ is None else environ)
    cwd = _working_folder() if cwd is None else cwd
    if env_file is None:
        folder = next((folder for folder in (cwd, *cwd.parents) if _files_in(folder)), None)
        if folder is None:
            return Sources((environment,), cwd)
        paths = _files_in(folder)
        for path in paths:
            _check_trust(path, refuse_if_foreign_owner if folder == cwd else refuse_if_others_can_write)
    else:
        env_file = named = cwd / os.path.expanduser(env_file)
        # Something other than a file, such as a shell's <(…), has no meaningful folder.
        folder = named.parent if os.path.isfile(named) else cwd
        beside = [path for path in _files_in(named.parent) if path.name == _LOCAL and path.name != named.name]
        for path in beside:
            _check_trust(path, refuse_if_foreign_owner)
        paths = [*beside, named]
    read = ((str(path), _read(path, is_named=path == env_file)) for path in paths)
    return Sources((environment, *read), folder)


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise SettingsError(
            f"The working folder can't be found ({error.strerror}): change to one that exists."
        ) from error


def _files_in(folder: Path) -> list[Path]:
    """The settings files in a folder, the winning one first; a dangling symlink is included, so that it is
    reported.

    A folder of that name (a virtual environment) is ignored, as is anything in a folder without access.
    """
    paths = (folder / _LOCAL, folder / _SHARED)
    return [path for path in paths if os.path.lexists(path) and not os.path.isdir(path)]


def _check_trust(path: Path, refuse: Callable[[Path], None]) -> None:
    try:
        refuse(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> SettingsError:
    return SettingsError(f"The settings file {path} can't be read: {error.strerror}.")


def _read(path: Path, *, is_named: bool) -> dict[str, str]:
    """The settings in one file, as written: `$` and braces have no meaning, as passwords may contain them.

    A named file may be a device or an unnamed pipe.
    """
    from dotenv.parser import parse_stream

    try:
        if is_named:
            content = read_named(path, LONGEST_FILE + 1)
        else:
            with open_ordinary(path) as opened:
                content = opened.read(LONGEST_FILE + 1)
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(f"The settings file {path} is not UTF-8 text: save it as UTF-8.") from error
    except OSError as error:
        raise _unreadable(path, error) from error
    except ValueError as error:
        raise SettingsError(f"The settings file's name isn't valid: {error}.") from error
    if len(content) > LONGEST_FILE:
        raise SettingsError(f"{path} is too long to be a settings file.")
    values = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            statement = binding.original.string
            # The line number includes blank lines before the statement.
            line = binding.original.line + statement[: -len(statement.lstrip())].count("\n")
            raise SettingsError(
                f"The settings file {path} can't be understood at line {line}: NAME=value is expected there "
                "(a quote that is opened must be closed).",
                hint=f"Fix line {line} of {path.name}.",
            )
        if binding.key is not None:
            values[binding.key] = binding.value or ""
    return values
