"""Disks that are full or read-only under the database, the log and the lock."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from syncctl.domain.sources import StepName
from syncctl.errors import TemporaryFileError
from syncctl.sandbox import Sandbox
from syncctl.services.imports import staging
from tests.chaos.states import assert_nothing_is_missing
from tests.chaos.tally import tally
from tests.support.disks import Disk, NoDiskError, disk
from tests.support.program import Program
from tests.support.world import World

PLENTY = 64 * 1024 * 1024
TOO_LITTLE = (20_000, 900_000)
"""Bytes, from too few for the tables to too few for the leads."""

SIZES = 1
ROUNDS_PER_SIZE = 5


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(locations=3, bookings=150) as sandbox:
        yield sandbox


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Disk]:
    try:
        with disk(tmp_path / "disk", PLENTY) as mounted:
            yield mounted
    except NoDiskError as error:
        pytest.skip(f"no disk can be mounted: {error}")


@pytest.fixture
def program(tmp_path: Path, sandbox: Sandbox) -> Program:
    return Program(tmp_path, API_BASE_URL=sandbox.base_url)


def test_a_full_disk_under_the_database(
    program: Program, sandbox: Sandbox, small_disk: Disk, rounds: int
) -> None:
    rng = Random(1)  # noqa: S311 - chance, not cryptography
    for number in range(SIZES + rounds // ROUNDS_PER_SIZE):
        tally.add("database troubles")
        database = small_disk.folder / f"{number}.db"
        url = f"sqlite:///{database}"
        small_disk.resize(rng.randint(*TOO_LITTLE))
        ended = program.run("api", DATABASE_URL=url)
        assert ended.status == 1
        assert "no room left on its disk" in ended.stderr
        small_disk.resize(PLENTY)
        ended = program.run("api", DATABASE_URL=url)
        assert ended.status == 0, ended.output
        assert_complete(sandbox, url)
        for file in small_disk.folder.iterdir():
            file.unlink()


def test_a_full_folder_for_temporary_files_under_an_import(
    sandbox: Sandbox, small_disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally.add("database troubles")
    file = tmp_path / "walkin_sg_calicut.csv"
    rows = (f"10-02-2025,Customer {number},9{number:09}\n" for number in range(5000))
    file.write_text("Date,Customer Name,Contact\n" + "".join(rows), encoding="utf-8")
    monkeypatch.setattr(staging, "IN_MEMORY_BYTES", 10_000)
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk.folder))
    small_disk.resize(16_384)
    with closing(World(sandbox, f"sqlite:///{tmp_path}/leads.db")) as world:
        with pytest.raises(TemporaryFileError, match=f"in {small_disk.folder} \\(No space left on device"):
            world.import_files(StepName.WALKIN, file)
        small_disk.resize(PLENTY)
        assert world.import_files(StepName.WALKIN, file).ok
        assert len(world.app.leads()) == 5000
    assert not list(small_disk.folder.iterdir())


def assert_complete(sandbox: Sandbox, url: str) -> None:
    with closing(World(sandbox, url)) as world:
        assert_nothing_is_missing(world)


def test_a_full_disk_under_log_and_lock(program: Program, sandbox: Sandbox, small_disk: Disk) -> None:
    """Neither is worth a run: the log says less, the lock holds all the same."""
    tally.add("database troubles")
    small_disk.resize(16_384)
    (small_disk.folder / "rest").write_bytes(b"x" * 8_192)
    log, lock = small_disk.folder / "sync.log", small_disk.folder / "syncctl.lock"
    ended = program.run("api", "-v", SYNC_LOG_FILE=str(log), SYNC_LOCK_FILE=str(lock))
    assert ended.status == 0
    assert ended.stderr.count("can't be written (No space left on device)") == 1
    assert_complete(sandbox, f"sqlite:///{program.folder / 'data' / 'syncctl.db'}")


def test_a_read_only_disk(program: Program, small_disk: Disk) -> None:
    folder = small_disk.folder
    assert program.run("stores", DATA_DIR=str(folder)).status == 0
    small_disk.make_read_only()
    tally.add("database troubles", 3)
    lock = program.run("api", DATA_DIR=str(folder))
    assert lock.status == 78
    assert "make it writable for this user, or set SYNC_LOCK_FILE" in lock.stderr
    log = program.run("api", SYNC_LOG_FILE=str(folder / "sync.log"))
    assert log.status == 78
    assert "Read-only file system" in log.stderr
    url = f"sqlite:///{folder / 'syncctl.db'}"
    database = program.run("api", DATABASE_URL=url)
    assert database.status == 69
    assert str(folder / "syncctl.db") in database.stderr
    missing = program.run("api", DATABASE_URL=f"sqlite:///{folder / 'new' / 'syncctl.db'}")
    assert missing.status == 69
    assert "Read-only file system" in missing.stderr


def test_a_read_only_disk_can_be_looked_at(program: Program, small_disk: Disk) -> None:
    url = f"sqlite:///{small_disk.folder / 'syncctl.db'}"
    assert program.run("api", DATABASE_URL=url).status == 0
    rejects = program.run("rejects", "list", "--json", DATABASE_URL=url)
    small_disk.make_read_only()
    tally.add("database troubles")
    again = program.run("rejects", "list", "--json", DATABASE_URL=url)
    assert (again.status, again.stdout) == (0, rejects.stdout), again.stderr
