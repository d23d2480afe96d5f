"""Nothing that is printed steers a terminal, and names stay readable."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.cli.render.printer import (
    SCHEMA,
    expect_result,
    print_error,
    print_fields,
    print_line,
    print_message,
    print_result,
    print_result_with_list,
    print_text,
)
from syncctl.errors import StopRequestedError
from syncctl.safe_output.printable import printable

STEERING = [
    "\x1b",
    "\x9b",
    "\x85",
    "\u202e",
    "\u2066",
    "\u200e",
    "\u061c",
    "\u2028",
    "\u200b",
    "\U000e0041",
    "\x7f",
]
NAME = "കൊച്ചി അവന്\u200d"
"""Its last letter is written with a joiner."""


class Utf8(io.StringIO):
    encoding = "UTF-8"


class Terminal(Utf8):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("say", "stream"), [(print_text, "stdout"), (print_message, "stderr")])
def test_on_a_terminal_sentences_break_between_words(
    monkeypatch: pytest.MonkeyPatch, say: Callable[[str], None], stream: str
) -> None:
    words = "Nothing was imported: --only-if 0123456789abcdef /a/path/of/its/own-which-is-long\nits hint"
    monkeypatch.setenv("COLUMNS", "24")
    for out in (Terminal(), Utf8()):
        monkeypatch.setattr(sys, stream, out)
        say(words)
        assert out.getvalue().split() == words.split()
    assert out.getvalue() == words + "\n"


@pytest.mark.parametrize(
    ("names", "coloured"), [(["FORCE_COLOR"], True), (["FORCE_COLOR", "NO_COLOR"], False), ([], False)]
)
def test_a_pipes_fields_are_coloured_on_request_and_end_without_tabs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], names: list[str], coloured: bool
) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.setenv(name, "1" if name in names else "")
    print_fields(("health", "OK\x1b[2J", "", ""), str.lower, {1: "green", 3: "red"})
    shown = r"ok\x1b[2j"
    assert capsys.readouterr().out == (
        f"health\t\x1b[32m{shown}\x1b[0m\n" if coloured else f"health\t{shown}\n"
    )


HEAD = {"command": "x", "ok": True, "schema": SCHEMA}


def printed(monkeypatch: pytest.MonkeyPatch, value: Any) -> str:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", out := Utf8())
        print_result({"command": "x", "ok": True, "value": value})  # type: ignore[typeddict-unknown-key]
    return out.getvalue()


@pytest.mark.attack("screen")
@pytest.mark.parametrize("steering", STEERING, ids=ascii)
def test_json_means_the_same_and_steers_nothing(monkeypatch: pytest.MonkeyPatch, steering: str) -> None:
    value = {f"a{steering}": [f"{NAME}{steering}b"]}
    shown = printed(monkeypatch, value)
    assert json.loads(shown) == {**HEAD, "value": value}
    assert steering not in shown
    assert NAME in shown


@given(text=st.text())
def test_any_json_means_the_same(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        shown = printed(patch, [text])
    assert json.loads(shown)["value"] == [text]
    assert shown.encode()


@pytest.mark.attack("screen")
@pytest.mark.parametrize("steering", STEERING, ids=ascii)
def test_no_line_and_no_message_steers(capsys: pytest.CaptureFixture[str], steering: str) -> None:
    print_line(f"a\t{NAME}{steering}")
    print_message(f"a\n{NAME}{steering}")
    out, err = capsys.readouterr()
    assert steering not in out + err
    assert out.startswith(f"a\t{NAME}\\")
    assert err.startswith(f"a\n{NAME}\\")
    assert steering not in printable(f"{NAME}{steering}")
    assert printable(NAME) == NAME


@pytest.mark.parametrize("items", [[], [1], [{"a": NAME}, None, ["\x1b"]]])
def test_a_long_list_is_printed_as_part_of_one_object(
    capsys: pytest.CaptureFixture[str], items: list[Any]
) -> None:
    print_result_with_list({"command": "x", "ok": True}, "rows", iter(items))
    out = capsys.readouterr().out
    assert json.loads(out) == {**HEAD, "rows": items}
    assert out.count("\n") == 1
    assert "\x1b" not in out


@pytest.mark.parametrize("items", [[], [1, 2]])
def test_a_list_that_cannot_be_read_to_its_end_leaves_one_object_all_the_same(
    capsys: pytest.CaptureFixture[str], items: list[int]
) -> None:
    def failing() -> Iterator[int]:
        yield from items
        raise StopRequestedError(2)

    expect_result()
    with pytest.raises(StopRequestedError):
        print_result_with_list({"command": "x", "ok": True}, "rows", failing())
    print_error("x", 130, "Stopped.")
    error = {"exit_code": 130, "message": "Stopped.", "hint": None}
    assert json.loads(capsys.readouterr().out) == {**HEAD, "ok": False, "rows": items, "error": error}


def test_an_error_after_the_result_is_no_second_object(capsys: pytest.CaptureFixture[str]) -> None:
    expect_result()
    print_result({"command": "x", "ok": True})
    print_error("x", 1, "The disk is full.")
    assert json.loads(capsys.readouterr().out) == HEAD


def test_the_error_of_a_run_that_is_broken_off_stands_beside_what_it_came_to(
    capsys: pytest.CaptureFixture[str],
) -> None:
    expect_result()
    print_error("x", 69, "Gone.", "Wait.", partial={"command": "x", "ok": True, "steps": []})
    error = {"exit_code": 69, "message": "Gone.", "hint": "Wait."}
    assert json.loads(capsys.readouterr().out) == {**HEAD, "ok": False, "steps": [], "error": error}
