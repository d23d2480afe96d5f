"""The torture tests' marker and their number of rounds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncctl.sandbox import Sandbox

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.torture)


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How often a test repeats itself: 1 as a part of `pytest`, more with `--rounds N`."""
    given: int = request.config.getoption("--rounds")
    return given


@pytest.fixture
def few_rounds(rounds: int) -> int:
    """The number of rounds for tests that try thousands of cases per round: a quarter of `rounds`."""
    return 1 + (rounds - 1) // 4


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A small one."""
    with Sandbox(locations=2, bookings=16) as sandbox:
        yield sandbox


@pytest.fixture(params=["sqlite", "mongo"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A DATABASE_URL of an empty database, of each kind."""
    if request.param == "mongo":
        return str(request.getfixturevalue("prepared_mongo_url"))
    return f"sqlite:///{tmp_path / 'syncctl.db'}"
