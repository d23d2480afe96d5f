"""The model itself: what it must complain of, and what it must let pass, on a database of a few documents."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.chaos.corrections import Run
from tests.chaos.lead_model import Model, Report, Stored
from tests.chaos.source import Answer, Row
from tests.chaos.tally import Tally
from tests.support.oracle import key_and_lead
from tests.support.webapp import Lead, report_of

STORES = {"7": "Suitor Guy - Perinthalmanna"}
FIRST, SECOND, THIRD = "9400000001", "9400000002", "9400000003"
NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def row(phone: str, **changes: Any) -> Row:
    booking = {"bookingNo": "1", "customerName": "Anagha", "bookingDate": "2026-03-01T10:30:00"}
    return {**booking, "phoneNo": phone, **changes}


class FakeDatabase:
    """Leads and records, written by the test in syncctl's place."""

    def __init__(self) -> None:
        self.by_id: dict[str, Lead] = {}
        self.records: dict[str, Row] = {}

    def leads(self, **_fields: str) -> list[Lead]:
        return [dict(lead) for lead in self.by_id.values()]

    def all(self, _collection: str) -> list[Row]:
        return [dict(record) for record in self.records.values()]

    def store(self, shown: Row, lead_id: str, *, is_new: bool = True) -> None:
        """What a run writes of a row: its record, and its lead if that is new."""
        outcome = key_and_lead("booking", shown, STORES["7"])
        assert not isinstance(outcome, str)
        key, lead = outcome
        if is_new:
            self.by_id[lead_id] = {**lead, "_id": lead_id}
        self.records[key[2]] = {"leadId": lead_id, "values": lead}

    def correct(self, lead_id: str, shown: Row, **changes: Any) -> None:
        """What a run writes where the first number was corrected, and the lead takes the new one."""
        self.records[FIRST]["replacedBy"] = shown["phoneNo"]
        self.by_id[lead_id] |= {"phone": shown["phoneNo"], "updatedAt": NOW, **changes}
        self.store(shown, lead_id, is_new=False)


class Shop:
    """A model and its database, which know one booking with the first number."""

    def __init__(self) -> None:
        self.database = FakeDatabase()
        self.model = Model(self.database)
        self.database.store(row(FIRST), "a")
        self.sync(row(FIRST))

    def sync(self, *rows: Row, is_taken: bool = True, **how: Any) -> Stored:
        """Let the model check a run that was shown these rows."""
        answer = Answer("booking", "7", list(rows))
        return self.model.after_sync([answer], [answer] if is_taken else [], STORES, Run(NOW, **how))

    def edit(self, **changes: Any) -> None:
        """A telecaller edits the lead."""
        self.database.by_id["a"] |= changes
        self.model.leads["a"] |= changes

    def delete(self) -> Lead:
        self.model.is_deleted("a")
        return self.database.by_id.pop("a")

    def finish(self, status: str) -> None:
        lead = self.database.by_id.pop("a")
        document = report_of(lead, "booking page", {"callStatus": status}, NOW)
        self.model.is_finished(Report("r", lead, document, {}))


@pytest.fixture(autouse=True)
def _own_tally(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is lost here is made up, and not to be counted among what syncctl loses."""
    monkeypatch.setattr("tests.chaos.lead_model.tally", Tally())


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_a_corrected_number_passes(shop: Shop) -> None:
    shop.database.correct("a", row(SECOND))
    assert shop.sync(row(SECOND)) == Stored(saved=0, updated=1)
    shop.model.assert_unchanged()


def test_a_second_lead_fails(shop: Shop) -> None:
    shop.database.store(row(SECOND), "b")
    with pytest.raises(AssertionError):
        shop.sync(row(SECOND))


def test_a_second_lead_beside_the_corrected_one_fails(shop: Shop) -> None:
    shop.database.correct("a", row(SECOND))
    shop.database.store(row(SECOND), "b")
    with pytest.raises(AssertionError):
        shop.sync(row(SECOND))


@pytest.mark.parametrize(
    "other",
    [
        row(SECOND, customerName="Biju", bookingDate="2026-03-02T10:30:00"),
        row(SECOND, bookingNo="2"),
    ],
)
def test_another_customers_booking_is_a_lead_of_its_own(shop: Shop, other: Row) -> None:
    shop.database.correct("a", other)
    with pytest.raises(AssertionError):
        shop.sync(other)
    fine = Shop()
    fine.database.store(other, "b")
    assert fine.sync(other).saved == 1


def test_a_number_that_is_still_shown_was_not_corrected(shop: Shop) -> None:
    shop.database.correct("a", row(SECOND))
    with pytest.raises(AssertionError):
        shop.sync(row(FIRST, customerName=""), row(SECOND))


@pytest.mark.parametrize("edit", [{"callStatus": "Called"}, {"phone": "9499999999"}])
def test_a_lead_that_was_worked_on_must_stay(shop: Shop, edit: Lead) -> None:
    shop.edit(**edit)
    shop.database.records[FIRST]["replacedBy"] = SECOND
    shop.database.store(row(SECOND), "a", is_new=False)
    assert shop.sync(row(SECOND)) == Stored(0, 0)
    fails = Shop()
    fails.edit(**edit)
    fails.database.correct("a", row(SECOND))
    with pytest.raises(AssertionError):
        fails.sync(row(SECOND))


@pytest.mark.parametrize("change", [{"remarks": "corrected"}, {"updatedAt": NOW - timedelta(days=1)}])
def test_nothing_else_changes(shop: Shop, change: Lead) -> None:
    shop.database.correct("a", row(SECOND), **change)
    with pytest.raises(AssertionError):
        shop.sync(row(SECOND))


def test_an_untouched_lead_must_take_the_number(shop: Shop) -> None:
    shop.database.records[FIRST]["replacedBy"] = SECOND
    shop.database.store(row(SECOND), "a", is_new=False)
    with pytest.raises(AssertionError):
        shop.sync(row(SECOND))


def test_the_old_record_must_be_marked(shop: Shop) -> None:
    shop.database.correct("a", row(SECOND))
    del shop.database.records[FIRST]["replacedBy"]
    with pytest.raises(AssertionError):
        shop.sync(row(SECOND))


@pytest.mark.parametrize("comes_anew", [True, False])
@pytest.mark.parametrize("status", ["Not Connected", "Called"])
def test_a_finished_lead_comes_anew_only_if_nobody_was_reached(
    shop: Shop, status: str, comes_anew: bool
) -> None:
    shop.finish(status)
    shop.database.records[FIRST]["replacedBy"] = SECOND
    shop.database.store(row(SECOND), "b" if comes_anew else "a", is_new=comes_anew)
    if comes_anew is (status == "Not Connected"):
        assert shop.sync(row(SECOND)).saved == comes_anew
    else:
        with pytest.raises(AssertionError):
            shop.sync(row(SECOND))


def test_a_deleted_lead_stays_away(shop: Shop) -> None:
    shop.delete()
    shop.database.records[FIRST]["replacedBy"] = SECOND
    shop.database.store(row(SECOND), "b")
    with pytest.raises(AssertionError):
        shop.sync(row(SECOND))


def test_only_what_may_be_a_correction_waits_for_a_trusted_answer(shop: Shop) -> None:
    doubted = frozenset({("booking", "7")})
    shop.sync(row(SECOND), doubted=doubted)
    for lost in (row(SECOND, bookingNo="2"), row(THIRD, customerName="B", bookingDate="2026-03-09T10:30:00")):
        with pytest.raises(AssertionError):
            shop.sync(lost, doubted=doubted)
    with pytest.raises(AssertionError):
        shop.sync(row(SECOND))


def test_a_doubted_answer_corrects_nothing(shop: Shop) -> None:
    shop.database.correct("a", row(SECOND))
    with pytest.raises(AssertionError):
        shop.sync(row(SECOND), doubted=frozenset({("booking", "7")}))


def test_after_a_kill_the_marks_alone_are_no_fault(shop: Shop) -> None:
    shop.database.records[FIRST]["replacedBy"] = SECOND
    shop.sync(row(SECOND), is_taken=False, is_whole=False)
    shop.database.correct("a", row(THIRD))
    assert shop.sync(row(THIRD)).updated == 1


def test_a_number_that_comes_back(shop: Shop) -> None:
    shop.database.correct("a", row(SECOND))
    shop.sync(row(SECOND))
    shop.database.records[FIRST]["replacedBy"] = None
    shop.database.records[SECOND]["replacedBy"] = FIRST
    shop.database.by_id["a"]["phone"] = FIRST
    assert shop.sync(row(FIRST)) == Stored(saved=0, updated=1)


def test_two_current_records_share_no_lead(shop: Shop) -> None:
    shop.database.correct("a", row(SECOND))
    shop.sync(row(SECOND))
    shop.database.records[FIRST]["replacedBy"] = None
    with pytest.raises(AssertionError):
        shop.sync(row(SECOND))
