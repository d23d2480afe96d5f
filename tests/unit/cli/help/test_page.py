"""The help of every command: in sections, with examples that work, at 80 columns."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from syncctl.cli.app import whole_program
from syncctl.cli.help.man_page import man_page
from syncctl.cli.help.page import OTHER_COMMANDS, OTHER_OPTIONS, context_of, options_by_section
from syncctl.cli.help.texts import EVERYDAY, GROUPS, command_helps, help_of
from syncctl.errors import ExitCode

DOCS = Path(__file__).parents[4] / "docs"
PROGRAM: Any = get_command(whole_program())


def tree(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command, groups and old names too, by what is typed for it."""
    yield " ".join(words), command
    for name, each in getattr(command, "commands", {}).items():
        yield from tree(each, (*words, name))


TREE = dict(tree(PROGRAM))


def page(words: str) -> str:
    text: str = context_of(PROGRAM, words.split()).get_help()
    return text


def test_the_table_has_every_command_and_no_other() -> None:
    old_names = {words for words in TREE if ":" in words and not words.startswith("import:all:")}
    assert set(command_helps()) == set(TREE) - old_names
    assert all(help_of(words).examples for words in old_names)


def test_a_page_has_all_that_belongs_to_it_and_fits() -> None:
    for words in TREE:
        text, added = page(words), help_of(words)
        examples = text.partition("\nExamples:\n")[2].partition("\n\n")[0].splitlines()
        assert 2 <= len(added.examples) <= 3, words
        assert [line for line in text.splitlines() if len(line) > 80 and line not in examples] == []
        assert [line for line in text.splitlines() if re.search(r"[a-z]\.\.\.$", line)] == []  # shortened
        assert " 0 all right, 1 " in " ".join(text.split())
        assert text.splitlines()[-1] == f"Read more: docs/{added.docs}"


def test_what_a_page_points_to_is_there() -> None:
    for added in command_helps().values():
        file, _, anchor = added.docs.partition("#")
        titles = re.findall(r"^#+ (.*)$", (DOCS / file).read_text(encoding="utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", title.casefold()).replace(" ", "-") for title in titles}
        assert not anchor or anchor in anchors, added.docs


def test_every_example_is_understood() -> None:
    for added in command_helps().values():
        for _, line in added.examples:
            parse(line)
    for line, _ in EVERYDAY:
        parse(line)


def parse(line: str) -> None:
    """Raises what Typer does if the command line is wrong."""
    words = shlex.split(line, comments=False)
    words = words[: min([words.index(mark) for mark in ("|", ">") if mark in words], default=len(words))]
    context = PROGRAM.make_context("syncctl", words)
    while hasattr(context.command, "commands"):
        rest = [*context._protected_args, *context.args]
        name, command, rest = context.command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)


def test_every_command_and_option_stands_in_a_section() -> None:
    assert OTHER_COMMANDS not in page("")
    unplaced = {words for words in command_helps() if OTHER_OPTIONS in dict(options_by_section(TREE[words]))}
    assert unplaced == {"sandbox"}  # all of its options are one section


def test_the_groups_stand_in_order() -> None:
    headings = [line[:-1] for line in page("").splitlines() if re.fullmatch(r"\w[\w ]*:", line)]
    assert headings == [*GROUPS, "With every command", "Examples", "Exit status"]


def test_help_is_the_same_as_h() -> None:
    run = CliRunner().invoke
    for words in ("", "api", "import undo", "cleanup"):
        by_option = run(whole_program(), [*words.split(), "-h"], prog_name="syncctl")
        by_command = run(whole_program(), ["help", *words.split()], prog_name="syncctl")
        assert by_option.stdout == by_command.stdout
        assert (by_option.exit_code, by_command.exit_code) == (0, 0)


def test_only_1_has_a_meaning_of_its_own() -> None:
    found = {code for added in command_helps().values() for code, _ in added.statuses}
    assert found == set(ExitCode)


def test_the_manual_has_every_command_and_option() -> None:
    manual = man_page(PROGRAM).replace(r"\-", "-")
    for words in command_helps():
        if words and not hasattr(TREE[words], "commands") and not TREE[words].hidden:
            assert f'.SS "syncctl {words}' in manual
            for option in TREE[words].params:
                assert max(option.opts, key=len) in manual or option.param_type_name == "argument"


@pytest.mark.skipif(shutil.which("groff") is None, reason="there is no groff here")
def test_the_manual_is_sound_roff() -> None:
    checked = subprocess.run(
        ["/usr/bin/env", "groff", "-man", "-ww", "-z", "-Tutf8"],
        input=man_page(PROGRAM),
        capture_output=True,
        text=True,
        check=True,
    )
    assert checked.stderr == ""
