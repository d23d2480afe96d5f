"""Which leads are copies of one another, which copy is kept, and what is a conflict."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncctl.domain.identity import source_record
from syncctl.domain.lead_values import Document, LeadValues
from syncctl.domain.sources import LeadType
from syncctl.errors import UsageError
from syncctl.locations import load_locations
from syncctl.services.cleanup.copies import Copies
from syncctl.services.cleanup.duplicate_plans import check_chosen, decide
from syncctl.services.cleanup.duplicate_results import Conflict, Decision, KeepReason
from syncctl.services.cleanup.duplicates import (
    KEY_FIELDS,
    CachedStores,
    cleanup_key,
    usual_file_key,
    usual_key,
)
from syncctl.storage.sqlite.storage import SqliteStorage
from tests.contract.samples import MOMENT, lead, record, text_id
from tests.support.duplicates import duplicates_among

LATER = MOMENT + timedelta(days=1)
LOCATIONS = load_locations()


def copies(*changes: dict[str, Any], **common: Any) -> list[Document]:
    """Copies of one booking, ids from 1 on."""
    of_one = {"phone": "9000000001", "bookingNo": "2025000000001", "name": "Customer"}
    return [lead(number, **{**of_one, **common, **change}) for number, change in enumerate(changes, start=1)]


def file_lead(number: int, **changes: Any) -> Document:
    fields = {"leadType": "general", "source": "Walk-in", "bookingNo": None, "phone": "9000000001"}
    return {
        field: value
        for field, value in lead(number, **{**fields, "name": "Customer", **changes}).items()
        if value is not None or field == "assignedTo"
    }


def test_a_key_seen_at_a_glance_is_the_key_by_the_rule() -> None:
    written: dict[str, tuple[Any, ...]] = {
        "leadType": ("bookingConfirmation", "general", "General", "walk in", " general", "", 7, None),
        "phone": (
            "9000000001",
            "9000000001",
            "90000 00001",
            "900000000",
            "\u0967000000001",
            9000000001,
            None,
        ),
        "bookingNo": ("", None, None, " ", 0, "7", "7 ", "B\u00e9", ["7"]),
        "name": ("Asha", " asha  K ", '="Asha"', '=""', "", " ", "R\u00e9", "a\tb", "a\0", "!", 7, None),
        "store": ("Suitor Guy - Calicut", "SG  calicut", "Default Store", '=""', " ", "", "\u00e9", 7, None),
        "createdAt": (MOMENT, MOMENT.replace(hour=18, minute=30, second=0, microsecond=0), "soon", None),
    }
    chance = random.Random(19)  # noqa: S311 - made-up leads
    stores, seen = CachedStores(LOCATIONS), 0
    for _ in range(4000):
        each = {
            field: chance.choice(values[:3] if chance.random() < 0.6 else values)
            for field, values in written.items()
        }
        glance = usual_key(each) or usual_file_key(each, stores)
        assert glance in (None, cleanup_key(each, LOCATIONS)), each
        seen += glance is not None
    assert seen > 300


@pytest.fixture
def storage() -> Iterator[SqliteStorage]:
    storage = SqliteStorage(None)
    storage.prepare()
    yield storage
    storage.close()


def decided(storage: SqliteStorage, leads: list[Document], *chosen: str) -> Decision | Conflict:
    storage.store_leads(leads, [])
    ids = tuple(document["_id"] for document in leads)
    (decision,) = decide(storage, [ids], LOCATIONS, frozenset(chosen))
    return decision


def kept(decision: Decision | Conflict) -> tuple[int, KeepReason]:
    assert isinstance(decision, Decision)
    return int(decision.kept, 16), decision.why


class TestKey:
    @pytest.mark.parametrize("lead_type", [*LeadType, "justDial", ""])
    def test_a_booking_number_tells_copies_whatever_their_names_stores_and_days(self, lead_type: str) -> None:
        one, other = copies({}, {"name": "B", "store": "Zurocci - Kannur", "createdAt": LATER})
        assert cleanup_key({**one, "leadType": lead_type}, LOCATIONS) == cleanup_key(
            {**other, "leadType": lead_type}, LOCATIONS
        )

    @pytest.mark.parametrize(
        "change", [{"leadType": "return"}, {"phone": "9000000002"}, {"bookingNo": "2025000000002"}]
    )
    def test_another_booking_type_or_phone_is_no_copy(self, change: dict[str, Any]) -> None:
        one, other = copies({}, change)
        assert cleanup_key(one, LOCATIONS) != cleanup_key(other, LOCATIONS)

    def test_without_a_booking_number_name_and_store_tell_whatever_their_spelling(self) -> None:
        one, other, third = copies(
            {"name": "Anu  K", "store": "Suitor Guy - CALICUT"},
            {"name": "anu k", "createdAt": LATER},
            {"name": "Anu K", "store": "Zorucci - Kannur"},
            bookingNo="",
        )
        assert cleanup_key(one, LOCATIONS) == cleanup_key(other, LOCATIONS)
        assert cleanup_key(one, LOCATIONS) != cleanup_key(third, LOCATIONS)

    @pytest.mark.parametrize("lead_type", ["general", "lossOfSale", "justDial"])
    def test_of_files_and_hand_typed_leads_the_day_counts_as_well(self, lead_type: str) -> None:
        one = file_lead(1, leadType=lead_type)
        same_day = file_lead(2, leadType=lead_type, createdAt=MOMENT + timedelta(hours=2))
        next_day = file_lead(3, leadType=lead_type, createdAt=LATER)
        keys = [cleanup_key(document, LOCATIONS) for document in (one, same_day, next_day)]
        assert keys[0] == keys[1] != keys[2]

    def test_the_key_is_the_records_own(self) -> None:
        values: LeadValues = {
            "leadType": "bookingConfirmation",
            "name": "Anu",
            "phone": "9000000001",
            "store": "Suitor Guy - Calicut",
        }
        assert cleanup_key(dict(values), LOCATIONS) == source_record(values).key

    @pytest.mark.parametrize(
        "change",
        [
            {"phone": ""},
            {"phone": None},
            {"phone": "12345"},
            {"phone": ["9000000001"]},
            {"bookingNo": "", "name": "  "},
            {"bookingNo": None, "store": ""},
            {"bookingNo": "", "name": 10 * "long" * 1000},
        ],
    )
    def test_a_lead_that_lacks_a_part_of_its_key_is_nobodys_copy(self, change: dict[str, Any]) -> None:
        twins = copies(change, change)
        assert cleanup_key(twins[0], LOCATIONS) is None
        assert duplicates_among(twins, LOCATIONS).count == 0

    def test_the_key_needs_no_other_fields(self) -> None:
        for document in (lead(1), lead(2, bookingNo=""), file_lead(3)):
            cut = {field: document[field] for field in KEY_FIELDS if field in document}
            assert cleanup_key(cut, LOCATIONS) == cleanup_key(document, LOCATIONS)


class TestFinding:
    def test_sets_by_type_each_lead_once_although_a_scan_meets_it_twice(self) -> None:
        pair = copies({}, {})
        returns = [
            {**document, "_id": text_id(10 + n), "leadType": "return"} for n, document in enumerate(pair)
        ]
        found = duplicates_among([pair[1], *returns, pair[0], lead(77), pair[0], pair[1]], LOCATIONS)
        assert found.sets == {
            "bookingConfirmation": [(text_id(1), text_id(2))],
            "return": [(text_id(10), text_id(11))],
        }
        assert (found.count, found.extra_copies) == (2, 2)
        assert found.count_by_type == {"bookingConfirmation": 1, "return": 1}

    def test_one_lead_met_twice_is_no_set(self) -> None:
        assert duplicates_among([lead(1), lead(1)], LOCATIONS).count == 0


class TestChoosing:
    def test_nobody_worked_on_any_the_oldest_stays(self, storage: SqliteStorage) -> None:
        old = MOMENT - timedelta(days=1)
        decision = decided(storage, copies({}, {"createdAt": old, "updatedAt": old}, {}))
        assert kept(decision) == (2, KeepReason.OLDEST)

    def test_of_one_date_the_one_that_the_sync_knows_then_the_lowest_id(self, storage: SqliteStorage) -> None:
        assert kept(decided(storage, copies({}, {}, {}))) == (1, KeepReason.OLDEST)
        storage.store_leads([], [record(3)])
        decision = decided(storage, copies({}, {}, {}))
        assert kept(decision) == (3, KeepReason.LINKED)

    def test_the_one_that_a_record_has_goes_before_older_ones_and_better_names(
        self, storage: SqliteStorage
    ) -> None:
        """A lead that the sync made, and one of the old system's that it adopted."""
        old = {"createdAt": MOMENT - timedelta(days=1), "updatedAt": MOMENT - timedelta(days=1)}
        storage.store_leads([], [record(99, lead_id=text_id(3))])
        leads = copies(old, {}, {"store": "Suitor Guy - CALICUT"})
        decision = decided(storage, leads)
        assert kept(decision) == (3, KeepReason.LINKED)
        assert isinstance(decision, Decision)
        assert (decision.removed, decision.record_from) == ((text_id(1), text_id(2)), None)

    def test_of_two_that_records_have_the_name_and_then_the_age_decide(self, storage: SqliteStorage) -> None:
        storage.store_leads([], [record(2), record(3), record(4)])
        leads = copies({}, {"store": "SG Calicut"}, {"createdAt": LATER, "updatedAt": LATER}, {})
        assert kept(decided(storage, leads)) == (4, KeepReason.LINKED)

    def test_without_records_the_canonical_store_name_goes_before_older_ones(
        self, storage: SqliteStorage
    ) -> None:
        names = ("Suitor Guy - CALICUT", "suitor guy  calicut", "Suitor Guy - Calicut")
        leads = copies(*({"store": name} for name in names), {"createdAt": LATER, "updatedAt": LATER})
        assert kept(decided(storage, leads)) == (3, KeepReason.STORE_NAME)

    def test_no_record_and_no_canonical_name_the_oldest_stays(self, storage: SqliteStorage) -> None:
        leads = copies({"createdAt": LATER, "updatedAt": LATER}, {}, store="SG Calicut")
        assert kept(decided(storage, leads)) == (2, KeepReason.OLDEST)

    def test_a_copy_worked_on_goes_before_all_of_them(self, storage: SqliteStorage) -> None:
        storage.store_leads([], [record(1)])
        edited = {"createdAt": LATER, "store": "Suitor Guy - CALICUT", "callStatus": "Busy"}
        assert kept(decided(storage, copies({}, edited))) == (2, KeepReason.WORKED_ON)

    @pytest.mark.parametrize(
        "edit",
        [
            {"callStatus": "Connected"},
            {"leadStatus": "Hot"},
            {"followUpFlag": True},
            {"assignedTo": text_id(99)},
            {"remarks": "asks for blue", "updatedAt": LATER},
        ],
    )
    def test_the_copy_worked_on_stays(self, storage: SqliteStorage, edit: dict[str, Any]) -> None:
        decision = decided(storage, copies({}, {}, edit))
        assert kept(decision) == (3, KeepReason.WORKED_ON)
        assert isinstance(decision, Decision)
        assert set(decision.removed) == {text_id(1), text_id(2)}

    def test_equal_edits_are_no_conflict_the_one_edited_last_stays(self, storage: SqliteStorage) -> None:
        edit = {"callStatus": "Connected", "updatedAt": LATER}
        decision = decided(storage, copies(edit, {**edit, "updatedAt": LATER + timedelta(hours=1)}, edit))
        assert kept(decision) == (2, KeepReason.ALL_EDITS)

    def test_the_copy_that_has_the_others_edits_too_stays_though_edited_earlier(
        self, storage: SqliteStorage
    ) -> None:
        both = {"callStatus": "Connected", "remarks": "asks for blue", "updatedAt": LATER}
        decision = decided(
            storage, copies({}, both, {"callStatus": "Connected", "updatedAt": LATER + timedelta(hours=1)})
        )
        assert kept(decision) == (2, KeepReason.ALL_EDITS)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({"callStatus": "Connected"}, {"callStatus": "Busy"}),
            ({"callStatus": "Connected"}, {"leadStatus": "Hot"}),
            ({"assignedTo": text_id(98)}, {"assignedTo": text_id(99)}),
            ({"remarks": "asks for blue", "callStatus": "Busy"}, {"callStatus": "Busy", "rating": 4}),
            ({"name": "Anu"}, {"callStatus": "Busy"}),
            ({"functionDate": LATER}, {"followUpDate": LATER}),
        ],
    )
    def test_edits_that_no_copy_has_all_of_are_a_conflict(
        self, storage: SqliteStorage, one: dict[str, Any], other: dict[str, Any]
    ) -> None:
        decision = decided(storage, copies({}, {**one, "updatedAt": LATER}, {**other, "updatedAt": LATER}))
        assert isinstance(decision, Conflict)
        assert [(copy.lead_id, copy.worked_on) for copy in decision.copies] == [
            (text_id(1), False),
            (text_id(2), True),
            (text_id(3), True),
        ]
        differing = {field for field in {**one, **other} if one.get(field) != other.get(field)}
        assert [set(copy.values) for copy in decision.copies] == [differing] * 3

    def test_a_value_that_an_untouched_copy_has_is_the_sources(self, storage: SqliteStorage) -> None:
        """Item rows of a booking say different things, and a telecaller's copy keeps what it was given."""
        decision = decided(
            storage,
            copies(
                {"remarks": "Staff:36"},
                {"remarks": "Staff:36", "updatedAt": LATER},
                {"remarks": "", "callStatus": "Busy", "updatedAt": LATER},
            ),
        )
        assert kept(decision) == (3, KeepReason.ALL_EDITS)

    @pytest.mark.parametrize("adopted", [False, True])
    def test_what_the_sync_wrote_itself_is_no_edit(self, storage: SqliteStorage, adopted: bool) -> None:
        """A file's news moves updatedAt without a telecaller's doing."""
        values: LeadValues = {
            "leadType": "bookingConfirmation",
            "name": "Customer",
            "phone": "9000000001",
            "store": "Suitor Guy - Calicut",
            "bookingNo": "2025000000001",
            "remarks": "the file's news",
        }
        record_id = source_record(values).lead_id if adopted else text_id(1)
        storage.store_leads([], [record(1, record_id=record_id, values=values)])
        leads = copies({"remarks": "the file's news", "updatedAt": LATER}, {"callStatus": "Busy"})
        assert kept(decided(storage, leads)) == (2, KeepReason.ALL_EDITS)

    def test_without_its_record_the_same_value_may_be_an_edit(self, storage: SqliteStorage) -> None:
        leads = copies({"remarks": "whose?", "updatedAt": LATER}, {"callStatus": "Busy"})
        assert isinstance(decided(storage, leads), Conflict)

    def test_spelling_is_no_edit(self, storage: SqliteStorage) -> None:
        decision = decided(
            storage,
            copies(
                {"store": "Suitor Guy - CALICUT", "name": "anu  k", "updatedAt": LATER},
                {"store": "Suitor Guy - Calicut", "name": "Anu K", "callStatus": "Busy", "remarks": "a "},
                {"name": "Anu K", "callStatus": "Busy", "remarks": "a"},
            ),
        )
        assert kept(decision)[1] is KeepReason.ALL_EDITS

    def test_a_person_decides_any_set(self, storage: SqliteStorage) -> None:
        leads = copies({"callStatus": "Busy"}, {"callStatus": "Connected"}, {})
        assert kept(decided(storage, leads, text_id(1))) == (1, KeepReason.CHOSEN)

    def test_records_go_to_the_kept_copy_and_one_may_come_back(self, storage: SqliteStorage) -> None:
        storage.store_leads([], [record(2)])
        decision = decided(storage, copies({}, {}, {"callStatus": "Busy"}))
        assert isinstance(decision, Decision)
        assert decision.record_from == text_id(2)

    def test_a_record_that_the_kept_copy_had_itself_stays_with_it(self, storage: SqliteStorage) -> None:
        storage.store_leads([], [record(2), record(3)])
        decision = decided(storage, copies({}, {}, {"callStatus": "Busy"}))
        assert isinstance(decision, Decision)
        assert decision.record_from is None

    def test_a_lead_whose_key_was_edited_meanwhile_is_left_out(self, storage: SqliteStorage) -> None:
        leads = copies({}, {}, {"phone": "9000000002"}, {"bookingNo": "2025000000002"})
        decision = decided(storage, leads)
        assert isinstance(decision, Decision)
        assert (decision.kept, decision.removed) == (text_id(1), (text_id(2),))

    def test_two_keys_of_one_digest_are_two_sets(self, storage: SqliteStorage) -> None:
        leads = copies({}, {}, {"phone": "9000000002"}, {"phone": "9000000002"})
        storage.store_leads(leads, [])
        ids = tuple(document["_id"] for document in leads)
        decisions = list(decide(storage, [ids], LOCATIONS, frozenset()))
        assert [decision.removed for decision in decisions if isinstance(decision, Decision)] == [
            (text_id(2),),
            (text_id(4),),
        ]

    def test_a_set_that_has_shrunk_to_one_is_none(self, storage: SqliteStorage) -> None:
        storage.store_leads([lead(1)], [])
        assert not list(decide(storage, [(text_id(1), text_id(2))], LOCATIONS, frozenset()))


class TestHandTyped:
    @pytest.mark.parametrize("field", ["remarks", "reason", "attendedBy", "enquiryType"])
    def test_all_that_a_person_typed_in_is_theirs(self, storage: SqliteStorage, field: str) -> None:
        typed = [file_lead(n, source="Direct", **{field: value}) for n, value in ((1, "blue"), (2, "red"))]
        assert isinstance(decided(storage, typed), Conflict)

    def test_saved_twice_is_no_conflict(self, storage: SqliteStorage) -> None:
        assert kept(decided(storage, [file_lead(n, source=None) for n in (1, 2)]))[1] is KeepReason.ALL_EDITS

    def test_a_files_rows_that_nobody_worked_on_are_not(self, storage: SqliteStorage) -> None:
        rows = [file_lead(1, remarks="blue"), file_lead(2, remarks="red")]
        assert kept(decided(storage, rows)) == (1, KeepReason.OLDEST)


class TestFieldsOfTheWebApp:
    """Fields that syncctl does not know: SQLite has no column for them, so without a database."""

    def test_they_are_edits_even_of_a_copy_that_seems_untouched(self) -> None:
        leads = copies({"callLog": ["called at noon"]}, {"callStatus": "Busy"}, {})
        assert [copy["_id"] for copy in Copies(leads, LOCATIONS).worked_on] == [text_id(1), text_id(2)]
        edits = Copies(leads, LOCATIONS).edits(())
        assert edits == {text_id(1): {"callLog": ["called at noon"]}, text_id(2): {"callStatus": "Busy"}}
        assert not Copies(leads, LOCATIONS).with_all_edits(edits)

    @pytest.mark.parametrize("value", ["v2", False, [], None, 0])
    def test_what_all_copies_have_or_is_empty_is_none(self, value: object) -> None:
        leads = copies({"tag": value}, {"tag": value})
        assert not Copies(leads, LOCATIONS).worked_on
        if not value:
            leads[1].pop("tag")
            assert not Copies(leads, LOCATIONS).worked_on


class TestChosen:
    FOUND = duplicates_among(copies({}, {}), LOCATIONS)

    def test_an_id_of_a_set(self) -> None:
        assert check_chosen([f" {text_id(2)}"], self.FOUND) == {text_id(2)}

    @pytest.mark.parametrize("wrong", ["", "x", text_id(3)])
    def test_an_id_of_none_is_told(self, wrong: str) -> None:
        with pytest.raises(UsageError, match="no set of duplicates has a lead with that id"):
            check_chosen([text_id(1), wrong], self.FOUND)

    def test_two_of_one_set_are_told(self) -> None:
        with pytest.raises(UsageError, match="copies of one lead"):
            check_chosen([text_id(1), text_id(2)], self.FOUND)


def test_dates_that_are_none_do_not_matter(storage: SqliteStorage) -> None:
    odd = copies({"createdAt": None, "updatedAt": None}, {"createdAt": datetime(2025, 1, 1, tzinfo=UTC)})
    assert isinstance(decided(storage, odd), Decision)
