"""`python -m tests.support.reference`: writes what follows the code in docs/reference: pages and schemas."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from syncctl.cli.app import whole_program
from syncctl.cli.help.page import default_of, names_of
from syncctl.cli.help.texts import help_of
from syncctl.errors import ExitCode
from syncctl.settings.specs import SPECS, Spec
from tests.support.schemas import as_text, schemas

FOLDER = Path(__file__).parents[2] / "docs" / "reference"

COMMON = ("--env-file", "--quiet", "--verbose")

COMMANDS_BEGIN = """\
# Commands

Made from the command tree by `python -m tests.support.reference`; a test compares the two.
How commands print and what `--json` holds: [output.md](output.md). How they end:
[exit-statuses.md](exit-statuses.md).
"""

SETTINGS_ROW = re.compile(r"^\| `(?P<name>[A-Z_]+)`[^|]*\|[^|]*\| (?P<meaning>.*) \|$", re.MULTILINE)


class MissingMeaningError(Exception):
    """A setting has no row yet in docs/reference/settings.md; the message names it."""


def commands_page(_: str) -> str:
    """Each command that the help shows with its arguments and options, then the old system's names."""
    shown: list[str] = []
    old_names = ["## Names of the old system", "", "Hidden from the help, and kept for scripts.", ""]
    for words, command, hidden in _commands((), get_command(whole_program())):
        name = f"syncctl {' '.join(words)}"
        if hidden:
            old_names.append(f"- `{name}`: {_summary(command)}")
        else:
            shown += [f"## {name}", "", *_described(words, command)]
    return "\n".join((COMMANDS_BEGIN, *_common_options(), *shown, *old_names, ""))


def settings_page(page: str) -> str:
    """The page with names and defaults as in the table of the settings. The meaning of each stays as it is.

    Raises MissingMeaningError for a setting that the page does not have.
    """
    meanings = {row["name"]: row["meaning"] for row in SETTINGS_ROW.finditer(page)}
    rows = []
    for spec in SPECS:
        if spec.name not in meanings:
            raise MissingMeaningError(f"docs/reference/settings.md has no row for {spec.name}: write one.")
        names = ", ".join(f"`{name}`" for name in spec.names)
        rows.append(f"| {names} | {_default(spec)} | {meanings[spec.name]} |")
    first, *_, last = SETTINGS_ROW.finditer(page)
    return page[: first.start()] + "\n".join(rows) + page[last.end() :]


def schema_page(name: str) -> Callable[[str], str]:
    """What makes the schema of this name, whatever is there."""
    return lambda _: as_text(schemas()[name])


PAGES: dict[str, Callable[[str], str]] = {
    "commands.md": commands_page,
    "settings.md": settings_page,
    **{f"schemas/{name}": schema_page(name) for name in schemas()},
}
"""Each page, and what makes it of the one that is there."""


def _commands(words: tuple[str, ...], command: Any, hidden: bool = False) -> Iterator[tuple[Any, ...]]:
    """Each command with its words, and whether the help hides it."""
    below = getattr(command, "commands", None)
    if below is None:
        yield words, command, hidden
        return
    for name, each in below.items():
        yield from _commands((*words, name), each, hidden or each.hidden)


def _summary(command: Any) -> str:
    summary: str = command.help.partition("\n\n")[0].replace("\n", " ")
    return summary


def _described(words: tuple[str, ...], command: Any) -> Iterator[str]:
    name, added = f"syncctl {' '.join(words)}", help_of(" ".join(words))
    yield _summary(command)
    yield ""
    if details := command.help.partition("\n\n")[2]:
        yield from ("```text", details.replace("\b\n", ""), "```", "")
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each not in arguments and each.opts[0] not in COMMON]
    if arguments:
        yield from ("```text", f"{name} {' '.join(each.metavar for each in arguments)}", "```", "")
        yield from (f"- `{each.metavar}`: {each.help}" for each in arguments)
        yield ""
    if options:
        yield from ("| option | default | |", "| --- | --- | --- |", *map(_option, options), "")
    yield from ("```sh", *(f"syncctl {line}  # {purpose}" for purpose, line in added.examples), "```", "")
    statuses = "; ".join(_status(code, meaning) for code, meaning in added.statuses)
    yield from (f"Exit status: {statuses}. Read more: [{added.docs}](../{added.docs}).", "")


def _status(code: ExitCode, meaning: str) -> str:
    return f"{code.value}: {meaning}" if code is ExitCode.FAILED else str(code.value)


def _common_options() -> Iterator[str]:
    yield from ("## Options of every command", "", "| option | default | |", "| --- | --- | --- |")
    yield from (_option(each) for each in get_command(whole_program()).params)
    yield from ("| `-h`, `--help` | | Show this help. |", "")


def _option(option: Any) -> str:
    value = names_of(option).removeprefix(names_of(option, valued=False))
    names = ", ".join(f"`{name}{value}`" for name in sorted(option.opts, key=len))
    return f"| {names} | {default_of(option)} | {option.help.replace('|', chr(92) + '|')} |"


def _default(spec: Spec) -> str:
    if spec.default is None:
        return "none"
    if not spec.in_data_dir:
        return f"`{spec.default}`"
    # A path below DATA_DIR: it is shown as it is while DATA_DIR has its own default.
    scheme, _, path = spec.default.rpartition("///")
    return f"`{scheme}///data/{path}`" if scheme else f"`data/{path}`"


def main() -> int:
    """Write the pages. Gives the exit status."""
    for name, made in PAGES.items():
        file = FOLDER / name
        file.parent.mkdir(exist_ok=True)
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        try:
            file.write_text(made(before), encoding="utf-8")
        except MissingMeaningError as error:
            sys.stderr.write(f"{error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
