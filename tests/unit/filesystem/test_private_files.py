"""What holds customers' data is for one user, whole or not there, and never in a file of ours."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncctl.errors import SettingsError, UsageError
from syncctl.filesystem.private_files import (
    make_private_file,
    make_private_folder,
    private_file,
    write_private,
)
from syncctl.settings.settings import Settings, load_settings

pytestmark = pytest.mark.attack("own files")

OWN = (
    ".env",
    ".env.local",
    "key",
    "data/syncctl.db",
    "data/syncctl.db-wal",
    "data/syncctl.db-shm",
    "data/syncctl.lock",
    "data/sync.log",
    "data/sync.log.1",
    "data/cron.log",
    "data/backups/duplicates-20261123T160000Z.jsonl",
)
CONTENT = b"what a person or syncctl keeps"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with settings, a key and every other file of ours."""
    folder = tmp_path / "place"
    (folder / "data" / "backups").mkdir(parents=True)
    for name in OWN:
        (folder / name).write_bytes(CONTENT)
    (folder / ".env").write_text("API_TOKEN_FILE=key\nSYNC_LOG_FILE=data/sync.log\n")
    (folder / ".env.local").write_text("API_TIMEOUT_S=5\n")
    return folder


def settings_of(place: Path) -> Settings:
    return load_settings(environ={}, cwd=place)


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_file_is_for_its_owner_only_whatever_the_umask(tmp_path: Path, umask: int, overwrite: bool) -> None:
    path = tmp_path / "out.csv"
    write_private(path, CONTENT, overwrite=overwrite, own=None)
    assert mode(path) == 0o600
    assert path.read_bytes() == CONTENT
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]


def test_a_readable_file_that_is_overwritten_is_private_from_then_on(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(b"old")
    path.chmod(0o666)
    write_private(path, CONTENT, overwrite=True, own=None)
    assert (mode(path), path.read_bytes()) == (0o600, CONTENT)


def test_every_folder_on_the_way_is_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_private_folder(tmp_path / "a" / "b" / "c")
        make_private_file(tmp_path / "d" / "e" / "file")
    finally:
        os.umask(before)
    for name in ("a", "a/b", "a/b/c", "d", "d/e"):
        assert mode(tmp_path / name) == 0o700, name
    assert mode(tmp_path / "d/e/file") == 0o600


def _link(place: Path, name: str) -> Path:
    (place / "link").symlink_to(place / name)
    return place / "link"


def _folder_link(place: Path, name: str) -> Path:
    (place / "elsewhere").symlink_to((place / name).parent)
    return place / "elsewhere" / Path(name).name


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize(
    "named",
    [
        lambda place, name: place / name,
        lambda place, name: place / "data" / ".." / name,
        _link,
        _folder_link,
    ],
    ids=["itself", "dots", "link", "folder link"],
)
def test_no_file_of_ours_is_overwritten(place: Path, name: str, named: Callable[[Path, str], Path]) -> None:
    content = (place / name).read_bytes()
    target = named(place, name)
    with pytest.raises(UsageError, match=r"can't be written: .*\. Name another file\.$"):
        write_private(target, b"rejects", overwrite=True, own=settings_of(place).own_files)
    assert (place / name).read_bytes() == content


@pytest.mark.parametrize("name", OWN)
def test_none_is_made_where_it_would_be_taken_for_one(place: Path, name: str) -> None:
    settings = settings_of(place)
    (place / name).unlink()
    with pytest.raises(UsageError):
        write_private(place / name, b"rejects", overwrite=False, own=settings.own_files)
    assert not (place / name).exists()


def test_a_hard_link_to_the_database_is_the_database(place: Path) -> None:
    (place / "other").hardlink_to(place / "data" / "syncctl.db")
    with pytest.raises(UsageError, match="DATABASE_URL names the same file"):
        write_private(place / "other", b"rejects", overwrite=True, own=settings_of(place).own_files)


def test_a_database_that_no_setting_names_is_still_one(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    path.write_bytes(b"SQLite format 3\0 and so on")
    with pytest.raises(UsageError, match="it is a SQLite database"):
        write_private(path, CONTENT, overwrite=True, own=None)
    assert path.read_bytes().startswith(b"SQLite")


def _as_link(path: Path) -> None:
    path.with_name("notes").write_bytes(CONTENT)
    path.symlink_to("notes")


def _as_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (_as_link, "a link"),
        (_as_dangling_link, "a link"),
        (os.mkfifo, "not a regular file"),
        (os.mkdir, "a folder"),
    ],
)
def test_only_a_regular_file_is_replaced(
    tmp_path: Path, make: Callable[[Path], None], kind: str, overwrite: bool
) -> None:
    path = tmp_path / "out.csv"
    make(path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UsageError, match=f"it is {kind}"):
        write_private(path, b"rejects", overwrite=overwrite, own=None)
    assert sorted(tmp_path.iterdir()) == before
    if (tmp_path / "notes").exists():
        assert (tmp_path / "notes").read_bytes() == CONTENT


@pytest.mark.attack("own files", counted=False)
@pytest.mark.parametrize("failure", [KeyboardInterrupt(), ValueError(), OSError(errno.ENOSPC, "full")])
def test_what_fails_halfway_leaves_the_old_file(tmp_path: Path, failure: BaseException) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(CONTENT)

    def write() -> None:
        with private_file(path, overwrite=True, own=None) as out:
            out.write(b"half of it")
            raise failure

    with pytest.raises(UsageError if isinstance(failure, OSError) else type(failure)):
        write()
    assert path.read_bytes() == CONTENT
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]


def test_a_file_that_comes_up_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"

    def write() -> None:
        with private_file(path, own=None) as out:
            out.write(b"ours")
            path.write_bytes(CONTENT)

    with pytest.raises(UsageError, match="exists already"):
        write()
    assert path.read_bytes() == CONTENT
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.attack("own files", counted=False)
def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_named: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    # No such file system can be had here, so the system call is the one thing that is replaced.
    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "out.csv"
    write_private(path, CONTENT, own=None)
    assert path.read_bytes() == CONTENT
    with pytest.raises(UsageError, match="exists already"):
        write_private(path, b"new", own=None)
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.attack("own files", counted=False)
def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file or directory"):
        write_private(tmp_path / "none" / "out.csv", CONTENT, own=None)


@pytest.mark.parametrize("name", ["SYNC_LOCK_FILE", "SYNC_LOG_FILE"])
@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("data/backups/new.jsonl", "it is in the folder of the backups"),
        ("data/backups", "it is in the folder of the backups"),
        ("other/.env.local", "it has the name of a settings file"),
    ],
)
def test_settings_name_no_file_of_ours(place: Path, name: str, file: str, problem: str) -> None:
    for backup in (place / "data" / "backups").iterdir():
        backup.unlink()
    (place / "data" / "backups").rmdir()
    with pytest.raises(SettingsError, match=problem):
        load_settings(environ={name: file}, cwd=place)


def test_an_old_log_would_be_moved_over_the_database(place: Path) -> None:
    with pytest.raises(SettingsError, match=r"SYNC_LOG_FILE .* DATABASE_URL names the same file"):
        load_settings(environ={"SYNC_LOG_FILE": "x", "DATABASE_URL": "sqlite:///x.3"}, cwd=place)
