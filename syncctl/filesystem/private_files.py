"""Files with customers' data or secrets: private to this user, complete or absent, and never in place of a
file that syncctl or its settings need."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from syncctl.errors import UsageError
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


FILE_MODE, FOLDER_MODE = 0o600, 0o700

_SQLITE_BEGINNING = b"SQLite format 3\0"


def make_private_folder(folder: Path) -> None:
    """Create `folder` and its missing parents, each private to this user. Raises OSError."""
    missing = [folder]
    while not os.path.lexists(missing[-1].parent) and missing[-1].parent != missing[-1]:
        missing.append(missing[-1].parent)
    for each in reversed(missing):
        # pathlib would create the parents with permissions according to the umask.
        each.mkdir(mode=FOLDER_MODE, exist_ok=True)


def open_private(path: Path | str, flags: int) -> int:
    """A descriptor of `path`; if `flags` create the file, it is private to this user. Raises OSError:
    ELOOP for a symlink."""
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)


def make_private_file(path: Path) -> None:
    """Create an empty file and its folder unless it exists. Raises OSError."""
    make_private_folder(path.parent)
    with suppress(FileExistsError):
        os.close(open_private(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))


class PrivateFile:
    """A file that is written under a temporary name and moved into place by `finish`. `mode`: for one that
    holds nothing private.

    `out` takes its content. Every method raises OSError; FileExistsError if the target exists by now.
    """

    def __init__(self, path: Path, *, overwrite: bool = False, mode: int = FILE_MODE) -> None:
        import secrets

        self._path = path
        self._overwrite = overwrite
        self._unfinished = path.parent / f".syncctl-{secrets.token_hex(8)}.part"
        descriptor = open_private(self._unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        os.fchmod(descriptor, mode)  # the umask may remove even the owner's permissions
        self.out: BinaryIO = os.fdopen(descriptor, "wb")

    def finish(self) -> None:
        """Sync it to disk and move it into place."""
        self.out.flush()
        os.fsync(self.out.fileno())
        self.out.close()
        if self._overwrite:
            os.replace(self._unfinished, self._path)
        else:
            self._link()
        sync_folder(self._path.parent)

    def discard(self) -> None:
        """Remove an unfinished file; otherwise do nothing."""
        with suppress(OSError):  # the disk is still full; the buffered data is not needed any more
            self.out.close()
        with suppress(OSError):
            self._unfinished.unlink()

    def _link(self) -> None:
        """Move it into place if there is no such file at this instant."""
        try:
            os.link(self._unfinished, self._path, follow_symlinks=False)
        except FileExistsError:
            raise
        except OSError as error:
            # A file system without hard links.
            if os.path.lexists(self._path):
                raise FileExistsError(*error.args) from error
            os.rename(self._unfinished, self._path)
        else:
            os.unlink(self._unfinished)


@contextmanager
def private_file(path: Path, *, overwrite: bool = False, own: OwnFiles | None) -> Iterator[BinaryIO]:
    """A file to be written in a `with` block: complete at `path` after success, unchanged after an error.

    `own`: files that it must not replace; None if it is one of them. Raises UsageError if it can't be
    written.
    """
    try:
        check_target(path, overwrite=overwrite, own=own)
        file = PrivateFile(path, overwrite=overwrite)
        try:
            yield file.out
            file.finish()
        finally:
            file.discard()
    except FileExistsError:
        raise UsageError(f"{path} exists already: name another, or overwrite it with --force.") from None
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}.") from None


def write_private(path: Path, content: bytes, *, overwrite: bool = False, own: OwnFiles | None) -> None:
    """Write a whole file. Raises as `private_file` does."""
    with private_file(path, overwrite=overwrite, own=own) as out:
        out.write(content)


def check_target(path: Path, *, overwrite: bool, own: OwnFiles | None) -> None:
    """Raises UsageError if `path` can't be a new file, FileExistsError if only --force is missing."""
    if own is not None and (problem := own.clash(path)):
        raise UsageError(f"{path} can't be written: {problem}. Name another file.")
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        kind = "a link" if stat.S_ISLNK(mode) else "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise UsageError(f"{path} can't be written: it is {kind}. Name another file.")
    if not overwrite:
        raise FileExistsError
    if _begins_as_a_database(path):
        raise UsageError(f"{path} can't be written: it is a SQLite database. Name another file.")


def sync_folder(folder: Path) -> None:
    """Sync a folder: only then is a new file certain to survive a power cut (fsync(2)). Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _begins_as_a_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE_BEGINNING)) == _SQLITE_BEGINNING
    except PermissionError:
        return False  # an unreadable file can still be replaced
