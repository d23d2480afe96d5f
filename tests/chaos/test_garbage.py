"""Whatever the API sends is saved, counted or rejected: no traceback, and no operator gets into a query."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus
from tests.chaos import garbage
from tests.chaos.garbage import STORES
from tests.chaos.garbage_rows import SOUND_CELLS
from tests.chaos.garbage_target import GarbageTarget, empty_target, fuzz, garbage_target, write_file
from tests.chaos.garbage_values import OPERATORS
from tests.support.store_files import HEADER
from tests.support.store_files import row as file_row

SURELY_READ = 300
"""Levels of nesting that are read, by whichever Python."""

NEVER_READ = 200_000


@pytest.fixture
def target(database_url: str) -> Iterator[GarbageTarget]:
    with garbage_target(database_url) as target:
        yield target


def test_rows_of_garbage(target: GarbageTarget, few_rounds: int) -> None:
    @fuzz(10 * few_rounds)
    @given(st.lists(garbage.rows, min_size=1, max_size=20))
    def check(rows: list[Any]) -> None:
        target.assert_takes(rows)

    check()
    assert target.world.retry_rejects().balanced


@pytest.mark.parametrize("operator", OPERATORS, ids=str)
def test_operators_are_no_questions(target: GarbageTarget, operator: Any) -> None:
    before = target.world.app.leads()
    booked = {"bookingDate": "2026-03-01T10:00:00"}
    rows = [
        {
            **booked,
            "bookingNo": operator,
            "customerName": "Anagha",
            "phoneNo": "9400000003",
            "returnDate": "2026-03-01T10:00:00",
        },
        {**booked, "bookingNo": "1001", "customerName": "Victim", "phoneNo": operator},
        {**booked, "bookingNo": "1003", "customerName": operator, "phoneNo": "9400000009"},
    ]
    result = target.take(rows)
    assert [step.counts.saved for step in result.steps] == [1, 1]
    assert [step.counts.invalid for step in result.steps] == [2, 0]
    after = target.world.app.leads()
    assert [lead for lead in after if lead["phone"] != "9400000003"] == before
    assert all("bookingNo" not in lead for lead in after if lead["phone"] == "9400000003")


@pytest.mark.parametrize("depth", [10, 100, SURELY_READ, 600, 900, 950, 980, 5_000, NEVER_READ])
def test_nesting_however_deep(target: GarbageTarget, depth: int) -> None:
    world, api = target.world, target.api
    booked = '"bookingDate": "2026-03-01T10:00:00"'
    sound = f'{{"bookingNo": "5", "customerName": "Anagha", "phoneNo": "9400000003", {booked}}}'
    nested = '{"a":' * (depth - 1) + "1" + "}" * (depth - 1)
    api.rows = ["[" * depth + "]" * depth, sound, f'{{{booked}, "a": {nested}}}']
    result = world.run((StepName.BOOKING,))
    (step,) = result.steps
    if depth <= SURELY_READ:
        assert step.status is StepStatus.SUCCESS, step.error
    if depth == NEVER_READ:
        assert step.status is StepStatus.PARTIAL
    if step.status is StepStatus.SUCCESS:
        assert (step.counts.rows, step.counts.saved, step.counts.invalid) == (3, 1, 2)
        assert len(world.app.all("syncrejects")) == 2
    else:
        assert "nested too deep" in (step.error or "")
        assert step.counts.rows == 0
    assert world.retry_rejects().balanced


def test_store_lists_of_garbage(target: GarbageTarget, few_rounds: int) -> None:
    world, api = target.world, target.api
    stores = st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("locCode", "locName", "city", "brand", "status"), garbage.values)
    )

    @fuzz(12 * few_rounds)
    @given(st.lists(st.one_of(stores, garbage.values), max_size=8))
    def check(rows: list[Any]) -> None:
        api.stores = [json.dumps(row) for row in rows]
        (step,) = world.run((StepName.STORES,)).steps
        assert step.status is StepStatus.SUCCESS, step.error
        assert step.counts.rows == len(rows)
        assert step.counts.balanced
        # Whatever it called the locations, they can be asked.
        assert all(step.counts.balanced for step in world.run((StepName.BOOKING,)).steps)

    check()
    names = [store["name"] for store in world.app.all("stores")]
    assert all(isinstance(name, str) and name for name in names)


SAYS_EMPTY = ("No data found", "no data")
SAYS_ERROR = ("No database", "Object reference not set")
lists = st.lists(garbage.rows, max_size=3)
descriptions = st.one_of(
    st.sampled_from([*SAYS_EMPTY, *SAYS_ERROR, "nodata", "", " "]),
    garbage.values,
)
documents = st.one_of(
    garbage.values,
    lists,
    st.fixed_dictionaries(
        {},
        optional={
            "dataSet": st.one_of(lists, st.fixed_dictionaries({"data": lists}), garbage.values),
            "data": st.one_of(lists, garbage.values),
            "result": st.one_of(lists, garbage.values),
            "status": st.one_of(st.sampled_from([True, False, "False", "true", 0, 1, None]), garbage.values),
            "errorDescription": descriptions,
        },
    ),
)
bodies = st.one_of(
    documents.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=40),
    st.text().map(lambda text: text.encode("utf-16", "surrogatepass")),
    documents.map(lambda value: json.dumps(value).encode()[:-1]),
)


UNCLEAR = -1
"""Of an answer without rows whose text nobody has agreed on: it may count as empty, but nothing follows."""


def rows_in(body: bytes) -> int | None:
    """How many rows an answer has by contract/rental-api.md, "Envelope"; None for a failed call."""
    try:
        document = json.loads(body)
    except ValueError:
        return None
    if isinstance(document, list):
        return len(document)
    return _rows_of_envelope(document) if isinstance(document, dict) else None


def strings_in(value: Any) -> list[str]:
    """All strings of a JSON value."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in strings_in(part)]


def _rows_of_envelope(document: dict[str, Any]) -> int | None:
    wrapped = document.get("dataSet")
    if isinstance(wrapped, dict) and "data" in wrapped:
        wrapped = wrapped["data"]
    places = [wrapped, document.get("data")]
    places.append(document.get("result"))
    lists = [rows for rows in places if isinstance(rows, list)]
    rows = next(filter(None, lists), lists[0] if lists else None)
    if not rows and document.get("errorDescription") in SAYS_ERROR:
        return None
    texts = [text for text in places if isinstance(text, str)] + strings_in(document.get("errorDescription"))
    if not rows and any(text.strip() and text not in SAYS_EMPTY for text in texts):
        return UNCLEAR
    if rows == []:
        return 0
    is_there = bool(document.keys() & {"dataSet", "data", "result"})
    if not rows and (document.get("errorDescription") in SAYS_EMPTY or (is_there and not any(places))):
        return 0  # it says that there is nothing, or gives no reason
    return None if rows is None or str(document.get("status")).lower() == "false" else len(rows)


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b"[]", 0),
        (b"[1, null]", 2),
        (b'{"result": [{}]}', 1),
        (b'{"dataSet": {"data": [{}, {}]}, "status": true}', 2),
        (b'{"dataSet": null, "status": false, "errorDescription": "No data found"}', 0),
        (b'{"dataSet": {"data": [{}]}, "status": false}', None),
        (b'{"dataSet": null, "status": true}', 0),
        (b'{"dataSet": [], "errorDescription": "No database"}', None),
        (b'{"dataSet": {"rows": 7}}', None),
        (b'{"data": ":"}', UNCLEAR),
        (b'{"errorDescription": [":"]}', UNCLEAR),
        (b'{"dataSet": {"rows": 7}, "result": [], "status": false, "errorDescription": ""}', 0),
        (b'{"rows": []}', None),
        (b'{"dataSet": [], "data": [{}]}', 1),
        (b'{"dataSet": {"data": [{}]}', None),
        (b"<html></html>", None),
        (b"17", None),
        (b"", None),
    ],
)
def test_what_the_contract_says_of_an_envelope(body: bytes, rows: int | None) -> None:
    assert rows_in(body) == rows


def watermarks(target: GarbageTarget) -> set[datetime | None]:
    """Of the two locations that are asked."""
    with target.world.storage() as storage:
        states = storage.location_states(StepName.BOOKING)
    return {states[code].watermark if code in states else None for code in STORES}


def test_envelopes_of_garbage(target: GarbageTarget, few_rounds: int) -> None:
    world = target.world

    @fuzz(25 * few_rounds)
    @given(bodies)
    def check(body: bytes) -> None:
        target.api.body = body
        before = watermarks(target)
        world.now += timedelta(minutes=1)
        (step,) = world.run((StepName.BOOKING,), full=True).steps
        assert step.counts.balanced
        rows = rows_in(body)
        if rows == UNCLEAR:
            assert step.counts.rows == 0
            assert watermarks(target) == before
        elif rows is None:
            assert step.status is StepStatus.FAILED
            assert len((step.error or "").splitlines()) == 1
            assert step.counts.rows == 0
            assert watermarks(target) == before
        else:
            assert step.status is StepStatus.SUCCESS, step.error
            assert step.counts.rows == rows * len(STORES)

    check()


def test_file_rows_of_garbage(database_url: str, few_rounds: int, tmp_path: Path) -> None:
    file = tmp_path / "walkin_z_edappally.csv"
    cells = st.dictionaries(
        st.integers(0, len(HEADER) - 1), garbage.texts, max_size=len(HEADER) - SOUND_CELLS
    )

    @fuzz(8 * few_rounds)
    @given(st.lists(cells, max_size=20))
    def check(rows: list[dict[int, str]]) -> None:
        with empty_target(database_url) as target:
            written = write_file(
                file, [[row.get(n, cell) for n, cell in enumerate(file_row())] for row in rows]
            )
            victims = target.victims()
            target.assert_imports([file], written)
            assert target.victims() == victims

    check()
