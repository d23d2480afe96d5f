"""What every storage must do for a three-way merge: bases, leads, and changes that overwrite no edit."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_type_hints

import pytest

from syncctl.domain.lead_values import LeadChange, LeadValues
from syncctl.domain.records import CorrectionOutcome, KnownRecord, Write
from syncctl.domain.sources import LeadType
from syncctl.errors import StorageError
from syncctl.ports.storage import Storage
from tests.contract.lead_suite import MANY, Database
from tests.contract.samples import CORRECTION, HOSTILE_TEXTS, MOMENT, lead, phone, record, text_id

INDIA = timezone(timedelta(hours=5, minutes=30))

EVERY_VALUE: LeadValues = {
    "leadType": LeadType.LOSS_OF_SALE,
    "source": "Loss of Sale",
    "name": "Customer 1",
    "phone": "0900000001",
    "store": "Suitor Guy - Calicut",
    "bookingNo": "2025000000001",
    "enquiryDate": MOMENT,
    "visitDate": datetime(1901, 1, 1, tzinfo=UTC),
    "functionDate": datetime(9998, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
    "returnDate": MOMENT.replace(microsecond=1000),
    "createdAt": MOMENT.replace(microsecond=0),
    "securityAmount": 1500.5,
    "enquiryType": "Suit - Wedding",
    "closingStatus": "Loss",
    "reason": "2025-02-01T08:59:27.123Z",
    "reasonCollectedFromStore": "2025-02-01",
    "attendedBy": "null",
    "remarks": "",
}


def change(number: int, expected: dict[str, Any], values: dict[str, Any]) -> LeadChange:
    return LeadChange(text_id(number), expected, values)


class MergeSuite:
    """Needs no database to look into, so that a dry run can be held to it as well."""

    def test_every_value_comes_back_as_the_source_told_it(self, storage: Storage) -> None:
        assert EVERY_VALUE.keys() == get_type_hints(LeadValues).keys()
        storage.store_leads([], [record(1, values=EVERY_VALUE), record(2, values={})])

        found = storage.record_values([text_id(1), text_id(2), text_id(3)])
        assert found == {text_id(1): EVERY_VALUE, text_id(2): {}}
        dates = [value for value in found[text_id(1)].values() if isinstance(value, datetime)]
        assert {moment.utcoffset() for moment in dates} == {timedelta(0)}
        assert len(dates) == list(get_type_hints(LeadValues).values()).count(datetime)

    @pytest.mark.parametrize("amount", [1500, 1500.0, 0, -0.5, 0.1, 2**53, 1e300])
    def test_a_whole_number_stays_one_and_another_does_not(self, storage: Storage, amount: float) -> None:
        storage.store_leads([], [record(1, values={"securityAmount": amount})])
        found = storage.record_values([text_id(1)])[text_id(1)]["securityAmount"]
        assert found == amount
        assert isinstance(found, int) is isinstance(amount, int)

    def test_hostile_text_in_values_is_only_data(self, storage: Storage) -> None:
        records = [
            record(n, record_id=f"id {text}", values={"name": text, "remarks": text, "createdAt": MOMENT})
            for n, text in enumerate(HOSTILE_TEXTS)
        ]
        storage.store_leads([], records)
        assert storage.record_values([entry.record_id for entry in records]) == {
            entry.record_id: entry.values for entry in records
        }

    def test_updating_a_record_replaces_its_values(self, storage: Storage) -> None:
        storage.store_leads([], [record(1), record(2)])
        newer: LeadValues = {"name": "Customer", "visitDate": MOMENT + timedelta(days=1)}
        storage.update_records([record(1, values=newer, fingerprint="new"), record(3, values=newer)])

        assert storage.record_values([text_id(n) for n in range(5)]) == {
            text_id(1): newer,
            text_id(2): record(2).values,
        }

    def test_a_record_that_is_there_is_kept(self, storage: Storage) -> None:
        storage.store_leads([], [record(1)])
        storage.store_leads([lead(1)], [record(1, values={"name": "Other"}, fingerprint="other")])

        assert storage.record_values([text_id(1)]) == {text_id(1): record(1).values}
        assert storage.find_records([text_id(1)]) == {
            text_id(1): KnownRecord(text_id(1), "print 1", "7", "booking")
        }
        assert storage.find_records([text_id(1)])[text_id(1)].first_seen_at == MOMENT

    def test_bookings_of_several_records_are_found(self, storage: Storage) -> None:
        shared: LeadValues = {**record(1).values, "bookingNo": "2"}
        storage.store_leads([], [record(n, values=shared) for n in (1, 2)])
        storage.store_leads([], [record(n, values={**shared, "bookingNo": "4"}) for n in (3, 4)])
        storage.store_leads([], [record(5, values={**shared, "bookingNo": "5"})])
        storage.store_leads([], [record(6, values={**shared, "bookingNo": "5"}, source="return")])
        storage.replace_records({text_id(3): phone(4)})
        assert storage.shared_bookings("booking", ["2", "4", "5", "9"]) == {"2"}
        assert storage.shared_bookings("booking", ["4", "5"]) == set()
        assert storage.shared_bookings("return", ["2"]) == set()

    def test_corrections_of_a_current_record_are_added(self, storage: Storage) -> None:
        storage.store_leads([], [record(1, corrections=(CORRECTION,)), record(2)])
        later = CORRECTION._replace(at=MOMENT + timedelta(days=1), outcome=CorrectionOutcome.SECOND_LEAD)
        storage.add_corrections({text_id(1): later, text_id(2): later, text_id(9): later})
        found = {
            entry.record.record_id: entry.record.corrections
            for entry in storage.records_about((), (), [text_id(n) for n in (1, 2, 9)])
        }
        assert found == {text_id(1): (CORRECTION, later), text_id(2): (later,)}

    def test_the_report_of_an_earlier_lead_stays_taken(self, storage: Storage) -> None:
        storage.store_leads([], [record(1, report_id="a"), record(2), record(3)])
        storage.replace_records({text_id(1): phone(2)})
        back = CORRECTION._replace(outcome=CorrectionOutcome.TAKEN, report_id="a")
        storage.renew_records([record(1, corrections=(back,))])
        assert storage.find_records([text_id(1)])[text_id(1)].report_id is None
        assert storage.paired_reports(["a", "b"]) == {"a"}
        storage.pair_reports({text_id(1): "b"})
        assert storage.find_records([text_id(1)])[text_id(1)].report_id == "b"
        assert storage.paired_reports(["a", "b"]) == {"a", "b"}

    def test_writes_are_noted_beside_each_other(self, storage: Storage) -> None:
        storage.store_leads([], [record(1), record(2), record(3)])
        later = MOMENT + timedelta(days=1)
        storage.add_writes({text_id(1): {"remarks": "a", "visitDate": MOMENT, "securityAmount": 9.5}}, MOMENT)
        storage.add_writes({text_id(1): {"remarks": "b"}, text_id(2): {"reason": None}, "x": {}}, later)
        assert storage.writes([*map(text_id, range(5)), "x"]) == {
            text_id(1): {
                "remarks": Write("b", later),
                "visitDate": Write(MOMENT, MOMENT),
                "securityAmount": Write(9.5, MOMENT),
            },
            text_id(2): {"reason": Write(None, later)},
        }
        assert storage.record_values([text_id(1)]) == {text_id(1): record(1).values}

    def test_a_record_takes_the_place_of_another_and_gives_it_back(self, storage: Storage) -> None:
        assert not storage.has_records()
        storage.store_leads([lead(1)], [record(1), record(5)])
        assert storage.has_records()
        storage.replace_records({text_id(1): phone(2), text_id(9): phone(3)})
        newer = record(2, lead_id=text_id(1), corrections=(CORRECTION,))
        for _ in range(2):  # another host does the same
            storage.store_leads([], [newer])
            storage.renew_records([newer])
        assert storage.find_records([text_id(n) for n in range(1, 10)]) == {
            text_id(1): KnownRecord(text_id(1), "print 1", "7", "booking", replaced_by=phone(2)),
            text_id(2): KnownRecord(text_id(1), "print 2", "7", "booking"),
            text_id(5): KnownRecord(text_id(5), "print 5", "7", "booking"),
        }
        by_id = {
            entry.record.record_id: entry.record for entry in storage.records_about([], [], [text_id(1)])
        }
        assert by_id == {text_id(1): record(1, replaced_by=phone(2)), text_id(2): newer}

        storage.replace_records({text_id(2): phone(1)})
        back = CORRECTION._replace(at=MOMENT + timedelta(days=1), outcome=CorrectionOutcome.LEFT)
        values: LeadValues = {**record(1).values, "name": "Corrected as well"}
        again = record(
            1, lead_id=text_id(7), location="8", values=values, fingerprint="new", corrections=(back,)
        )
        for _ in range(2):
            storage.renew_records([again, record(8, corrections=(back,))])
        (first,) = (
            entry.record
            for entry in storage.records_about([phone(1)], [], [])
            if entry.record.record_id == text_id(1)
        )
        assert (first.lead_id, first.location) == (text_id(7), "8")
        assert storage.find_records([text_id(1)])[text_id(1)].fingerprint == "new"
        assert (first.replaced_by, first.corrections) == (None, (back,))
        assert storage.record_values([text_id(1)]) == {text_id(1): values}
        storage.replace_records({text_id(1): phone(2)})
        storage.renew_records([record(1, corrections=(CORRECTION,)), newer])
        corrected = {
            entry.record.record_id: entry.record.corrections
            for entry in storage.records_about([phone(1), phone(2)], [], [])
        }
        assert corrected[text_id(1)] == (back, CORRECTION)
        assert corrected[text_id(2)] == (CORRECTION, CORRECTION)

    def test_a_report_that_finished_the_lead_before_finishes_its_successor(self, storage: Storage) -> None:
        finished = CORRECTION._replace(outcome=CorrectionOutcome.FINISHED, report_id="report 1")
        storage.store_leads([], [record(1, report_id="report 1")])
        storage.store_leads([], [record(2, lead_id=text_id(1), corrections=(finished,))])
        assert {each.report_id for each in storage.find_records([text_id(1), text_id(2)]).values()} == {
            "report 1"
        }

    def test_leads_are_given_whole_by_id(self, storage: Storage) -> None:
        storage.store_leads([lead(1), lead(2, leadType=LeadType.GENERAL, visitDate=MOMENT)], [])
        assert storage.leads([text_id(n) for n in range(4)]) == {
            text_id(1): lead(1),
            text_id(2): lead(2, leadType=LeadType.GENERAL, visitDate=MOMENT),
        }

    def test_a_change_sets_its_fields_and_no_other(self, storage: Storage) -> None:
        storage.store_leads([lead(1), lead(2)], [])
        new = {"remarks": "wants blue", "visitDate": MOMENT, "securityAmount": 900, "updatedAt": MOMENT}
        expected = {"remarks": "", "visitDate": None, "securityAmount": 1500.5, "updatedAt": MOMENT}

        assert storage.update_leads([change(1, expected, new)]) == {text_id(1)}
        assert storage.leads([text_id(1), text_id(2)]) == {text_id(1): lead(1, **new), text_id(2): lead(2)}

    def test_none_takes_a_field_away(self, storage: Storage) -> None:
        storage.store_leads([lead(1, attendedBy="Staff A", reason="price")], [])

        only = change(
            1, {"attendedBy": "Staff A", "visitDate": None}, {"attendedBy": None, "visitDate": None}
        )
        assert storage.update_leads([only]) == {text_id(1)}
        assert storage.leads([text_id(1)]) == {text_id(1): lead(1, reason="price")}

        beside = change(1, {"reason": "price", "remarks": ""}, {"reason": None, "remarks": "new"})
        assert storage.update_leads([beside]) == {text_id(1)}
        assert storage.leads([text_id(1)]) == {text_id(1): lead(1, remarks="new")}

    @pytest.mark.parametrize(
        ("field", "stored", "expected"),
        [
            ("remarks", "call back", ""),
            ("remarks", "Call back", "call back"),
            ("remarks", "call back", None),
            ("attendedBy", None, "Staff A"),
            ("attendedBy", None, ""),
            ("closingStatus", "", None),
            ("securityAmount", 1500.5, 1500),
            ("securityAmount", 1.0, True),
            ("rating", 1, "1"),
            ("rating", 1, True),
            ("rating", "5", 5),
            ("followUpFlag", False, None),
            ("followUpFlag", False, 0),
            ("followUpFlag", True, "true"),
            ("visitDate", MOMENT, MOMENT + timedelta(milliseconds=1)),
            ("visitDate", MOMENT, MOMENT.replace(tzinfo=INDIA)),
            ("visitDate", MOMENT, "2025-02-01T08:59:27.123Z"),
        ],
    )
    def test_a_lead_that_holds_another_value_is_left_alone_whole(
        self, storage: Storage, field: str, stored: Any, expected: Any
    ) -> None:
        edited = lead(1) if stored is None else lead(1, **{field: stored})
        storage.store_leads([edited, lead(2)], [])
        new = {field: "news", "name": "New Name"}

        done = storage.update_leads(
            [
                change(1, {field: expected, "name": "Customer 1"}, new),
                change(2, {"name": "Customer 2"}, {"name": "New"}),
            ]
        )
        assert done == {text_id(2)}
        assert storage.leads([text_id(1), text_id(2)]) == {
            text_id(1): edited,
            text_id(2): lead(2, name="New"),
        }

    @pytest.mark.parametrize(
        ("field", "stored", "expected"),
        [
            ("remarks", "", ""),
            ("attendedBy", None, None),
            ("assignedTo", None, None),
            ("securityAmount", 1500, 1500.0),
            ("securityAmount", 1500.0, 1500),
            ("rating", 5, 5),
            ("rating", "5", "5"),
            ("followUpFlag", True, True),
            ("followUpFlag", False, False),
            ("leadType", "general", LeadType.GENERAL),
            ("visitDate", MOMENT, MOMENT.replace(microsecond=123999)),
            ("visitDate", MOMENT.replace(microsecond=123999), MOMENT),
            ("visitDate", MOMENT, MOMENT.astimezone(INDIA)),
            ("visitDate", MOMENT, MOMENT.replace(tzinfo=None)),
        ],
    )
    def test_a_lead_that_holds_the_expected_value_is_changed(
        self, storage: Storage, field: str, stored: Any, expected: Any
    ) -> None:
        storage.store_leads([lead(1, **{field: stored})], [])
        news = change(1, {field: expected}, {field: stored, "reason": "news"})
        assert storage.update_leads([news]) == {text_id(1)}
        assert storage.leads([text_id(1)])[text_id(1)]["reason"] == "news"

    def test_a_field_without_an_expectation_must_not_be_there(self, storage: Storage) -> None:
        storage.store_leads([lead(1)], [])
        assert storage.update_leads([change(1, {}, {"name": "New"})]) == set()
        assert storage.update_leads([change(1, {}, {"attendedBy": "Staff A"})]) == {text_id(1)}
        assert storage.leads([text_id(1)]) == {text_id(1): lead(1, attendedBy="Staff A")}

    def test_what_is_expected_of_other_fields_counts_too(self, storage: Storage) -> None:
        storage.store_leads([lead(1)], [])
        refused = change(1, {"remarks": "", "callStatus": "Called"}, {"remarks": "new"})
        assert storage.update_leads([refused]) == set()
        made = change(1, {"remarks": "", "callStatus": "Not Called"}, {"remarks": "new"})
        assert storage.update_leads([made]) == {text_id(1)}

    def test_a_lead_that_holds_the_new_values_already_counts_as_changed(self, storage: Storage) -> None:
        values = {"remarks": "new", "visitDate": MOMENT.replace(microsecond=123999), "reason": None}
        again = change(1, {"remarks": "", "visitDate": None, "reason": "price"}, values)
        storage.store_leads([lead(1, reason="price")], [])

        assert storage.update_leads([again]) == {text_id(1)}
        once = storage.leads([text_id(1)])
        assert storage.update_leads([again, change(2, {}, {"remarks": "new"})]) == {text_id(1)}
        assert storage.leads([text_id(1)]) == once

    def test_nothing_to_set_holds_for_every_lead_that_is_there(self, storage: Storage) -> None:
        storage.store_leads([lead(1)], [])
        assert storage.update_leads([change(1, {}, {}), change(2, {}, {})]) == {text_id(1)}
        assert storage.leads([text_id(1), text_id(2)]) == {text_id(1): lead(1)}

    def test_a_lead_that_is_gone_is_not_made_again(self, storage: Storage) -> None:
        nothing_expected = change(1, {"name": None}, {"name": "A", "phone": "1", "store": "B"})
        assert storage.update_leads([nothing_expected]) == set()
        assert storage.leads([text_id(1)]) == {}

    def test_hostile_text_in_changes_is_only_data(self, storage: Storage) -> None:
        stored = [lead(n, _id=f"id {text}", remarks=text) for n, text in enumerate(HOSTILE_TEXTS)]
        storage.store_leads(stored, [])
        reversed_texts = tuple(reversed(HOSTILE_TEXTS))
        changes = [
            LeadChange(f"id {text}", {"remarks": text}, {"remarks": new, "reason": new})
            for text, new in zip(HOSTILE_TEXTS, reversed_texts, strict=True)
        ]
        ids = {one.lead_id for one in changes}
        assert storage.update_leads(changes) == ids
        assert [storage.leads(ids)[f"id {text}"]["remarks"] for text in HOSTILE_TEXTS] == [*reversed_texts]
        assert [storage.leads(ids)[f"id {text}"]["reason"] for text in HOSTILE_TEXTS] == [*reversed_texts]

    def test_no_values_are_asked_for_and_no_changes_made(self, storage: Storage) -> None:
        storage.store_leads([lead(1)], [record(1)])
        assert storage.record_values([]) == {}
        assert storage.leads([]) == {}
        assert storage.update_leads([]) == set()

    def test_thousands_of_changes_at_once(self, storage: Storage) -> None:
        numbers = range(MANY)
        ids = [text_id(n) for n in numbers]
        edited = {0, 999, 1000, MANY - 1}
        storage.store_leads(
            [lead(n, remarks="edited" if n in edited else "") for n in numbers], [record(n) for n in numbers]
        )
        assert storage.record_values(ids) == {text_id(n): record(n).values for n in numbers}

        done = storage.update_leads([change(n, {"remarks": ""}, {"remarks": f"news {n}"}) for n in numbers])
        assert done == set(ids) - {text_id(n) for n in edited}
        assert {lead_id: stored["remarks"] for lead_id, stored in storage.leads(ids).items()} == {
            text_id(n): "edited" if n in edited else f"news {n}" for n in numbers
        }


class EditSuite:
    """What telecallers do to leads between a storage's reading and its writing."""

    def test_an_edit_in_between_is_kept(self, storage: Storage, database: Database) -> None:
        storage.store_leads([lead(1), lead(2), lead(3)], [])
        database.edit_lead(text_id(1), "remarks", "call back on Monday")
        database.edit_lead(text_id(2), "rating", 5)
        database.delete_lead(text_id(3))
        changes = [
            change(n, {"remarks": "", "reason": None}, {"remarks": "news", "reason": "price"})
            for n in (1, 2, 3)
        ]

        assert storage.update_leads(changes) == {text_id(2)}
        assert storage.leads([text_id(n) for n in (1, 2, 3)]) == {
            text_id(1): lead(1, remarks="call back on Monday"),
            text_id(2): lead(2, remarks="news", reason="price", rating=5),
        }

    def test_null_is_the_same_as_not_there(self, storage: Storage, database: Database) -> None:
        storage.store_leads([lead(1), lead(2)], [])
        database.edit_lead(text_id(1), "attendedBy", None)
        changes = [change(n, {"attendedBy": None}, {"attendedBy": "Staff A"}) for n in (1, 2)]

        assert storage.update_leads(changes) == {text_id(1), text_id(2)}
        database.edit_lead(text_id(1), "attendedBy", None)
        gone = [change(n, {"attendedBy": "Staff A"}, {"attendedBy": None}) for n in (1, 2)]
        assert storage.update_leads(gone) == {text_id(1), text_id(2)}

    @pytest.mark.parametrize("unstorable", ["90000\ud800", 2**70])
    def test_a_new_value_that_no_database_holds_is_a_storage_error(
        self, storage: Storage, unstorable: Any
    ) -> None:
        storage.store_leads([lead(1)], [])
        with pytest.raises(StorageError) as caught:
            storage.update_leads([change(1, {"rating": None}, {"rating": unstorable})])
        assert "90000" not in str(caught.value)
        assert storage.leads([text_id(1)]) == {text_id(1): lead(1)}
