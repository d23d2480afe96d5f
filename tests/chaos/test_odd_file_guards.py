"""Pipes, sockets, devices and folders where a file is expected: an error at once, before the lock."""

import math
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from syncctl.api.transport import Transport
from syncctl.api.wire import Call, Endpoint
from syncctl.errors import ExitCode, FinalApiError, SettingsError
from syncctl.filesystem.ordinary_files import read_named
from syncctl.machine.probes import api_clock
from syncctl.settings.settings import load_settings
from syncctl.settings.sources import read_sources
from syncctl.settings.urls import database_url
from tests.support.program import Program

pytestmark = pytest.mark.attack("odd files")


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as make_listener:
        here = os.getcwd()
        os.chdir(path.parent)  # an address has 107 bytes at most
        try:
            make_listener.bind(path.name)
        finally:
            os.chdir(here)


def _link_to_a_pipe(path: Path) -> None:
    os.mkfifo(f"{path}.pipe")
    path.symlink_to(f"{path}.pipe")


ODD: dict[str, Callable[[Path], None]] = {
    "pipe": os.mkfifo,
    "socket": _socket,
    "folder": Path.mkdir,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "link to a pipe": _link_to_a_pipe,
}
SAID = {
    "pipe": "a named pipe",
    "socket": "a socket",
    "folder": "Is a directory",
    "device": "a device",
    "link to a pipe": "a named pipe",
}


@pytest.fixture(params=ODD)
def odd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Something that is no file, and what is to be said of it."""
    path = tmp_path / "odd"
    ODD[request.param](path)
    yield path, SAID[request.param]
    with suppress(OSError):
        path.unlink()


@pytest.fixture
def program(tmp_path: Path) -> Program:
    folder = tmp_path / "run"
    folder.mkdir()
    return Program(folder, API_BASE_URL="http://127.0.0.1:1", API_MAX_TRIES=1)


def assert_refused(program: Program, status: ExitCode, *arguments: str, **environment: str) -> str:
    before = sorted(program.folder.rglob("*"))
    ended = program.run(*arguments, **environment)
    assert ended.status == status, ended.output
    assert 1 <= len(ended.stderr.splitlines()) <= 2
    assert sorted(program.folder.rglob("*")) == before
    return ended.stderr


def test_as_key_file(odd: tuple[Path, str], tmp_path: Path) -> None:
    for name in ("API_TOKEN_FILE", "STORE_API_KEY_FILE"):
        with pytest.raises(SettingsError, match=odd[1]) as caught:
            load_settings(None, {name: str(odd[0])}, tmp_path)
        assert name in str(caught.value)


@pytest.mark.parametrize("kind", [kind for kind in ODD if kind != "device"])
def test_as_settings_file(kind: str, tmp_path: Path) -> None:
    """A device is left out: /dev/zero by name is too long, and /dev/null says nothing."""
    ODD[kind](tmp_path / "odd")
    with pytest.raises(SettingsError, match=SAID[kind]):
        read_sources(tmp_path / "odd", {}, tmp_path)


@pytest.mark.parametrize("kind", [kind for kind in ODD if kind != "folder"])
def test_as_a_settings_file_that_is_found(kind: str, tmp_path: Path) -> None:
    ODD[kind](tmp_path / ".env")
    with pytest.raises(SettingsError, match=f"it is {SAID[kind]}, not a regular file"):
        read_sources(environ={}, cwd=tmp_path)


def test_as_a_file_of_the_database_address(odd: tuple[Path, str], tmp_path: Path) -> None:
    for name in ("tlsCAFile", "tlsCertificateKeyFile", "tlsCRLFile"):
        with pytest.raises(SettingsError, match=f"{name} doesn't name a regular file"):
            database_url(f"mongodb://h/leads?{name}={odd[0]}", tmp_path)


@pytest.mark.attack("odd files", counted=False)
def test_as_key_file_of_a_run(program: Program, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "key")
    said = assert_refused(program, ExitCode.CONFIG, "api", API_TOKEN_FILE=str(tmp_path / "key"))
    assert "API_TOKEN_FILE" in said
    assert "a named pipe, not a regular file" in said


@pytest.mark.attack("odd files", counted=False)
def test_as_settings_file_of_a_run(program: Program, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.env")
    said = assert_refused(program, ExitCode.CONFIG, "api", "--env-file", str(tmp_path / "pipe.env"))
    assert "pipe.env can't be read: it is a named pipe" in said


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder"])
def test_as_log_file_of_a_run(program: Program, tmp_path: Path, kind: str) -> None:
    ODD[kind](tmp_path / "odd")
    said = assert_refused(program, ExitCode.CONFIG, "api", SYNC_LOG_FILE=str(tmp_path / "odd"))
    assert SAID[kind] in said
    assert "SYNC_LOG_FILE" in said


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder"])
def test_as_lock_file_of_a_run(program: Program, tmp_path: Path, kind: str) -> None:
    ODD[kind](tmp_path / "odd")
    said = assert_refused(program, ExitCode.CONFIG, "api", SYNC_LOCK_FILE=str(tmp_path / "odd"))
    assert "SYNC_LOCK_FILE" in said


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_as_import_file(program: Program, tmp_path: Path, kind: str) -> None:
    ODD[kind](tmp_path / "walkin.csv")
    ended = program.run("import", "walkin", str(tmp_path / "walkin.csv"))
    assert ended.status == ExitCode.DATA
    assert "isn't a regular file" in ended.output


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder"])
def test_as_backup(program: Program, tmp_path: Path, kind: str) -> None:
    ODD[kind](tmp_path / "odd")
    ended = program.run("cleanup", "restore", str(tmp_path / "odd"))
    assert ended.status == ExitCode.DATA
    assert SAID[kind] in ended.output


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder"])
def test_as_database_file(program: Program, tmp_path: Path, kind: str) -> None:
    ODD[kind](tmp_path / "odd")
    for command in ("api", "status"):
        ended = program.run(command, DATABASE_URL=f"sqlite:///{tmp_path}/odd")
        assert ended.status == (ExitCode.UNAVAILABLE if command == "api" else ExitCode.FAILED)
        assert f"can't be opened: {SAID[kind] if kind == 'folder' else 'it is ' + SAID[kind]}" in ended.output


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_as_file_of_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    os.mkfifo(tmp_path / "odd")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv(name, str(tmp_path / "odd"))
    transport = Transport(5.0)
    with (
        closing(transport),
        pytest.raises(FinalApiError, match=f"variable {name} doesn't name a regular file"),
    ):
        transport.fetch(Call(Endpoint("https://127.0.0.1:1/", None, "API_TOKEN"), "GET", {}), math.inf)
    assert api_clock("https://127.0.0.1:1/") is None


def test_a_shells_substitution_that_never_ends(tmp_path: Path) -> None:
    readable, writable = os.pipe()
    try:
        os.write(writable, b"API_TOKEN=x\n")
        with pytest.raises(TimeoutError, match="reading it took too long"):
            read_named(f"/dev/fd/{readable}", 1000, timeout_s=0.01)
        os.close(writable)
        assert read_named(f"/dev/fd/{readable}", 1000, timeout_s=0.01) == b""
    finally:
        os.close(readable)


@pytest.mark.attack("odd files", counted=False)
@pytest.mark.parametrize("log", ["/dev/null", "/dev/stderr"])
def test_a_log_that_goes_to_a_stream_is_no_odd_one(program: Program, log: str) -> None:
    ended = program.run("stores", SYNC_LOG_FILE=log)
    assert ended.status == ExitCode.FAILED, ended.output
    assert "can't be written" not in ended.output
