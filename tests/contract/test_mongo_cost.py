"""What look-ups and changes cost on MongoDB: round trips, and indexes used."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from pymongo import MongoClient

from syncctl.domain.identity import first_id_at
from syncctl.domain.lead_values import Document, LeadChange
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.sources import LeadType
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.storage.mongo.storage import MongoStorage
from tests.contract.mongo_database import MongoDatabase
from tests.contract.samples import MOMENT, lead, phone, record, text_id


@pytest.fixture
def database(prepared_mongo_url: str) -> Iterator[MongoDatabase]:
    with MongoClient[Document](prepared_mongo_url, tz_aware=True) as client:
        yield MongoDatabase(prepared_mongo_url, client.get_default_database())


@pytest.fixture
def storage(database: MongoDatabase) -> Iterator[MongoStorage]:
    storage = MongoStorage(database.url)
    storage.prepare()
    yield storage
    storage.close()


def test_look_ups_of_a_thousand_are_one_round_trip_each_and_use_indexes(
    storage: MongoStorage, database: MongoDatabase
) -> None:
    numbers = range(1000)
    ids, phones = [text_id(n) for n in numbers], [phone(n) for n in numbers]
    storage.store_leads([lead(n) for n in numbers], [record(n) for n in numbers])
    database.raw.reports.insert_many([{"id": text_id(n), "phone": phone(n)} for n in range(500, 3500)])
    database.raw.leads.insert_many([lead(n, leadType="return") for n in range(1000, 3000)])

    look_ups: dict[str, Callable[[], object]] = {
        "find_records": lambda: storage.find_records(ids),
        "present_leads": lambda: storage.present_leads(ids),
        "recorded_leads": lambda: storage.recorded_leads(ids),
        "record_values": lambda: storage.record_values(ids),
        "leads": lambda: storage.leads(ids),
        "find_leads": lambda: storage.find_leads(LeadType.BOOKING, [lead(0)["bookingNo"]], phones),
        "find_reports": lambda: storage.find_reports(ids, phones),
    }
    trips, plans = {}, {}
    for name, look_up in look_ups.items():
        database.raw.command("profile", 2)
        look_up()
        database.raw.command("profile", 0)
        entries = list(database.raw["system.profile"].find({"appName": "syncctl"}))
        database.raw["system.profile"].drop()
        trips[name] = len(entries)
        plans[name] = [entry for entry in entries if "IXSCAN" not in entry["planSummary"]]
    assert trips == {
        "find_records": 1,
        "present_leads": 1,
        "recorded_leads": 1,
        "record_values": 1,
        "leads": 1,
        "find_leads": 1,
        "find_reports": 1,
    }
    assert not any(plans.values()), plans


def test_a_thousand_changes_are_one_command_and_the_missed_ones_are_looked_up_together(
    storage: MongoStorage, database: MongoDatabase
) -> None:
    numbers = range(1000)
    storage.store_leads([lead(n) for n in numbers], [])

    def commands() -> tuple[int, int]:
        metrics = database.raw.command("serverStatus")["metrics"]["commands"]
        return metrics["update"]["total"], metrics["find"]["total"]

    for news, done, look_ups in (("first", len(numbers), 0), ("second", 0, 1)):
        updates_before, finds_before = commands()
        changes = [LeadChange(text_id(n), {"remarks": ""}, {"remarks": news}) for n in numbers]
        assert len(storage.update_leads(changes)) == done
        updates, finds = commands()
        assert (updates - updates_before, finds - finds_before) == (1, look_ups)


def test_what_another_system_left_lately_is_found_by_index(
    storage: MongoStorage, database: MongoDatabase
) -> None:
    day = timedelta(days=1)
    storage.store_leads([lead(n, _id=f"{n:08x}{0:016x}") for n in range(2000)], [])
    storage.store_leads([lead(1, _id=first_id_at(MOMENT))], [])
    database.raw.leads.create_index("leadType")  # the web app's
    for minutes in range(300):
        moment = MOMENT - timedelta(minutes=minutes)
        storage.add_sync_log(SyncLog("booking", Trigger.AUTO, moment, 0, StepStatus.SUCCESS, None))
        storage.save_run(RunEntry(str(minutes), moment, {"duration_s": 1, "steps": [{"name": "booking"}]}))
    database.raw.command("profile", 2)
    assert len(list(storage.leads_by_age(MOMENT, MOMENT + day, list(LeadType), ["phone"]))) == 1
    assert len(list(storage.sync_logs(MOMENT, MOMENT + day))) == 1
    assert len(storage.run_spans(MOMENT)) == 1
    assert storage.saved_by_audits(MOMENT) == {}
    assert storage.first_run_at(["booking"]) is not None
    database.raw.command("profile", 0)
    entries = list(database.raw["system.profile"].find({"appName": "syncctl"}))
    assert {entry["ns"].partition(".")[2]: entry["docsExamined"] for entry in entries} == {
        "leads": 1,
        "synclogs": 1,
        "syncruns": 1,
    }
    assert all("IXSCAN" in entry["planSummary"] for entry in entries)
