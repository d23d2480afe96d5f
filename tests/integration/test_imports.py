"""The stores' files taken in: the right leads, once, and a telecaller's edits kept."""

import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from syncctl.domain.identity import fingerprint
from syncctl.domain.lead_values import LeadChange
from syncctl.domain.records import SyncRecord
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus
from syncctl.errors import UsageError
from tests.support.store_files import HEADER, SAMPLES, counts, forget, row, snapshot, write
from tests.support.webapp import SHAPES, Lead, finish, old_lead
from tests.support.world import World

WALKIN, LOSS = StepName.WALKIN, StepName.LOSS_OF_SALE


def at(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "walkin_sg_calicut.csv", row())


def walk_ins_of(file: Path) -> dict[tuple[str, str, str], Lead]:
    """What a walk-in workbook must become, by the contract alone; of two rows of one key the later one."""
    sheet = openpyxl.load_workbook(file).worksheets[0]
    expected: dict[tuple[str, str, str], Lead] = {}
    for values in sheet.iter_rows(min_row=3, values_only=True):
        cells = [None if value == "-" else value for value in values]
        _, day, name, phone, function_day, staff, status, category, sub_category, _, remarks = cells
        digits = str(phone or "")
        digits = "0" + digits if len(digits) == 9 else digits
        if not str(name or "").strip() or len(digits) != 10 or day == "31-02-2025":
            continue
        date = datetime.strptime(str(day), "%d-%m-%Y").replace(tzinfo=UTC)
        lost = "loss" in str(status).lower()
        kinds = " - ".join(str(part) for part in (category, sub_category) if part)
        reason = (category or sub_category or remarks) if lost else None
        lead = {
            "leadType": "lossOfSale" if lost else "general",
            "source": "Loss of Sale" if lost else "Walk-in",
            "name": str(name).strip(),
            "phone": digits,
            "store": "Suitor Guy - Calicut",
            **dict.fromkeys(("enquiryDate", "createdAt", "updatedAt"), date),
            "functionDate": function_day
            and datetime.strptime(str(function_day), "%d-%m-%Y").replace(tzinfo=UTC),
            "attendedBy": staff,
            "closingStatus": status,
            "enquiryType": kinds,
            **dict.fromkeys(("reason", "reasonCollectedFromStore"), reason),
            "visitDate": date if lost else None,
        }
        expected[digits, str(day), lead["leadType"]] = {
            **{field: value for field, value in lead.items() if value},
            "remarks": str(remarks or "").strip(),
            "callStatus": "Not Called",
            "leadStatus": "No Status",
            "followUpFlag": False,
            "assignedTo": None,
            "__v": 0,
        }
    return expected


def test_a_walk_in_workbook_gives_the_right_leads(world: World) -> None:
    file = SAMPLES / "walkin_sg_calicut.xlsx"
    result = world.import_files(WALKIN, file)
    expected = walk_ins_of(file)
    leads = world.app.leads()
    assert result.steps[0].counts.rows == 62
    assert len(leads) == len(expected) == counts(result)[0] > 50
    for lead in leads:
        del lead["_id"]
        day = lead["createdAt"].strftime("%d-%m-%Y")
        assert lead == expected[lead["phone"], day, lead["leadType"]]


def test_a_loss_of_sale_workbook_has_a_store_for_each_sheet(world: World) -> None:
    result = world.import_files(LOSS, SAMPLES / "loss of sale 2025.xlsx")
    assert result.ok
    saved, *_, invalid = counts(result)
    assert saved + invalid + result.steps[0].counts.merged == 75
    stores = Counter(lead["store"] for lead in world.app.leads())
    assert set(stores) == {"Suitor Guy - Trivandrum", "Suitor Guy - MG Road", "Suitor Guy - Edappally"}
    lead = next(lead for lead in world.app.leads() if lead["phone"] == "9316170923")
    assert {field: lead[field] for field in lead if field not in ("_id", "assignedTo", "followUpFlag")} == {
        "leadType": "lossOfSale",
        "source": "Loss of Sale",
        "name": "Fathima",
        "phone": "9316170923",
        "store": "Suitor Guy - Trivandrum",
        "enquiryDate": at(2025, 11, 15),
        "visitDate": at(2025, 11, 15),
        "createdAt": at(2025, 11, 15),
        "updatedAt": at(2025, 11, 15),
        "functionDate": at(2025, 12, 15),
        "attendedBy": "MAHESH C",
        "reason": "RE VISIT",
        "reasonCollectedFromStore": "RE VISIT",
        "remarks": "will confirm",
        "callStatus": "Not Called",
        "leadStatus": "No Status",
        "__v": 0,
    }


def test_a_semicolon_csv_in_windows_1252_is_read(world: World) -> None:
    assert world.import_files(WALKIN, SAMPLES / "walkin_sg_mg road.csv").ok
    leads = world.app.leads()
    assert {lead["store"] for lead in leads} == {"Suitor Guy - MG Road"}
    assert "José T" in {lead["name"] for lead in leads}
    assert "=call later" in {lead["remarks"] for lead in leads}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (WALKIN, "walkin_sg_calicut.xlsx"),
        (WALKIN, "walkin_sg_mg road.csv"),
        (LOSS, "lossofsale_z_edappally.xlsx"),
        (LOSS, "loss of sale 2025.xlsx"),
    ],
)
def test_the_same_file_again_writes_nothing(world: World, kind: StepName, name: str) -> None:
    first = world.import_files(kind, SAMPLES / name)
    collections = ("leads", "syncrecords", "syncrejects")
    before = {collection: world.app.all(collection) for collection in collections}
    world.now += timedelta(days=1)
    again = world.import_files(kind, SAMPLES / name)
    assert {collection: world.app.all(collection) for collection in collections} == before
    saved, _, _, _, merged, invalid = counts(first)
    assert counts(again) == (0, 0, saved, 0, merged, invalid)


def test_a_dry_run_writes_nothing_and_tells_the_same(world: World) -> None:
    would = world.import_files(WALKIN, SAMPLES / "walkin_sg_calicut.xlsx", dry_run=True)
    for collection in ("leads", "syncrecords", "syncrejects", "synclogs", "syncruns"):
        assert world.app.all(collection) == []
    assert counts(would) == counts(world.import_files(WALKIN, SAMPLES / "walkin_sg_calicut.xlsx"))


def test_the_files_news_reach_what_nobody_edited_and_edits_stay(world: World, file: Path) -> None:
    write(file, row(), row(Contact="9000000001", Remarks="first"), row(Contact="9000000002"))
    assert counts(world.import_files(WALKIN, file)) == (3, 0, 0, 0, 0, 0)
    leads = {lead["phone"]: lead for lead in world.app.leads()}
    world.app.edit(leads["7796831125"]["_id"], remarks="mine", callStatus="Connected")
    world.now += timedelta(days=1)
    write(
        file,
        row(Remarks="news", Staff="Other", Function_Date="01-12-2025"),
        row(Contact="9000000001", Remarks="second"),
        row(Contact="9000000002"),
    )
    result = world.import_files(WALKIN, file)
    assert counts(result) == (0, 2, 1, 0, 0, 0)
    after = {lead["phone"]: lead for lead in world.app.leads()}
    edited = after["7796831125"]
    assert (edited["remarks"], edited["callStatus"]) == ("mine", "Connected")
    assert (edited["attendedBy"], edited["functionDate"]) == ("Other", at(2025, 12, 1))
    assert edited["updatedAt"] == world.now
    assert after["9000000001"]["remarks"] == "second"
    assert after["9000000002"] == leads["9000000002"]
    conflicts = [line for _, done in world.recorder.done for line in done.conflicts]
    assert len(conflicts) == 1
    assert "row 3" in conflicts[0]
    assert "remarks" in conflicts[0]
    assert "7796831125" not in conflicts[0]
    before = snapshot(world)
    assert counts(world.import_files(WALKIN, file)) == (0, 0, 3, 0, 0, 0)
    assert snapshot(world) == before


def test_a_file_without_a_column_says_nothing_of_it_and_an_emptied_cell_does(
    world: World, file: Path
) -> None:
    world.import_files(WALKIN, file)
    shorter = HEADER[:-1]
    write(file, row()[:-1], header=shorter)
    assert counts(world.import_files(WALKIN, file)) == (0, 0, 1, 0, 0, 0)
    assert world.app.leads()[0]["remarks"] == "just enquiry"
    write(file, row(Remarks="-", Staff=""))
    assert counts(world.import_files(WALKIN, file)) == (0, 1, 0, 0, 0, 0)
    lead = world.app.leads()[0]
    assert lead["remarks"] == ""
    assert "attendedBy" not in lead


def as_before_visit_dates(world: World) -> None:
    """The leads, records and noted files that versions left which gave walk-ins no visitDate."""
    with world.storage() as storage:
        for name, noted in storage.file_hashes(WALKIN).items():
            storage.save_file_hash(WALKIN, name, noted.rpartition(":")[2])
        for lead in world.app.leads():
            lead_id = lead["_id"]
            values: Any = storage.record_values([lead_id])[lead_id]
            known = storage.find_records([lead_id])[lead_id]
            del values["visitDate"]
            storage.update_leads([LeadChange(lead_id, {"visitDate": lead["visitDate"]}, {"visitDate": None})])
            storage.update_records(
                [
                    SyncRecord(
                        record_id=lead_id,
                        key="as before",
                        lead_id=lead_id,
                        source=known.source,
                        location=known.location,
                        values=values,
                        fingerprint=fingerprint(values),
                        first_seen_at=world.now,
                        first_run_id="as before",
                    )
                ]
            )


@pytest.mark.parametrize("is_import_dir", [False, True])
def test_losses_of_walk_in_files_get_their_visit_date_from_the_unchanged_file(
    world: World, tmp_path: Path, is_import_dir: bool
) -> None:
    folder = tmp_path / "imports"
    folder.mkdir()
    phones = ("7796831125", "9000000001", "9000000002")
    write(folder / "walkin_sg_calicut.csv", *(row(Contact=phone, Status="Loss") for phone in phones))
    world.import_files(WALKIN, folder, is_import_dir=is_import_dir)
    assert [lead["visitDate"] for lead in world.app.leads()] == [at(2025, 10, 9)] * 3
    as_before_visit_dates(world)
    leads = {lead["phone"]: lead for lead in world.app.leads()}
    assert not any("visitDate" in lead for lead in leads.values())
    world.app.edit(leads[phones[1]]["_id"], callStatus="Connected")
    world.app.edit(leads[phones[2]]["_id"], visitDate=at(2025, 10, 20))
    world.now += timedelta(days=1)

    result = world.import_files(WALKIN, folder, is_import_dir=is_import_dir)
    assert counts(result) == (0, 2, 1, 0, 0, 0)
    after = {lead["phone"]: lead for lead in world.app.leads()}
    visits = [after[phone]["visitDate"] for phone in phones]
    assert visits == [at(2025, 10, 9), at(2025, 10, 9), at(2025, 10, 20)]
    assert after[phones[1]]["callStatus"] == "Connected"

    before, records = snapshot(world), world.app.all("syncrecords")
    again = world.import_files(WALKIN, folder, is_import_dir=is_import_dir)
    assert counts(again) == ((0,) * 6 if is_import_dir else (0, 0, 3, 0, 0, 0))
    assert (snapshot(world), world.app.all("syncrecords")) == (before, records)
    assert not any(done.conflicts for _, done in world.recorder.done)


def test_of_two_rows_of_one_key_the_later_counts_also_across_files(world: World, tmp_path: Path) -> None:
    one = write(
        tmp_path / "walkin_sg_calicut.csv", row(Remarks="1"), row(Remarks="2"), row(Contact="9000000001")
    )
    other = write(tmp_path / "walkin_sg_calicut (2).csv", row(Remarks="3"))
    result = world.import_files(WALKIN, one, other)
    assert counts(result) == (2, 0, 0, 0, 2, 0)
    assert {lead["remarks"] for lead in world.app.leads()} == {"3", "just enquiry"}
    before = snapshot(world)
    assert counts(world.import_files(WALKIN, one, other)) == (0, 0, 2, 0, 2, 0)
    assert snapshot(world) == before


def test_finished_and_deleted_leads_are_not_brought_back(world: World, tmp_path: Path) -> None:
    phones = [f"900000000{number}" for number in range(len(SHAPES) + 2)]
    file = write(tmp_path / "walkin_z_edappal.csv", *(row(Contact=phone) for phone in phones))
    world.import_files(WALKIN, file)
    leads = {lead["phone"]: lead for lead in world.app.leads()}
    for phone, shape in zip(phones, SHAPES, strict=False):
        finish(world.app, leads[phone], shape)
    world.app.delete(leads[phones[-1]]["_id"])
    before = snapshot(world)
    write(file, *(row(Contact=phone, Remarks="news") for phone in phones))
    assert counts(world.import_files(WALKIN, file)) == (0, 1, 1, len(SHAPES), 0, 0)
    assert snapshot(world).keys() == before.keys()


def test_the_old_systems_leads_are_found_by_name_store_and_day(world: World, file: Path) -> None:
    write(file, row(), row(Contact="9000000001"), row(Contact="9000000002"))
    world.import_files(WALKIN, file)
    leads = {lead["phone"]: lead for lead in world.app.leads()}
    with world.storage():
        pass
    fresh = {phone: old_lead(lead) for phone, lead in leads.items()}
    for phone, lead in leads.items():
        world.app.delete(lead["_id"])
        stores = {"7796831125": "Suitor Guy - CALICUT", "9000000001": "Default Store"}
        world.app.insert({**fresh[phone], "store": stores.get(phone, lead["store"])})
    forget(world)
    write(file, row(Remarks="news"), row(Contact="9000000001"), row(Contact="9000000002"))
    saved, updated, existing, *_ = counts(world.import_files(WALKIN, file))
    assert saved == 0
    assert updated + existing == 3
    assert len(world.app.leads()) == 3
    after = {lead["phone"]: lead for lead in world.app.leads()}
    assert after["7796831125"]["remarks"] == "news"


def test_a_touched_lead_of_the_old_system_only_has_its_gaps_filled(world: World, file: Path) -> None:
    world.import_files(WALKIN, file)
    lead = world.app.leads()[0]
    world.app.delete(lead["_id"])
    touched = {**old_lead(lead), "callStatus": "Connected", "remarks": "mine"}
    del touched["attendedBy"]
    world.app.insert(touched)
    forget(world)
    write(file, row(Remarks="news"))
    assert counts(world.import_files(WALKIN, file)) == (0, 1, 0, 0, 0, 0)
    after = world.app.leads()[0]
    assert (after["remarks"], after["attendedBy"]) == ("mine", "RAYAN")


def test_bad_files_are_told_and_the_others_go_on(world: World, tmp_path: Path, file: Path) -> None:
    empty = tmp_path / "walkin_sg_kannur.xlsx"
    empty.write_bytes(b"")
    nowhere = write(tmp_path / "walkin_november.csv", row())
    other_kind = write(tmp_path / "lossofsale_sg_kannur.csv", row())
    missing = tmp_path / "walkin_z_kottakkal.csv"
    folder = tmp_path / "none"
    folder.mkdir()
    result = world.import_files(WALKIN, empty, nowhere, other_kind, missing, folder, file)
    step = result.steps[0]
    assert (step.status, step.processed, step.total, step.errors) == (StepStatus.PARTIAL, 1, 6, 5)
    assert counts(result)[0] == 1
    errors = {done.location: done.error for _, done in world.recorder.done}
    assert errors.pop(file.name) is None
    for name, error in errors.items():
        assert error is not None
        assert name in error
        assert "\n" not in error
    assert "--store" in (errors[nowhere.name] or "")
    assert "lossofsale" in (errors[other_kind.name] or "")
    log = world.app.all("synclogs")[-1]
    assert (log["syncType"], log["trigger"], log["status"]) == ("walkin", "manual", "partial")


def test_the_store_that_the_user_names_wins(world: World, file: Path) -> None:
    world.import_files(WALKIN, file, store="z kottakal")
    assert world.app.leads()[0]["store"] == "Zorucci - Kottakkal"
    with pytest.raises(UsageError, match="isn't a known store"):
        world.import_files(WALKIN, file, store="Nowhere")


def test_a_folder_gives_its_matching_files(world: World, tmp_path: Path) -> None:
    for name in (
        "walkin_sg_calicut.csv",
        "Walk-In_z_edappal.csv",
        "lossofsale_sg_kannur.csv",
        "~$walkin_x.csv",
    ):
        write(tmp_path / name, row())
    result = world.import_files(WALKIN, tmp_path)
    assert {done.location for _, done in world.recorder.done} == {
        "walkin_sg_calicut.csv",
        "Walk-In_z_edappal.csv",
    }
    assert counts(result)[0] == 2


def test_the_standing_folder_passes_over_what_is_unchanged(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "imports"
    assert world.import_files(WALKIN, folder, is_import_dir=True).steps[0].status is StepStatus.SKIPPED
    folder.mkdir()
    assert world.import_files(WALKIN, folder, is_import_dir=True).steps[0].status is StepStatus.SKIPPED
    file = write(folder / "walkin_sg_calicut.csv", row())
    assert counts(world.import_files(WALKIN, folder, is_import_dir=True))[0] == 1
    shutil.copystat(__file__, file)
    again = world.import_files(WALKIN, folder, is_import_dir=True)
    assert (again.steps[0].counts.rows, again.steps[0].processed) == (0, 1)
    write(file, row(), row(Contact="9000000001"))
    assert counts(world.import_files(WALKIN, folder, is_import_dir=True))[0] == 1
