"""Fixtures shared by several test folders."""

import os
import uuid
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.support.prepared_databases import PreparedDatabases

# Before any test imports it: those of other folders do as well.
pytest.register_assert_rewrite("tests.chaos.states")

HERE = Path(__file__).parent
SLOW_FOLDERS = ("chaos", "soak")

# By the wall clock an example may take long for no fault of its own: other processes have the cores as well.
settings.register_profile("syncctl", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("syncctl")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests marked slow as well")
    parser.addoption(
        "--rounds", type=int, default=1, metavar="N", help="how often the torture tests repeat themselves"
    )
    parser.addoption(
        "--torture-report", type=Path, metavar="FILE", help="write what the torture tests tried, as JSON"
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: one more than there are cores, as tests wait for a server or a disk a sixth of the time."""
    return (os.cpu_count() or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    from tests.chaos.reporting import TortureReport

    report = TortureReport(config.getoption("--torture-report"), config.getoption("--rounds"))
    config.pluginmanager.register(report)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A worker of pytest-xdist can't send lone surrogates, which some tests print and log."""
    report = yield
    report.sections = [
        (title, text.encode("utf-8", "backslashreplace").decode("utf-8")) for title, text in report.sections
    ]
    return report


MONGO_FIXTURES = {"mongo_server", "replica_server"}
"""What a test that works on MongoDB asks for, by itself or by another fixture."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        # A test for both databases asks for MongoDB's fixture only when it runs: its parameter says so.
        values = getattr(getattr(item, "callspec", None), "params", {}).values()
        on_mongo = "mongo" in [value for value in values if isinstance(value, str)]
        if on_mongo or MONGO_FIXTURES & {*getattr(item, "fixturenames", ())}:
            item.add_marker(pytest.mark.mongo)
        folder = item.path.relative_to(HERE).parts[0]
        # Integration tests do the same on SQLite.
        if folder in SLOW_FOLDERS or (folder == "integration" and on_mongo):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("slow") and not item.config.getoption("--slow"):
        pytest.skip("takes long: `make slow` runs these, or --slow")


@pytest.fixture(autouse=True)
def _worlds_are_closed() -> Iterator[None]:
    yield
    from tests.support.model_world import close_worlds

    close_worlds()


@pytest.fixture(autouse=True)
def _no_mongod_without_the_marker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that starts a server of its own has the marker by hand, else `-m mongo` would leave it out."""
    if request.node.get_closest_marker("mongo") is None:
        monkeypatch.setattr("tests.support.mongod.Mongod.start", _unmarked)


def _unmarked(_: object) -> None:
    raise AssertionError("a test that needs a mongod is to be marked: @pytest.mark.mongo")


@pytest.fixture(scope="session")
def mongo_server() -> Iterator[str]:
    """The address of a real MongoDB server, without a database name; skips where there is none."""
    from tests.support import mongod

    try:
        with mongod.mongo_server() as uri:
            yield uri
    except mongod.NoMongodError as error:
        pytest.skip(f"no MongoDB: {error}")


@pytest.fixture
def mongo_url(mongo_server: str) -> Iterator[str]:
    """A DATABASE_URL of an empty database of one's own, dropped afterwards."""
    with _own_database(mongo_server) as url:
        yield url


@pytest.fixture(scope="session")
def _prepared_on_mongo(mongo_server: str) -> Iterator["PreparedDatabases"]:
    from tests.support.prepared_databases import PreparedDatabases

    with closing(PreparedDatabases(mongo_server)) as databases:
        yield databases


@pytest.fixture
def prepared_mongo_url(_prepared_on_mongo: "PreparedDatabases") -> Iterator[str]:
    """A DATABASE_URL of a database with syncctl's indexes, and nothing stored yet."""
    with _prepared_on_mongo.lend() as url:
        yield url


@pytest.fixture(scope="session")
def replica_server() -> Iterator[str]:
    """The same of a replica set of one member, which has transactions."""
    from tests.support import mongod

    try:
        with mongod.replica_set(1) as replicas:
            yield replicas.uri
    except mongod.NoMongodError as error:
        pytest.skip(f"no MongoDB: {error}")


@pytest.fixture(scope="session")
def _prepared_on_replica(replica_server: str) -> Iterator["PreparedDatabases"]:
    from tests.support.prepared_databases import PreparedDatabases

    with closing(PreparedDatabases(replica_server)) as databases:
        yield databases


@pytest.fixture
def prepared_replica_url(_prepared_on_replica: "PreparedDatabases") -> Iterator[str]:
    """The same on the replica set."""
    with _prepared_on_replica.lend() as url:
        yield url


@contextmanager
def _own_database(server: str) -> Iterator[str]:
    from pymongo import MongoClient

    from tests.support.mongod import with_database

    name = f"syncctl_test_{uuid.uuid4().hex}"
    yield with_database(server, name)
    with MongoClient[dict[str, object]](server) as client:
        client.drop_database(name)
