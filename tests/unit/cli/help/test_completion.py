"""What Tab offers."""

import threading
from collections.abc import Iterable
from typing import Any

import pytest
from typer.main import get_command

from syncctl.cli.app import whole_program
from syncctl.cli.help import completion
from syncctl.cli.help.completion import Kind, candidates, script

PROGRAM: Any = get_command(whole_program())


def offered(*typed: str) -> list[str]:
    """What can stand in the place of the last word."""
    kind, found = candidates(PROGRAM, typed)
    assert kind is Kind.WORDS
    return [value for value, _ in found]


@pytest.fixture(autouse=True)
def no_settings(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (["st"], ["stores", "status"]),
        (["cron", ""], ["show", "install", "remove"]),
        (["-q", "import", "c"], ["columns"]),
        (["stores", "--d"], ["--dry-run"]),
        # What is there already is not offered again, but for what is repeatable.
        (["stores", "-n", "--d"], []),
        (["api", "--location", "7", "--lo"], ["--location"]),
        (["api", "--wait", ""], []),
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["completion", "bash", ""], []),
        (["help", "import", "u"], ["undo"]),
        (["help", "nosuch", ""], []),
        (["rejects", "list", "--kind", "wa"], ["walkin"]),
        (["import", "columns", "x", "--kind", ""], ["walkin", "lossofsale"]),
        (["api", "--location", "suitor guy - mg"], ["Suitor Guy - MG Road"]),
        (["api", "--location", r"Suitor\ Guy\ -\ MG"], ["Suitor Guy - MG Road"]),
        (["api", "--location", "'Suitor Guy - MG"], ["Suitor Guy - MG Road"]),
        (["api", "--location=suitor guy - mg"], ["--location=Suitor Guy - MG Road"]),
        (["api", "--location", "=", "suitor guy - mg"], ["Suitor Guy - MG Road"]),  # as bash parts it
        (["config", "API_MAX_T"], ["API_MAX_TRIES"]),
        (["nosuch", ""], []),
        (["api", "x"], []),
        (["--", "-"], []),
    ],
)
def test_what_is_offered(typed: list[str], found: list[str]) -> None:
    assert offered(*typed) == found


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        (["rejects", "export", "x"], Kind.FILES),
        (["import", "walkin", "a.csv", "b"], Kind.FILES),
        (["import", "walkin", "--preview", ""], Kind.FILES),
        (["api", "--env-file", ""], Kind.FILES),
        (["demo", "--keep", ""], Kind.FOLDERS),
    ],
)
def test_where_a_file_is_wanted_the_shell_completes(typed: list[str], kind: Kind) -> None:
    assert candidates(PROGRAM, typed) == (kind, [])


def test_an_option_says_what_it_does() -> None:
    assert candidates(PROGRAM, ["stores", "--j"])[1] == [("--json", "Print the result as one JSON object.")]


def test_a_look_up_gets_the_settings_file_that_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def look_up(settings: Any, words: Iterable[str]) -> list[completion.Value]:
        asked.append((settings.__closure__ is not None, tuple(words)))
        return [("abc", "api")]

    monkeypatch.setattr(completion, "VALUES", {"run": look_up})
    assert offered("import", "undo", "--env-file", "x.env", "a") == ["abc"]
    assert asked == [(True, ("import", "undo"))]


@pytest.mark.parametrize("env", ["API_MAX_TRIES=nonsense\n", "DATABASE_URL=mongodb://127.0.0.1:9/leads\n"])
def test_what_goes_wrong_is_not_said(env: str, tmp_path: Any, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".env").write_text(env, encoding="utf-8")
    assert offered("history", "") == []
    assert capfd.readouterr() == ("", "")


def test_a_slow_database_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(completion, "LONGEST_S", 0.01)
    monkeypatch.setattr("syncctl.wiring.checks.list_runs", lambda *_, **__: released.wait() and ())
    assert offered("history", "") == []
    released.set()


def test_to_look_makes_no_database(tmp_path: Any) -> None:
    assert offered("history", "") == []
    assert offered("rejects", "dismiss", "") == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_script_for(shell: str) -> None:
    assert "_SYNCCTL_COMPLETE" in script(shell)
