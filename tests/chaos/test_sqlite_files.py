"""SQLite files that are locked, cut off, damaged or something else: a plain error, or a run that is right."""

import os
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from random import Random

import pytest

from syncctl.domain.run_results import RunResult
from syncctl.domain.sources import StepName
from syncctl.errors import ExitCode, StorageError, StorageUnavailableError
from syncctl.sandbox import Sandbox
from syncctl.storage.sqlite.storage import SqliteStorage
from tests.chaos.tally import tally
from tests.support.program import Program
from tests.support.store_files import row, write
from tests.support.world import World, few_locations

PAGE = 4096
DAMAGES = 14
DAMAGES_PER_ROUND = 4
ROUNDS_PER_PROGRAM = 10


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "syncctl.db"


@pytest.fixture
def world(sandbox: Sandbox, database: Path) -> Iterator[World]:
    world = World(sandbox, f"sqlite:///{database}", few_locations(sandbox))
    yield world
    world.close()


LOCKING = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1], isolation_level=None) as database:
    database.execute("BEGIN IMMEDIATE")
    print("locked", flush=True)
    sys.stdin.readline()
    database.execute("ROLLBACK")
"""


@contextmanager
def locking(database: Path) -> Iterator[Callable[[], None]]:
    """A process that holds the database's lock; what is given lets go of it."""
    command = [sys.executable, "-c", LOCKING, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"

        def let_go() -> None:
            assert process.stdin is not None
            process.stdin.close()

        try:
            yield let_go
        finally:
            process.kill()


def test_locked_by_another_process_for_a_while_or_too_long(world: World, database: Path) -> None:
    tally.add("database troubles", 2)
    with locking(database) as let_go:
        with closing(SqliteStorage(database, busy_timeout_s=0.1)) as impatient:
            with pytest.raises(StorageUnavailableError, match="in use by another process") as caught:
                world.run(wrap=lambda _: impatient)
            assert caught.value.exit_code == ExitCode.UNAVAILABLE
        letting_go = threading.Timer(0.3, let_go)
        letting_go.start()
        assert world.run().ok
        letting_go.join()
    assert {lead["leadType"] for lead in world.app.leads()} == {"bookingConfirmation", "return"}


def test_damaged_dates_of_its_own_are_none(world: World, database: Path) -> None:
    """Locations then count as never synced; whatever is sorted by date comes last."""
    bad = {"phoneNo": "12", "bookingDate": f"{world.sandbox.today}T10:00:00"}
    world.sandbox.add_rows(world.sandbox.locations[0], [bad])
    world.run()
    with closing(sqlite3.connect(database)) as other, other:
        other.execute("UPDATE syncstate SET watermark = 'x', askedAt = '2026-13-', triedAt = 7")
        other.execute("UPDATE syncrejects SET rejectedAt = 'x' WHERE rowid % 2")
        other.execute("UPDATE syncruns SET startedAt = 'x'")
    assert world.run().ok
    assert {request.body["months"] for request in world.sandbox.requests[-4:] if request.body} == {"12"}
    assert world.retry_rejects().saved == 0
    with closing(SqliteStorage(database, read_only=True)) as storage:
        assert len(storage.runs(0)) == 3


def _cut(content: bytearray, rng: Random) -> None:
    """At least one page less than the file says that it has."""
    del content[rng.randrange(1, len(content) - PAGE) :]


def _trim(content: bytearray, rng: Random) -> None:
    """A part of the last page, which SQLite takes for zeros."""
    del content[-rng.randrange(1, PAGE) :]


def _flip(content: bytearray, rng: Random) -> None:
    for _ in range(rng.choice((1, 10, 200))):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def _zero(content: bytearray, rng: Random) -> None:
    page = PAGE * rng.randrange(len(content) // PAGE)
    content[page : page + PAGE] = bytes(PAGE)


def _shuffle(content: bytearray, rng: Random) -> None:
    first, second = (PAGE * rng.randrange(len(content) // PAGE) for _ in range(2))
    content[first : first + PAGE], content[second : second + PAGE] = (
        content[second : second + PAGE],
        content[first : first + PAGE],
    )


def _text(content: bytearray, rng: Random) -> None:
    """Values that are no longer what they were: texts with digits and letters changed."""
    for _ in range(rng.choice((1, 20, 500))):
        at = rng.randrange(len(content))
        if chr(content[at]).isalnum():
            content[at] = rng.choice(b"0aZ{}\"',:-\xff")


def _overwrite(content: bytearray, rng: Random) -> None:
    content[:] = rng.choice((b"%PDF-1.7 no database", bytes(10_000), rng.randbytes(20_000)))


BEYOND_USE = (_cut, _overwrite)
"""What is left is no database, and any use of it must say so."""

DAMAGE = (_cut, _trim, _flip, _zero, _shuffle, _text, _overwrite)


@dataclass(frozen=True)
class SampleDatabase:
    """A database with leads of each kind, as the bytes of its file; its imported files, and the numbers of
    bookings made since."""

    content: bytes
    imported: Path
    booked: set[str]


@pytest.fixture
def sample(world: World, database: Path, tmp_path: Path) -> SampleDatabase:
    files = write(tmp_path / "walkin_sg_calicut.csv", *(row(Contact=f"94{n:08}") for n in range(30)), row())
    assert world.run().ok
    world.import_files(StepName.WALKIN, files)
    world.app._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    booked = {item["bookingNo"] for item in world.sandbox.add_bookings(6)}
    return SampleDatabase(database.read_bytes(), files, booked)


def test_a_damaged_file_is_an_error_in_words_or_does_no_harm(
    sandbox: Sandbox, sample: SampleDatabase, tmp_path: Path, rounds: int
) -> None:
    """Whatever the damage is, only errors of syncctl's own leave it. A run that says all is right, of a file
    in which SQLite finds no fault either, has stored what was new, and done it no harm."""
    rng = Random(1)  # noqa: S311 - chance, not cryptography
    outcomes = Counter[Outcome]()
    for number in range(DAMAGES + round(rounds * DAMAGES_PER_ROUND)):
        content, damage = bytearray(sample.content), DAMAGE[number % len(DAMAGE)]
        damage(content, rng)
        damaged = tmp_path / "damaged.db"
        damaged.write_bytes(content)
        is_sound = looks_sound(damaged)
        outcome = use(sandbox, damaged, sample.imported)
        tally.add("database troubles")
        outcomes[outcome] += 1
        assert outcome is Outcome.NO_DATABASE or damage not in BEYOND_USE, damage
        if outcome is Outcome.ALL_RIGHT and is_sound:
            assert looks_sound(damaged)
            assert sample.booked <= numbers_in(damaged)
        for file in tmp_path.glob("damaged.db*"):
            os.unlink(file)
    assert rounds == 1 or outcomes.keys() == set(Outcome)


def looks_sound(database: Path) -> bool:
    """Whether SQLite's integrity check passes."""
    with closing(sqlite3.connect(database)) as connection:
        connection.text_factory = bytes
        try:
            return connection.execute("PRAGMA integrity_check").fetchall() == [(b"ok",)]
        except (sqlite3.DatabaseError, UnicodeDecodeError):  # its messages quote names, damaged ones too
            return False


def numbers_in(database: Path) -> set[str]:
    """The booking numbers of the leads, damaged ones too."""
    with closing(sqlite3.connect(database)) as connection:
        connection.text_factory = lambda text: text.decode(errors="replace")
        return {number for (number,) in connection.execute("SELECT bookingNo FROM leads")}


class Outcome(Enum):
    """The result of using a damaged file."""

    NO_DATABASE = "it can't be used at all"
    TROUBLE = "some of it can't be used"
    ALL_RIGHT = "all is right"


def use(sandbox: Sandbox, database: Path, files: Path) -> Outcome:
    """Everything a run does with a database; any error other than syncctl's own fails the test."""
    try:
        world = World(sandbox, f"sqlite:///{database}", few_locations(sandbox))
    except StorageUnavailableError:
        return Outcome.NO_DATABASE
    except StorageError:
        return Outcome.TROUBLE
    uses = (world.run, lambda: world.import_files(StepName.WALKIN, files), world.retry_rejects)
    with closing(world):
        all_right = [succeeds(world, one) for one in uses]
    return Outcome.ALL_RIGHT if all(all_right) else Outcome.TROUBLE


def succeeds(world: World, one: Callable[[], object]) -> bool:
    """Run it; whether it reported success."""
    try:
        result = one()
    except StorageError:
        return False
    if not isinstance(result, RunResult):
        return True
    assert all(step.counts.balanced for step in result.steps)
    return result.ok and not world.recorder.warnings


@pytest.mark.parametrize("left", ["a part", "another file"])
def test_the_program_says_that_a_file_is_no_database(
    sandbox: Sandbox, sample: SampleDatabase, tmp_path: Path, left: str, rounds: int
) -> None:
    """In a line or two, whichever command it is."""
    rng = Random(1)  # noqa: S311 - chance, not cryptography
    folder = tmp_path / "program"
    folder.mkdir()
    damaged = folder / "damaged.db"
    program = Program(folder, API_BASE_URL=sandbox.base_url, DATABASE_URL=f"sqlite:///{damaged}")
    commands = [
        ["api"],
        ["import", "walkin", str(sample.imported)],
        ["rejects", "list"],
        ["verify", "data"],
    ]
    for number in range(1 + rounds // ROUNDS_PER_PROGRAM):
        content = bytearray(sample.content)
        (_cut if left == "a part" else _overwrite)(content, rng)
        damaged.write_bytes(content)
        ended = program.run(*commands[number % len(commands)])
        tally.add("database troubles")
        assert ended.status == ExitCode.UNAVAILABLE, ended.output
        assert str(damaged) in ended.stderr
        assert "is damaged" in ended.stderr or "isn't a SQLite database" in ended.stderr
        assert len(ended.stderr.splitlines()) <= 2, ended.stderr
        assert damaged.read_bytes() == content
