"""The rows of one answer sorted, and those of other days set apart."""

from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any

import pytest

from syncctl.domain.lead_fields import LEAD_FIELDS
from syncctl.domain.requests import Days
from syncctl.domain.sources import StepName
from syncctl.services.sync.answer_rows import AnswerRows, classify, has_changed, unclassified
from tests.support.answers import item_rows

STORE = "Suitor Guy - Perinthalmanna"
DAYS = Days(date(2026, 3, 3), date(2026, 3, 5))


def row(number: str, day: str | None, **fields: Any) -> dict[str, Any]:
    moment = f"{day}T10:00:00" if day else None
    customer = {"bookingNo": number, "customerName": "Anagha", "phoneNo": "9000000001"}
    return {**customer, "bookingDate": moment, "returnDate": moment, **fields}


def sort(rows: list[Any], days: Days | None = DAYS, report: StepName = StepName.BOOKING) -> AnswerRows:
    answer = classify(unclassified(report, "7", STORE, rows, UTC), days, lambda: None, STORE)
    items = sum(map(len, answer.item_rows.values()))
    assert answer.merged == items
    assert len(answer.rows) == len(answer.records) + items + len(answer.invalid) + answer.ignored
    assert len(answer.rows) + len(answer.outside) == len(rows)
    return answer


def numbers(answer: AnswerRows) -> list[str]:
    return [record.values["bookingNo"] for record in answer.records.values()]


@pytest.mark.parametrize("report", [StepName.BOOKING, StepName.RETURN])
def test_rows_of_other_days_are_set_apart(report: StepName) -> None:
    rows = [row(str(day), f"2026-03-0{day}") for day in range(1, 8)]
    answer = sort(rows, report=report)
    assert numbers(answer) == ["3", "4", "5"]
    assert answer.outside == [rows[0], rows[1], rows[5], rows[6]]
    assert answer.keys == sort(rows, None, report).records.keys()


def test_without_days_nothing_is() -> None:
    answer = sort([row("1", "2001-01-01"), row("2", "2099-12-31")], None)
    assert numbers(answer) == ["1", "2"]
    assert not answer.outside


def test_what_has_no_date_that_can_be_read_stays() -> None:
    answer = sort([row("1", None, bookingDate="yesterday"), row("2", "2026-03-04"), "no row", None])
    assert numbers(answer) == ["1", "2"]
    assert not answer.outside
    assert len(answer.invalid) == 2


@pytest.mark.parametrize("absent", [None, ""])
def test_what_is_no_booking_is_ignored_whatever_the_days(absent: str | None) -> None:
    answer = sort([row("1", None, bookingDate=absent), row("2", "2026-03-04")])
    assert numbers(answer) == ["2"]
    assert (answer.ignored, answer.outside) == (1, [])


def test_a_return_that_is_not_one_yet_stays_and_is_ignored() -> None:
    answer = sort([row("1", "2026-01-01", returnDate=None)], report=StepName.RETURN)
    assert (answer.ignored, answer.outside) == (1, [])


def test_an_invalid_row_of_another_day_is_set_apart_too() -> None:
    rows = [row("1", "2026-03-04", phoneNo=""), row("2", "2026-03-09", phoneNo="")]
    answer = sort(rows)
    assert [invalid for invalid, _ in answer.invalid] == rows[:1]
    assert answer.outside == rows[1:]


def test_a_booking_goes_as_a_whole_by_the_date_that_its_lead_has() -> None:
    """Items of one booking came back on several days: the lead has the first row's."""
    inside = [row("1", "2026-03-05", itemCode="A"), row("1", "2026-03-06", itemCode="B")]
    outside = [row("2", "2026-03-02", itemCode="A"), row("2", "2026-03-03", itemCode="B")]
    answer = sort(inside + outside, report=StepName.RETURN)
    assert numbers(answer) == ["1"]
    assert answer.rows == inside
    assert answer.outside == outside


def test_rows_that_are_not_too_old() -> None:
    rows = [
        row("1", "2026-03-01"),
        row("1", "2026-03-01", itemCode="B"),
        row("2", "2026-03-04"),
        row("3", None),
        row("4", "2026-03-01", customerName=""),
    ]
    assert sort(rows, None).rows_from(date(2026, 3, 2)) == 3
    assert sort(rows, None).rows_from(date(2026, 3, 1)) == 5
    assert sort([], None).rows_from(date(2026, 3, 1)) == 0


def test_item_rows_complete_each_other_in_both_orders() -> None:
    answer = sort(item_rows()["dataSet"]["data"], None)
    assert len(answer.records) == 2
    for record in answer.records.values():
        assert record.values["functionDate"] == datetime(2026, 12, 20, tzinfo=UTC)
        assert record.values["securityAmount"] == 9000
        assert record.values["remarks"] == "needs fitting"


FILLED = {
    "functionDate": datetime(2026, 12, 20, tzinfo=UTC),
    "enquiryDate": datetime(2026, 1, 5, tzinfo=UTC),
    "enquiryType": "Suits",
    "remarks": "needs fitting",
}
PARTS: list[dict[str, Any]] = [
    {"deliveryDate": "2026-12-20", "remarks": " ", "price": 0},
    {
        "enquiryDate": "2026-01-05",
        "deliveryDate": "0001-01-01T00:00:00",
        "price": 9000,
        "bookingBy": "Staff A",
    },
    {"remarks": "needs fitting", "category": "Suits", "deliveryDate": "soon"},
]


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("report", [StepName.BOOKING, StepName.RETURN])
def test_what_any_row_says_is_in_the_record(report: StepName, order: tuple[int, ...]) -> None:
    answer = sort([row("1", "2026-03-04", **PARTS[number]) for number in order], None, report)
    (record,) = answer.records.values()
    own = {"securityAmount": 9000} if report is StepName.BOOKING else {"attendedBy": "Staff A"}
    assert record.values.items() >= (FILLED | own).items()


def test_what_the_first_row_says_is_not_overwritten_and_of_the_others_the_first_counts() -> None:
    rows = [
        row("1", "2026-03-04", price=100),
        row("1", "2026-03-05", price=200, remarks="second"),
        row("1", "2026-03-06", price=300, remarks="third"),
    ]
    (record,) = sort(rows, None).records.values()
    assert (record.values["securityAmount"], record.values["remarks"]) == (100, "second")
    assert record.values["createdAt"].day == 4


def test_a_booking_date_that_one_row_leaves_unreadable_another_one_tells() -> None:
    (record,) = sort([row("1", None, bookingDate="soon"), row("1", "2026-03-04")], None).records.values()
    assert record.values["createdAt"].day == 4


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_item_rows_is_no_change(order: tuple[int, ...]) -> None:
    items = [
        row("1", "2026-03-04", **part, category=f"Kind {number}")
        for number, part in enumerate([*PARTS[:2], {"remarks": "ready"}])
    ]
    (base,) = sort(items, None).records.values()
    answer = sort([items[number] for number in order], None)
    (record,) = answer.records.values()
    assert not has_changed(answer, record, base.values)
    for said_else in ({"price": 1}, {"deliveryDate": None}):
        answer = sort([{**items[number], **said_else} for number in order], None)
        (record,) = answer.records.values()
        assert has_changed(answer, record, base.values)


def test_what_a_version_before_has_kept_of_one_item_row_is_no_change() -> None:
    items = [row("1", "2026-03-04", **part) for part in PARTS]
    answer = sort(items, None)
    (record,) = answer.records.values()
    for item in items:
        (alone,) = sort([item], None).records.values()
        assert not has_changed(answer, record, alone.values)
        assert not has_changed(answer, record, {"securityAmount": 0, **alone.values})


def _api(field: str) -> tuple[str, ...]:
    return LEAD_FIELDS[field].api


@pytest.mark.parametrize("report", [StepName.BOOKING, StepName.RETURN])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_delivery_date_counts_before_a_trial_date_of_another_row(
    report: StepName, order: tuple[int, ...]
) -> None:
    items = [
        row("1", "2026-03-04", trialDate="2026-12-10"),
        row("1", "2026-03-04", deliveryDate="2026-12-20"),
    ]
    (record,) = sort([items[number] for number in order], None, report).records.values()
    assert record.values["functionDate"] == datetime(2026, 12, 20, tzinfo=UTC)
