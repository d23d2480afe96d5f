"""Which settings files are found, in which order they count, and what is said of bad ones."""

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncctl.errors import SettingsError
from syncctl.settings.sources import Found, Sources, read_sources
from syncctl.wiring.doctor import diagnose


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_environment_then_local_then_shared(tmp_path: Path) -> None:
    shared = write(tmp_path / ".env", "A=shared\nB=shared\nC=shared\n")
    local = write(tmp_path / ".env.local", "A=local\nB=local\n")
    sources = read_sources(environ={"A": "environ"}, cwd=tmp_path)
    assert sources.find(["A"]) == Found("A", "environ", "environment")
    assert sources.find(["B"]) == Found("B", "local", str(local))
    assert sources.find(["C"]) == Found("C", "shared", str(shared))
    assert sources.find(["D"]) is None


def test_of_several_names_the_source_counts_before_the_name(tmp_path: Path) -> None:
    write(tmp_path / ".env", "NEW=1\nOLD=2\n")
    sources = read_sources(environ={}, cwd=tmp_path)
    assert sources.find(["NEW", "OLD"]) == Found("NEW", "1", str(tmp_path / ".env"))
    sources = read_sources(environ={"OLD": "3"}, cwd=tmp_path)
    assert sources.find(["NEW", "OLD"]) == Found("OLD", "3", "environment")


def test_a_blank_value_is_not_set(tmp_path: Path) -> None:
    write(tmp_path / ".env", "A=file\nB=\nC\nD='  '\n")
    sources = read_sources(environ={"A": " \t"}, cwd=tmp_path)
    assert sources.find(["A"]) == Found("A", "file", str(tmp_path / ".env"))
    assert [sources.find([name]) for name in "BCD"] == [None, None, None]


@pytest.mark.parametrize("name", [".env", ".env.local"])
def test_the_nearest_folder_upwards_that_has_either(tmp_path: Path, name: str) -> None:
    write(tmp_path / ".env", "A=far\nB=far\n")
    write(tmp_path / "project" / name, "A=near\n")
    cwd = tmp_path / "project" / "deep" / "down"
    cwd.mkdir(parents=True)
    sources = read_sources(environ={}, cwd=cwd)
    assert sources.folder == tmp_path / "project"
    assert sources.find(["A"]) == Found("A", "near", str(tmp_path / "project" / name))
    assert sources.find(["B"]) is None


def test_without_files_paths_are_relative_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("A", "1")
    sources = read_sources()
    assert sources.folder == tmp_path
    assert sources.find(["A"]) == Found("A", "1", "environment")


def test_a_virtual_environment_called_env_is_no_settings_file(tmp_path: Path) -> None:
    write(tmp_path / ".env", "A=1\n")
    (tmp_path / "project" / ".env").mkdir(parents=True)
    assert read_sources(environ={}, cwd=tmp_path / "project").folder == tmp_path


def test_a_named_file_and_the_local_one_beside_it(tmp_path: Path) -> None:
    write(tmp_path / "here" / ".env", "A=ignored\n")
    named = write(tmp_path / "there" / "production.env", "A=named\nB=named\n")
    local = write(tmp_path / "there" / ".env.local", "B=local\n")
    write(tmp_path / "there" / ".env", "C=ignored\n")
    for env_file in (named, Path("../there/production.env")):
        sources = read_sources(env_file, {}, tmp_path / "here")
        assert [values for _, values in sources.sources] == [{}, {"B": "local"}, {"A": "named", "B": "named"}]
        assert sources.folder.resolve() == tmp_path / "there"
    assert read_sources(local, {}, tmp_path).sources[1:] == ((str(local), {"B": "local"}),)


def test_a_named_pipe_has_no_folder_of_its_own(tmp_path: Path) -> None:
    readable, writable = os.pipe()
    with open(readable), open(writable, "w") as pipe:
        pipe.write("A=1\n")
        pipe.close()
        sources = read_sources(Path(f"/dev/fd/{readable}"), {}, tmp_path)
    assert sources.find(["A"]) == Found("A", "1", f"/dev/fd/{readable}")
    assert sources.folder == tmp_path


def test_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / "x.env", "A=1\n")
    assert read_sources(Path("~/x.env"), {}, tmp_path / "elsewhere").find(["A"]) is not None


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=pa$$word${HOME}", "pa$$word${HOME}"),
        ('A="*/5 * * * *"  # every five minutes', "*/5 * * * *"),
        ("A=*/5 * * * *", "*/5 * * * *"),
        ("export A='x#y'", "x#y"),
        ("A=1\r\nA=2\r\n", "2"),
        ("\ufeffA=1", "1"),
    ],
)
def test_how_values_are_written(tmp_path: Path, line: str, value: str) -> None:
    (tmp_path / ".env").write_bytes(line.encode())
    found = read_sources(environ={}, cwd=tmp_path).find(["A"])
    assert found is not None
    assert found.text == value


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('A=1\n\n# note\n  \nB="open\nC=2\n', 5),
        ("B='x' y\n", 1),
        ("\r\nA=1\r\n=x\r\n", 3),
        ("API_TOKEN s3cret\n", 1),
    ],
)
def test_a_line_that_can_not_be_understood_is_named_and_not_shown(
    tmp_path: Path, text: str, line: int
) -> None:
    (tmp_path / ".env").write_bytes(text.encode())
    with pytest.raises(SettingsError, match=f"{tmp_path}/.env can't be understood at line {line}:") as caught:
        read_sources(environ={}, cwd=tmp_path)
    assert "s3cret" not in str(caught.value)
    assert caught.value.hint == f"Fix line {line} of .env."
    settings = diagnose(None, tmp_path / ".env").checks[1]
    assert (settings.name, settings.hint) == (
        "Settings",
        f"Fix line {line} of .env. Then run `syncctl doctor` again.",
    )


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"A=\xe9")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / ".env.local").symlink_to("nowhere")
    with pytest.raises(SettingsError, match="missing can't be read: No such file"):
        read_sources(tmp_path / "missing", {}, tmp_path)
    with pytest.raises(SettingsError, match="can't be read: Is a directory"):
        read_sources(tmp_path, {}, tmp_path)
    with pytest.raises(SettingsError, match="not UTF-8"):
        read_sources(tmp_path / "latin", {}, tmp_path)
    with pytest.raises(SettingsError, match=r"linked/\.env\.local can't be read: No such file"):
        read_sources(environ={}, cwd=tmp_path / "linked")
    with pytest.raises(SettingsError, match="isn't valid"):
        read_sources(Path("a\0b"), {}, tmp_path)
    with pytest.raises(SettingsError, match="/dev/zero is too long"):
        read_sources(Path("/dev/zero"), {}, tmp_path)


def test_a_working_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(SettingsError, match="working folder"):
        read_sources(environ={})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary() | st.text(alphabet="A='\"\\# \n\r\t$x").map(str.encode))
def test_whatever_the_file_contains(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "any.env").write_bytes(content)
    with contextlib.suppress(SettingsError):
        assert isinstance(read_sources(tmp_path / "any.env", {}, tmp_path), Sources)
