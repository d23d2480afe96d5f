"""Small and read-only disks for tests: tmpfs, which only root on Linux may mount."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NoDiskError(Exception):
    """No disk can be mounted here; the message says why."""


class Disk:
    """A mounted disk; `folder` is its root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def used(self) -> int:
        """Bytes in use."""
        return shutil.disk_usage(self.folder).used

    def resize(self, size: int) -> None:
        """Set its total size in bytes."""
        self._remount(f"size={size}")

    def make_read_only(self) -> None:
        """Make it read-only, even for root."""
        self._remount("ro")

    def _remount(self, option: str) -> None:
        subprocess.run(_mount("-o", f"remount,{option}", str(self.folder)), check=True)


@contextmanager
def disk(folder: Path, size: int) -> Iterator[Disk]:
    """A disk of `size` bytes mounted at `folder`, which is created. Raises NoDiskError if it can't be
    mounted."""
    if shutil.which("mount") is None:
        raise NoDiskError("there is no mount command")
    folder.mkdir()
    mounted = subprocess.run(
        _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)),
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        raise NoDiskError(mounted.stderr.strip())
    try:
        yield Disk(folder)
    finally:
        # Lazy unmount: files left open by a failed test must not prevent it.
        subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S607 - from the PATH, as its twin


def _mount(*arguments: str) -> list[str]:
    return ["mount", *arguments]
