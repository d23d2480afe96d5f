"""A row of a store's file made into a lead's values."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncctl.domain.lead_values import LeadValues
from syncctl.domain.sources import StepName
from syncctl.errors import InvalidRowError
from syncctl.mapping.file_rows import FileRecord, usable_cells
from syncctl.mapping.file_rows import file_date as date_of_cell
from syncctl.mapping.file_rows import file_record as record_of_row

STORE = "Suitor Guy - Calicut"
WALKIN: dict[str, Any] = {
    "date": "09-10-2025",
    "name": "Anagha S",
    "phone": 7796831125,
    "function date": "28-11-2025",
    "staff": "RAYAN K B",
    "status": "Booked",
    "category": "ENQUIRY",
    "sub category": "SIZE TOO SMALL",
    "remarks": "just enquiry",
}
LOSS: dict[str, Any] = {
    "date": date(2025, 2, 6),
    "name": "Vishnu",
    "phone": "8278267352/8840050750",
    "function date": datetime(2026, 1, 12, 0, 0),  # noqa: DTZ001 - as workbooks give it
    "staff": "MAHESH C",
    "reason": "RE VISIT",
    "comments": "size not available",
    "other comments": "will confirm",
}


def at(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


KOLKATA = ZoneInfo("Asia/Kolkata")


def file_record(kind: StepName, row: dict[str, Any], store: str | None) -> FileRecord:
    return record_of_row(kind, row, store, KOLKATA)


def file_date(cell: object) -> datetime | None:
    return date_of_cell(cell, KOLKATA)


@pytest.mark.parametrize("kind", [StepName.WALKIN, StepName.LOSS_OF_SALE])
@pytest.mark.parametrize("row", [WALKIN, LOSS, {**WALKIN, "name": " Anagha S", "status": "Loss "}])
def test_a_row_is_read_alike_at_a_glance_and_cell_by_cell(kind: StepName, row: dict[str, Any]) -> None:
    whole, looked_at = (
        file_record(kind, {**row, "store": place}, STORE) for place in ("Kochi", "K\u00f6chi")
    )
    assert not looked_at.is_plain
    assert whole[:3] == looked_at[:3]


def test_a_walk_in_field_by_field() -> None:
    assert file_record(StepName.WALKIN, WALKIN, STORE).record.values == {
        "leadType": "general",
        "source": "Walk-in",
        "name": "Anagha S",
        "phone": "7796831125",
        "store": STORE,
        "enquiryDate": at(2025, 10, 9),
        "createdAt": at(2025, 10, 9),
        "functionDate": at(2025, 11, 28),
        "attendedBy": "RAYAN K B",
        "closingStatus": "Booked",
        "enquiryType": "ENQUIRY - SIZE TOO SMALL",
        "remarks": "just enquiry",
    }


@pytest.mark.parametrize("status", ["Loss", "Revisit Loss", "LOST to a competitor"])
def test_a_walk_in_that_was_lost_is_a_loss_of_sale_with_its_reason(status: str) -> None:
    values = file_record(StepName.WALKIN, {**WALKIN, "status": status}, STORE).record.values
    assert (values["leadType"], values["source"]) == ("lossOfSale", "Loss of Sale")
    assert values["reason"] == values["reasonCollectedFromStore"] == "ENQUIRY"
    assert values["visitDate"] == values["enquiryDate"] == at(2025, 10, 9)


@pytest.mark.parametrize(("kind", "row"), [(StepName.WALKIN, WALKIN), (StepName.LOSS_OF_SALE, LOSS)])
def test_only_a_loss_with_a_date_has_a_visit_date(kind: StepName, row: dict[str, Any]) -> None:
    lost = file_record(kind, {**row, "status": "Loss", "date": None}, STORE)
    assert "visitDate" not in lost.record.values
    assert "visitDate" in lost.provided
    found = file_record(kind, {**row, "status": "Booked"}, STORE)
    is_loss = kind is StepName.LOSS_OF_SALE
    assert ("visitDate" in found.record.values, "visitDate" in found.provided) == (is_loss, is_loss)
    no_date = {column: cell for column, cell in row.items() if column != "date"}
    assert "visitDate" not in file_record(kind, {**no_date, "status": "Loss"}, STORE).provided


def test_a_losss_reason_is_category_else_sub_category_else_remarks() -> None:
    def reason(**changes: Any) -> Any:
        row = {**WALKIN, "status": "Loss", **changes}
        return file_record(StepName.WALKIN, row, STORE).record.values.get("reason")

    assert reason() == "ENQUIRY"
    assert reason(category=None) == "SIZE TOO SMALL"
    assert reason(**{"category": None, "sub category": None}) == "just enquiry"
    assert reason(**{"category": None, "sub category": None, "remarks": None}) is None


def test_a_loss_of_sale_field_by_field() -> None:
    assert file_record(StepName.LOSS_OF_SALE, LOSS, STORE).record.values == {
        "leadType": "lossOfSale",
        "source": "Loss of Sale",
        "name": "Vishnu",
        "phone": "8278267352",
        "store": STORE,
        "enquiryDate": at(2025, 2, 6),
        "visitDate": at(2025, 2, 6),
        "createdAt": at(2025, 2, 6),
        "functionDate": at(2026, 1, 12),
        "attendedBy": "MAHESH C",
        "reason": "RE VISIT",
        "reasonCollectedFromStore": "RE VISIT",
        "remarks": "size not available; will confirm",
    }


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("09-10-2025", at(2025, 10, 9)),
        ("15/11/2025", at(2025, 11, 15)),
        ("6.5.25", at(2025, 5, 6)),
        ("5-Nov-2025", at(2025, 11, 5)),
        ("05 November 2025", at(2025, 11, 5)),
        ("2025-02-01", at(2025, 2, 1)),
        ("2025-02-01 10:30:00", at(2025, 2, 1)),
        (date(2025, 2, 1), at(2025, 2, 1)),
        (None, None),
        ("-", None),
        ("00:00:00", None),
        ("45976", at(2025, 11, 15)),
        (45976, at(2025, 11, 15)),
    ],
)
def test_dates_are_day_first(cell: object, expected: datetime | None) -> None:
    assert file_date(cell) == expected


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": None}, "no customer name"),
        ({"name": "#N/A"}, "^the error #N/A where the customer name should be$"),
        ({"name": "#\N{ZERO WIDTH SPACE}REF! "}, "^the error #REF! where the customer name should be$"),
        ({"name": True}, "^TRUE where the customer name should be$"),
        ({"name": date(2025, 2, 1)}, "^a date where the customer name should be$"),
        ({"phone": "#VALUE!"}, "^the error #VALUE! where the phone number should be$"),
        ({"phone": "Err:502"}, "^the error Err:502 where the phone number should be$"),
        ({"phone": "########"}, "^the error ######## where the phone number should be$"),
        ({"phone": False}, "^FALSE where the phone number should be$"),
        ({"phone": "FALSE"}, "^FALSE where the phone number should be$"),
        ({"phone": date(2025, 2, 1)}, "^a date where the phone number should be$"),
        ({"phone": "11.12.25 10.30"}, "^a date where the phone number should be$"),
        ({"phone": "=A1"}, "^the phone number is a formula"),
        ({"date": "#N/A"}, "^Date can't be read: the error #N/A is in the cell$"),
        ({"date": "#REF!"}, "^Date can't be read: the error #REF! is in the cell$"),
        ({"date": True}, "^Date can't be read: TRUE is in the cell$"),
        ({"date": "FALSE"}, "^Date can't be read: FALSE is in the cell$"),
        ({"date": "=A1"}, "^Date can't be read as a date"),
        ({"status": "#N/A"}, "^Status can't be read: the error #N/A is in the cell$"),
        ({"phone": None}, "no phone number"),
        ({"phone": 81396946}, "too few digits"),
        ({"phone": "=9327600000+1"}, "^the phone number is a formula, or has a fraction$"),
        ({"phone": 9327600014.5}, "^the phone number is a formula, or has a fraction$"),
        ({"name": '=CONCAT("a","b")'}, "no customer name"),
        ({"date": "31-02-2025"}, "^Date '31-02-2025' can't be read as a date"),
        ({"date": 12}, "^Date can't be read as a date"),
        ({"date": "9876543210 x"}, "^Date can't be read as a date"),
    ],
)
def test_an_invalid_row_tells_its_reason(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidRowError, match=reason):
        file_record(StepName.WALKIN, {**WALKIN, **change}, STORE)


@pytest.mark.parametrize(
    ("kind", "column", "fields"),
    [
        (StepName.WALKIN, "function date", {"functionDate"}),
        (StepName.WALKIN, "staff", {"attendedBy"}),
        (StepName.WALKIN, "category", {"enquiryType", "reason", "reasonCollectedFromStore"}),
        (StepName.WALKIN, "sub category", {"enquiryType"}),
        (StepName.WALKIN, "remarks", {"remarks"}),
        (StepName.LOSS_OF_SALE, "status", {"closingStatus"}),
        (StepName.LOSS_OF_SALE, "reason", {"reason", "reasonCollectedFromStore"}),
        (StepName.LOSS_OF_SALE, "other comments", {"remarks"}),
    ],
)
def test_what_holds_an_error_is_not_absent(kind: StepName, column: str, fields: set[str]) -> None:
    row = {**WALKIN, "status": "Loss"} if kind is StepName.WALKIN else {**LOSS, "status": "Loss"}
    whole, part = file_record(kind, row, STORE), file_record(kind, {**row, column: "#N/A"}, STORE)
    assert whole.provided - part.provided == fields
    assert whole.record.values.keys() - part.record.values.keys() == fields
    assert (whole.unreadable, part.unreadable) == ((), (column,))
    assert whole.record.key == part.record.key


def test_a_truth_value_as_function_date_is_not_absent() -> None:
    assert file_record(StepName.WALKIN, {**WALKIN, "function date": True}, STORE).unreadable == (
        "function date",
    )


@pytest.mark.parametrize("status", ["lo\N{SOFT HYPHEN}ss", "\N{ZERO WIDTH SPACE}L\u2060OST"])
def test_format_characters_hide_no_loss(status: str) -> None:
    lost = file_record(StepName.WALKIN, {**WALKIN, "status": status}, STORE)
    assert lost.record.values["leadType"] == "lossOfSale"


@pytest.mark.parametrize(
    "written", ["13-02-2025 10.30", "13.02.2025 10.30", "13\u200b-02-2025", "4570\u200b1"]
)
def test_days_with_a_time_or_format_characters(written: str) -> None:
    assert file_date(written) == at(2025, 2, 13)


def test_of_two_columns_one_with_an_error_does_not_count() -> None:
    assert usable_cells(
        {"name": ("#N/A", "Anju"), "date": ("#REF!", "13-02-2025"), "staff": ("#N/A", "A")}
    ) == {
        "name": "Anju",
        "date": "13-02-2025",
        "staff": "A",
    }


def test_without_a_store_a_row_is_invalid() -> None:
    with pytest.raises(InvalidRowError, match="no store"):
        file_record(StepName.WALKIN, WALKIN, None)


def test_the_key_is_phone_name_store_type_and_date() -> None:
    def key(**changes: Any) -> str:
        return file_record(StepName.WALKIN, {**WALKIN, **changes}, STORE).record.key

    assert key() == key(name=" ANAGHA  s", remarks="other", staff=None, status="New Walkin")
    for change in ({"name": "B"}, {"phone": 9000000001}, {"date": "10-10-2025"}, {"status": "Loss"}):
        assert key(**change) != key()
    no_date = {"date": None}
    assert key(**no_date) != key()
    assert key(**no_date) != key(**no_date, **{"function date": None})
    assert key(**no_date) == key(date="28-11-2025", **{"function date": None})


def test_a_file_speaks_only_of_the_fields_that_it_has_columns_for() -> None:
    assert file_record(StepName.WALKIN, WALKIN, STORE).provided == {
        "name", "enquiryDate", "createdAt", "functionDate", "attendedBy", "closingStatus", "enquiryType",
        "remarks",
    }  # fmt: skip
    short = {"name": "A", "phone": 9000000001, "status": "Loss", "category": None}
    assert file_record(StepName.WALKIN, short, STORE).provided == {
        "name", "closingStatus", "enquiryType", "reason", "reasonCollectedFromStore",
    }  # fmt: skip


CELLS = (
    st.none()
    | st.text(max_size=15)
    | st.integers()
    | st.floats()
    | st.dates()
    | st.datetimes()
    | st.booleans()
)


@given(
    kind=st.sampled_from([StepName.WALKIN, StepName.LOSS_OF_SALE]),
    row=st.dictionaries(st.sampled_from([*WALKIN, *LOSS]), CELLS),
)
@settings(max_examples=40)
def test_any_row_is_mapped_or_invalid(kind: StepName, row: dict[str, object]) -> None:
    try:
        found = file_record(kind, row, STORE)
    except InvalidRowError:
        return
    assert set(found.record.values) <= set(LeadValues.__annotations__)
    assert len(found.record.values["phone"]) == 10
