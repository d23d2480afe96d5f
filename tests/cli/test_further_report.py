"""A further report of the API is one entry of the table of sources: everything else follows from it."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.support.program import Program

ENTRY = """
    CANCELLATION = (
        "cancellation",
        Source(
            title="Cancellations",
            plural="cancellations",
            lead_type="cancelled",
            lead_source="Cancellation",
            path="/api/Reports/GetCancellationReport",
            date=("cancelDate", "cancelledOn"),
            undated="not cancelled",
            booked_before=timedelta(days=30),
            fields={"reason": ("cancelReason", "remarks")},
        ),
    )
    WALKIN = "walkin"
"""
PATH = "/api/Reports/GetCancellationReport"
PACKAGE = Path(__file__).parents[2] / "syncctl"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program with that entry, asking its own sandbox."""
    folder = tmp_path_factory.mktemp("further")
    shutil.copytree(PACKAGE, folder / "syncctl", ignore=shutil.ignore_patterns("__pycache__"))
    table = folder / "syncctl/domain/sources.py"
    before = table.read_text(encoding="utf-8")
    table.write_text(before.replace('\n    WALKIN = "walkin"\n', ENTRY), encoding="utf-8")
    changed = Program(folder)
    with changed.start("sandbox", "--port", "0", "--locations", "3", "--bookings", "60") as serving:
        try:
            assert serving.stdout is not None
            url = serving.stdout.readline().strip().removeprefix("API_BASE_URL=")
            changed.write_env(API_BASE_URL=url, API_CALL_DELAY_MS=0, API_MIN_BACKOFF_S=0.01)
            yield changed
        finally:
            serving.terminate()


@pytest.fixture(scope="module")
def synced(program: Program) -> dict[str, Any]:
    """What its first run printed."""
    ended = program.run("api", "--json")
    assert ended.status == 0, ended.output
    assert "Step 4/4: Syncing Cancellations…" in ended.stderr
    return document(ended.stdout)


def document(printed: str) -> dict[str, Any]:
    found = json.loads(printed)
    assert isinstance(found, dict)
    return found


def stored(program: Program, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(program.folder / "data/syncctl.db")) as database:
        return database.execute(query).fetchall()


def cancelled(program: Program) -> dict[str, str]:
    """Booking number -> when it was cancelled, as the sandbox answers for one of its locations."""
    url = (program.folder / ".env").read_text().partition("API_BASE_URL=")[2].split("\n")[0]
    headers = {"Content-Type": "application/json-patch+json", "accept": "text/plain"}
    body = json.dumps({"locationID": "7", "months": "12"}).encode()
    with urlopen(Request(url + PATH, body, headers)) as answer:  # noqa: S310 - loopback
        rows = json.load(answer)["dataSet"]["data"]
    assert any(row["cancelDate"] is None for row in rows if "cancelDate" in row)
    return {row["bookingNo"]: row["cancelDate"] for row in rows if row.get("bookingNo") and row["cancelDate"]}


@pytest.mark.slow
def test_it_is_synced_with_its_own_type_date_and_fields(program: Program, synced: dict[str, Any]) -> None:
    steps = {step["name"]: step for step in synced["steps"]}
    assert list(steps) == ["stores", "booking", "return", "cancellation"]
    step = steps["cancellation"]
    assert step["status"] == "success"
    assert step["saved"] > 10
    assert step["ignored"] > 10  # bookings that were not cancelled
    leads = stored(
        program,
        "SELECT bookingNo, source, createdAt, reason, securityAmount FROM leads WHERE leadType = 'cancelled'",
    )
    assert len(leads) == step["saved"]
    assert {source for _, source, *_ in leads} == {"Cancellation"}
    assert any(reason for *_, reason, _ in leads)
    assert {amount for *_, amount in leads} == {None}
    created = {number: at for number, _, at, *_ in leads}
    there = cancelled(program)
    known = there.keys() & created.keys()
    assert len(known) > 5
    assert all(
        str(created[number]).startswith(there[number].replace("T", created[number][10])) for number in known
    )
    assert stored(program, "SELECT count(*) FROM synclogs WHERE syncType = 'cancellation'") == [(1,)]


@pytest.mark.parametrize("name", ["cancellation", "sync:cancellation"])
def test_it_has_its_command(program: Program, synced: dict[str, Any], name: str) -> None:
    result = document(program.run(name, "--json").stdout)
    assert result["command"] == "cancellation"
    (step,) = result["steps"]
    assert (step["name"], step["status"], step["saved"]) == ("cancellation", "success", 0)
    assert step["existing"] > 10


def test_it_stands_in_the_help(program: Program) -> None:
    listed = " ".join(program.run("-h").stdout.split())
    assert "bookings, returns and cancellations" in listed
    assert "Sync only cancellations" in listed.partition("Import:")[0]
    assert "syncctl cancellation --from" in program.run("cancellation", "-h").stdout
    about_api = " ".join(program.run("api", "-h").stdout.split())
    assert "Sync stores, bookings, returns and cancellations, as cron does." in about_api
    kinds = " ".join(program.run("rejects", "list", "-h").stdout.split())
    assert "stores, booking, return, cancellation, walkin or lossofsale." in kinds


def test_it_has_its_settings(program: Program, synced: dict[str, Any]) -> None:
    config = json.loads(program.run("config", "--json", CANCELLATION_API_KEY="s3cret-key").stdout)
    shown = json.dumps(config)
    assert PATH in shown
    assert "CANCELLATION_API_BASE_URL" in shown
    assert "CANCELLATION_API_KEY" in shown
    assert "s3cret-key" not in shown
    moved = program.run("api", "--json", CANCELLATION_API_ENDPOINT="/nowhere")
    assert moved.status == 1
    statuses = {step["name"]: step["status"] for step in document(moved.stdout)["steps"]}
    assert statuses == {
        "stores": "success",
        "booking": "success",
        "return": "success",
        "cancellation": "failed",
    }
    assert "CANCELLATION_API_ENDPOINT" in moved.output
    assert program.run("api", CANCELLATION_API_ENDPOINT="/api/GetRentoutReport").status == 78


@pytest.mark.slow
def test_it_is_checked(program: Program, synced: dict[str, Any]) -> None:
    assert program.run("cancellation").status == 0
    doctor = program.run("doctor", "--json").stdout
    checks = {check["name"]: check for check in document(doctor)["checks"]}
    assert checks["API: cancellations"]["result"] == "ok"
    assert "CANCELLATION_API_ENDPOINT" in program.run("verify", "sync").stdout
    assert "cancellation" in program.run("verify", "sync", "--json").stdout
    assert "cancellation" in program.run("status", "--json").stdout
    source = program.run("verify", "source", "--json")
    assert source.status == 0, source.output
    assert "cancellation" in source.stdout


def test_its_records_are_explained(program: Program, synced: dict[str, Any]) -> None:
    ((number,),) = stored(
        program, "SELECT bookingNo FROM leads WHERE leadType = 'cancelled' AND bookingNo > '' LIMIT 1"
    )
    explained = program.run("explain", number, "--fetch").stdout
    assert "Cancellation" in explained
    assert "in the cancellation report" in explained


def test_the_sandbox_has_faults_and_dialects_for_it(program: Program) -> None:
    wrong = program.run("sandbox", "--fault", "503@refund").stderr
    assert "stores, booking, return, cancellation" in wrong
    wrong = program.run("sandbox", "--dialect", "own-date@refund").stderr
    assert "booking or return or cancellation" in wrong
