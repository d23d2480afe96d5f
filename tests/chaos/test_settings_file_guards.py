"""Settings files that another user may have written: nothing that they say is done unless they are named."""

import os
import re
from pathlib import Path

import pytest

from syncctl.domain.sources import StepName
from syncctl.errors import ExitCode, SettingsError
from syncctl.settings.settings import load_settings
from syncctl.settings.sources import read_sources
from tests.support.program import Program

pytestmark = pytest.mark.attack("settings files")

STRANGER = 54321
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def above(tmp_path: Path) -> Path:
    """The folder above the working folder."""
    folder = tmp_path / "above"
    (folder / "here").mkdir(parents=True, mode=0o755)
    folder.chmod(0o755)
    return folder


def write(path: Path, mode: int = 0o600) -> Path:
    path.write_text("API_BASE_URL=http://evil.invalid\n")
    path.chmod(mode)
    return path


def refusal(above: Path, *, here: str = "here") -> str:
    with pytest.raises(SettingsError, match="was not used") as caught:
        read_sources(environ={}, cwd=above / here)
    return str(caught.value)


@as_root
@pytest.mark.parametrize("name", [".env", ".env.local"])
def test_a_file_of_another_user_above(above: Path, name: str) -> None:
    file = write(above / name)
    os.chown(file, STRANGER, -1)
    said = refusal(above)
    assert f"{file} was not used" in said
    assert f"it belongs to the user {STRANGER}" in said
    assert f"chown {'root'} {file}, or name it: --env-file {file}" in said
    assert read_sources(file, {}, above / "here").find(["API_BASE_URL"]) is not None


@as_root
def test_a_file_of_another_user_beside_a_right_one(above: Path) -> None:
    write(above / ".env")
    os.chown(write(above / ".env.local"), STRANGER, -1)
    assert ".env.local was not used" in refusal(above)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666, 0o664])
def test_a_file_above_that_others_can_write(above: Path, mode: int) -> None:
    file = write(above / ".env", mode)
    said = refusal(above)
    assert f"it is writable by others ({file.owner()}, {mode:04o})" in said
    assert f"chmod go-w {file}" in said
    assert read_sources(file, {}, above / "here").find(["API_BASE_URL"]) is not None


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757])
def test_a_folder_above_that_others_can_write(above: Path, mode: int) -> None:
    write(above / ".env")
    above.chmod(mode)
    said = refusal(above)
    assert f"others can write to {above}" in said
    assert f"chmod go-w {above}" in said


@pytest.mark.attack("settings files", counted=False)
def test_a_sticky_folder_keeps_what_is_ours(above: Path) -> None:
    write(above / ".env")
    above.chmod(0o1777)
    assert read_sources(environ={}, cwd=above / "here").folder == above


@as_root
def test_a_folder_of_another_user_above(above: Path) -> None:
    write(above / ".env")
    os.chown(above, STRANGER, -1)
    assert f"{above} belongs to the user {STRANGER}" in refusal(above)


@as_root
def test_a_link_of_another_user_to_a_file_of_ours(above: Path, tmp_path: Path) -> None:
    (above / ".env").symlink_to(write(tmp_path / "other.env"))
    os.chown(above / ".env", STRANGER, -1, follow_symlinks=False)
    said = refusal(above)
    assert "it belongs to the user" in said
    assert "chown -h" in said


@as_root
def test_a_link_of_ours_to_a_file_of_another_user(above: Path, tmp_path: Path) -> None:
    target = write(tmp_path / "other.env")
    os.chown(target, STRANGER, -1)
    (above / ".env").symlink_to(target)
    assert f"{target} belongs to the user {STRANGER}" in refusal(above)


@as_root
def test_a_link_of_another_user_on_the_way(above: Path, tmp_path: Path) -> None:
    middle = tmp_path / "middle"
    middle.symlink_to(write(tmp_path / "other.env"))
    os.chown(middle, STRANGER, -1, follow_symlinks=False)
    (above / ".env").symlink_to(middle)
    assert f"{middle} belongs to the user {STRANGER}" in refusal(above)


def test_a_link_to_a_file_in_a_folder_that_others_can_write(above: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (above / ".env").symlink_to(write(shared / "x.env"))
    shared.chmod(0o777)
    assert f"others can write to {shared}" in refusal(above)


def test_a_link_that_leads_back_to_itself(above: Path) -> None:
    (above / ".env").symlink_to(above / ".env")
    with pytest.raises(SettingsError, match="can't be read: Too many levels"):
        read_sources(environ={}, cwd=above / "here")


@as_root
def test_a_file_that_a_stranger_put_into_the_working_folder(above: Path) -> None:
    """As into /tmp."""
    above.chmod(0o1777)
    os.chown(write(above / ".env"), STRANGER, -1)
    assert f"it belongs to the user {STRANGER}" in refusal(above, here=".")


@as_root
def test_a_file_that_a_stranger_put_beside_the_named_one(above: Path) -> None:
    named = write(above / "my.env")
    os.chown(write(above / ".env.local"), STRANGER, -1)
    with pytest.raises(SettingsError, match=r"\.env\.local was not used"):
        read_sources(named, {}, above / "here")


@pytest.mark.attack("settings files", counted=False)
@as_root
def test_the_working_folder_of_its_owner(above: Path) -> None:
    """Root at work in another user's project: chosen, and `doctor` says what is to be said of it."""
    os.chown(write(above / ".env"), STRANGER, -1)
    os.chown(above, STRANGER, -1)
    assert read_sources(environ={}, cwd=above).folder == above


@pytest.mark.attack("settings files", counted=False)
def test_a_user_who_is_not_root(above: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(above / ".env")
    monkeypatch.setattr("os.geteuid", lambda: STRANGER)
    if os.getuid() == 0:  # what root says is law
        assert read_sources(environ={}, cwd=above / "here").folder == above
    else:
        assert "belongs to" in refusal(above)


@pytest.mark.attack("settings files", counted=False)
@as_root
def test_the_program_ends_before_it_does_anything(above: Path) -> None:
    file = write(above / ".env")
    os.chown(file, STRANGER, -1)
    program = Program(above / "here")
    (above / "here" / ".env").unlink()
    for command in ("api", "status", "config"):
        ended = program.run(command)
        assert ended.status == ExitCode.CONFIG
        assert str(file) in re.sub(r"\s+", " ", ended.output)
        assert len(ended.output.splitlines()) <= 2
        assert os.listdir(above / "here") == []
    named = load_settings(file, {}, above / "here")
    assert named.endpoints[StepName.STORES].url.startswith("http://evil.invalid")
