"""Each command that writes customers' data or a secret writes it for one user, and over nothing of ours."""

import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from syncctl.demo.demo import run_demo
from syncctl.errors import UsageError
from syncctl.ports.listener import Listener
from syncctl.sandbox import Sandbox
from syncctl.settings.settings import Settings
from tests.support.crontab import FakeCrontab
from tests.support.program import Program

pytestmark = pytest.mark.attack("own files")


@pytest.fixture
def program(tmp_path: Path, sandbox: Sandbox) -> Program:
    program = Program(tmp_path / "place", API_BASE_URL=sandbox.base_url, API_TOKEN_FILE="key")
    program.environment["PATH"] = FakeCrontab(tmp_path / "bin").path
    (program.folder / "key").write_text("s3cret-key")
    (program.folder / "key").chmod(0o600)
    return program


@pytest.fixture(autouse=True)
def careless_umask(tmp_path: Path) -> Iterator[None]:
    """What the program makes would be for everybody, and so is the folder that it runs in."""
    before = os.umask(0)
    (tmp_path / "place").mkdir()
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if stat.S_IMODE(path.stat().st_mode) & 0o077
    ]


def test_whatever_is_made_is_private(program: Program) -> None:
    ours = open_to_others(program.folder)
    assert program.run("cron", "install").status == 0
    assert program.run("api", SYNC_LOG_FILE="data/logs/deep/x.log").status == 0
    assert program.run("rejects", "export", "bad.csv").status == 0
    assert open_to_others(program.folder) == ours
    assert stat.S_IMODE((program.folder / "data" / "cron.log").stat().st_mode) == 0o600


@pytest.mark.slow
@pytest.mark.attack("own files", counted=False)
@pytest.mark.parametrize("name", ["data/syncctl.db", ".env", ".env.local", "key", "data/backups/x.jsonl"])
def test_an_export_replaces_no_file_of_ours(program: Program, name: str) -> None:
    program.run("cron", "install")
    (program.folder / "data" / "backups").mkdir()
    (program.folder / "data" / "syncctl.db").touch()
    file = program.folder / name
    if not file.exists():
        file.write_text("API_TIMEOUT_S=5\n")
    before = file.read_bytes()
    ended = program.run("rejects", "export", "--force", f"data/../{name}")
    assert ended.status == 2
    assert "can't be written" in ended.stderr
    assert file.read_bytes() == before


@pytest.mark.attack("own files", counted=False)
@pytest.mark.parametrize("link", [False, True])
def test_a_lock_file_with_something_else_in_it_is_left_alone(program: Program, link: bool) -> None:
    notes = program.folder / "notes.txt"
    notes.write_text("what a person wrote")
    if link:
        (program.folder / "lock").symlink_to(notes)
    name = "lock" if link else "notes.txt"
    ended = program.run("api", SYNC_LOCK_FILE=name)
    assert ended.status == 78
    assert "SYNC_LOCK_FILE" in ended.stderr
    assert notes.read_text() == "what a person wrote"
    assert "FAILED\tLock" in program.run("doctor", SYNC_LOCK_FILE=name).stdout


HOLDS_DATA = {
    "data": "Data folder",
    "data/syncctl.db": "Database file",
    "data/sync.log": "Log file",
    "data/sync.log.1": "Old log file",
    "data/cron.log": "Output of cron",
    "data/backups": "Backups",
    "key": "API_TOKEN_FILE",
    ".env.local": ".env.local",
}


@pytest.mark.slow
def test_doctor_fails_on_what_others_can_read(program: Program) -> None:
    (program.folder / ".env.local").write_text("STORE_API_KEY=s3cret\nSYNC_LOG_FILE=data/sync.log\n")
    (program.folder / ".env.local").chmod(0o600)
    program.run("cron", "install")
    program.run("api")
    (program.folder / "data" / "backups").mkdir(mode=0o700)
    (program.folder / "data" / "sync.log.1").touch(mode=0o600)
    assert exposed(program) == []
    for name in HOLDS_DATA:
        path = program.folder / name
        path.chmod(path.stat().st_mode | (0o050 if path.is_dir() else 0o004))
    found = exposed(program)
    # What SQLite makes beside the database has the database's rights.
    lines = {line.split(":")[0].removeprefix("FAILED\t") for line in found} - {"Beside the database"}
    assert lines == set(HOLDS_DATA.values())
    for name in HOLDS_DATA:
        path = program.folder / name
        cure = f"chmod {'700' if path.is_dir() else '600'} {path}"
        assert sum(line.endswith(cure) for line in found) == 1, name
        path.chmod(path.stat().st_mode & 0o700)
    for path in (program.folder / "data").iterdir():
        path.chmod(path.stat().st_mode & 0o700)
    assert exposed(program) == []


def exposed(program: Program) -> list[str]:
    """What `doctor` says is wrong; that the machine of the tests may have no cron does not count."""
    lines = program.run("doctor").stdout.splitlines()
    return [line for line in lines if line.startswith("FAILED") and not line.startswith("FAILED\tScheduler")]


def _nobody(_settings: Settings) -> AbstractContextManager[Listener]:
    raise AssertionError


def test_the_demos_folder_and_settings_are_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("syncctl.demo.demo.Sandbox", stop)
    with pytest.raises(KeyboardInterrupt):
        run_demo(tmp_path / "new" / "demo", _nobody, lambda _line: None)
    assert open_to_others(tmp_path / "new") == []
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert (tmp_path / "new" / "demo" / ".env").is_file()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / ".env").symlink_to("nowhere")
    with pytest.raises(UsageError):
        run_demo(tmp_path / "linked", _nobody, lambda _line: None)
