"""`python -m tests.attacks [--write docs/proofs.md]`: the attacks that the tests try, counted, as Markdown.

An attack is a test with the mark `attack(kind)`. With `counted=False` it is none of its own: what only looks
like one and must get through, or the same one again from the command line. Slow ones are not counted.
"""

import argparse
import io
import sys
from collections import defaultdict
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.marked_part import MarkedPart, MarkerError

ROOT = Path(__file__).parents[1]
PART = MarkedPart(begin="<!-- attacks: made by python -m tests.attacks -->", end="<!-- end of attacks -->")
LEAST = 60
"""So many attacks there are at least."""

KINDS = {
    "answers": (
        "Answers that cost far more than they say: 21 million objects, gzip bombs, endless headers",
        "refused, or broken off in time, with little memory; that location fails (1)",
    ),
    "server": (
        "Servers that lead astray: redirects, no TLS, a certificate of nobody, broken HTTP and JSON",
        "that location fails (1), nothing is stored, the key goes nowhere else",
    ),
    "files": (
        "Files that cost far more than they hold: formulas in column ZZZ, 20,000 sheets, bombs, a terabyte",
        "one line that says what to change (65); nothing of that file is stored",
    ),
    "formulas": (
        "Cells of rejects that a spreadsheet would run",
        "written as text, with an apostrophe before",
    ),
    "tls": (
        "Ways to spell an option of `DATABASE_URL` so that TLS is off",
        "refused by name (78), or a warning of `doctor`",
    ),
    "proxy": (
        "Proxy addresses that are broken, with a password inside",
        "the variable is named, the address is not shown",
    ),
    "odd files": (
        "Pipes, sockets, devices and folders as key, settings, log, lock, database, backup, certificates",
        "an error at once, before anything is done",
    ),
    "settings files": (
        "Settings files that another user wrote, or could write",
        "refused (78)",
    ),
    "lock": (
        "Something else where the lock file should be, or a link",
        "left as it is (78)",
    ),
    "own files": (
        "A umask of 0, links, and syncctl's own files as what to write to",
        "files for their owner alone; nothing of ours overwritten, nothing written through a link",
    ),
    "screen": (
        "Escape sequences, C1, bidirectional and unseen characters in names",
        "shown as escapes: on screen, in logs, in JSON",
    ),
    "secrets": (
        "Phone numbers in any spelling and script; keys and numbers in tracebacks",
        "masked",
    ),
    "clock": (
        "A clock that is years ahead or behind",
        "no history is lost, no false alarm afterwards",
    ),
}
"""Each kind of attack -> how the table calls it, and what comes of it."""

NO_FORMS = {"database_url", "rounds"}
"""Parameters that make no other form of an attack: where, and how often it is tried."""


class AttackError(Exception):
    """The attacks can't be counted; the message says why."""


@dataclass(slots=True)
class Attack:
    """One test, and the values of each of its parameters."""

    kind: str
    file: str
    values: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def forms(self) -> int:
        """Values of the parameter that has the most: combinations with others are no further forms."""
        return max((len(values) for values in self.values.values()), default=1)


class _Collected:
    """A plugin of pytest that keeps what it collects."""

    def __init__(self) -> None:
        self.items: list[pytest.Item] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items = session.items


def collected() -> list[pytest.Item]:
    """All tests of the files that name the mark. Raises AttackError where they can't be read."""
    files = [path for path in (ROOT / "tests").rglob("test_*.py") if "mark.attack" in path.read_text("utf-8")]
    plugin, said = _Collected(), io.StringIO()
    arguments = ["--collect-only", "-q", "-n0", "-m", "attack", "-p", "no:cacheprovider", f"--rootdir={ROOT}"]
    with redirect_stdout(said), redirect_stderr(said):
        status = pytest.main([*arguments, *map(str, sorted(files))], plugins=[plugin])
    if status is not pytest.ExitCode.OK:
        raise AttackError(f"pytest ended with {int(status)}:\n{said.getvalue()}")
    return plugin.items


def attacks(items: Iterable[pytest.Item]) -> list[Attack]:
    """The attacks among these tests. Raises AttackError for one that names no kind, or an unknown one."""
    found: dict[str, Attack] = {}
    for item in items:
        marks = list(item.iter_markers("attack"))
        if not all(mark.args and mark.args[0] in KINDS for mark in marks):
            raise AttackError(f"{item.nodeid}: name one of these kinds: {', '.join(KINDS)}.")
        if not marks or any(not _counts(mark) for mark in marks):
            continue
        name = item.nodeid.partition("[")[0]
        attack = found.setdefault(name, Attack(marks[0].args[0], name.partition("::")[0]))
        for parameter, value in getattr(getattr(item, "callspec", None), "params", {}).items():
            if parameter not in NO_FORMS:
                attack.values[parameter].add(repr(value))
    return list(found.values())


def _counts(mark: pytest.Mark) -> bool:
    return bool(mark.kwargs.get("counted", True))


def table(found: Iterable[Attack]) -> str:
    """The table of these attacks. Raises AttackError where they are too few."""
    of_kind: dict[str, list[Attack]] = {kind: [] for kind in KINDS}
    for attack in found:
        of_kind[attack.kind].append(attack)
    if empty := [kind for kind, those in of_kind.items() if not those]:
        raise AttackError(f"no attack of these kinds: {', '.join(empty)}.")
    every = [attack for those in of_kind.values() for attack in those]
    if len(every) < LEAST:
        raise AttackError(f"{len(every)} attacks; there should be {LEAST} at least.")
    lines = [
        "| What is tried | Attacks | Forms | What comes of it | In `tests/` |",
        "| --- | ---: | ---: | --- | --- |",
    ]
    for kind, those in of_kind.items():
        tried, outcome = KINDS[kind]
        files = ", ".join(f"`{file}`" for file in sorted({_short(attack.file) for attack in those}))
        lines.append(f"| {tried} | {len(those)} | {_forms(those)} | {outcome} | {files} |")
    lines.append(f"| **All** | **{len(every)}** | **{_forms(every)}** | | |")
    return "\n".join(lines)


def _forms(those: Iterable[Attack]) -> int:
    return sum(attack.forms for attack in those)


def _short(file: str) -> str:
    return file.removeprefix("tests/")


def main() -> int:
    """Print the table, or write it into a file. Gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put it in between FILE's marker comments")
    given = parser.parse_args()
    try:
        PART.publish(table(attacks(collected())), given.write)
    except (AttackError, MarkerError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
