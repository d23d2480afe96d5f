"""A year of a database, from the old system to syncctl: no lead comes back, is lost or duplicated.

Only what can't be recognized any more (contract/database.md) may be imported again; `pytest -rP` lists it.
`--rounds N` plays N different years.
"""

from pathlib import Path

import pytest
from pymongo import MongoClient

from tests.integration.year.year import Year
from tests.support.webapp import PAGES


@pytest.mark.slow
@pytest.mark.torture
def test_a_year(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    shapes_used: set[str] = set()
    for seed in range(1, 1 + request.config.getoption("--rounds")):
        folder = tmp_path / str(seed)
        folder.mkdir()
        shapes_used |= _play(_empty(database_url, folder), folder, seed)
    assert PAGES.keys() <= shapes_used  # a year by itself may miss one


def _empty(url: str, folder: Path) -> str:
    if url.startswith("sqlite"):
        return f"sqlite:///{folder / 'syncctl.db'}"
    with MongoClient[dict[str, object]](url) as client:
        client.drop_database(client.get_default_database())
    return url


def _play(url: str, folder: Path, seed: int) -> set[str]:
    """Play the year of `seed`; the shapes of reports that the app wrote in it."""
    year = Year(url, folder, seed)
    try:
        year.play()
    finally:
        year.close()
    said = f"the year of seed {seed}:\n{year.oracle.summary()}"
    print(said)  # noqa: T201 - what pytest -rP shows
    assert not year.oracle.wrong, said
    return set(year.simulation.shapes_used)
