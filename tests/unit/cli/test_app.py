"""The commands that are made for a command line."""

from typing import Any

import pytest
import typer
from typer.main import get_command

from syncctl.cli.app import program_for, whole_program


def commands(program: typer.Typer) -> dict[str, Any]:
    made: Any = get_command(program)
    return dict(made.commands)


def test_each_name_makes_its_own_command_and_few_others() -> None:
    every = commands(whole_program())
    few = {name: commands(program_for([name, "--json"])) for name in every.keys() - {"help", "completion"}}
    assert all(name in made and len(made) < len(every) / 3 for name, made in few.items())


@pytest.mark.parametrize("words", [[], ["-q", "api"], ["--help"], ["help", "api"], ["no-such"]])
def test_else_all_are_made(words: list[str]) -> None:
    assert program_for(words) is whole_program()
