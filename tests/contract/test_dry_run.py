"""The storage of --dry-run: as if written, and nothing written."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.lead_values import LeadChange
from syncctl.domain.records import KnownRecord, RejectAnswer
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.sources import LeadType, StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.domain.stores import Store
from syncctl.storage.dry_run import DryRunStorage
from syncctl.storage.sqlite.storage import SqliteStorage
from tests.contract.merge_suite import MergeSuite
from tests.contract.samples import MOMENT, lead, phone, record, reject, text_id

STORE = Store("Suitor Guy - Calicut", "13", "Suitor Guy", "Calicut", True)


@pytest.fixture
def real() -> Iterator[SqliteStorage]:
    """Holds lead, record and reject 1, a store and a store list."""
    storage = SqliteStorage(None)
    storage.prepare()
    storage.store_leads([lead(1)], [record(1)])
    storage.add_rejects([reject(1)])
    storage.add_stores([STORE])
    storage.save_store_list({"13": "S- Calicut"})
    yield storage
    storage.close()


@pytest.fixture
def dry(real: SqliteStorage) -> DryRunStorage:
    dry = DryRunStorage(real)
    dry.prepare()
    return dry


class TestMerge(MergeSuite):
    """As in a real run."""

    @pytest.fixture
    def storage(self) -> Iterator[DryRunStorage]:
        storage = DryRunStorage(SqliteStorage(None))
        storage.prepare()
        yield storage
        storage.close()


def test_a_lead_is_stored_once_as_in_a_real_run(dry: DryRunStorage, real: SqliteStorage) -> None:
    twice = [lead(1), lead(2), lead(2, name="Second")]
    assert dry.store_leads(twice, [record(1, fingerprint="other"), record(2)]) == {text_id(2)}
    assert dry.store_leads([lead(2)], [record(2, fingerprint="other")]) == set()

    assert dry.find_records([text_id(n) for n in range(4)]) == {
        text_id(n): KnownRecord(text_id(n), f"print {n}", "7", "booking") for n in (1, 2)
    }
    assert dry.present_leads([text_id(n) for n in range(4)]) == {text_id(1), text_id(2)}
    assert dry.find_leads(LeadType.BOOKING, [lead(1)["bookingNo"]], [phone(2)]) == [lead(1), lead(2)]
    assert dry.find_leads(LeadType.RETURN, [], [phone(2)]) == []
    assert real.present_leads([text_id(1), text_id(2)]) == {text_id(1)}
    assert real.find_records([text_id(2)]) == {}
    assert dry.recorded_leads([text_id(n) for n in range(4)]) == {text_id(1), text_id(2)}
    assert real.recorded_leads([text_id(n) for n in range(4)]) == {text_id(1)}


def test_records_are_updated_in_memory(dry: DryRunStorage, real: SqliteStorage) -> None:
    dry.update_records([record(1, fingerprint="new", lead_id="other"), record(2)])
    assert dry.find_records([text_id(1), text_id(2)]) == {
        text_id(1): KnownRecord(text_id(1), "new", "7", "booking")
    }
    assert real.find_records([text_id(1)])[text_id(1)].fingerprint == "print 1"
    dry.update_records([record(1, values={"name": "New"})])
    assert dry.record_values([text_id(1)]) == {text_id(1): {"name": "New"}}
    assert real.record_values([text_id(1)]) == {text_id(1): record(1).values}


def test_leads_of_the_database_are_changed_in_memory(dry: DryRunStorage, real: SqliteStorage) -> None:
    to_other_number = LeadChange(
        text_id(1), {"bookingNo": lead(1)["bookingNo"], "remarks": ""}, {"bookingNo": "2", "remarks": None}
    )
    changed = lead(1, bookingNo="2")
    del changed["remarks"]

    assert dry.update_leads([to_other_number]) == {text_id(1)}
    assert dry.leads([text_id(1), text_id(2)]) == {text_id(1): changed}
    assert dry.find_leads(LeadType.BOOKING, ["2"], []) == [changed]
    assert dry.find_leads(LeadType.BOOKING, [lead(1)["bookingNo"]], []) == []
    assert dry.find_leads(LeadType.BOOKING, [], [phone(1)]) == [changed]
    assert dry.present_leads([text_id(1)]) == {text_id(1)}
    assert dry.store_leads([lead(1)], [record(1, values={"name": "Other"})]) == set()
    assert dry.record_values([text_id(1)]) == {text_id(1): record(1).values}
    assert real.leads([text_id(1)]) == {text_id(1): lead(1)}


def test_what_is_given_out_may_be_changed_by_whoever_asked(dry: DryRunStorage) -> None:
    dry.store_leads([lead(2)], [record(2)])
    dry.leads([text_id(2)])[text_id(2)].clear()
    dry.record_values([text_id(2)])[text_id(2)].clear()
    assert dry.leads([text_id(2)]) == {text_id(2): lead(2)}
    assert dry.record_values([text_id(2)]) == {text_id(2): record(2).values}


def test_rejects_are_added_and_cleared_in_memory(dry: DryRunStorage, real: SqliteStorage) -> None:
    assert dry.add_rejects([reject(1), reject(2), reject(2), reject(3, location="8")]) == 2
    assert dry.reject_positions("booking", "7") == {"7": {"row 1": [text_id(1)], "row 2": [text_id(2)]}}
    dry.clear_rejects([text_id(1), text_id(2)])
    assert dry.reject_positions("booking", "7") == {}
    assert dry.add_rejects([reject(1)]) == 1
    assert dry.reject_positions("booking", "7") == {"7": {"row 1": [text_id(1)]}}
    assert dry.reject_positions("booking", "8") == {"8": {"row 3": [text_id(3)]}}
    assert dry.reject_positions("booking") == {"7": {"row 1": [text_id(1)]}, "8": {"row 3": [text_id(3)]}}
    assert dry.rejects() == [reject(1), reject(3, location="8")]
    assert dry.rejects("return") == []
    dry.add_rejects([reject(4, source="return", rejected_at=MOMENT + timedelta(hours=1))])
    assert [listed.reject_id for listed in dry.rejects()] == [text_id(4), text_id(1), text_id(3)]
    assert [listed.reject_id for listed in dry.rejects("return")] == [text_id(4)]
    assert real.reject_positions("booking", "7") == {"7": {"row 1": [text_id(1)]}}


def test_rejects_are_answered_in_memory(dry: DryRunStorage, real: SqliteStorage) -> None:
    real.add_rejects([reject(5)])
    real.close_rejects([reject(5)], RejectAnswer.DISMISSED, MOMENT)
    dry.amend_rejects([reject(1, reason="another"), reject(7, reason="not there")])
    assert [listed.reason for listed in dry.rejects()] == ["another"]
    dry.close_rejects([reject(1), reject(6)], RejectAnswer.CORRECTED, MOMENT)
    assert dry.rejects() == []
    assert dry.closed_rejects("booking") == {text_id(1), text_id(5), text_id(6)}
    assert dry.closed_rejects("booking", "8") == set()
    assert dry.add_rejects([reject(1), reject(5), reject(6)]) == 0
    dry.clear_rejects([text_id(1), text_id(5)])
    assert dry.closed_rejects("booking") == {text_id(6)}
    dry.forget_closed_rejects(MOMENT, 0)
    assert real.closed_rejects("booking") == {text_id(5)}
    assert real.rejects() == [reject(1)]


def test_stores_and_the_store_list_are_remembered(dry: DryRunStorage, real: SqliteStorage) -> None:
    new = Store("Zorucci - Edappally", "1", "Zorucci", "Kochi", True)
    assert dry.add_stores([STORE, new]) == 1
    assert dry.add_stores([new]) == 0
    assert dry.stores() == [STORE, new]
    assert dry.store_list() == {"13": "S- Calicut"}
    dry.save_store_list({"1": "Z- Edappally"})
    assert dry.store_list() == {"1": "Z- Edappally"}
    assert real.stores() == [STORE]
    assert real.store_list() == {"13": "S- Calicut"}


def test_file_hashes_are_remembered(dry: DryRunStorage, real: SqliteStorage) -> None:
    real.save_file_hash("walkin", "a.xlsx", "hash 1")
    real.save_file_hash("walkin", "b.xlsx", "hash 2")
    dry.save_file_hash("walkin", "a.xlsx", "hash 3")
    dry.save_file_hash("lossofsale", "a.xlsx", "hash 4")
    assert dry.file_hashes("walkin") == {"a.xlsx": "hash 3", "b.xlsx": "hash 2"}
    assert dry.file_hashes("lossofsale") == {"a.xlsx": "hash 4"}
    assert real.file_hashes("walkin") == {"a.xlsx": "hash 1", "b.xlsx": "hash 2"}
    assert real.file_hashes("lossofsale") == {}


def test_watermarks_logs_and_history_are_not_kept(dry: DryRunStorage, real: SqliteStorage) -> None:
    real.save_location_states(StepName.BOOKING, [LocationState("7", MOMENT)])
    dry.save_location_states(StepName.BOOKING, [LocationState("7", None)])
    dry.add_sync_log(SyncLog("booking", Trigger.AUTO, MOMENT, 15, StepStatus.SUCCESS, None))
    dry.save_run(RunEntry("run 1", MOMENT, {}))
    assert dry.location_states(StepName.BOOKING) == {"7": LocationState("7", MOMENT)}
    assert real.location_states(StepName.BOOKING) == {"7": LocationState("7", MOMENT)}


def test_reports_are_those_of_the_database(dry: DryRunStorage) -> None:
    assert dry.find_reports([text_id(1)], [phone(1)]) == []
    dry.close()
