"""What the README and the docs say of the program is so, and they leave nothing out."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from syncctl.cli.app import whole_program
from tests.support.program import Program

ROOT = Path(__file__).parents[2]
NOT_OURS = {
    "--slow",
    "--only",
    "--leads",
    "--rounds",
    "--torture-report",
    "--write",
    "--uri",
    "--out",
    "--drop",
} | {
    "--require-hashes",
    "--user",
    "--no-deps",
    "--long",
    "--pdb",
    "--rm",
    "--read-only",
    "--cap-drop",
    "--now",
}
"""Options of other programs that the docs name."""

OF_OPERATORS = ("README.md", "docs/operations.md", "docs/moving.md", "docs/reference/settings.md")

Commands = dict[tuple[str, ...], set[str]]


PAGES = sorted(
    path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
)


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def test_the_readmes_quick_start_is_what_ci_runs() -> None:
    quick_start = read("README.md").split("## Quick start")[1].split("\n## ")[0]
    commands = re.findall(r"```sh\n(.*?)\n```", quick_start, re.DOTALL)
    assert commands == ["pip install . && syncctl demo", "pip install -e '.[test]' && pytest"]
    scripts = [(ROOT / ".ci" / name).read_text(encoding="utf-8") for name in ("run", "deployed")]
    ci = "".join(scripts).replace(" --quiet", "")
    for command in commands:
        assert command in ci
    for command in re.findall(r"`pip (install [^`]*)`", quick_start):
        assert command in ci


def test_the_readme_is_short_and_shows_a_result_first() -> None:
    lines = read("README.md").splitlines()
    assert len(lines) <= 130
    assert any("docs/images/status.svg" in line for line in lines[:20])


def test_every_setting_is_in_the_docs_and_no_other(program: Program) -> None:
    names = {setting["name"] for setting in json.loads(program.run("config", "--json").stdout)["settings"]}
    assert names <= set(re.findall(r"`([A-Z][A-Z_]+_[A-Z_]+)`", read("docs/reference/settings.md")))
    # What has the form of a setting and an underscore; the code's own constants are named as they are there.
    named = {
        name
        for page in OF_OPERATORS
        for name in re.findall(r"`([A-Z][A-Z_]+_[A-Z_]+)[`=]", read(page))
        if not name.endswith("_FILE") or name in names
    }
    assert named <= names | {"MONGO_URI", "NO_COLOR"}


def test_the_docs_name_every_command_and_option() -> None:
    known = commands()
    assert ("api",) in known
    spans = [span for page in PAGES for span in code_spans(read(page))]
    spans += re.findall(r"^## (syncctl .*)$", read("docs/reference/commands.md"), re.MULTILINE)
    missing = []
    for words, options in known.items():
        name = " ".join(words)
        if not any(span == name or re.match(rf"syncctl {name}\b", span) for span in spans):
            missing.append(name)
        missing += [f"{name} {option}" for option in sorted(options - options_in(spans))]
    assert missing == []


def test_every_command_of_the_old_system_is_in_the_page_for_those_who_come_from_it() -> None:
    spans = code_spans(read("docs/moving.md"))
    named = {name for span in spans for name in re.findall(r"[a-z]+(?::[a-z]+)+", span)}
    assert named == {name for name, *_ in commands() if ":" in name}


@pytest.mark.parametrize("page", PAGES)
def test_a_code_span_of_a_page_stands_on_one_line(page: str) -> None:
    """Else what it names is not seen here, and can't be copied."""
    prose = re.sub(r"^```.*?^```", "", read(page), flags=re.DOTALL | re.MULTILINE)
    assert [line for line in prose.splitlines() if line.count("`") % 2] == []


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_no_command_and_no_option_that_does_not_exist(page: str) -> None:
    assert unknown_in(read(page)) == []


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("syncctl keeps no promise that is not `syncctl api --full`", []),
        ("```sh\ncd x && syncctl api --json | jq . --slurp\n```", ["--slurp"]),
        ("```\ncron ── syncctl api ── lock\n```\nand `mongodb://…/NAME`", []),
        ("look at `syncctl lies`", ["syncctl lies"]),
        ("look at `syncctl rejects lies --limit 1`", ["syncctl rejects lies"]),
        ("look at `syncctl rejects list --keep DIR`", ["syncctl rejects list --keep"]),
        ("or at `syncctl -v stores --lies=1`", ["syncctl stores --lies", "--lies"]),
        ("the old `sync:lies`, and `--lies`, `-q`/`--lies`", ["sync:lies", "--lies", "--lies"]),
        ("`import:all:walkin`, `npm run sync:api`, and `npm run import:all:lies`", ["import:all:lies"]),
        ("`cleanup stores`, `cleanup lies FILE`, `api --lies`", ["cleanup lies", "api --lies", "--lies"]),
        ("`import` and `api`, `return` rows", []),
    ],
)
def test_what_a_page_can_not_say(text: str, unknown: list[str]) -> None:
    assert unknown_in(text) == unknown


def commands() -> Commands:
    """Every command by its words, the old system's names too, and the long options that each takes."""
    found: Commands = {}

    def add(words: tuple[str, ...], command: Any) -> None:
        for name, below in getattr(command, "commands", {}).items():
            add((*words, name), below)
        if not hasattr(command, "commands"):
            long = {name for option in command.params for name in option.opts if name.startswith("--")}
            found[words] = long | {"--help"}

    add((), get_command(whole_program()))
    return found


def code_spans(text: str) -> list[str]:
    """What stands between backticks: inline ones, and the lines of blocks."""
    blocks = r"^```\w*\n(.*?)^```"
    lines = [
        line for block in re.findall(blocks, text, re.DOTALL | re.MULTILINE) for line in block.splitlines()
    ]
    return [line for line in lines if line.strip()] + re.findall(
        r"`([^`\n]+)`", re.sub(blocks, "", text, flags=re.DOTALL | re.MULTILINE)
    )


def options_in(spans: list[str]) -> set[str]:
    return {option for span in spans for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", span)}


def unknown_in(text: str) -> list[str]:
    """Commands and options that a text names as syncctl's, and that there are not."""
    known = commands()
    everywhere = {"--version", *NOT_OURS}.union(*known.values())
    first_words = {words[0] for words in known}
    unknown = []
    for span in code_spans(text):
        for call in re.findall(r"\bsyncctl ([^|&;>)#]*)", span):
            unknown += [f"syncctl {what}" for what in unknown_in_call(call.split(), known)]
        unknown += [name for name in re.findall(r"\b[a-z]+(?::[a-z]+)+\b", span) if (name,) not in known]
        if span.split()[0] in first_words and "syncctl" not in span:
            unknown += unknown_in_call(span.split(), known)
        unknown += sorted(options_in([span]) - everywhere)
    return unknown


def unknown_in_call(arguments: list[str], known: Commands) -> list[str]:
    """The command of one call if there is none such, else the options that it does not take."""
    groups = {name for name, *below in known if below}
    words = [argument for argument in arguments if re.fullmatch(r"[a-z][a-z:-]*", argument)]
    if not words or (len(words) == 1 and words[0] in groups):
        return []
    command = tuple(words[: 2 if words[0] in groups else 1])
    if command not in known:
        return [" ".join(command)]
    return [" ".join([*command, option]) for option in sorted(options_in(arguments) - known[command])]
