"""A database with valid leads that garbage must not be mistaken for, and what must hold whatever is
stored."""

import csv
import json
import string
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from pymongo import MongoClient

from syncctl.domain.run_results import RunResult
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus
from tests.chaos.garbage import GarbageApi, garbage_world
from tests.support.store_files import HEADER
from tests.support.store_files import row as file_row
from tests.support.webapp import Lead
from tests.support.world import World

VICTIM = {
    "name": "Victim",
    "phone": "9400000009",
    "store": "Suitor Guy - Perinthalmanna",
    "bookingNo": "1001",
}
LONGEST_KEPT = 100_000
"""Rows up to this many characters are stored whole on the rejects list."""


@dataclass(frozen=True)
class GarbageTarget:
    """A world, its API, and the valid leads in its database."""

    world: World
    api: GarbageApi

    def take(self, rows: list[Any]) -> RunResult:
        """Sync these rows from both reports."""
        self.api.rows = [json.dumps(row) for row in rows]
        return self.world.run((StepName.BOOKING, StepName.RETURN), full=True)

    def rejected(self, step: StepName) -> list[str]:
        """The raw rows of one kind on the rejects list."""
        with self.world.storage() as storage:
            return [reject.row[:LONGEST_KEPT] for reject in storage.rejects(step)]

    def victims(self) -> list[Lead]:
        return [lead for lead in self.world.app.leads() if lead["phone"] == VICTIM["phone"]]

    def assert_takes(self, rows: list[Any]) -> None:
        """Each of these rows is saved, known or rejected; syncing them again changes nothing."""
        before, victims = self.world.app.leads(), self.victims()
        result = self.take(rows)
        texts = [kept_text(row) for row in rows]
        for step in result.steps:
            assert step.status is StepStatus.SUCCESS, step.error
            assert step.counts.rows == len(rows)
            assert step.counts.balanced
            listed = set(self.rejected(step.name))
            assert step.counts.invalid == sum(text in listed for text in texts)
        after = self.world.app.leads()
        assert len(after) - len(before) == sum(step.counts.saved for step in result.steps)
        assert_sound(after)
        assert self.victims() == victims
        again = self.take(rows)
        assert [step.counts.saved for step in again.steps] == [0, 0]
        assert [step.counts.invalid for step in again.steps] == [step.counts.invalid for step in result.steps]
        assert self.world.app.leads() == after

    def assert_imports(self, files: Sequence[Path], rows: int) -> None:
        """Each of the `rows` rows in these files is saved, known or rejected; importing them again changes
        nothing. The database must have no rejects before."""
        before = self.world.app.leads()
        (step,) = self.world.import_files(StepName.WALKIN, *files).steps
        assert step.status is StepStatus.SUCCESS, step.error
        assert step.counts.rows == rows
        assert step.counts.balanced
        assert step.counts.invalid == len(self.rejected(StepName.WALKIN))
        after = self.world.app.leads()
        assert len(after) - len(before) == step.counts.saved
        assert [lead for lead in after if lead in before] == before
        assert_sound(after)
        (again,) = self.world.import_files(StepName.WALKIN, *files).steps
        assert (again.counts.saved, again.counts.updated) == (0, 0)
        assert again.counts.invalid == step.counts.invalid
        assert self.world.app.leads() == after


@contextmanager
def garbage_target(url: str) -> Iterator[GarbageTarget]:
    """A target in the database of this DATABASE_URL, which must be empty."""
    with garbage_world(url) as (world, api):
        for lead_type in ("bookingConfirmation", "return"):
            world.app.insert({**VICTIM, "leadType": lead_type, "callStatus": "Called"})
        world.app.add_report({"id": "1" * 24, "phone_number": "9400000008", "booking_number": "1002"})
        yield GarbageTarget(world, api)


HEAD = [file_row(Remarks=f"nothing is wrong with row {number}") for number in range(60)]
"""More than the 4,096 characters used to detect text, so that later control characters don't count."""


def write_file(file: Path, rows: list[list[str]], encoding: str = "utf-8") -> int:
    """Write a store's file: header, some valid rows, and these. Returns its number of rows."""
    with file.open("w", encoding=encoding, errors="surrogatepass", newline="") as out:
        csv.writer(out).writerows([HEADER, *HEAD, *rows])
    return len(HEAD) + len(rows)


@contextmanager
def empty_target(url: str) -> Iterator[GarbageTarget]:
    """A target in a database that is dropped afterwards, so that rounds don't affect each other."""
    with garbage_target(url) as target:
        yield target
    _drop(url)


def _drop(url: str) -> None:
    if url.startswith("sqlite"):
        for suffix in ("", "-wal", "-shm"):
            Path(url.removeprefix("sqlite:///") + suffix).unlink(missing_ok=True)
    else:
        with MongoClient[dict[str, Any]](url) as client:
            client.drop_database(client.get_default_database())


def kept_text(row: Any) -> str:
    """A row as the rejects list stores it: parsed from JSON, where two lone surrogates may become one
    character, and cut if very long."""
    return json.dumps(json.loads(json.dumps(row)), sort_keys=True)[:LONGEST_KEPT]


def assert_sound(leads: list[Lead]) -> None:
    """The web app can show these leads, whatever their source."""
    for lead in leads:
        assert all(
            isinstance(lead[name], str) and lead[name] for name in ("name", "phone", "store", "leadType")
        )
        assert len(lead["phone"]) == 10
        assert set(lead["phone"]) <= set(string.digits)
        assert isinstance(lead.get("bookingNo", ""), str)
        assert not isinstance(lead.get("securityAmount"), str | bool)


def fuzz(examples: int) -> settings:
    """Hypothesis settings: this many examples, without a time limit."""
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
