"""A run is over at API_RUN_DEADLINE_S, whatever hangs and however, and the next one does what was left."""

import email.utils
import json
import math
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from syncctl.api.client import ApiClientConfig
from syncctl.api.wire import Endpoint
from syncctl.domain.sources import API_STEPS, StepName
from syncctl.domain.steps import StepStatus
from syncctl.errors import ExitCode, StorageUnavailableError
from syncctl.ports.storage import Storage
from syncctl.sandbox import Sandbox
from tests.chaos.deadlines import BUSY_S, GRACE_S, assert_in_time
from tests.chaos.states import assert_nothing_is_missing
from tests.chaos.tally import tally
from tests.support import mongod
from tests.support.failing_storage import WRITES
from tests.support.hanging_hosts import (
    HANDSHAKE_RECORD,
    NoNameserverError,
    host_not_accepting,
    host_without_handshake,
    silent_nameserver,
)
from tests.support.program import Program
from tests.support.scripted_server import Reply, ScriptedServer, reply
from tests.support.store_files import row, write
from tests.support.world import World, few_locations

DEADLINE_S = 0.3
LONGER_DEADLINES_S = (0.05, 2.0)
"""From nearly nothing to what leaves time for several tries and, in each step, for its own grace."""

FOR_EVER_S = 120.0
HOUR_S = 3600
WRITE_S = 0.2
SLOTS = 7
"""Answers that may wait to be stored: one for each lane, and two."""

BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n["


@contextmanager
def looked_up_for_ever() -> Iterator[str]:
    """A name that the system looks up for longer than anybody waits, and nothing can break that off."""
    with replaced_look_up(lambda over, *_: over.wait(FOR_EVER_S)):
        yield "http://api.example"


@contextmanager
def many_unaccepted() -> Iterator[str]:
    """A name of many addresses, none of which takes a connection: each is tried, one after the other."""
    with host_not_accepting() as url:
        host, port = url.removeprefix("http://").split(":")
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, int(port)))] * 60
        with replaced_look_up(lambda *_: found):
            yield "http://api.example"


@contextmanager
def replaced_look_up(look_up: Callable[..., Any]) -> Iterator[None]:
    """The system's look-up of names replaced by this, which is given an event that is set at the end."""
    over = threading.Event()

    def instead(*wanted: Any, **more: Any) -> Any:
        return look_up(over, *wanted)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", instead)
        try:
            yield
        finally:
            over.set()


@contextmanager
def answering(make: Callable[[], Reply]) -> Iterator[str]:
    """A server that answers each request so."""
    with ScriptedServer(lambda _: make()) as server:
        yield server.url


def busy(retry_after: str, status: int = 429) -> AbstractContextManager[str]:
    """A server that wants to be left alone for so long."""
    return answering(lambda: reply(status=status, Retry_After=retry_after))


def busy_for_an_hour(status: int = 429) -> AbstractContextManager[str]:
    """The same, as an HTTP date."""
    return busy(email.utils.formatdate(time.time() + HOUR_S, usegmt=True), status)


def body_byte_by_byte() -> Iterator[bytes]:
    yield BODY
    while True:
        yield b" "


HANGS: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "look-up": looked_up_for_ever,
    "connect": host_not_accepting,
    "connect to one address after the other": many_unaccepted,
    "TLS, silent": host_without_handshake,
    "TLS, byte by byte": lambda: host_without_handshake(HANDSHAKE_RECORD, b"\0"),
    "no answer": lambda: answering(lambda: Reply([], wait_s=FOR_EVER_S)),
    "no body": lambda: answering(lambda: Reply([BODY], pause_s=FOR_EVER_S)),
    "body, byte by byte": lambda: answering(lambda: Reply(body_byte_by_byte(), pause_s=0.02)),
    "429, seconds": lambda: busy(str(HOUR_S)),
    "429, more seconds than there are": lambda: busy("9" * 5000),
    "429, date": busy_for_an_hour,
    "429, a second": lambda: busy("1"),
    "503, seconds": lambda: busy(str(HOUR_S), 503),
    "503, date": lambda: busy_for_an_hour(503),
    "500": lambda: answering(lambda: reply(status=500)),
}
"""What a run can be kept waiting by -> a context that gives the address of an API which does so."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(locations=3, bookings=16) as sandbox:
        yield sandbox


@pytest.fixture
def world(tmp_path: Path, sandbox: Sandbox) -> Iterator[World]:
    world = World(sandbox, f"sqlite:///{tmp_path / 'syncctl.db'}", few_locations(sandbox))
    yield world
    world.close()


def ended_by_its_deadline_only(url: str) -> ApiClientConfig:
    """The program's own times and tries, which a hanging API would take for many minutes, but for the pause
    between calls."""
    endpoint = Endpoint(url, "a-key", "API_TOKEN")
    client = ApiClientConfig(dict.fromkeys(API_STEPS, endpoint), call_delay_s=0.0)
    assert (client.timeout_s, client.max_tries) == (30.0, 6)
    return client


@pytest.mark.parametrize("what", HANGS)
def test_whatever_hangs(world: World, what: str, rounds: int) -> None:
    healthy = world.config
    for deadline_s in (DEADLINE_S, *(LONGER_DEADLINES_S if rounds > 1 else ())):
        with HANGS[what]() as url:
            world.config = ended_by_its_deadline_only(url)
            result = world.run(deadline_s=deadline_s)
        tally.add("faulted cycles")
        assert [step.status for step in result.steps] == [StepStatus.FAILED] * 3
        assert_in_time(result, deadline_s)
    assert world.app.leads() == []
    world.config = healthy
    assert world.run().ok
    assert_nothing_is_missing(world)


def with_endpoint(config: ApiClientConfig, step: StepName, url: str) -> ApiClientConfig:
    """The same, but one step's API is at this address."""
    return config._replace(endpoints={**config.endpoints, step: Endpoint(url, None, "API_TOKEN")})


def test_one_api_that_hangs_has_no_more_than_its_share(world: World, rounds: int) -> None:
    """The others have the rest of the time, and all that is theirs is stored."""
    deadline_s = 6.0
    healthy = world.config
    for step in API_STEPS if rounds > 1 else API_STEPS[:1]:
        with host_not_accepting() as url:
            world.config = with_endpoint(healthy._replace(timeout_s=30.0), step, url)
            result = world.run(deadline_s=deadline_s)
        tally.add("faulted cycles")
        assert_in_time(result, deadline_s)
        assert {told.name for told in result.steps if told.status is not StepStatus.SUCCESS} == {step}
        world.config = healthy
        assert world.run().ok
        assert_nothing_is_missing(world)


class Slow:
    """Passes everything on, but takes its time to store leads."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def __getattr__(self, name: str) -> Any:
        if name == "store_leads":
            time.sleep(WRITE_S)
        return getattr(self._storage, name)


def test_a_database_that_is_slow(tmp_path: Path) -> None:
    """What has come by then is stored, and no more is fetched."""
    with Sandbox(bookings=8) as sandbox:
        world = World(sandbox, f"sqlite:///{tmp_path / 'syncctl.db'}", few_locations(sandbox))

        def slow(storage: Storage) -> Any:
            return Slow(storage)

        try:
            result = world.run(wrap=slow, deadline_s=DEADLINE_S)
            tally.add("faulted cycles")
            assert not result.ok
            assert_in_time(result, DEADLINE_S, storing_s=(SLOTS + 1) * WRITE_S)
            assert all(step.counts.balanced for step in result.steps)
            assert world.run().ok
            assert_nothing_is_missing(world)
        finally:
            world.close()


@contextmanager
def locked_sqlite(folder: Path) -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
    """A SQLite file, what another process does to hold its lock, and what it does to let go of it."""
    file = folder / "held.db"
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        yield (
            f"sqlite:///{file}",
            lambda: other.execute("BEGIN IMMEDIATE"),
            lambda: other.execute("ROLLBACK"),
        )


@contextmanager
def frozen_mongod(_: Path) -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
    """A server of one's own, and what lets it hang and go on."""
    try:
        with mongod.own_mongod() as server:
            yield mongod.with_database(server.uri, "held"), server.freeze, server.thaw
    except mongod.NoMongodError as error:
        pytest.skip(f"no MongoDB: {error}")


@contextmanager
def frozen_replica_set(_: Path) -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
    """The same of a replica set, which hangs in the midst of transactions."""
    try:
        with mongod.replica_set(1) as replicas:
            server = replicas.primary()
            yield mongod.with_database(replicas.uri, "held"), server.freeze, server.thaw
    except mongod.NoMongodError as error:
        pytest.skip(f"no MongoDB: {error}")


HELD = [
    locked_sqlite,
    pytest.param(frozen_mongod, marks=pytest.mark.mongo),
    pytest.param(frozen_replica_set, marks=pytest.mark.mongo),
]


class HeldAt:
    """Passes everything on, but calls `hold` before the `at`-th write."""

    def __init__(self, storage: Storage, at: int, hold: Callable[[], object]) -> None:
        self._storage = storage
        self._left = at
        self._hold = hold

    def __getattr__(self, name: str) -> Any:
        if name in WRITES:
            self._left -= 1
            if self._left == 0:
                self._hold()
        return getattr(self._storage, name)


@pytest.mark.parametrize("held", HELD)
def test_a_database_that_hangs_in_mid_run(
    held: Callable[[Path], Any], sandbox: Sandbox, tmp_path: Path, rounds: int
) -> None:
    """By itself it is waited for 15 seconds, SQLite's lock 30."""
    with held(tmp_path) as (url, hold, let_go), closing(World(sandbox, url, few_locations(sandbox))) as world:
        for at in (3, 1, 2, 4, 5, 6, 7) if rounds > 1 else (3,):
            begun = time.monotonic()
            try:
                with pytest.raises(StorageUnavailableError):
                    world.run(wrap=partial(cast(Any, HeldAt), at=at, hold=hold), deadline_s=DEADLINE_S)
                took_s = time.monotonic() - begun
            finally:
                let_go()
            tally.add("database troubles")
            assert took_s <= DEADLINE_S + GRACE_S + BUSY_S
        assert world.run().ok
        assert_nothing_is_missing(world)


@pytest.mark.parametrize("held", HELD)
def test_a_database_that_hangs_at_the_start(
    held: Callable[[Path], Any], sandbox: Sandbox, tmp_path: Path
) -> None:
    with held(tmp_path) as (url, hold, let_go):
        program = Program(tmp_path, API_BASE_URL=sandbox.base_url, DATABASE_URL=url)
        begun = time.monotonic()
        assert program.run("stores").status == 0
        healthy_s = time.monotonic() - begun
        hold()
        try:
            begun = time.monotonic()
            ended = program.run("api", API_RUN_DEADLINE_S="1")
            took_s = time.monotonic() - begun
        finally:
            let_go()
        tally.add("database troubles")
        assert ended.status == ExitCode.UNAVAILABLE, ended.output
        assert took_s <= healthy_s + 1 + GRACE_S + BUSY_S
        assert program.run("api").status == 0


def test_an_import_after_the_deadline_has_all_its_time(world: World, tmp_path: Path) -> None:
    """`syncctl all` does both in one run; a large file may take longer than the API's part may."""
    file = tmp_path / "walkin_sg_calicut.csv"
    write(file, row())
    given: list[float] = []

    def noted(storage: Storage) -> Any:
        set_deadline = storage.set_deadline

        def note(deadline: float) -> None:
            given.append(deadline)
            set_deadline(deadline)

        storage.set_deadline = note  # type: ignore[method-assign]
        return storage

    world.run(wrap=noted, deadline_s=5.0)
    assert given[0] - time.monotonic() < 5.0
    assert world.import_files(StepName.WALKIN, file, wrap=noted).ok
    assert given[1:] == [math.inf]


class Prefixed(Program):
    """The program, started by another one."""

    prefix: tuple[str, ...] = ()

    @property
    def command(self) -> list[str]:
        return [*self.prefix, *super().command]


def test_the_program_does_not_wait_for_a_look_up(tmp_path: Path, sandbox: Sandbox, rounds: int) -> None:
    """A real one, which goes on in its thread when all else is over."""
    deadline_s = 0.5
    program = Prefixed(tmp_path, API_BASE_URL="http://api.example", API_RUN_DEADLINE_S=deadline_s)
    begun = time.monotonic()
    assert program.run("api", API_BASE_URL=sandbox.base_url, API_RUN_DEADLINE_S="60").status == 0
    healthy_s = time.monotonic() - begun
    commands = [["api"], ["booking"], ["all"], ["verify", "source"]]
    try:
        with silent_nameserver(tmp_path) as prefix:
            program.prefix = tuple(prefix)
            for command in commands if rounds > 1 else commands[:1]:
                begun = time.monotonic()
                ended = program.run(*command, "--json")
                took_s = time.monotonic() - begun
                tally.add("faulted cycles")
                assert ended.status == 1, ended.output
                assert json.loads(ended.stdout)["ok"] is False
                assert "no answer" in ended.output
                assert took_s <= healthy_s + deadline_s + GRACE_S + BUSY_S
    except NoNameserverError as error:
        pytest.skip(f"no nameserver of the test's own: {error}")
