"""Answers meant to exhaust a client or lead it astray: memory and time stay bounded, the key stays home."""

import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncctl.api.wire import Endpoint
from syncctl.domain.run_results import RunResult
from syncctl.domain.sources import API_STEPS
from syncctl.locations import load_locations
from syncctl.sandbox import Fault, Sandbox
from tests.chaos.deadlines import assert_in_time
from tests.chaos.tally import tally
from tests.support.program import Program
from tests.support.scripted_server import Reply, ScriptedServer, reply, rows_reply
from tests.support.world import World

MEGABYTE = 1 << 20
MEMORY_OF_PROGRAM = 150 * MEGABYTE
MEMORY_OF_LANE = 100 * MEGABYTE
"""The largest answer that is taken has 64 MiB."""

DEADLINE_S = 0.4
REDIRECTS = (301, 302, 303, 307, 308)
"""Of these 307 and 308 keep a POST what it is: whoever follows them sends the key along with the question."""

KEY = "hush-hush-key"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(locations=5, bookings=8, token=KEY) as sandbox:
        yield sandbox


@pytest.fixture
def program(tmp_path: Path, sandbox: Sandbox) -> Program:
    return Program(
        tmp_path,
        API_BASE_URL=sandbox.base_url,
        API_TOKEN=KEY,
        API_MAX_TRIES=2,
        API_RUN_DEADLINE_S=15,
        API_TIMEOUT_S=10,
    )


MEASURED = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, ended, used = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(ended)
print(process.returncode, used.ru_maxrss)
"""
"""Starts a command and prints its exit status and peak: a small process of its own, because a child's peak
starts at what its parent holds when it forks, and a test worker holds hundreds of megabytes."""


def status_and_peak(program: Program, *arguments: str) -> tuple[int, int]:
    """The exit status of a command, and the most memory that it ever had, in bytes."""
    measured = subprocess.run(
        [sys.executable, "-c", MEASURED, *program.command, *arguments],
        cwd=program.folder,
        env=program.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    status, peak = map(int, measured.stdout.split())
    return status, peak * 1024  # Linux counts it in KiB (getrusage(2))


@pytest.mark.attack("answers")
@pytest.mark.parametrize("kind", ["huge", "gzip-bomb"])
def test_memory_is_bounded(program: Program, sandbox: Sandbox, kind: str, rounds: int) -> None:
    locations = sandbox.locations[: 2 if rounds == 1 else None]
    sandbox.set_faults(Fault(kind, api="booking"))
    tally.add("wire attacks", len(locations))
    chosen = [argument for location in locations for argument in ("--location", location)]
    status, peak = status_and_peak(program, "booking", *chosen)
    assert status == 1
    assert peak < MEMORY_OF_PROGRAM + len(locations) * MEMORY_OF_LANE
    sandbox.set_faults()
    assert program.run("booking", *chosen).status == 0


@pytest.mark.attack("server", counted=False)
def test_a_redirect_to_another_host_gets_neither_key_nor_visit(program: Program, sandbox: Sandbox) -> None:
    with ScriptedServer(rows_reply()) as other:
        sandbox.set_faults(Fault("redirect", target=f"{other.url}/api"))
        ended = program.run("api", "-v")
        tally.add("wire attacks")
        assert ended.status == 1
        assert other.received == []
    assert f"redirects (302) to {other.host}: check API_BASE_URL" in ended.output
    assert KEY not in ended.output


@pytest.mark.attack("server")
@pytest.mark.parametrize("status", REDIRECTS)
def test_no_redirect_is_followed(world: World, status: int) -> None:
    with (
        ScriptedServer(rows_reply()) as other,
        ScriptedServer(reply(status=status, Location=f"{other.url}/api")) as server,
    ):
        result = assert_failed_in_time(world, server, deadline_s=10.0)  # all are asked, however busy it is
        assert other.received == []
        assert len(server.received) == 5  # the stores, and each report of each location: once
    assert all(f"redirects ({status}) to {other.host}" in str(step.error) for step in result.steps)


@pytest.mark.attack("server")
def test_tls_where_there_is_none(program: Program, sandbox: Sandbox) -> None:
    https = sandbox.base_url.replace("http://", "https://")
    assert_fails(program, https, "a TLS connection to 127.0.0.1")


@pytest.mark.attack("server")
def test_a_certificate_that_nobody_vouches_for(program: Program, tmp_path: Path) -> None:
    with ScriptedServer(rows_reply(), tls_files=tmp_path) as server:
        assert_fails(program, server.url, "certificate")
        assert server.received == []


def test_a_name_that_does_not_exist(program: Program) -> None:
    assert_fails(program, "http://host.invalid", "host.invalid could not be resolved")


def assert_fails(program: Program, address: str, reason: str) -> None:
    tally.add("wire attacks")
    ended = program.run("stores", API_BASE_URL=address, API_RUN_DEADLINE_S="3")
    assert ended.status == 1
    assert reason in ended.output
    assert KEY not in ended.output


def head(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in ("HTTP/1.1 200 OK", *lines)).encode()


def forever(piece: bytes) -> Iterator[bytes]:
    while True:
        yield piece


EMPTY_GZIP = bytes.fromhex("1f8b08000000000000ff03000000000000000000")

# Each is made anew for every request, as an iterator is used up.
ENDLESS: dict[str, Callable[[], Reply]] = {
    "headers": lambda: Reply(forever(b"X-More: of the same\r\n"), pause_s=0.001),
    "one header": lambda: Reply(chain(head("X-Long: "), b"x" * 1000)),
    "a header, byte by byte": lambda: Reply(chain(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"), pause_s=0.02),
    "hundreds": lambda: Reply(forever(b"HTTP/1.1 100 Continue\r\n\r\n"), pause_s=0.001),
    "a body": lambda: Reply(chain(head() + b"\r\n[", b" " * 1000), pause_s=0.001),
    "a body, byte by byte": lambda: Reply(
        chain(head("Content-Length: 100000") + b"\r\n[", b" "), pause_s=0.02
    ),
    "a chunk's length": lambda: Reply(
        chain(head("Transfer-Encoding: chunked") + b"\r\n", b"0"), pause_s=0.001
    ),
    "empty gzip members": lambda: Reply(
        chain(head("Content-Encoding: gzip") + b"\r\n", EMPTY_GZIP), pause_s=0.001
    ),
    "nothing at all": lambda: Reply([], wait_s=600.0),
}

BROKEN: dict[str, Reply] = {
    "no HTTP": Reply([b"220 mail.example ESMTP\r\n"], then="close"),
    "a negative length": Reply([head("Content-Length: -5") + b"\r\n[{"], then="close"),
    "a length of letters": Reply([head("Content-Length: many") + b"\r\n[{"], then="close"),
    "two lengths": Reply([head("Content-Length: 2", "Content-Length: 7") + b"\r\n[]"], then="close"),
    "a chunk of letters": Reply([head("Transfer-Encoding: chunked") + b"\r\nzz\r\n[]"], then="close"),
    "a gzip that is none": reply(b"[]", Content_Encoding="gzip"),
    "status 999": reply(b"[]", status=999),
    "status 0": Reply([b"HTTP/1.1 0 Nothing\r\n\r\n"], then="close"),
    "headers without a colon": Reply([head("nonsense", "more nonsense") + b"\r\n"], then="reset"),
    "a NUL in a header": Reply([head("X: \0\0") + b"\r\n"], then="close"),
    "JSON nested too deep": reply(b"[" * 100_000),
    "a number of a million digits": reply(b"[" + b"9" * 1_000_000 + b"]"),
    "bytes that are not text": reply(b"\xff\xfe\xfa" * 100),
    "a lone surrogate": reply(b'{"errorDescription": "\\ud800", "status": false}'),
}


def chain(start: bytes, more: bytes) -> Iterator[bytes]:
    yield start
    yield from forever(more)


@pytest.fixture
def world(tmp_path: Path, sandbox: Sandbox) -> Iterator[World]:
    world = World(sandbox, f"sqlite:///{tmp_path / 'syncctl.db'}", load_locations())
    # An answer may take longer than the run: what never ends is broken off by the run's deadline alone.
    world.config = world.config._replace(max_answer_bytes=MEGABYTE, timeout_s=30.0)
    yield world
    world.close()


@pytest.mark.attack("answers")
@pytest.mark.parametrize("what", ENDLESS)
def test_what_never_ends_is_broken_off(world: World, what: str) -> None:
    with ScriptedServer(lambda _: ENDLESS[what]()) as server:
        assert_failed_in_time(world, server)


@pytest.mark.attack("server")
@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_fails_its_location(world: World, what: str) -> None:
    gc.collect()  # what other tests have left: too deep in the JSON its finalizers have no room
    with ScriptedServer(BROKEN[what]) as server:
        assert_failed_in_time(world, server)


def assert_failed_in_time(world: World, server: ScriptedServer, deadline_s: float = DEADLINE_S) -> RunResult:
    tally.add("wire attacks")
    endpoint = Endpoint(server.url, KEY, "API_TOKEN")
    world.config = world.config._replace(endpoints=dict.fromkeys(API_STEPS, endpoint))
    result = world.run(deadline_s=deadline_s, locations=("7", "1"))
    assert not result.ok
    assert_in_time(result, deadline_s)
    assert all(step.error and KEY not in step.error for step in result.steps)
    assert world.app.leads() == []
    return result
