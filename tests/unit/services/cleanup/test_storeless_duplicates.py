"""Leads under "Default Store": whose copies they are, which copy is kept, and what is no copy."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from syncctl.domain.lead_values import Document
from syncctl.locations import load_locations
from syncctl.services.cleanup.duplicate_plans import decide
from syncctl.services.cleanup.duplicate_results import Conflict, Decision, KeepReason
from syncctl.services.cleanup.duplicates import DuplicateFinder, cleanup_key
from syncctl.storage.sqlite.storage import SqliteStorage
from tests.contract.samples import lead, record, text_id
from tests.support.duplicates import duplicates_among

LOCATIONS = load_locations()
DAY = datetime(2025, 11, 1, tzinfo=UTC)
IN_INDIA = datetime(2025, 10, 31, 18, 30, tzinfo=UTC)
LATER = DAY + timedelta(days=5)
REAL = "Suitor Guy - Calicut"


def of_file(number: int, store: str, **changes: Any) -> Document:
    """The same walk-in as a file's import stores it."""
    fields: dict[str, Any] = {
        "leadType": "general",
        "source": "Walk-in",
        "name": "Customer",
        "phone": "9000000001",
        "store": store,
        "bookingNo": None,
        "createdAt": DAY,
        "updatedAt": changes.get("createdAt", DAY),
        **changes,
    }
    return {name: value for name, value in lead(number, **fields).items() if name != "bookingNo" or value}


@pytest.fixture
def storage() -> Iterator[SqliteStorage]:
    storage = SqliteStorage(None)
    storage.prepare()
    yield storage
    storage.close()


def decided(storage: SqliteStorage, leads: list[Document]) -> list[Decision | Conflict]:
    """What is decided of the sets that are found."""
    storage.store_leads(leads, [])
    sets = [ids for of_type in duplicates_among(leads, LOCATIONS).sets.values() for ids in of_type]
    return list(decide(storage, sets, LOCATIONS, frozenset()))


def kept(decisions: list[Decision | Conflict]) -> tuple[int, KeepReason]:
    (decision,) = decisions
    assert isinstance(decision, Decision)
    return int(decision.kept, 16), decision.why


class TestFinding:
    @pytest.mark.parametrize("store", ["Default Store", "default  store", "Suitor Guy", "zurocci", "-"])
    @pytest.mark.parametrize("lead_type", ["general", "lossOfSale"])
    def test_a_lead_under_no_store_is_a_copy_of_the_one_in_whichever_order(
        self, store: str, lead_type: str
    ) -> None:
        leads = [
            of_file(1, REAL, leadType=lead_type),
            of_file(2, store, leadType=lead_type, name="CUSTOMER "),
            of_file(3, store, leadType=lead_type),
        ]
        for order in permutations(leads):
            found = duplicates_among(order, LOCATIONS)
            assert found.sets == {lead_type: [(text_id(1), text_id(2), text_id(3))]}
        assert duplicates_among(leads[:2], LOCATIONS).sets == {lead_type: [(text_id(1), text_id(2))]}

    def test_with_two_stores_it_may_be_eithers_and_is_left(self) -> None:
        leads = [of_file(1, REAL), of_file(2, "Zorucci - Kannur"), of_file(3, "Default Store")]
        assert duplicates_among(leads, LOCATIONS).count == 0
        again = [*leads, of_file(4, "Default Store"), of_file(5, "SG Calicut")]
        assert duplicates_among(again, LOCATIONS).sets == {
            "general": [(text_id(1), text_id(5)), (text_id(3), text_id(4))]
        }

    @pytest.mark.parametrize(
        "change",
        [
            {"leadType": "lossOfSale"},
            {"phone": "9000000002"},
            {"name": "Another"},
            {"createdAt": LATER},
            {"bookingNo": "2025000000001"},
        ],
    )
    def test_another_customer_day_or_kind_is_no_copy(self, change: dict[str, Any]) -> None:
        leads = [of_file(1, REAL), of_file(2, "Default Store", **change)]
        assert duplicates_among(leads, LOCATIONS).count == 0

    def test_for_bookings_and_returns_nothing_changes(self) -> None:
        for lead_type in ("bookingConfirmation", "return"):
            leads = [
                of_file(number, store, leadType=lead_type)
                for number, store in ((1, REAL), (2, "Default Store"))
            ]
            assert duplicates_among(leads, LOCATIONS).count == 0
            numbered = [{**document, "bookingNo": "7"} for document in leads]
            assert duplicates_among(numbered, LOCATIONS).sets == {lead_type: [(text_id(1), text_id(2))]}

    def test_one_lead_that_a_scan_meets_before_and_after_its_store_was_set_is_no_set(self) -> None:
        assert duplicates_among([of_file(1, "Default Store"), of_file(1, REAL)], LOCATIONS).count == 0

    def test_two_calls_find_the_same(self) -> None:
        finder = DuplicateFinder(LOCATIONS)
        for document in (of_file(1, REAL), of_file(2, REAL), of_file(3, "Default Store")):
            finder.add(document)
        assert finder.found() == finder.found()
        assert finder.found().extra_copies == 2

    def test_it_costs_a_database_without_such_leads_nothing(self) -> None:
        finder = DuplicateFinder(LOCATIONS)
        for number in range(50):
            finder.add(of_file(number, REAL, phone=f"9{number:09}"))
        assert {sys.getsizeof(digest) for digest in finder._first} == {sys.getsizeof(b"x" * 12)}
        assert not finder._storeless


class TestChoosing:
    def test_the_copy_with_a_store_stays_whatever_its_age_and_records(self, storage: SqliteStorage) -> None:
        leads = [of_file(1, "Default Store"), of_file(2, "SG Calicut", createdAt=DAY + timedelta(hours=9))]
        storage.store_leads([], [record(77, lead_id=text_id(1))])
        decisions = decided(storage, leads)
        assert kept(decisions) == (2, KeepReason.STORE_NAME)
        assert [decision.record_from for decision in decisions if isinstance(decision, Decision)] == [
            text_id(1)
        ]

    def test_one_worked_on_under_no_store_stays_there(self, storage: SqliteStorage) -> None:
        leads = [of_file(1, "Default Store", callStatus="Busy"), of_file(2, REAL)]
        decisions = decided(storage, leads)
        assert kept(decisions) == (1, KeepReason.WORKED_ON)
        assert [decision.store_of_removed for decision in decisions if isinstance(decision, Decision)] == [
            REAL
        ]

    def test_of_a_copy_with_a_store_nothing_is_lost(self, storage: SqliteStorage) -> None:
        (decision,) = decided(storage, [of_file(1, "Default Store"), of_file(2, REAL, callStatus="Busy")])
        assert isinstance(decision, Decision)
        assert (decision.kept, decision.store_of_removed) == (text_id(2), None)

    def test_no_store_is_no_edit(self, storage: SqliteStorage) -> None:
        edit = {"callStatus": "Busy", "updatedAt": LATER}
        leads = [of_file(1, "Default Store", **edit), of_file(2, REAL, **edit)]
        assert kept(decided(storage, leads)) == (2, KeepReason.ALL_EDITS)

    def test_different_edits_are_a_conflict_all_the_same(self, storage: SqliteStorage) -> None:
        leads = [of_file(1, "Default Store", callStatus="Busy"), of_file(2, REAL, callStatus="Connected")]
        (conflict,) = decided(storage, leads)
        assert isinstance(conflict, Conflict)

    def test_a_second_store_by_now_makes_it_nobodys(self, storage: SqliteStorage) -> None:
        """What the leads are now decides, not what they were when the set was found."""
        leads = [of_file(1, REAL), of_file(2, "Zorucci - Kannur"), of_file(3, "Default Store")]
        storage.store_leads(leads, [])
        ids = tuple(document["_id"] for document in leads)
        assert not list(decide(storage, [ids], LOCATIONS, frozenset()))


class TestImportedInIndia:
    """Midnight in India is 18:30:00Z of the day before (contract/database.md)."""

    @pytest.mark.parametrize("lead_type", ["general", "lossOfSale"])
    @pytest.mark.parametrize("store", [REAL, "Default Store"])
    def test_its_day_is_the_next(self, lead_type: str, store: str) -> None:
        leads = [
            of_file(1, REAL, leadType=lead_type),
            of_file(2, store, leadType=lead_type, createdAt=IN_INDIA),
        ]
        assert duplicates_among(leads, LOCATIONS).sets == {lead_type: [(text_id(1), text_id(2))]}

    @pytest.mark.parametrize(
        "moment",
        [IN_INDIA - timedelta(minutes=1), IN_INDIA + timedelta(seconds=1), IN_INDIA - timedelta(days=1)],
    )
    def test_another_time_of_day_is_of_its_own_day(self, moment: datetime) -> None:
        assert duplicates_among([of_file(1, REAL), of_file(2, REAL, createdAt=moment)], LOCATIONS).count == 0

    def test_without_a_date_of_its_own_the_function_date_is_read_alike(self) -> None:
        one, other = (
            of_file(number, REAL, createdAt=None, functionDate=moment)
            for number, moment in ((1, DAY), (2, IN_INDIA))
        )
        assert cleanup_key(one, LOCATIONS) == cleanup_key(other, LOCATIONS)

    def test_the_same_function_date_is_no_edit(self, storage: SqliteStorage) -> None:
        edit = {"callStatus": "Busy", "updatedAt": LATER}
        leads = [
            of_file(1, REAL, functionDate=DAY, **edit),
            of_file(2, REAL, functionDate=IN_INDIA, createdAt=IN_INDIA, **edit),
        ]
        assert kept(decided(storage, leads))[1] is KeepReason.ALL_EDITS
        moved = {**leads[1], "_id": text_id(3), "functionDate": DAY + timedelta(days=1)}
        storage.store_leads([moved], [])
        (decision,) = decide(storage, [(text_id(1), text_id(3))], LOCATIONS, frozenset())
        assert isinstance(decision, Conflict)
