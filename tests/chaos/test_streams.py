"""Output through slow, small, full and broken pipes and files: all arrives, or the exit status says so."""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from syncctl.domain.sources import StepName
from syncctl.sandbox import Sandbox
from tests.chaos.states import assert_nothing_is_missing
from tests.support.program import LIMIT_S, Program
from tests.support.store_files import row, write
from tests.support.world import World, few_locations

MUCH = ("rejects", "list", "--json", "--limit", "0")
ROWS = 800
CUTS = 3
CUTS_PER_ROUND = 0.4
LEAST_BYTES = 70_000
"""What SQLite writes beside the database, to read it, must have room."""

# A limit for each file that the program writes (RLIMIT_FSIZE), as a disk that becomes full while it writes.
WITH_ROOM_FOR = """
import os, resource, sys
room = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(locations=3, bookings=16) as sandbox:
        yield sandbox


@pytest.fixture
def program(tmp_path: Path, sandbox: Sandbox) -> Program:
    url = f"sqlite:///{tmp_path / 'syncctl.db'}"
    return Program(tmp_path, API_BASE_URL=sandbox.base_url, DATABASE_URL=url)


@pytest.fixture
def whole(program: Program, sandbox: Sandbox) -> bytes:
    """What MUCH prints: a database's long list of rejects."""
    with closing(World(sandbox, f"sqlite:///{program.folder / 'syncctl.db'}")) as world:
        file = program.folder / "walkin_sg_calicut.csv"
        write(file, *(row(Contact="12", Remarks=f"{n} രണ്ട്") for n in range(ROWS)))
        world.import_files(StepName.WALKIN, file)
    printed = program.run(*MUCH).stdout
    assert len(json.loads(printed)["rejects"]) == ROWS
    return printed.encode()


def start(
    program: Program, *arguments: str, out: int, err: int = subprocess.DEVNULL
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*program.command, *arguments],
        cwd=program.folder,
        env=program.environment,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
    )


@pytest.mark.parametrize("waits", [True, False])
def test_a_slow_reader_gets_all_of_it(program: Program, whole: bytes, waits: bool) -> None:
    """Of a pipe of one page; and where whoever shares it has made it one that does not wait."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writer, waits)
    got = b""
    with start(program, *MUCH, out=writer) as process:
        os.close(writer)
        while chunk := os.read(reader, 10_000):
            got += chunk
            time.sleep(0.0005)
    os.close(reader)
    assert got == whole
    assert process.returncode == 0


def test_a_full_disk_is_told_however_much_it_took(program: Program, whole: bytes, rounds: int) -> None:
    rng = Random(1)  # noqa: S311 - chance, not cryptography
    assert len(whole) > LEAST_BYTES
    rooms = [rng.randrange(LEAST_BYTES, len(whole)) for _ in range(CUTS + round(rounds * CUTS_PER_ROUND))]
    for room in (*rooms, len(whole) - 1, len(whole)):
        status, printed, stderr_text = with_room(program, room, *MUCH)
        if room < len(whole):
            assert status == 1
            assert stderr_text == "Error: The output could not be written: File too large.\n"
        else:
            assert (status, stderr_text) == (0, "")
        assert printed == whole[:room]


def with_room(program: Program, room: int, *arguments: str) -> tuple[int, bytes, str]:
    """A command's status, and what it could write to a file of that many bytes; and its stderr."""
    file = program.folder / "out"
    with file.open("wb") as out:
        ended = subprocess.run(
            [sys.executable, "-S", "-c", WITH_ROOM_FOR, str(room), *program.command, *arguments],
            cwd=program.folder,
            env=program.environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )
    return ended.returncode, file.read_bytes(), ended.stderr


def test_a_reader_that_goes_is_told_by_the_status_alone(program: Program, whole: bytes, rounds: int) -> None:
    rng = Random(2)  # noqa: S311 - chance, not cryptography
    for _ in range(1 + round(rounds * CUTS_PER_ROUND)):
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        with start(program, *MUCH, out=writer, err=subprocess.PIPE) as process:
            os.close(writer)
            wanted, got = rng.randrange(len(whole) - 20_000), b""
            while len(got) < wanted:
                got += os.read(reader, min(4096, wanted - len(got)))
            os.close(reader)
            _, stderr_text = process.communicate(timeout=LIMIT_S)
        assert got == whole[:wanted]
        assert (process.returncode, stderr_text) == (1, b"")


def test_all_that_a_run_says_stands_in_one_file(program: Program, sandbox: Sandbox) -> None:
    """As under cron: >> log 2>&1, and the log file beside it. The very last lines are there, and in order."""
    log = program.folder / "sync.log"
    program.environment["SYNC_LOG_FILE"] = str(log)
    for count in (1, 2, 3):
        with (
            (program.folder / "cron.log").open("ab") as out,
            start(program, "api", "--json", out=out.fileno(), err=subprocess.STDOUT) as process,
        ):
            process.wait(timeout=LIMIT_S)
        assert process.returncode == 0
        lines = (program.folder / "cron.log").read_text(encoding="utf-8").splitlines()
        assert json.loads(lines[-1])["ok"]
        assert " Next sync: " in lines[-2]
        assert len([line for line in lines if "Starting automatic API sync" in line]) == count
        assert log.read_text(encoding="utf-8").splitlines() == [line for line in lines if line[0] != "{"]


@pytest.mark.parametrize("take", ["nothing", "some", "no reader"])
def test_a_run_does_its_work_whoever_takes_its_messages(
    program: Program, sandbox: Sandbox, take: str
) -> None:
    """Its log is lost, its work is not: the status is that of the work."""
    reader, writer = os.pipe()
    if take == "nothing":
        os.close(writer)
        writer = os.open("/dev/full", os.O_WRONLY)
    with start(program, "api", "-v", out=subprocess.DEVNULL, err=writer) as process:
        os.close(writer)
        if take == "some":
            assert os.read(reader, 100)
        os.close(reader)
        process.wait(timeout=LIMIT_S)
    assert process.returncode == 0
    url = f"sqlite:///{program.folder / 'syncctl.db'}"
    with closing(World(sandbox, url, few_locations(sandbox))) as world:
        assert_nothing_is_missing(world)
        assert [log["status"] for log in world.app.all("synclogs")] == ["success"] * 3
