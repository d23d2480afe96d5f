"""Whatever the API sends is saved, counted or rejected: no traceback, and no operator gets into a query."""

import csv
import json
import string
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncctl.models import RunResult, StepName, StepStatus
from tests.support.store_files import HEADER
from tests.support.store_files import row as store_row
from tests.support.webapp import Lead
from tests.support.world import World
from tests.torture import garbage
from tests.torture.garbage import OPERATORS, GarbageApi, garbage_world, mixed
from tests.torture.tally import tally

Place = tuple[World, GarbageApi]
VICTIM = {
    "name": "Victim",
    "phone": "9400000009",
    "store": "Suitor Guy - Perinthalmanna",
    "bookingNo": "1001",
}
ROWS = 120
LONGEST_KEPT = 100_000
"""Characters of a row that the rejects list keeps whole."""
"""In one answer."""


@pytest.fixture
def place(database_url: str) -> Iterator[Place]:
    """A world with a lead, and a report, that garbage must not be taken for."""
    with garbage_world(database_url) as (world, api):
        for lead_type in ("bookingConfirmation", "return"):
            world.app.insert({**VICTIM, "leadType": lead_type, "callStatus": "Called"})
        world.app.add_report({"id": "1" * 24, "phone_number": "9400000008", "booking_number": "1002"})
        yield world, api


def take(place: Place, rows: list[Any]) -> RunResult:
    """A run that is shown these rows."""
    world, api = place
    api.rows = [json.dumps(row) for row in rows]
    return world.run((StepName.BOOKING, StepName.RETURN), full=True)


def rejected(world: World, step: StepName) -> set[str]:
    """The raw rows of one report that are on the rejects list."""
    with world.storage() as storage:
        return {reject.row[:LONGEST_KEPT] for reject in storage.rejects(step)}


def victims(world: World) -> list[Lead]:
    return [lead for lead in world.app.leads() if lead["phone"] == VICTIM["phone"]]


def assert_sound(leads: list[Lead]) -> None:
    for lead in leads:
        assert all(
            isinstance(lead[name], str) and lead[name] for name in ("name", "phone", "store", "leadType")
        )
        assert len(lead["phone"]) == 10
        assert set(lead["phone"]) <= set(string.digits)
        assert isinstance(lead.get("bookingNo", ""), str)
        assert not isinstance(lead.get("securityAmount"), str | bool)


def fuzz(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


def test_rows_of_garbage(place: Place, few_rounds: int) -> None:
    world, _ = place
    before = victims(world)

    @fuzz(10 * few_rounds)
    @given(st.lists(garbage.rows, min_size=1, max_size=20), st.integers(0, 2**32).map(Random))
    def check(pool: list[Any], luck: Random) -> None:
        rows = mixed(pool, ROWS, luck)
        result = take(place, rows)
        tally.add("garbage rows", 2 * len(rows))
        for step in result.steps:
            assert step.status is StepStatus.SUCCESS, step.error
            assert step.counts.rows == len(rows)
            assert step.counts.balanced
            listed = rejected(world, step.name)
            # A very long row is listed cut.
            texts = (json.dumps(row, sort_keys=True)[:LONGEST_KEPT] for row in rows)
            assert step.counts.invalid == sum(text in listed for text in texts)
        leads = world.app.leads()
        assert_sound(leads)
        again = take(place, rows)
        assert [step.counts.saved for step in again.steps] == [0, 0]
        assert [step.counts.invalid for step in again.steps] == [step.counts.invalid for step in result.steps]
        assert world.app.leads() == leads
        assert victims(world) == before

    check()
    assert world.retry_rejects().balanced


@pytest.mark.parametrize("operator", OPERATORS, ids=str)
def test_operators_are_no_questions(place: Place, operator: Any) -> None:
    world, _ = place
    before = world.app.leads()
    rows = [
        {
            "bookingNo": operator,
            "customerName": "Anagha",
            "phoneNo": "9400000003",
            "bookingDate": "2026-03-01T10:00:00",
            "returnDate": "2026-03-01T10:00:00",
        },
        {"bookingNo": "1001", "customerName": "Victim", "phoneNo": operator},
        {"bookingNo": "1003", "customerName": operator, "phoneNo": "9400000009"},
    ]
    result = take(place, rows)
    assert [step.counts.saved for step in result.steps] == [1, 1]
    assert [step.counts.invalid for step in result.steps] == [2, 0]
    after = world.app.leads()
    assert [lead for lead in after if lead["phone"] != "9400000003"] == before
    assert all("bookingNo" not in lead for lead in after if lead["phone"] == "9400000003")


@pytest.mark.parametrize("depth", [10, 100, 300, 600, 900, 950, 980, 5_000, 200_000])
def test_nesting_however_deep(place: Place, depth: int) -> None:
    world, api = place
    sound = json.dumps({"bookingNo": "5", "customerName": "Anagha", "phoneNo": "9400000003"})
    api.rows = ["[" * depth + "]" * depth, sound, '{"a":' * depth + "1" + "}" * depth]
    result = world.run((StepName.BOOKING,))
    (step,) = result.steps
    tally.add("garbage rows", 3)
    if step.status is StepStatus.SUCCESS:
        assert (step.counts.rows, step.counts.saved, step.counts.invalid) == (3, 1, 2)
        assert len(world.app.all("syncrejects")) == 2
    else:
        assert "nested too deep" in (step.error or "")
    assert world.retry_rejects().balanced


def test_store_lists_of_garbage(place: Place, few_rounds: int) -> None:
    world, api = place
    stores = st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("locCode", "locName", "city", "brand", "status"), garbage.values)
    )

    @fuzz(12 * few_rounds)
    @given(st.lists(st.one_of(stores, garbage.values), max_size=8))
    def check(rows: list[Any]) -> None:
        api.stores = [json.dumps(row) for row in rows]
        (step,) = world.run((StepName.STORES,)).steps
        tally.add("garbage rows", len(rows))
        assert step.status is StepStatus.SUCCESS, step.error
        assert step.counts.rows == len(rows)
        assert step.counts.balanced
        # Whatever it called the locations, they can be asked.
        assert all(step.counts.balanced for step in world.run((StepName.BOOKING,)).steps)

    check()
    names = [store["name"] for store in world.app.all("stores")]
    assert all(isinstance(name, str) and name for name in names)


def test_envelopes_of_garbage(place: Place, few_rounds: int) -> None:
    world, api = place
    wrapped = st.one_of(
        garbage.values,
        st.dictionaries(
            st.sampled_from(["dataSet", "data", "result", "status", "errorDescription"]), garbage.values
        ),
    )
    bodies = st.one_of(
        wrapped.map(lambda value: json.dumps(value).encode()),
        st.binary(max_size=40),
        st.text().map(lambda text: text.encode("utf-16", "surrogatepass")),
        wrapped.map(lambda value: json.dumps(value).encode()[:-1]),
    )

    @fuzz(25 * few_rounds)
    @given(bodies)
    def check(body: bytes) -> None:
        api.body = body
        (step,) = world.run((StepName.BOOKING,), full=True).steps
        tally.add("garbage rows", 1)
        assert step.counts.balanced
        assert step.error is None or "\n" not in step.error

    check()


def test_file_rows_of_garbage(place: Place, few_rounds: int, tmp_path: Path) -> None:
    world, _ = place
    file = tmp_path / "walkin_z_edappally.csv"
    before = victims(world)

    @fuzz(12 * few_rounds)
    @given(st.lists(st.lists(garbage.texts, max_size=len(HEADER)), max_size=20))
    def check(rows: list[list[str]]) -> None:
        with file.open("w", encoding="utf-8", errors="surrogatepass", newline="") as out:
            csv.writer(out).writerows([HEADER, *(pad(row) for row in rows)])
        (step,) = world.import_files(StepName.WALKIN, file).steps
        tally.add("garbage rows", len(rows))
        assert step.counts.balanced
        assert step.error is None or step.counts.rows == 0
        assert victims(world) == before
        assert_sound([lead for lead in world.app.leads() if lead.get("source") == "Walk-in"])

    check()


def pad(row: list[str]) -> list[str]:
    """A sound row with garbage in its first cells."""
    return [*row, *store_row()[len(row) :]]
