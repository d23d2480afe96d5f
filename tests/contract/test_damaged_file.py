"""A SQLite file with overwritten pages: every command says that it is the database, and what to do."""

from collections.abc import Iterator

import pytest

from syncctl.sandbox import Sandbox
from tests.support.program import Program

PAGE = 4096


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """After a sync into a file that was damaged then. Its API still answers."""
    folder = tmp_path_factory.mktemp("damaged")
    database = folder / "syncctl.db"
    with Sandbox(locations=1, bookings=5) as sandbox:
        program = Program(folder, API_BASE_URL=sandbox.base_url, DATABASE_URL=f"sqlite:///{database}")
        assert program.run("api", "-q").status == 0
        content = database.read_bytes()
        # The header and the list of tables are left, as a file without them can't even be opened.
        database.write_bytes(content[:PAGE] + b"\xff" * (len(content) - PAGE))
        yield program


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("api", 69),
        ("verify source", 69),
        ("history", 69),
        ("status", 1),
        ("verify sync", 1),
        ("doctor", 1),
    ],
)
def test_the_database_is_to_blame(program: Program, command: str, status: int) -> None:
    ended = program.run(*command.split())
    assert "syncctl.db is damaged: stop syncctl" in ended.output
    assert "run this again when it answers" not in ended.output
    assert "Atlas" not in ended.output
    assert ended.status == status
