"""docs/reference says what the program does: its pages are made from it or compared with it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncctl.errors import ExitCode
from syncctl.sandbox import Sandbox
from tests.support.program import Program
from tests.support.reference import FOLDER, PAGES, MissingMeaningError, settings_page

KEY_ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)


def page(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_says(name: str) -> None:
    """If not: `python -m tests.support.reference`."""
    assert page(name) == PAGES[name](page(name))


def test_a_setting_without_a_meaning_is_refused() -> None:
    without = "\n".join(line for line in page("settings.md").splitlines() if "`IMPORT_DIR`" not in line)
    with pytest.raises(MissingMeaningError, match="IMPORT_DIR"):
        settings_page(without)


def test_every_exit_status_is_listed() -> None:
    listed = re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", page("exit-statuses.md"), re.MULTILINE)
    assert {name: int(status) for status, name in listed} == {code.name: code.value for code in ExitCode}


def documented_keys(command: str) -> list[set[str]]:
    """The keys of each table under the heading that names the command."""
    sections = re.split(r"^### ", page("output.md"), flags=re.MULTILINE)[1:]
    (section,) = (each for each in sections if command in each.splitlines()[0].split(", "))
    tables = section.split("| --- | --- |\n")[1:]
    return [set(KEY_ROW.findall(table)) for table in tables]


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A program whose database has leads, rejects and a run."""
    with Sandbox(locations=3, bookings=30) as sandbox:
        program = Program(tmp_path_factory.mktemp("reference"), API_BASE_URL=sandbox.base_url)
        assert program.run("api").status == 0
        yield program


def printed(program: Program, *arguments: str) -> Any:
    return json.loads(program.run(*arguments, "--json").stdout)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["api", "import walkin"])
def test_the_keys_of_a_run(synced: Program, command: str) -> None:
    file = synced.folder / "walkin_sg_calicut.csv"
    file.write_text("Date,Customer Name,Contact\n13-02-2025,Made Up,9000000401\n", encoding="utf-8")
    run = printed(synced, *command.split(), *([str(file)] if command != "api" else []))
    of_the_run, of_a_step, of_a_preview = documented_keys(command)
    assert run.keys() == of_the_run | {"schema"}
    if command != "api":
        previewed = printed(synced, *command.split(), str(file), "--dry-run")
        assert previewed.keys() == of_the_run | of_a_preview | {"schema"}
    assert all(step.keys() - {"audit", "finished", "hidden_sheets"} == of_a_step for step in run["steps"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        "status",
        "history",
        "explain",
        "verify sync",
        "verify data",
        "verify source",
        "doctor",
        "cleanup duplicates",
        "cleanup stores",
        "cleanup finished",
        "cron show",
        "rejects list",
        "config",
    ],
)
def test_the_keys_of_what_a_command_prints(synced: Program, command: str) -> None:
    arguments = ["9000000401"] if command == "explain" else []
    found = printed(synced, *command.split(), *arguments)
    keys, *_of_its_items = documented_keys(command)
    assert found.keys() - {"schema"} == keys


def test_every_command_with_json_is_there() -> None:
    with_json = set()
    for section in re.split(r"^## syncctl ", page("commands.md"), flags=re.MULTILINE)[1:]:
        if "`--json`" in section:
            with_json.add(section.splitlines()[0])
    headings = re.findall(r"^### (.*)$", page("output.md"), re.MULTILINE)
    assert with_json == {name for heading in headings for name in heading.split(", ")}


@pytest.mark.parametrize("name", ["demo", "status", "explain", "import"])
def test_the_pictures_show_a_terminal_and_no_place_of_this_machine(name: str) -> None:
    """Made by `python -m tests.support.screens`."""
    text = (Path(__file__).parents[2] / "docs" / "images" / f"{name}.svg").read_text(encoding="utf-8")
    assert text.startswith("<svg")
    assert text.rstrip().endswith("</svg>")
    assert f"syncctl&#160;{name}" in text
    assert not re.search(r"/(?:tmp|home|root|work|var)/", text)
