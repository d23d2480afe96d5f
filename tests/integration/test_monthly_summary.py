"""A month in figures, against leads and reports as the web app writes them."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from syncctl.domain.records import Reject
from syncctl.domain.run_history import RunEntry
from syncctl.domain.sources import LeadType
from syncctl.locations import load_locations
from syncctl.ports.admin import Database
from syncctl.services.monthly.month import Month
from syncctl.services.monthly.summary import UNKNOWN, MonthSummary, month_summary
from tests.contract.samples import lead, reject, text_id
from tests.support.webapp import MongoApp, SqliteApp, any_shape, finish_at

INDIA = ZoneInfo("Asia/Kolkata")
NOVEMBER = Month.parse("2026-11")
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
CALICUT, EDAPPALLY = "Suitor Guy - Calicut", "Zorucci - Edappally"
App = MongoApp | SqliteApp


def summary(database: Database, month: Month = NOVEMBER) -> MonthSummary:
    return month_summary(database, load_locations(), month, INDIA, NOW)


def november(day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def test_an_empty_month(database: Database) -> None:
    found = summary(database)
    assert (found.leads, found.finished, found.median_days_to_call) == (0, 0, None)
    assert list(found.by_day) == list(NOVEMBER.days) == list(found.runs)
    assert (dict(found.stores), dict(found.rejects)) == ({}, {})
    assert (found.duplicate_sets, found.changed_at_source) == (0, 0)


def test_leads_count_on_their_own_day_and_no_other(database: Database, app: App) -> None:
    for n, at in enumerate((november(1, 0), november(30, 23, 59), november(1, 0) - timedelta(seconds=1))):
        app.insert(lead(n, createdAt=at))
    # Midnight in India, where earlier programs stored a file's day: the 1st of November and of December.
    for n, at in enumerate((november(1, 0) - timedelta(hours=5.5), november(30, 18, 30)), start=10):
        app.insert(lead(n, leadType=LeadType.GENERAL, createdAt=at, bookingNo=None))
    found = summary(database)
    assert found.by_day[date(2026, 11, 1)] == {"bookingConfirmation": 1, "general": 1}
    assert found.by_day[date(2026, 11, 30)] == {"bookingConfirmation": 1}
    assert found.leads == 3
    assert summary(database, Month.parse("2026-12")).by_type == {"general": 1}


@pytest.mark.parametrize("shape", ["flat", "leadSnapshot", "beforeSnapshot"])
def test_a_finished_lead_stays_in_the_figures(database: Database, app: App, shape: str) -> None:
    for n, lead_type in enumerate(LeadType):
        booked = lead(n, leadType=lead_type, createdAt=november(5, 10), store=EDAPPALLY)
        app.insert(booked)
        # 05:00Z is 10:30 at the shops: half an hour after the booking.
        finish_at(app, november(5, 5), booked, any_shape(booked, shape), {"callStatus": "Connected"})
    found = summary(database)
    assert found.by_type == Counter(map(str, LeadType))
    assert found.finished == len(LeadType)
    assert list(found.stores) == [EDAPPALLY]
    if any("editedAt" in each for each in app.reports()):
        assert found.median_days_to_call == pytest.approx(0.5 / 24)


def test_stores_weeks_and_first_calls(database: Database, app: App) -> None:
    app.insert(lead(1, store="suitor guy - CALICUT", createdAt=november(1)))  # a Sunday
    app.insert(lead(2, store=CALICUT, createdAt=november(2), callStatus="Connected", callDate=november(4)))
    app.insert(lead(3, store=CALICUT, createdAt=november(3), callStatus="Not Called", callDate=november(9)))
    app.insert(lead(4, store="Default Store", createdAt=november(3)))
    found = summary(database)
    assert {name: store.leads for name, store in found.stores.items()} == {CALICUT: 3, "Default Store": 1}
    assert found.stores[CALICUT].by_week == {date(2026, 10, 26): 1, date(2026, 11, 2): 2}
    assert found.stores[CALICUT].days_to_call == [2.0]
    assert found.stores["Default Store"].median_days_to_call is None


def test_copies_of_a_lead(database: Database, app: App) -> None:
    for number in range(3):
        app.insert({**lead(1, createdAt=november(2)), "_id": text_id(number)})
    found = summary(database)
    assert (found.duplicate_sets, found.extra_copies) == (1, 2)


def test_rejects_by_store_and_reason(database: Database) -> None:
    def rejected(number: int, store: str, at: datetime) -> Reject:
        return reject(number)._replace(store=store, rejected_at=at)

    inside = [rejected(n, CALICUT, november(2)) for n in range(2)] + [rejected(2, "", november(3))]
    database.add_rejects([*inside, rejected(3, CALICUT, november(1) - timedelta(days=9))])
    reason = inside[0].reason
    assert summary(database).rejects == {(CALICUT, reason): 2, (UNKNOWN, reason): 1}


def test_runs_by_the_day_that_it_was_at_the_shops(database: Database) -> None:
    def ran(number: int, at: datetime, status: str, name: str = "booking", changed: int = 0) -> None:
        step = {"name": name, "status": status, "locations": {"processed": 0, "total": 0}, "errors": 0}
        step |= dict.fromkeys(
            ("rows", "saved", "updated", "existing", "reported", "merged", "invalid", "ignored"), 0
        )
        step |= {"error": None, "dormant": 0, "changed": changed, "details": []}
        document = {"run_id": str(number), "command": "api", "trigger": "auto", "ok": status == "success"}
        document |= {"dry_run": False, "duration_s": 1.0, "steps": [step]}
        database.save_run(RunEntry(str(number), at, document))

    ran(1, november(1, 18, 29), "success", changed=2)
    ran(2, november(1, 18, 30), "partial", changed=1)  # midnight at the shops
    ran(3, november(1, 18, 40), "success")
    ran(4, november(1, 18, 45), "success", name="walkin")
    ran(5, november(1, 0) - timedelta(days=2), "success", changed=9)
    found = summary(database)
    assert (found.runs[date(2026, 11, 1)].succeeded, found.runs[date(2026, 11, 1)].failed) == (1, 0)
    assert (found.runs[date(2026, 11, 2)].succeeded, found.runs[date(2026, 11, 2)].failed) == (1, 1)
    assert found.changed_at_source == 3
