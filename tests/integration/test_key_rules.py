"""A database filled under earlier key rules, by the old system or by syncctl's first version, goes on being
matched: nothing that is known is saved anew, and untouched leads take the numbers as they are read now."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncctl.domain.records import SyncRecord
from syncctl.domain.sources import StepName
from syncctl.sandbox import Sandbox
from tests.support.store_files import SAMPLES, counts, forget, snapshot, write
from tests.support.webapp import finish, old_lead
from tests.support.world import World

WALKIN = StepName.WALKIN
STORE = "Suitor Guy - Calicut"
CASES = sorted((SAMPLES / "cases").iterdir())
PHONES_NOW = {
    **{f"Case {letter}": "9846012345" for letter in "ABCDEFGH"},
    **{f"Note {letter}": "9846012345" for letter in "ABCDFGH"},
    "Note I": "4952345678",
    "Both A": "4952345678",
}
"""By the customers' names, as the made-up cases of the contract say."""

READ_OTHERWISE = ["01-two-numbers-mixed-prefix", "06-name-nfc-nfd-zerowidth", "08-phone-with-a-note"]
DATES = ("Date", "At")


def files_of(case: Path) -> list[tuple[StepName, Path]]:
    kinds = {"walkin": WALKIN, "lossofsale": StepName.LOSS_OF_SALE}
    return [(kinds[file.name.split("_")[0]], file) for file in sorted(case.iterdir())]


def dated(document: dict[str, Any]) -> dict[str, Any]:
    return {
        field: datetime.fromisoformat(value) if isinstance(value, str) and field.endswith(DATES) else value
        for field, value in document.items()
    }


def fill_as_version_1(world: World, case: str) -> None:
    """What syncctl made of a case's files under its first key rules, written down from that version."""
    held = json.loads((SAMPLES / "key_rules_1.json").read_text(encoding="utf-8"))[case]
    records = [
        SyncRecord(
            record_id=each["_id"],
            key=each["key"],
            lead_id=each["leadId"],
            source=each["source"],
            location=each["location"],
            values=dated(each["values"]),  # type: ignore[arg-type]
            fingerprint=each["fingerprint"],
            first_seen_at=datetime.fromisoformat(each["firstSeenAt"]),
            first_run_id=each["firstRunId"],
        )
        for each in held["syncrecords"]
    ]
    leads = [dated({**lead, "followUpFlag": False, "assignedTo": None}) for lead in held["leads"]]
    with world.storage() as storage:
        storage.store_leads(leads, records)
    assert len(world.app.leads()) == len(leads) > 0


def fill_as_old_system(world: World, case: str, hours_ahead: float) -> None:
    """The same visits as the old system has them: all digits of the cell, the last ten of more, a 0 before
    nine; the day as the midnight of the machine's zone."""
    fill_as_version_1(world, case)
    misread = {
        "Case A": "9123456780", "Case B": "9123456780", "Case C": "9123456780", "Case D": "9123456780",
        "Case E": "4952345678", "Case F": "9123456780", "Case G": "4952345678", "Case H": "9123456780",
        "Note F": "8460123457", "Note G": "4601234546",
    }  # fmt: skip
    for number, lead in enumerate(world.app.leads()):
        moved = {
            field: value - timedelta(hours=hours_ahead)
            for field, value in lead.items()
            if isinstance(value, datetime)
        }
        phone = misread.get(lead["name"], lead["phone"])
        world.app.delete(lead["_id"])
        world.app.insert({**lead, **moved, "_id": f"{number:024x}", "phone": phone})
    forget(world)


@pytest.fixture(params=["version 1", "old system in UTC", "old system in India"])
def filled_by(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def fill(world: World, case: str, filled_by: str) -> None:
    if filled_by == "version 1":
        fill_as_version_1(world, case)
    else:
        fill_as_old_system(world, case, 5.5 if filled_by.endswith("India") else 0)


def import_case(world: World, case: Path, **choices: Any) -> None:
    for kind, file in files_of(case):
        world.import_files(kind, file, store=store_of(file), **choices)


def store_of(file: Path) -> str:
    return "Suitor Guy - Kannur" if "kannur" in file.name else STORE


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_file_of_the_cases_brings_a_lead_that_is_there(world: World, case: Path, filled_by: str) -> None:
    fill(world, case.name, filled_by)
    before = snapshot(world)
    were_rejects = {"Only mobile B", "Dash C", "New D", "Meera"}
    import_case(world, case)
    after = snapshot(world)
    new = {after[lead_id]["name"] for lead_id in after.keys() - before.keys()}
    new = {name for name in new if not name.startswith("D")}  # 21 of case 16 were rejects for their dates
    assert before.keys() <= after.keys()
    assert new <= were_rejects
    for lead in after.values():
        if expected := PHONES_NOW.get(lead["name"]):
            assert lead["phone"] == expected, lead["name"]
    import_case(world, case)
    assert snapshot(world).keys() == after.keys()
    assert {lead["phone"] for lead in snapshot(world).values()} == {lead["phone"] for lead in after.values()}


@pytest.mark.parametrize("case", ["01-two-numbers-mixed-prefix", "08-phone-with-a-note"])
def test_a_dry_run_says_what_the_import_does(world: World, case: str, filled_by: str) -> None:
    fill(world, case, filled_by)
    ((kind, file),) = files_of(SAMPLES / "cases" / case)
    before = snapshot(world)
    planned = counts(world.import_files(kind, file, dry_run=True))
    assert snapshot(world) == before
    assert counts(world.import_files(kind, file)) == planned
    assert planned[0] == 0


@pytest.mark.parametrize("case", READ_OTHERWISE)
def test_a_touched_lead_is_found_and_left_alone(world: World, case: str, filled_by: str) -> None:
    fill(world, case, filled_by)
    for lead in world.app.leads():
        world.app.edit(lead["_id"], callStatus="Interested")
    before = snapshot(world)
    import_case(world, SAMPLES / "cases" / case)
    after = snapshot(world)
    assert after.keys() == before.keys()
    for lead_id, lead in before.items():
        assert {field: after[lead_id][field] for field in lead if field != "updatedAt"} == {
            field: value for field, value in lead.items() if field != "updatedAt"
        }


@pytest.mark.parametrize("case", READ_OTHERWISE)
def test_what_was_finished_or_deleted_before_stays_away(world: World, case: str, filled_by: str) -> None:
    fill(world, case, filled_by)
    leads = world.app.leads()
    for lead in leads:
        finish(world.app, lead, "general page")
    import_case(world, SAMPLES / "cases" / case)
    assert world.app.leads() == []


@pytest.mark.parametrize("case", READ_OTHERWISE)
def test_what_people_deleted_before_the_upgrade_stays_deleted(world: World, case: str) -> None:
    fill_as_version_1(world, case)
    for lead in world.app.leads():
        world.app.delete(lead["_id"])
    import_case(world, SAMPLES / "cases" / case)
    assert world.app.leads() == []


def test_two_rows_that_were_one_record_become_two_leads_once(world: World, tmp_path: Path) -> None:
    fill_as_version_1(world, "01-two-numbers-mixed-prefix")
    header = ["Date", "Customer Name", "Contact", "Remarks"]
    phones = ["9846012345", "9846012347"]
    rows = [["01-02-2025", "Case A", f"+91 {phone} / 9123456780", ""] for phone in phones]
    file = write(tmp_path / "walkin_sg_calicut.csv", *rows, header=header)
    assert counts(world.import_files(WALKIN, file))[0] == 1
    leads = snapshot(world)
    assert sorted(lead["phone"] for lead in leads.values() if lead["name"] == "Case A") == phones
    write(file, *reversed(rows), header=header)
    assert counts(world.import_files(WALKIN, file))[0] == 0
    assert snapshot(world).keys() == leads.keys()


@pytest.mark.slow
@pytest.mark.parametrize("version", ["version 1", "old system"])
@pytest.mark.parametrize("report", ["booking", "return"])
def test_the_api_mends_untouched_leads_only(
    world: World, sandbox: Sandbox, report: str, version: str
) -> None:
    location = sandbox.locations[0]
    row: dict[str, Any] = {
        "customerName": "Anagha", "bookingDate": "2026-03-01T08:59:27", "phoneNo": "9846012345 / 9123456780",
    }  # fmt: skip
    if report == "return":
        row["returnDate"] = "2026-03-10T10:00:00"
    numbers = ("81", "82", "83", "84")
    rows = [{**row, "bookingNo": number, "phoneNo": "9123456780"} for number in numbers]
    step = StepName(report)
    sandbox.add_rows(location, [*rows])
    world.run((step,))
    if version == "old system":
        forget(world)
        for lead in world.app.leads():
            world.app.delete(lead["_id"])
            world.app.insert(old_lead(lead))
    held = {lead.get("bookingNo"): lead for lead in world.app.leads()}
    world.app.edit(held["82"]["_id"], callStatus="Interested")
    finish(world.app, held["83"], "any lead page")
    if version == "version 1":
        world.app.delete(held["84"]["_id"])
    before = snapshot(world)
    for each in rows:
        each["phoneNo"] = row["phoneNo"]
    sandbox.add_rows(location, [])  # has it answer anew
    planned = counts(world.run((step,), dry_run=True))
    assert snapshot(world) == before
    done = counts(world.run((step,)))
    assert done == planned
    assert done[0] == 0
    after = snapshot(world)
    assert after.keys() == before.keys()
    phones = {lead.get("bookingNo"): lead["phone"] for lead in after.values()}
    assert phones["81"] == "9846012345"
    assert phones["82"] == "9123456780"
    assert counts(world.run((step,)))[:2] == (0, 0)
    assert snapshot(world) == after


def test_names_that_read_the_same_are_one_lead(world: World) -> None:
    case = SAMPLES / "cases" / "06-name-nfc-nfd-zerowidth"
    first, again = (file for _, file in files_of(case))
    assert counts(world.import_files(WALKIN, first, store=STORE))[0] == 5
    leads = snapshot(world)
    assert counts(world.import_files(WALKIN, again, store=STORE))[:2] == (0, 0)
    assert snapshot(world) == leads
