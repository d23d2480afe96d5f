"""Whether a settings file that nobody has named can be trusted: whoever writes it can have our API key sent
elsewhere.

Like git with a repository owned by another user (safe.directory): refused, unless it is named.
"""

from __future__ import annotations

import os
import pwd
import shlex
import stat
from pathlib import Path

from syncctl.errors import SettingsError

_ROOT = 0
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_MOST_LINKS = 40


def refuse_if_others_can_write(path: Path) -> None:
    """Raise SettingsError if another user controls a file found above the working folder: owns the file, a
    symlink to it, or the folder of either, or may write there.

    Raises OSError if that can't be checked.
    """
    if found := others_control(path):
        raise _refusal(path, *found)


def others_control(path: Path) -> tuple[str, str] | None:
    """How another user controls a file, if one does, and the command that ends it. Raises OSError."""
    for step in _steps(path):
        status = step.lstat()
        if not _is_trusted(status.st_uid):
            return f"{_named(step, path)} belongs to {_user(status.st_uid)}", _chown(step)
        if not stat.S_ISLNK(status.st_mode) and status.st_mode & _WRITABLE_BY_OTHERS:
            return f"{_named(step, path)} is writable by others ({_facts(status)})", _chmod(step)
        folder = Path(os.path.realpath(step.parent))
        status = folder.stat()
        if not _is_trusted(status.st_uid):
            return f"{folder} belongs to {_user(status.st_uid)}", _chown(folder)
        # With the sticky bit only the owners of a file and of its folder can put another one in its place.
        if status.st_mode & _WRITABLE_BY_OTHERS and not status.st_mode & stat.S_ISVTX:
            return f"others can write to {folder} ({_facts(status)})", _chmod(folder)
    return None


def refuse_if_foreign_owner(path: Path) -> None:
    """Raise SettingsError for a file, or a symlink to it, in the chosen working folder that belongs
    neither to this user nor to root nor to the folder's owner. Raises OSError as above."""
    for step in _steps(path):
        owner = step.lstat().st_uid
        if not _is_trusted(owner) and owner != step.parent.stat().st_uid:
            raise _refusal(path, f"{_named(step, path)} belongs to {_user(owner)}", _chown(step))


def _steps(path: Path) -> list[Path]:
    """The symlinks that lead to the file, and the file itself."""
    steps = [path]
    while steps[-1].is_symlink() and len(steps) <= _MOST_LINKS:
        steps.append(steps[-1].parent / os.readlink(steps[-1]))
    return steps


def _is_trusted(user: int) -> bool:
    return user in (_ROOT, os.geteuid())


def _refusal(path: Path, found: str, cure: str) -> SettingsError:
    return SettingsError(
        f"The settings file {path} was not used because another user could change it: {found}. "
        f"If you trust it: {cure}, or name it: --env-file {shlex.quote(str(path))}"
    )


def _named(step: Path, path: Path) -> str:
    return "it" if step == path else str(step)


def _facts(status: os.stat_result) -> str:
    return f"{_user(status.st_uid)}, {stat.S_IMODE(status.st_mode):04o}"


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"the user {number}"


def _owner() -> str:
    """This user, as chown takes it."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _chown(path: Path) -> str:
    link = "-h " if path.is_symlink() else ""
    return f"chown {link}{_owner()} {shlex.quote(str(path))}"


def _chmod(path: Path) -> str:
    return f"chmod go-w {shlex.quote(str(path))}"
