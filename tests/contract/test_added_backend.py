"""A backend is added in one place, the table: it keeps the contract, and every command works on it."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from syncctl.domain.stores import Store
from syncctl.errors import SettingsError
from syncctl.ports.storage import Storage
from syncctl.sandbox import Sandbox
from syncctl.settings.urls import database_url, masked_database_url
from syncctl.storage import registry
from syncctl.storage.registry import open_storage
from tests.contract.lead_suite import Database
from tests.contract.memory_backend import DATABASES, MEMORY, MemoryDatabase
from tests.contract.samples import lead, record, reject, text_id
from tests.contract.storage_suite import StorageSuite

URL = "memory://leads"
COMMANDS = ("api --json", "api --json", "status --json", "config", "doctor --json", "verify data --json")

RUN_COMMANDS = """
import sys
from syncctl.storage import registry
from tests.contract.memory_backend import MEMORY
registry.BACKENDS = (*registry.BACKENDS, MEMORY)
from syncctl.cli.app import main
for words in sys.argv[1:]:
    sys.argv = ["syncctl", *words.split()]
    try:
        main()
    except SystemExit as end:
        print(f"\\0{end.code or 0}\\0", end="", flush=True)
"""


@pytest.fixture(autouse=True)
def _added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BACKENDS", (*registry.BACKENDS, MEMORY))
    monkeypatch.delitem(DATABASES, URL, raising=False)


class TestContract(StorageSuite):
    """The whole contract."""

    @pytest.fixture
    def database(self) -> MemoryDatabase:
        return DATABASES.setdefault(URL, MemoryDatabase(URL))

    def test_processes_that_store_the_same_store_it_once(self, storage: Storage, database: Database) -> None:
        """Here they are threads: the memory is this process's own."""
        numbers = range(200)

        def store(_: int) -> tuple[set[str], int, int]:
            with closing(open_storage(database.url)) as mine:
                mine.prepare()
                inserted = mine.store_leads([lead(n) for n in numbers], [record(n) for n in numbers])
                new_rejects = mine.add_rejects([reject(n) for n in numbers])
                shops = [Store(f"Zorucci - {n}", str(n), "Zorucci", "", True) for n in numbers]
                return inserted, new_rejects, mine.add_stores(shops)

        with ThreadPoolExecutor(3) as threads:
            answers = list(threads.map(store, range(3)))
        assert sorted(each for ids, _, _ in answers for each in ids) == [text_id(n) for n in numbers]
        assert [sum(counts) for counts in zip(*(answer[1:] for answer in answers), strict=True)] == [200, 200]
        assert [database.count(name) for name in ("leads", "syncrecords", "syncrejects", "stores")] == [
            200
        ] * 4


def test_its_address_is_a_setting_and_a_wrong_one_names_all_backends() -> None:
    assert database_url(URL, Path("/")) == URL
    assert masked_database_url("memory://user:s3cret@leads") == "memory://***@leads"
    with pytest.raises(SettingsError, match="a name is expected after memory://"):
        database_url("memory://a/b", Path("/"))
    with pytest.raises(SettingsError, match=r"sqlite:///, mongodb://, mongodb\+srv:// or memory://$"):
        database_url("mysql://leads", Path("/"))
    with pytest.raises(SettingsError, match=r"or with memory:// and a name\.$"):
        open_storage("mysql://leads")


def test_syncctl_works_on_it(tmp_path: Path) -> None:
    with Sandbox(locations=4, bookings=60, today=datetime.now(UTC).date()) as sandbox:
        settings = {"DATABASE_URL": URL, "API_BASE_URL": sandbox.base_url, "API_CALL_DELAY_MS": "0"}
        ended = subprocess.run(
            [sys.executable, "-W", "error", "-c", RUN_COMMANDS, *COMMANDS],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2]), **settings},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    parts = ended.stdout.split("\0")
    first, again, status, config, doctor, data = parts[:-1:2]
    codes = dict(zip(COMMANDS, parts[1::2], strict=True))

    def booking(text: str) -> dict[str, Any]:
        return next(step for step in json.loads(text)["steps"] if step["name"] == "booking")

    assert booking(first)["saved"] > 0
    assert booking(first)["errors"] == booking(again)["saved"] == 0
    assert booking(again)["existing"] > 0
    assert codes["api --json"] == codes["status --json"] == codes["verify data --json"] == "0"
    assert json.loads(status)["health"] == "OK"
    assert json.loads(data)["ok"]
    assert URL in config
    found = {check["name"]: check for check in json.loads(doctor)["checks"]}
    assert "Memory" in found["Database"]["found"]
    assert found["Database rights"]["result"] == "ok"
