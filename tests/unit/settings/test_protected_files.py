"""The lock file is emptied and the log file written into: neither may be a file that holds something else."""

from pathlib import Path

import pytest

from syncctl.errors import SettingsError
from syncctl.settings.settings import inspect_settings, load_settings


@pytest.fixture
def cwd(tmp_path: Path) -> Path:
    (tmp_path / ".env").write_text("DATABASE_URL=sqlite:///leads.db\nAPI_TOKEN_FILE=key\n")
    (tmp_path / "key").write_text("s3cret")
    (tmp_path / "leads.db").touch()
    (tmp_path / "link").symlink_to("leads.db")
    (tmp_path / "hard link").hardlink_to(tmp_path / "leads.db")
    return tmp_path


@pytest.mark.parametrize("name", ["SYNC_LOCK_FILE", "SYNC_LOG_FILE"])
@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("leads.db", "DATABASE_URL names the same file"),
        ("./x/../leads.db", "DATABASE_URL names the same file"),
        ("leads.db-wal", "DATABASE_URL names the same file"),
        ("link", "DATABASE_URL names the same file"),
        ("hard link", "DATABASE_URL names the same file"),
        ("key", "API_TOKEN_FILE names the same file"),
        (".env", "it is the settings file {cwd}/.env"),
    ],
)
def test_a_file_that_would_be_destroyed_is_refused(cwd: Path, name: str, file: str, problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ={name: file}, cwd=cwd)
    problem = problem.format(cwd=cwd)
    assert str(caught.value) == f"{name} (from the environment) is wrong: {problem}."
    (shown,) = [setting for setting in inspect_settings(environ={name: file}, cwd=cwd) if setting.problem]
    assert (shown.name, shown.problem) == (name, problem)


def test_lock_and_log_are_two_files(cwd: Path) -> None:
    with pytest.raises(SettingsError, match=r"^SYNC_LOG_FILE .* SYNC_LOCK_FILE names the same file\.$"):
        load_settings(environ={"SYNC_LOCK_FILE": "one", "SYNC_LOG_FILE": "one"}, cwd=cwd)


def test_a_database_in_the_place_of_the_lock_file(cwd: Path) -> None:
    environ = {"DATABASE_URL": "sqlite:///data/syncctl.lock"}
    with pytest.raises(
        SettingsError, match=r"^SYNC_LOCK_FILE \(from default\) .* DATABASE_URL names the same"
    ):
        load_settings(environ=environ, cwd=cwd)


def test_files_of_their_own_are_right(cwd: Path) -> None:
    loaded = load_settings(environ={"SYNC_LOCK_FILE": "a.lock", "SYNC_LOG_FILE": "a.log"}, cwd=cwd)
    assert (loaded.lock_file, loaded.log_file) == (cwd / "a.lock", cwd / "a.log")
    load_settings(environ={"DATABASE_URL": "mongodb://h/n", "SYNC_LOCK_FILE": "leads.db"}, cwd=cwd)


def test_a_device_is_nobodys_own(cwd: Path) -> None:
    load_settings(Path("/dev/null"), environ={"SYNC_LOG_FILE": "/dev/null"}, cwd=cwd)
