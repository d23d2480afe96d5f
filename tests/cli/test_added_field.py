"""A lead field that is one more line in the table of them, and nothing else, in the whole program."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

import syncctl
from syncctl.sandbox import Sandbox
from tests.support.program import Program

TABLE = "SOURCE_FIELDS = ("
VENUE = 'LeadField("venue", api=("venue", "hall"), columns=("venue",), edited=True),'
PHONE, NAME = "9000000077", "Anagha"


class Leads:
    """The leads of a database, as a person gets at them."""

    def __init__(self, url: str) -> None:
        self._url = url

    def venues(self) -> list[Any]:
        """What the leads of PHONE have for a venue."""
        if self._url.startswith("sqlite"):
            return [venue for (venue,) in self._run("SELECT venue FROM leads WHERE phone = ?", PHONE)]
        with MongoClient[dict[str, Any]](self._url) as client:
            found = client.get_default_database()["leads"].find({"phone": PHONE})
            return [lead.get("venue") for lead in found]

    def edit(self, venue: str) -> None:
        """As a telecaller does, who leaves a remark as well."""
        if self._url.startswith("sqlite"):
            self._run("UPDATE leads SET venue = ?, callStatus = 'Connected' WHERE phone = ?", venue, PHONE)
            return
        with MongoClient[dict[str, Any]](self._url) as client:
            edit = {"venue": venue, "callStatus": "Connected"}
            client.get_default_database()["leads"].update_many({"phone": PHONE}, {"$set": edit})

    def _run(self, statement: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(self._url.removeprefix("sqlite:///"))) as database, database:
            return database.execute(statement, values).fetchall()


@pytest.fixture(params=["sqlite", "mongo"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "mongo":
        return str(request.getfixturevalue("mongo_url"))
    return f"sqlite:///{tmp_path / 'syncctl.db'}"


@pytest.fixture
def leads(database_url: str) -> Leads:
    return Leads(database_url)


@pytest.fixture
def program(tmp_path: Path, sandbox: Sandbox, database_url: str) -> Program:
    """The program with a further line in the table, on a database that the program without it has made."""
    program = Program(tmp_path, API_BASE_URL=sandbox.base_url, DATABASE_URL=database_url)
    assert program.run("api").status == 0
    package = Path(syncctl.__file__).parent
    changed = tmp_path / "changed" / package.name
    shutil.copytree(package, changed, ignore=shutil.ignore_patterns("__pycache__"))
    table = changed / "domain" / "lead_fields.py"
    written = table.read_text(encoding="utf-8")
    assert written.count(TABLE) == 1
    table.write_text(written.replace(TABLE, f"{TABLE}\n    {VENUE}"), encoding="utf-8")
    program.environment["PYTHONPATH"] = str(changed.parent)
    return program


@pytest.fixture
def booking(sandbox: Sandbox) -> dict[str, Any]:
    """A booking of PHONE's that the API has; a test may change it, and says so by `add_rows`."""
    row = {
        "bookingNo": f"{sandbox.today:%Y%m%d}00700999",
        "customerName": NAME,
        "phoneNo": PHONE,
        "bookingDate": f"{sandbox.today}T00:00:00",
        "hall": "Lotus Hall",
    }
    sandbox.add_rows(sandbox.locations[0], [row])
    return row


def explained(program: Program) -> dict[str, Any]:
    """How a venue differs from its source, by `explain`."""
    (record,) = json.loads(program.run("explain", PHONE, "--json").stdout)["records"]
    return {found["field"]: found for found in record["lead"]["differs"]}


@pytest.mark.slow
def test_of_the_api(program: Program, sandbox: Sandbox, leads: Leads, booking: dict[str, Any]) -> None:
    assert program.run("api").status == 0
    assert leads.venues() == ["Lotus Hall"]
    assert program.run("verify", "source").status == 0
    booking["venue"] = "Rose Hall"  # beside the other name, which counts less
    sandbox.add_rows(sandbox.locations[0], [])
    (finding,) = json.loads(program.run("verify", "source", "--json").stdout)["findings"]
    assert finding["what"] == "venue: lead Lotus Hall, source Rose Hall"
    leads.edit("Jasmine Hall")
    assert explained(program)["venue"]["changed_by"] == "telecaller"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["walkin", "lossofsale"])
def test_of_a_file(program: Program, leads: Leads, kind: str) -> None:
    file = program.folder / f"{kind}_sg_calicut.csv"

    def imported(venue: str) -> str:
        file.write_text(f"Date,Customer Name,Contact,Venue\n13-02-2026,{NAME},{PHONE},{venue}\n")
        ended = program.run("import", kind, str(file))
        assert ended.status == 0, ended.output
        return ended.output

    imported("Lotus Hall")
    assert leads.venues() == ["Lotus Hall"]
    imported("Rose Hall")
    assert leads.venues() == ["Rose Hall"]
    imported("")
    assert leads.venues() == [None]
    imported("Lotus Hall")
    leads.edit("Jasmine Hall")
    assert explained(program)["venue"]["changed_by"] == "source or telecaller"
    assert "venue: changed in the file and by a telecaller" in imported("Rose Hall")
    assert leads.venues() == ["Jasmine Hall"]
