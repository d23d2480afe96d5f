"""The storage of --dry-run: as if written, and nothing written."""

from collections.abc import Iterator

import pytest

from syncctl.models import (
    KnownRecord,
    LeadType,
    LocationState,
    RunEntry,
    StepName,
    StepStatus,
    Store,
    SyncLog,
    Trigger,
)
from syncctl.storage.dry_run import DryRunStorage
from syncctl.storage.sqlite import SqliteStorage
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


def test_a_lead_is_stored_once_as_in_a_real_run(dry: DryRunStorage, real: SqliteStorage) -> None:
    twice = [lead(1), lead(2), lead(2, name="Second")]
    assert dry.store_leads(twice, [record(1, fingerprint="other"), record(2)]) == {text_id(2)}
    assert dry.store_leads([lead(2)], [record(2, fingerprint="other")]) == set()

    assert dry.find_records([text_id(n) for n in range(4)]) == {
        text_id(n): KnownRecord(text_id(n), f"print {n}") for n in (1, 2)
    }
    assert dry.present_leads([text_id(n) for n in range(4)]) == {text_id(1), text_id(2)}
    assert dry.find_leads(LeadType.BOOKING, [lead(1)["bookingNo"]], [phone(2)]) == [lead(1), lead(2)]
    assert dry.find_leads(LeadType.RETURN, [], [phone(2)]) == []
    assert real.present_leads([text_id(1), text_id(2)]) == {text_id(1)}
    assert real.find_records([text_id(2)]) == {}


def test_records_are_updated_in_memory(dry: DryRunStorage, real: SqliteStorage) -> None:
    dry.update_records([record(1, fingerprint="new", lead_id="other"), record(2)])
    assert dry.find_records([text_id(1), text_id(2)]) == {text_id(1): KnownRecord(text_id(1), "new")}
    assert real.find_records([text_id(1)])[text_id(1)].fingerprint == "print 1"


def test_rejects_are_added_and_cleared_in_memory(dry: DryRunStorage, real: SqliteStorage) -> None:
    assert dry.add_rejects([reject(1), reject(2), reject(2), reject(3, location="8")]) == 2
    assert dry.reject_positions("booking", "7") == {"row 1": [text_id(1)], "row 2": [text_id(2)]}
    dry.clear_rejects([text_id(1), text_id(2)])
    assert dry.reject_positions("booking", "7") == {}
    assert dry.add_rejects([reject(1)]) == 1
    assert dry.reject_positions("booking", "7") == {"row 1": [text_id(1)]}
    assert dry.reject_positions("booking", "8") == {"row 3": [text_id(3)]}
    assert real.reject_positions("booking", "7") == {"row 1": [text_id(1)]}


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


def test_watermarks_logs_and_history_are_not_kept(dry: DryRunStorage, real: SqliteStorage) -> None:
    real.save_location_state(StepName.BOOKING, LocationState("7", MOMENT))
    dry.save_location_state(StepName.BOOKING, LocationState("7", None))
    dry.add_sync_log(SyncLog("booking", Trigger.AUTO, MOMENT, 15, StepStatus.SUCCESS, None))
    dry.save_run(RunEntry("run 1", MOMENT, {}))
    assert dry.location_states(StepName.BOOKING) == {"7": LocationState("7", MOMENT)}
    assert real.location_states(StepName.BOOKING) == {"7": LocationState("7", MOMENT)}


def test_reports_are_those_of_the_database(dry: DryRunStorage) -> None:
    assert dry.find_reports([text_id(1)], [phone(1)]) == []
    dry.close()
