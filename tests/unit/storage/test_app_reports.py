"""The reports that the tests' web app writes are what the real one writes, page by page."""

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId

from syncctl.storage.registry import open_storage
from tests.contract.samples import MOMENT, lead
from tests.support.captured import captured, lead_behind
from tests.support.webapp import IDENTITY, PAGES, SqliteApp, finish, pages_for, report_name, report_of

OF_THE_INSTANT = {"_id", "report_id", "editedBy", "editedAt", "updated_at", "createdAt", "updatedAt"}
NOW = datetime(2026, 11, 26, 22, 14, 7, 824_999, tzinfo=UTC)


def types(report: dict[str, Any]) -> dict[str, type]:
    return {name: type(value) for name, value in report.items()}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_writes_what_the_real_one_writes(page: str) -> None:
    real = captured(page)
    finished, edits = lead_behind(real)
    built = report_of({"_id": str(ObjectId()), **finished}, page, edits, NOW)
    assert types(built) == types(real)
    for name in real.keys() - OF_THE_INSTANT:
        assert built[name] == real[name], name
    assert built["report_id"] == str(built["_id"])
    assert built["editedAt"] == NOW.replace(microsecond=824_000)


@pytest.mark.parametrize("page", PAGES)
def test_no_report_of_today_holds_the_leads_id(page: str) -> None:
    real = captured(page)
    assert "id" not in real
    finished, _ = lead_behind(real)
    assert "id" not in report_of({"_id": str(ObjectId()), **finished}, page)


def test_created_at_is_the_leads_own_to_the_millisecond() -> None:
    assert report_of(lead(1), "flat")["created_at"] == lead(1)["createdAt"] == MOMENT


def test_the_loss_of_sale_page_makes_a_general_lead_a_loss() -> None:
    report = report_of(lead(1, leadType="general"), "loss of sale page")
    assert (report["lead_type"], report["lead_type_before"], report["lead_type_after"]) == (
        "lossOfSale",
        "general",
        "lossOfSale",
    )


def test_no_page_leaves_a_trace_of_an_edit_in_the_database() -> None:
    edits = {"phone": "9111111111", "name": "Other", "store": "Zorucci - Edappal", "bookingNo": "1"}
    assert edits.keys() == set(IDENTITY)
    for page in pages_for(lead(1)):
        report = report_of(lead(1), page, edits)
        assert report["phone_number"] == "9111111111"
        assert not [name for name in report if name.endswith(("_before", "_after"))]


@pytest.mark.parametrize("lead_type", ["bookingConfirmation", "return", "lossOfSale", "general", "justDial"])
def test_every_type_of_lead_has_its_page_and_the_one_for_any(lead_type: str) -> None:
    pages = pages_for(lead(1, leadType=lead_type))
    assert pages[-1] == "any lead page"
    assert 2 <= len(pages) <= 3
    report = report_of(lead(1, leadType=lead_type), "flat")
    (_, was_edited) = lead_behind(captured("booking page"))
    changed = {report_name(field) for field in was_edited}
    assert report.keys() >= captured("booking page").keys() - {
        f"{name}_{when}" for name in changed for when in ("before", "after")
    }


def test_sqlite_keeps_dates_as_text(tmp_path: Path) -> None:
    file = tmp_path / "leads.db"
    with closing(open_storage(f"sqlite:///{file}")) as database, closing(SqliteApp(str(file))) as app:
        database.prepare()
        database.store_leads([lead(1)], [])
        report_id = finish(app, lead(1), "flat")
        (stored,) = app.all("reports")
        assert app.leads() == []
    document = json.loads(stored["document"])
    assert (stored["_id"], document["report_id"]) == (report_id, report_id)
    assert document["created_at"] == "2025-02-01T08:59:27.123Z"
