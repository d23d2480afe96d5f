"""A stderr that can't be written: neither a command's work nor its exit status depends on messages."""

import fcntl
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.program import LIMIT_S, Program


@contextmanager
def _full_disk() -> Iterator[int]:
    full = os.open("/dev/full", os.O_WRONLY)
    yield full
    os.close(full)


@contextmanager
def _reader_gone() -> Iterator[int]:
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


def _status(program: Program, *arguments: str, stderr: int, unbuffered: str = "") -> int:
    ended = subprocess.run(
        [*program.command, *arguments],
        cwd=program.folder,
        env=program.environment | {"PYTHONUNBUFFERED": unbuffered},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        check=False,
        timeout=LIMIT_S,
    )
    return ended.returncode


@pytest.mark.slow
@pytest.mark.parametrize("lose", [_full_disk, _reader_gone])
@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ("no-such-command", 2),
        ("api", 0),
        ("api --env-file no.env", 78),
        ("config --env-file no.env", 78),
        ("rejects list --kind no-such", 2),
        ("cron show", 0),
        ("cleanup duplicates --apply", 0),
    ],
)
def test_a_command_keeps_its_status(
    program: Program, lose: Callable[[], AbstractContextManager[int]], arguments: str, status: int
) -> None:
    with lose() as stderr:
        assert _status(program, *arguments.split(), stderr=stderr) == status
        assert _status(program, *arguments.split(), stderr=stderr, unbuffered="1") == status


@pytest.mark.slow
def test_one_that_comes_second_keeps_its_status(program: Program) -> None:
    """Such as under cron, where log and messages go to one full disk."""
    with (program.folder / "the.lock").open("w") as lock, _full_disk() as stderr:
        fcntl.flock(lock, fcntl.LOCK_EX)
        program.environment["SYNC_LOCK_FILE"] = str(Path(lock.name))
        for arguments in ("api", "rejects retry", "cleanup duplicates --apply"):
            assert _status(program, *arguments.split(), stderr=stderr) == 75


@pytest.mark.slow
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_stream_that_does_not_wait_for_its_reader_loses_nothing(program: Program, stream: str) -> None:
    """Such as a pipe that another program made so."""
    arguments = ("config", "--json") if stream == "stdout" else ("api", "-v", "--dry-run")
    whole = program.run(*arguments)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while os.write(writer, b"x" * 512):
            """Until it is full."""
    elsewhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | {stream: writer}
    with subprocess.Popen(
        [*program.command, *arguments],
        cwd=program.folder,
        env=program.environment,
        stdin=subprocess.DEVNULL,
        stdout=elsewhere["stdout"],
        stderr=elsewhere["stderr"],
    ) as process:
        os.close(writer)
        time.sleep(0.5)  # whether or not it has come to its first line by then, it must wait at that
        with open(reader, encoding="utf-8") as read:
            lines = read.read().lstrip("x").splitlines()
    assert process.returncode == 0
    assert len(lines) == len(getattr(whole, stream).splitlines())
    assert len(lines[-1]) == len(getattr(whole, stream).splitlines()[-1])
