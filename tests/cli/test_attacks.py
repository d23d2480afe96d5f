"""The table of attacks in docs/proofs.md is what pytest collects, and counts no attack twice."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from tests.attacks import KINDS, LEAST, PART, Attack, AttackError, attacks, table

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_table_has_every_attack_that_is_collected() -> None:
    """If not: `python -m tests.attacks --write docs/proofs.md`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    made = subprocess.run(
        [sys.executable, "-m", "tests.attacks"],
        cwd=ROOT,
        env=environment | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert made.returncode == 0, made.stderr
    page = (ROOT / "docs" / "proofs.md").read_text(encoding="utf-8")
    assert PART.put_in(page, made.stdout.rstrip("\n")) == page


@dataclass
class Item:
    """What is looked at of a collected test."""

    nodeid: str
    marks: list[pytest.MarkDecorator]
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def callspec(self) -> "Item":
        return self

    def iter_markers(self, name: str) -> Iterator[pytest.Mark]:
        return (each.mark for each in self.marks if each.mark.name == name)

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        return next(self.iter_markers(name), None)


def counted(*items: Item) -> list[Attack]:
    return attacks(cast(list[pytest.Item], items))


LOCK = pytest.mark.attack("lock")


def test_forms_are_of_one_parameter_and_no_other_attacks() -> None:
    items = [
        Item(
            f"tests/a.py::test[{content}-{place}-{url}]",
            [LOCK],
            {"c": content, "p": place, "database_url": url},
        )
        for content in "abc"
        for place in "xy"
        for url in "1234"
    ]
    (attack,) = counted(*items)
    assert (attack.kind, attack.file, attack.forms) == ("lock", "tests/a.py", 3)
    (plain,) = counted(Item("tests/a.py::test", [LOCK]))
    assert plain.forms == 1


def test_what_is_none_is_not_counted() -> None:
    assert counted(Item("a.py::harmless", [pytest.mark.attack("lock", counted=False), LOCK])) == []
    assert counted(Item("a.py::none", [])) == []


@pytest.mark.parametrize("mark", [pytest.mark.attack, pytest.mark.attack("lok")])
def test_an_attack_says_its_kind(mark: pytest.MarkDecorator) -> None:
    with pytest.raises(AttackError, match=r"a\.py::test: name one of these kinds: answers, "):
        counted(Item("a.py::test", [mark]))


def test_all_are_added_up_and_too_few_are_no_table() -> None:
    enough = [Attack(kind, "tests/unit/a.py") for kind in KINDS] * (1 + LEAST // len(KINDS))
    made = table(enough)
    assert made.endswith(f"| **All** | **{len(enough)}** | **{len(enough)}** | | |")
    assert "| `unit/a.py` |" in made
    with pytest.raises(AttackError, match=f"there should be {LEAST}"):
        table(enough[: LEAST - 1])
    with pytest.raises(AttackError, match="no attack of these kinds: clock"):
        table([attack for attack in enough if attack.kind != "clock"])
