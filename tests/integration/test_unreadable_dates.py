"""Unreadable dates are not missing dates: in the API's rows and in files."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncctl.domain.run_results import RunResult
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus
from syncctl.sandbox import Sandbox
from tests.integration.conftest import TODAY
from tests.support.store_files import counts, row, write
from tests.support.world import World

CASES = Path(__file__).parent / "cases"
BOOKING, RETURN, WALKIN = (StepName.BOOKING,), (StepName.RETURN,), StepName.WALKIN


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(locations=1, bookings=0, today=TODAY) as sandbox:
        yield sandbox


def api_row(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "bookingNo": f"20260301001{number:05}",
        "customerName": f"Anagha {number}",
        "phoneNo": f"98460{number:05}",
        "bookingDate": "2026-03-01T10:00:00",
        "deliveryDate": "2026-04-10T00:00:00",
        **fields,
    }


def sync(world: World, steps: tuple[StepName, ...], *, dry_run: bool = False) -> RunResult:
    return world.run(steps, locations=(world.sandbox.locations[0],), dry_run=dry_run)


def answer(world: World, *rows: dict[str, Any]) -> None:
    world.sandbox.add_rows(world.sandbox.locations[0], list(rows))


def test_dates_of_other_serialisers(world: World) -> None:
    answer(world, *json.loads((CASES / "api_dates.json").read_text())["dataSet"]["data"])
    result = sync(world, BOOKING)
    step = result.steps[0]
    assert result.ok
    assert step.counts.balanced
    assert (step.counts.saved, step.counts.ignored, step.counts.invalid) == (6, 3, 0)
    shown = datetime(2025, 2, 1, 14, 29, 27, tzinfo=UTC)
    local = datetime(2025, 2, 1, 8, 59, 27, tzinfo=UTC)
    dates = {lead["name"]: lead["createdAt"] for lead in world.app.leads()}
    assert {name: at.replace(microsecond=0) for name, at in dates.items() if name != "Api 8"} == {
        **dict.fromkeys(("Api 1", "Api 2", "Api 5"), shown),
        **dict.fromkeys(("Api 3", "Api 4"), local),
    }
    assert dates["Api 8"].date() == TODAY
    warning = step.locations[0].warning or ""
    assert "bookingDate can't be read in 1 new booking, dated by when it was first seen" in warning
    assert "2025020100100008" in warning
    again = sync(world, BOOKING).steps[0]
    assert (again.counts.saved, again.counts.existing) == (0, 6)
    assert again.locations[0].warning is None, "it is news once"


def test_a_booking_without_a_date_and_a_number_is_a_reject(world: World) -> None:
    answer(world, api_row(1, bookingDate="soon", bookingNo=""), api_row(2))
    step = sync(world, BOOKING).steps[0]
    assert (step.counts.saved, step.counts.invalid) == (1, 1)
    (reject,) = world.app.all("syncrejects")
    assert "bookingDate can't be read as a date" in reject["reason"]


def test_a_return_whose_date_can_not_be_read_is_a_reject(world: World) -> None:
    answer(world, api_row(1, returnDate="30-02-2026"), api_row(2, returnDate="2026-03-02T10:00:00"))
    step = sync(world, RETURN).steps[0]
    assert step.counts.balanced
    assert (step.counts.saved, step.counts.invalid) == (1, 1)


def test_another_date_is_left_out_with_a_warning(world: World) -> None:
    answer(world, api_row(1, deliveryDate="31/31/2026"), api_row(2), api_row(3, deliveryDate="0001-01-01"))
    step = sync(world, BOOKING).steps[0]
    assert step.counts.saved == 3
    leads = {lead["name"]: lead for lead in world.app.leads()}
    assert "functionDate" not in leads["Anagha 1"]
    assert "functionDate" in leads["Anagha 2"]
    assert step.locations[0].warning == (
        "functionDate can't be read in 1 new booking, saved without it: 2026030100100001"
    )


@pytest.mark.parametrize(("step", "field"), [(BOOKING, "bookingDate"), (RETURN, "returnDate")])
def test_an_api_that_has_changed_its_form_fails_the_location(
    world: World, step: tuple[StepName], field: str
) -> None:
    rows = [api_row(number, **{field: f"the {number}. of March"}) for number in range(5)]
    answer(world, *rows, api_row(9, **{field: None}))
    result = sync(world, step)
    assert result.steps[0].status is StepStatus.FAILED
    assert f"{field} can't be read in any of 5 rows" in (result.steps[0].error or "")
    assert not world.app.leads()
    assert not world.app.all("syncrejects")
    with world.storage() as storage:
        assert all(state.watermark is None for state in storage.location_states(step[0]).values())
    world.now += timedelta(minutes=5)
    assert not sync(world, step).ok


@pytest.mark.parametrize("good", [4, 5])
def test_fewer_or_not_all_are_slips(world: World, good: int) -> None:
    rows = [api_row(number, bookingDate="soon") for number in range(4 if good == 4 else 6)]
    answer(world, *rows, *([api_row(9)] if good == 5 else []))
    result = sync(world, BOOKING)
    assert result.ok
    assert result.steps[0].counts.saved == len(rows) + (good == 5)


def test_a_dry_run_says_the_same(world: World) -> None:
    answer(world, api_row(1, bookingDate="soon"))
    step = sync(world, BOOKING, dry_run=True).steps[0]
    assert "bookingDate can't be read in 1 new booking" in (step.locations[0].warning or "")


def test_thirty_one_forms_in_a_file(world: World) -> None:
    result = world.import_files(WALKIN, CASES / "16-dates-as-text" / "walkin_sg_calicut.csv")
    assert counts(result) == (31, 0, 0, 0, 0, 0)
    unclear = {8, 15, 16, 17, 18, 19, 23, 26, 29, 30}
    days = {int(lead["name"][1:]): lead.get("functionDate") for lead in world.app.leads()}
    day = datetime(2025, 2, 13, tzinfo=UTC)
    assert days == {
        number: None if number in unclear else day.replace(month=9 if number == 6 else 2)
        for number in range(31)
    }
    rows = "; ".join(f"row {number + 2}" for number in sorted(unclear))
    assert result.steps[0].locations[0].warning == f"Function Date can't be read, saved without it: {rows}"


def test_a_date_in_a_file_that_can_not_be_read_is_a_reject(world: World, tmp_path: Path) -> None:
    file = write(
        tmp_path / "walkin_sg_calicut.csv", *[row(Date=day) for day in ("next week", "2/13/2025", "13 Feb")]
    )
    assert counts(world.import_files(WALKIN, file)) == (0, 0, 0, 0, 0, 3)
    assert {reject["reason"] for reject in world.app.all("syncrejects")} == {
        "Date can't be read as a date (day first)",
        "Date '2/13/2025' can't be read as a date (day first)",
    }


def test_a_function_date_that_became_unreadable_stays_as_it_was(world: World, tmp_path: Path) -> None:
    file = write(tmp_path / "walkin_sg_calicut.csv", row())
    world.import_files(WALKIN, file)
    (before,) = world.app.leads()
    write(file, row(Function_Date="28-11-2O25", Remarks="news"))
    assert counts(world.import_files(WALKIN, file)) == (0, 1, 0, 0, 0, 0)
    (after,) = world.app.leads()
    assert (after["functionDate"], after["remarks"]) == (before["functionDate"], "news")
