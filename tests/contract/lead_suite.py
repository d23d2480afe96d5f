"""What every storage must do with leads, their records, and reports."""

import json
import subprocess
import sys
from contextlib import ExitStack
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any, Protocol

import pytest

from syncctl.domain.lead_values import Document
from syncctl.domain.records import KnownRecord
from syncctl.domain.sources import LeadType
from syncctl.errors import StorageError
from syncctl.ports.storage import Storage
from tests.contract.samples import HOSTILE_TEXTS, MOMENT, lead, phone, record, text_id

MANY = 2600

INSERT_ON_SIGNAL = """
import json, sys
from syncctl.domain.stores import Store
from syncctl.storage.registry import open_storage
from tests.contract.samples import lead, record, reject

storage = open_storage(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
storage.prepare()
numbers = range(200)
inserted = storage.store_leads([lead(n) for n in numbers], [record(n) for n in numbers])
rejects = storage.add_rejects([reject(n) for n in numbers])
stores = storage.add_stores([Store(f"Zorucci - {n}", str(n), "Zorucci", "", True) for n in numbers])
storage.save_store_list({"7": "Z- Calicut"})
storage.close()
print(json.dumps([sorted(inserted), rejects, stores]))
"""


class Database(Protocol):
    """The database below a storage, as the web app and people get at it."""

    url: str

    def add_report(self, report_id: str, report: Document) -> None: ...

    def edit_lead(self, lead_id: str, field: str, value: Any) -> None: ...

    def delete_lead(self, lead_id: str) -> None: ...

    def key_rules(self) -> int | None: ...

    def set_key_rules(self, version: int | None) -> None: ...

    def count(self, collection: str) -> int: ...


class LeadSuite:
    def test_a_lead_is_found_as_it_was_stored_by_number_or_phone(self, storage: Storage) -> None:
        one, other = lead(1), lead(2, returnDate=lead(2)["createdAt"], attendedBy="Staff A")
        storage.store_leads([one, other, lead(3, leadType=LeadType.RETURN)], [])

        assert storage.find_leads(LeadType.BOOKING, [one["bookingNo"]], []) == [one]
        assert storage.find_leads(LeadType.BOOKING, [], [phone(2)]) == [other]
        assert storage.find_leads(LeadType.BOOKING, [one["bookingNo"]], [phone(1)]) == [one]
        assert storage.find_leads(LeadType.BOOKING, [], [phone(3)]) == []
        found = storage.find_leads(LeadType.BOOKING, [one["bookingNo"]], [phone(2), phone(1)])
        assert sorted(document["_id"] for document in found) == [text_id(1), text_id(2)]

    def test_a_lead_without_a_booking_number_is_found_by_phone(self, storage: Storage) -> None:
        bare = lead(1)
        del bare["bookingNo"]
        storage.store_leads([bare], [])

        assert storage.find_leads(LeadType.BOOKING, [], [phone(1)]) == [bare]

    def test_dates_are_utc_in_milliseconds(self, storage: Storage) -> None:
        india = timezone(timedelta(hours=5, minutes=30))
        exact = MOMENT.replace(microsecond=123999)
        stored = lead(
            1, visitDate=exact, returnDate=MOMENT.astimezone(india), callDate=exact.replace(tzinfo=None)
        )
        storage.store_leads([stored], [])

        (found,) = storage.find_leads(LeadType.BOOKING, [], [phone(1)])
        assert [found[field] for field in ("visitDate", "returnDate", "callDate")] == [MOMENT] * 3
        assert {found[field].utcoffset() for field in ("visitDate", "returnDate")} == {timedelta(0)}

    def test_storing_again_leaves_what_is_there(self, storage: Storage, database: Database) -> None:
        assert storage.store_leads([lead(1)], [record(1)]) == {text_id(1)}
        database.edit_lead(text_id(1), "remarks", "call back on Monday")

        again = storage.store_leads(
            [lead(1, name="Someone Else"), lead(2)], [record(1, fingerprint="other"), record(2)]
        )

        assert again == {text_id(2)}
        assert storage.find_leads(LeadType.BOOKING, [], [phone(1)]) == [
            lead(1, remarks="call back on Monday")
        ]
        assert storage.find_records([text_id(1)]) == {
            text_id(1): KnownRecord(text_id(1), "print 1", "7", "booking")
        }

    def test_one_lead_given_twice_is_inserted_once(self, storage: Storage, database: Database) -> None:
        assert storage.store_leads([lead(1), lead(1, name="Second")], [record(1), record(1)]) == {text_id(1)}
        assert (database.count("leads"), database.count("syncrecords")) == (1, 1)
        assert storage.find_leads(LeadType.BOOKING, [], [phone(1)]) == [lead(1)]

    def test_a_deleted_lead_is_absent_and_its_record_stays(
        self, storage: Storage, database: Database
    ) -> None:
        storage.store_leads([lead(1), lead(2)], [record(1), record(2)])
        database.delete_lead(text_id(1))

        assert storage.present_leads([text_id(1), text_id(2), text_id(3)]) == {text_id(2)}
        assert storage.find_records([text_id(1), text_id(3)]) == {
            text_id(1): KnownRecord(text_id(1), "print 1", "7", "booking")
        }

    def test_a_record_may_name_another_lead(self, storage: Storage) -> None:
        storage.store_leads([], [record(1, lead_id=text_id(99))])
        assert storage.find_records([text_id(1)])[text_id(1)].lead_id == text_id(99)

    def test_leads_that_a_record_names_are_recorded_there_or_not(
        self, storage: Storage, database: Database
    ) -> None:
        storage.store_leads(
            [lead(1), lead(2)], [record(1), record(3, lead_id="old"), record(4, lead_id="old")]
        )
        database.delete_lead(text_id(1))
        asked = [text_id(n) for n in range(1, 5)] + ["old"]
        assert storage.recorded_leads(asked) == {text_id(1), "old"}

    def test_updating_a_record_changes_known_ones_only(self, storage: Storage, database: Database) -> None:
        storage.store_leads([], [record(1)])
        storage.update_records([record(1, fingerprint="new"), record(2)])

        assert storage.find_records([text_id(1), text_id(2)]) == {
            text_id(1): KnownRecord(text_id(1), "new", "7", "booking")
        }
        assert database.count("syncrecords") == 1

    def test_nothing_asked_is_nothing_found(self, storage: Storage) -> None:
        storage.store_leads([lead(1)], [record(1)])
        assert storage.store_leads([], []) == set()
        storage.update_records([])
        assert storage.find_records([]) == {}
        assert storage.present_leads([]) == set()
        assert storage.recorded_leads([]) == set()
        assert storage.find_leads(LeadType.BOOKING, [], []) == []
        assert storage.find_reports([], []) == []

    @pytest.mark.slow
    def test_thousands_at_once(self, storage: Storage, database: Database) -> None:
        numbers = range(MANY)
        ids, phones = [text_id(n) for n in numbers], [phone(n) for n in numbers]
        leads, records = [lead(n) for n in numbers], [record(n) for n in numbers]
        storage.store_leads(leads[1:2000], records[1:2000])

        inserted = storage.store_leads(leads, records)
        assert inserted == {ids[0], *ids[2000:]}
        assert storage.find_records(ids).keys() == set(ids)
        assert storage.present_leads(ids) == set(ids)
        assert storage.recorded_leads(ids) == set(ids)
        assert len(storage.find_leads(LeadType.BOOKING, [one["bookingNo"] for one in leads], [])) == MANY
        assert len(storage.find_leads(LeadType.BOOKING, [], phones)) == MANY

        storage.update_records([record(n, fingerprint="new") for n in numbers])
        assert {known.fingerprint for known in storage.find_records(ids).values()} == {"new"}

        for n in (0, 999, 1000, 2000, MANY - 1):
            database.add_report(f"by id {n}", {"id": ids[n]})
            database.add_report(f"by phone {n}", {"leadData": {"phone": phones[n]}})
        assert len(storage.find_reports(ids, [])) == 5
        assert len(storage.find_reports([], phones)) == 5
        assert len(storage.find_reports(ids[:10], phones)) == 6

    def test_processes_that_store_the_same_store_it_once(self, storage: Storage, database: Database) -> None:
        command = [sys.executable, "-W", "error", "-c", INSERT_ON_SIGNAL, database.url]
        with ExitStack() as stack:
            workers = [
                stack.enter_context(
                    subprocess.Popen(
                        command,
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        text=True,
                        cwd=Path(__file__).parents[2],
                    )
                )
                for _ in range(3)
            ]
            for worker in workers:
                stack.callback(worker.kill)
            for worker in workers:
                assert worker.stdout is not None
                assert worker.stdout.readline() == "ready\n"
            for worker in workers:
                assert worker.stdin is not None
                worker.stdin.write("go\n")
                worker.stdin.flush()
            answers = [json.loads(worker.communicate(timeout=60)[0]) for worker in workers]

        inserted = [lead_id for lead_ids, _, _ in answers for lead_id in lead_ids]
        assert sorted(inserted) == [text_id(n) for n in range(200)]
        assert sum(rejects for _, rejects, _ in answers) == 200
        assert sum(stores for _, _, stores in answers) == 200
        assert [database.count(name) for name in ("leads", "syncrecords", "syncrejects", "stores")] == [
            200
        ] * 4

    def test_hostile_text_is_only_data(self, storage: Storage) -> None:
        stored = [
            lead(n, _id=f"id {hostile}", name=hostile, bookingNo=hostile, remarks=hostile)
            for n, hostile in enumerate(HOSTILE_TEXTS)
        ]
        kept = [
            record(
                n,
                record_id=f"id {hostile}",
                lead_id=hostile,
                key=hostile,
                location=hostile,
                fingerprint=hostile,
            )
            for n, hostile in enumerate(HOSTILE_TEXTS)
        ]
        storage.store_leads(stored, kept)
        storage.update_records(kept)

        for hostile, one in zip(HOSTILE_TEXTS, stored, strict=True):
            assert storage.find_leads(LeadType.BOOKING, [hostile], []) == [one]
            assert storage.find_leads(LeadType.BOOKING, [], [hostile]) == []
            assert storage.present_leads([f"id {hostile}", hostile]) == {f"id {hostile}"}
            assert storage.find_records([f"id {hostile}"]) == {
                f"id {hostile}": KnownRecord(hostile, hostile, hostile, "booking")
            }
            assert storage.recorded_leads([hostile, f"id {hostile}"]) == {hostile}
            assert storage.find_reports([hostile], [hostile]) == []

    @pytest.mark.parametrize("unstorable", ["90000\ud800", 2**70])
    def test_a_value_that_no_database_holds_is_a_storage_error(
        self, storage: Storage, unstorable: Any
    ) -> None:
        with pytest.raises(StorageError) as caught:
            storage.store_leads([lead(1, securityAmount=unstorable)], [])
        assert "90000" not in str(caught.value)
        assert storage.present_leads([text_id(1)]) == set()


REPORTS: dict[str, Document] = {
    "flat, by id": {"id": text_id(1), "lead_name": "A", "phone_number": "9111111111"},
    "flat, by phone": {"lead_name": "A", "phone": phone(1)},
    "flat, by phone_number": {"phone_number": phone(1)},
    "flat, edited before": {"phone_number": "9111111111", "phone_before": phone(1)},
    "flat, edited after": {"phone_number": "9111111111", "phone_after": phone(1)},
    "flat, number edited before": {"phone_number_before": phone(1), "phone_number_after": "9111111111"},
    "flat, number edited after": {"phone_number_before": "9111111111", "phone_number_after": phone(1)},
    **{
        f"{shape}, by {field}": {shape: {"name": "A", field: value}, "note": "moved"}
        for shape in ("leadData", "leadSnapshot", "beforeSnapshot")
        for field, value in (
            ("_id", text_id(1)),
            ("id", text_id(1)),
            ("phone", phone(1)),
            ("phone_number", phone(1)),
        )
    },
}


class ReportSuite:
    def test_a_report_of_any_shape_is_found(self, storage: Storage, database: Database) -> None:
        for shape, report in REPORTS.items():
            database.add_report(shape, report)
        database.add_report("other", {"id": text_id(2), "phone": phone(2), "leadData": {"phone": phone(2)}})

        found = storage.find_reports([text_id(1)], [phone(1)])
        assert {report["_id"]: report for report in found} == {
            shape: {"_id": shape, **report} for shape, report in REPORTS.items()
        }
        by_id = storage.find_reports([text_id(1)], [])
        assert {report["_id"] for report in by_id} == {
            shape for shape in REPORTS if shape.endswith(("by id", "by _id"))
        }
        assert len(storage.find_reports([], [phone(1)])) == len(REPORTS) - len(by_id)
        assert storage.find_reports([text_id(3)], [phone(3)]) == []

    @pytest.mark.parametrize(
        "report",
        [
            {"booking_number": "2025020100700001"},
            {"booking_number": 2025020100700001},
            {"booking_number": "7", "booking_no_before": "2025020100700001"},
            {"leadData": {"booking_number": "2025020100700001"}},
            {"leadSnapshot": {"bookingNo": "2025020100700001"}},
            {"beforeSnapshot": {"bookingNo": 2025020100700001}},
        ],
    )
    def test_a_report_is_found_by_its_booking_number(
        self, storage: Storage, database: Database, report: Document
    ) -> None:
        database.add_report("r1", report)
        assert len(storage.find_reports([], [], ["2025020100700001"])) == 1
        assert storage.find_reports([], [], ["2025020100700002"]) == []

    def test_a_phone_that_a_report_holds_as_a_number_is_found(
        self, storage: Storage, database: Database
    ) -> None:
        database.add_report("r1", {"phone_number": int(phone(1))})
        assert len(storage.find_reports([], [phone(1)])) == 1

    def test_a_report_that_several_fields_name_comes_once(self, storage: Storage, database: Database) -> None:
        database.add_report("r1", {"id": text_id(1), "phone": phone(1), "leadData": {"phone": phone(2)}})
        assert len(storage.find_reports([text_id(1)], [phone(1), phone(2)])) == 1
