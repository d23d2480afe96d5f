"""SQLite files that are locked, cut off, damaged or something else: a plain error, or a run that is right."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from random import Random

import pytest

from syncctl.errors import ExitCode, StorageUnavailableError, SyncctlError
from syncctl.models import StepName
from syncctl.sandbox import Sandbox
from syncctl.storage.sqlite import SqliteStorage
from tests.support.store_files import row, write
from tests.support.world import World
from tests.torture.jobs import few_locations
from tests.torture.tally import tally

DAMAGES = 12
DAMAGES_PER_ROUND = 4


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(locations=2, bookings=16) as sandbox:
        yield sandbox


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "syncctl.db"


@pytest.fixture
def world(sandbox: Sandbox, database: Path) -> Iterator[World]:
    world = World(sandbox, f"sqlite:///{database}", few_locations(sandbox))
    yield world
    world.close()


def test_locked_by_another_process_for_a_while_or_too_long(world: World, database: Path) -> None:
    tally.add("database troubles", 2)
    with closing(sqlite3.connect(database, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        with closing(SqliteStorage(database, busy_timeout_s=0.1)) as impatient:
            with pytest.raises(StorageUnavailableError, match="in use by another process") as caught:
                world.run(wrap=lambda _: impatient)
            assert caught.value.exit_code == ExitCode.UNAVAILABLE
        letting_go = threading.Timer(0.3, other.rollback)
        letting_go.start()
        assert world.run().ok
        letting_go.join()
    assert {lead["leadType"] for lead in world.app.leads()} == {"bookingConfirmation", "return"}


def test_damaged_dates_of_its_own_are_none(world: World, database: Path) -> None:
    """Locations are then asked for all of their window again; whatever is sorted by date comes last."""
    world.sandbox.add_rows(world.sandbox.locations[0], [{"phoneNo": "12"}])
    world.run()
    with closing(sqlite3.connect(database)) as other, other:
        other.execute("UPDATE syncstate SET watermark = 'x', askedAt = '2026-13-', triedAt = 7")
        other.execute("UPDATE syncrejects SET rejectedAt = 'x' WHERE rowid % 2")
        other.execute("UPDATE syncruns SET startedAt = 'x'")
    assert world.run().ok
    assert {request.body["months"] for request in world.sandbox.requests[-4:] if request.body} == {"12"}
    assert world.retry_rejects().saved == 0
    with closing(SqliteStorage(database, read_only=True)) as storage:
        assert len(storage.runs(0)) == 2


def _cut(content: bytearray, luck: Random) -> None:
    del content[luck.randrange(len(content)) :]


def _flip(content: bytearray, luck: Random) -> None:
    for _ in range(luck.choice((1, 10, 200))):
        content[luck.randrange(len(content))] ^= 1 << luck.randrange(8)


def _zero(content: bytearray, luck: Random) -> None:
    page = 4096 * luck.randrange(len(content) // 4096)
    content[page : page + 4096] = bytes(4096)


def _shuffle(content: bytearray, luck: Random) -> None:
    first, second = (4096 * luck.randrange(len(content) // 4096) for _ in range(2))
    content[first : first + 4096], content[second : second + 4096] = (
        content[second : second + 4096],
        content[first : first + 4096],
    )


def _text(content: bytearray, luck: Random) -> None:
    """Values that are no longer what they were: texts with digits and letters changed."""
    for _ in range(luck.choice((1, 20, 500))):
        at = luck.randrange(len(content))
        if chr(content[at]).isalnum():
            content[at] = luck.choice(b"0aZ{}\"',:-\xff")


def _overwrite(content: bytearray, luck: Random) -> None:
    content[:] = luck.choice((b"%PDF-1.7 no database", b"", bytes(10_000), luck.randbytes(20_000)))


DAMAGE = (_cut, _flip, _zero, _shuffle, _text, _overwrite)


def test_a_damaged_file_is_an_error_in_words_or_does_no_harm(
    world: World, database: Path, tmp_path: Path, rounds: int
) -> None:
    """Whatever the damage is, only errors of syncctl's own leave it."""
    files = write(tmp_path / "walkin_sg_calicut.csv", *(row(Contact=f"94{n:08}") for n in range(30)), row())
    world.run()
    world.import_files(StepName.WALKIN, files)
    world.app._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    sound = database.read_bytes()
    world.sandbox.add_bookings(6)
    luck = Random(1)  # noqa: S311 - luck, not cryptography
    for number in range(DAMAGES + round(rounds * DAMAGES_PER_ROUND)):
        tally.add("database troubles")
        content = bytearray(sound)
        DAMAGE[number % len(DAMAGE)](content, luck)
        damaged = tmp_path / "damaged.db"
        damaged.write_bytes(content)
        _use(world.sandbox, damaged, files)
        for file in tmp_path.glob("damaged.db*"):
            os.unlink(file)


def _use(sandbox: Sandbox, database: Path, files: Path) -> None:
    """All that a run does to a database: anything but an error of syncctl's own fails the test."""
    try:
        world = World(sandbox, f"sqlite:///{database}", few_locations(sandbox))
    except SyncctlError:
        return
    try:
        for use in (world.run, lambda: world.import_files(StepName.WALKIN, files), world.retry_rejects):
            with suppress(SyncctlError):
                use()
    finally:
        world.close()
