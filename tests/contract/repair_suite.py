"""What every database must do where cleanup and doctor write: ports.admin.Repair."""

from collections.abc import Collection
from contextlib import closing
from typing import Any

import pytest

from syncctl.errors import StorageError
from syncctl.ports.admin import Database as LeadDatabase
from syncctl.ports.admin import LeadSnapshot, Restored
from syncctl.storage.registry import open_storage
from tests.contract.lead_suite import MANY, Database
from tests.contract.samples import HOSTILE_TEXTS, MOMENT, lead, record, text_id

NO_LEADS = (
    *("", "{", "7", "null", '"_id"', "[]", "{}"),
    *('{"name": "Customer"}', '{"_id": "1"} {', '{"_id": 1,}', "[" * 100_000),
)

ODD_VALUES: tuple[Any, ...] = (
    *(5, 4.5, -(2**40), 1e300, float("inf"), "five", b"\x00\xff", "\ud7ff \0 \u2028\n"),
    *HOSTILE_TEXTS,
)


def restored(
    inserted: Collection[str] = (), same: Collection[str] = (), different: Collection[str] = ()
) -> Restored:
    return Restored(frozenset(inserted), frozenset(same), frozenset(different))


class RepairSuite:
    def test_snapshots_are_of_those_that_are_there(self, storage: LeadDatabase) -> None:
        storage.store_leads([lead(1), lead(2, name="two\nlines \u2028 അനഘ")], [])
        taken = storage.snapshots([text_id(1), text_id(2), text_id(3), "no such lead"])
        assert sorted(snapshot.lead_id for snapshot in taken) == [text_id(1), text_id(2)]
        assert all(snapshot.document.isascii() for snapshot in taken)
        assert all(len(snapshot.document.splitlines()) == 1 for snapshot in taken)
        assert storage.snapshots([]) == []

    def test_what_is_unchanged_is_deleted(self, storage: LeadDatabase) -> None:
        storage.store_leads([lead(n) for n in range(4)], [record(n) for n in range(4)])
        taken = storage.snapshots([text_id(1), text_id(2)])
        assert storage.delete_unchanged(taken) == {text_id(1), text_id(2)}
        assert storage.present_leads([text_id(n) for n in range(4)]) == {text_id(0), text_id(3)}
        assert len(storage.find_records([text_id(n) for n in range(4)])) == 4
        assert storage.delete_unchanged(taken) == {text_id(1), text_id(2)}
        assert storage.delete_unchanged([]) == set()

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("remarks", "call back"),
            ("name", "customer 1"),
            ("assignedTo", "Staff A"),
            ("bookingNo", None),
            ("securityAmount", 1500.5000001),
            ("followUpFlag", True),
            ("rating", ""),
            ("updatedAt", "2025-02-01T08:59:27.124Z"),
        ],
    )
    def test_what_was_changed_in_between_stays(
        self, storage: LeadDatabase, database: Database, field: str, value: Any
    ) -> None:
        storage.store_leads([lead(1), lead(2)], [])
        taken = storage.snapshots([text_id(1), text_id(2)])
        database.edit_lead(text_id(1), field, value)
        assert storage.delete_unchanged(taken) == {text_id(2)}
        assert storage.present_leads([text_id(1), text_id(2)]) == {text_id(1)}

    def test_what_someone_else_deleted_is_gone_and_what_was_put_back_changed_stays(
        self, storage: LeadDatabase, database: Database
    ) -> None:
        storage.store_leads([lead(1), lead(2), lead(3)], [])
        taken = storage.snapshots([text_id(1), text_id(2), text_id(3)])
        database.delete_lead(text_id(1))
        database.delete_lead(text_id(2))
        storage.store_leads([lead(2, remarks="entered again")], [])
        assert storage.delete_unchanged(taken) == {text_id(1), text_id(3)}
        assert storage.leads([text_id(2)]) == {text_id(2): lead(2, remarks="entered again")}

    def test_restored_leads_are_what_they_were(self, storage: LeadDatabase) -> None:
        leads = [lead(1), lead(2, visitDate=MOMENT, rating=4), lead(3, remarks="😀 അനഘ")]
        storage.store_leads(leads, [])
        ids = {text_id(n) for n in (1, 2, 3)}
        taken = storage.snapshots(ids)
        storage.delete_unchanged(taken)

        assert storage.restore(taken[:1]) == restored(inserted={taken[0].lead_id})
        assert storage.restore(taken) == restored(inserted=ids - {taken[0].lead_id}, same={taken[0].lead_id})
        assert storage.restore(taken) == restored(same=ids)
        assert storage.restore([]) == restored()
        assert sorted(storage.snapshots(ids), key=str) == sorted(taken, key=str)
        assert storage.leads(ids) == {each["_id"]: each for each in leads}

    def test_a_lead_that_is_there_and_not_the_same_is_left_alone(
        self, storage: LeadDatabase, database: Database
    ) -> None:
        storage.store_leads([lead(1), lead(2), lead(3)], [])
        taken = storage.snapshots([text_id(1), text_id(2), text_id(3)])
        database.edit_lead(text_id(1), "remarks", "call back")
        database.delete_lead(text_id(2))
        assert storage.restore(taken) == restored({text_id(2)}, {text_id(3)}, {text_id(1)})
        assert storage.leads([text_id(1)])[text_id(1)]["remarks"] == "call back"

    def test_odd_values_survive_deleting_and_restoring(
        self, storage: LeadDatabase, database: Database
    ) -> None:
        fields = ("rating", "remarks", "securityAmount", "visitDate")
        ids = {text_id(n) for n in range(len(ODD_VALUES))}
        storage.store_leads([lead(n) for n in range(len(ODD_VALUES))], [])
        for number, value in enumerate(ODD_VALUES):
            for field in fields:
                database.edit_lead(text_id(number), field, value)
        before = {each["_id"]: each for each in storage.scan_leads(fields)}
        taken = storage.snapshots(ids)
        assert storage.delete_unchanged(taken) == ids
        assert storage.restore(taken) == restored(inserted=ids)
        assert storage.restore(taken) == restored(same=ids)
        assert sorted(storage.snapshots(ids), key=str) == sorted(taken, key=str)
        assert {each["_id"]: each for each in storage.scan_leads(fields)} == before

    @pytest.mark.slow
    def test_thousands_are_deleted_and_restored_at_once(self, storage: LeadDatabase) -> None:
        ids = {text_id(n) for n in range(MANY)}
        storage.store_leads([lead(n) for n in range(MANY)], [])
        taken = storage.snapshots(ids)
        assert {snapshot.lead_id for snapshot in taken} == ids
        assert storage.delete_unchanged(taken) == ids
        assert len(list(storage.scan_leads(["phone"]))) == 0
        assert storage.restore(taken) == restored(inserted=ids)
        assert storage.restore(taken) == restored(same=ids)
        assert len(list(storage.scan_leads(["phone"]))) == MANY

    def test_a_damaged_line_puts_nothing_back(self, storage: LeadDatabase) -> None:
        storage.store_leads([lead(1)], [])
        taken = storage.snapshots([text_id(1)])
        storage.delete_unchanged(taken)
        for line in NO_LEADS:
            with pytest.raises(StorageError, match="backup") as caught:
                storage.restore([*taken, LeadSnapshot(text_id(2), line)])
            assert "\n" not in str(caught.value)
            assert "Customer" not in str(caught.value)
            assert len(list(storage.scan_leads(["phone"]))) == 0

    def test_records_are_repointed(self, storage: LeadDatabase) -> None:
        storage.store_leads([], [record(n) for n in range(5)])
        news = {text_id(1): text_id(91), text_id(2): text_id(3), text_id(77): text_id(78)}
        assert storage.repoint_records(news) == 2
        found = storage.find_records([text_id(n) for n in range(5)])
        assert [found[text_id(n)].lead_id for n in range(5)] == [text_id(n) for n in (0, 91, 3, 3, 4)]
        assert storage.repoint_records(news) == 0
        assert storage.repoint_records({}) == 0
        assert storage.repoint_records(dict.fromkeys(HOSTILE_TEXTS, text_id(1))) == 0

    def test_thousands_of_records_are_repointed(self, storage: LeadDatabase) -> None:
        storage.store_leads([], [record(n) for n in range(MANY)])
        assert storage.repoint_records({text_id(n): text_id(n + MANY) for n in range(MANY)}) == MANY
        assert storage.recorded_leads([text_id(n) for n in range(2 * MANY)]) == {
            text_id(n + MANY) for n in range(MANY)
        }

    def test_pairings_are_taken_back_where_they_are_as_said(self, storage: LeadDatabase) -> None:
        storage.store_leads([], [record(n) for n in range(4)])
        untouched = storage.find_records([text_id(n) for n in range(4)])
        storage.pair_reports({text_id(n): text_id(n + 70) for n in range(3)})
        storage.unpair_reports({text_id(0): text_id(70), text_id(1): text_id(72), text_id(3): text_id(73)})
        assert storage.paired_reports([text_id(n + 70) for n in range(4)]) == {text_id(71), text_id(72)}
        storage.unpair_reports({text_id(1): text_id(71), text_id(2): text_id(72)})
        assert storage.find_records([text_id(n) for n in range(4)]) == untouched
        storage.unpair_reports({})
        storage.unpair_reports(dict.fromkeys(HOSTILE_TEXTS, text_id(1)))
        storage.pair_reports({text_id(3): text_id(70)})
        assert storage.find_records([text_id(3)])[text_id(3)].report_id == text_id(70)

    def test_thousands_of_pairings_are_taken_back(self, storage: LeadDatabase) -> None:
        pairings = {text_id(n): text_id(n + MANY) for n in range(MANY)}
        storage.store_leads([], [record(n) for n in range(MANY)])
        storage.pair_reports(pairings)
        storage.unpair_reports(pairings)
        assert storage.paired_reports(pairings.values()) == set()

    def test_probing_leaves_nothing(self, storage: LeadDatabase, database: Database) -> None:
        before = database.count("syncstate")
        storage.probe_writing()
        storage.probe_writing()
        assert database.count("syncstate") == before

    def test_opened_for_reading_only_nothing_is_written(
        self, storage: LeadDatabase, database: Database
    ) -> None:
        storage.store_leads([lead(1)], [record(1)])
        with closing(open_storage(database.url, for_reading_only=True)) as reader:
            reader.prepare()
            taken = reader.snapshots([text_id(1)])
            assert len(taken) == 1
            for write in (
                lambda: reader.delete_unchanged(taken),
                lambda: reader.restore(taken),
                lambda: reader.repoint_records({text_id(1): text_id(2)}),
                lambda: reader.unpair_reports({text_id(1): text_id(2)}),
                reader.probe_writing,
            ):
                with pytest.raises(StorageError, match="opened for reading only"):
                    write()
        assert storage.snapshots([text_id(1)]) == taken
        assert storage.recorded_leads([text_id(1)]) == {text_id(1)}
