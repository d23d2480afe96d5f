"""Invalid rows of files, rejects tried again, imports killed in their midst."""

import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus
from syncctl.locations import load_locations
from syncctl.ports.storage import Storage
from tests.support.failing_storage import FailingStorage, Killed, Moment
from tests.support.store_files import HEADER, SAMPLES, counts, forget, row, write
from tests.support.webapp import old_lead
from tests.support.world import World

WALKIN = StepName.WALKIN


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "walkin_sg_calicut.csv", row())


def test_invalid_rows_are_listed_with_their_place_and_cleared_by_a_valid_row_there(
    world: World, file: Path
) -> None:
    write(file, row(Contact="123"), row(Date="31-02-2025"), row(Customer_Name=" "))
    assert counts(world.import_files(WALKIN, file))[-1] == 3
    listed = {reject["position"].split("\x1f")[1]: reject for reject in world.app.all("syncrejects")}
    assert set(listed) == {"3", "4", "5"}
    assert "31-02-2025" in listed["4"]["reason"]
    assert listed["3"]["location"] == file.name
    assert '"Customer Name": "Anagha S"' in listed["3"]["row"]
    world.import_files(WALKIN, file)
    assert len(world.app.all("syncrejects")) == 3
    write(file, row(Contact="9000000001"), row(Date="31-02-2025"), row(Customer_Name=" ", Staff="New"))
    world.import_files(WALKIN, file)
    left = [reject["position"].split("\x1f")[1] for reject in world.app.all("syncrejects")]
    assert sorted(left) == ["4", "5"]


def test_another_customer_in_the_same_place_of_the_next_months_file_clears_no_reject(
    world: World, file: Path
) -> None:
    write(file, row(Contact="93276"), row(Customer_Name="", Contact="9327600098"))
    world.import_files(WALKIN, file)
    january = world.app.all("syncrejects")
    write(file, row(Customer_Name="Devika R", Contact="9327600099"), row(Customer_Name="Nila", Contact="1"))
    assert counts(world.import_files(WALKIN, file))[-1] == 1
    listed = world.app.all("syncrejects")
    assert len(listed) == 3
    assert all(reject in listed for reject in january)


def test_a_row_that_had_neither_name_nor_number_is_cleared_once_it_has(world: World, file: Path) -> None:
    write(file, row(Customer_Name="", Contact=""))
    assert counts(world.import_files(WALKIN, file))[-1] == 1
    write(file, row())
    world.import_files(WALKIN, file)
    assert world.app.all("syncrejects") == []


def test_rejects_are_tried_again_after_a_fix(world: World, file: Path, tmp_path: Path) -> None:
    header = [*HEADER, "Store"]
    sheet = write(
        tmp_path / "walkin.csv", [*row(), "Brand New"], [*row(Contact="1"), "Calicut"], header=header
    )
    assert counts(world.import_files(WALKIN, sheet))[-1] == 2
    assert world.retry_rejects().invalid == 2
    better = load_locations()
    with_place = type(better).from_tables(
        {**better.by_code, "999": "Suitor Guy - Brand New"}, {"Suitor Guy": ["sg"], "Zorucci": ["z"]}, {}
    )
    retried = world.retry_rejects(with_place)
    assert (retried.rows, retried.saved, retried.invalid) == (2, 1, 1)
    assert len(world.app.all("syncrejects")) == 1
    assert world.app.leads()[0]["store"] == "Suitor Guy - Brand New"


def test_api_rejects_are_tried_again_too(world: World) -> None:
    location = world.sandbox.locations[0]
    world.run()
    before = len(world.app.all("syncrejects"))
    assert before
    retried = world.retry_rejects()
    assert retried.rows == retried.invalid == before
    world.sandbox.add_rows(location, [])
    assert len(world.app.all("syncrejects")) == before


@pytest.mark.slow
@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER])
def test_killed_at_any_write_the_next_import_ends_as_an_undisturbed_one(
    world: World, tmp_path: Path, moment: Moment
) -> None:
    write_number = 0
    killed = True
    while killed:  # each time with customers of its own, so that every write is there to be killed at
        write_number += 1
        phones = [f"9{write_number:03}0000{number:02}" for number in range(25)]
        file = write(
            tmp_path / f"walkin_sg_calicut ({write_number}).csv",
            *(row(Contact=phone, Remarks="old") for phone in phones[:20]),
            row(Contact="1"),
        )
        world.import_files(WALKIN, file)
        edited = next(lead for lead in world.app.leads() if lead["phone"] == phones[7])
        world.app.edit(edited["_id"], remarks="mine")
        write(file, *(row(Contact=phone, Remarks="new") for phone in phones[5:]), row(Contact="12"))

        def failing(storage: Storage, at: int = write_number) -> Any:
            return FailingStorage(storage, at, Killed, moment)

        try:
            world.import_files(WALKIN, file, wrap=failing)
            killed = False
        except Killed:
            assert world.import_files(WALKIN, file).ok
        remarks = ["old"] * 5 + ["new"] * 20
        remarks[7] = "mine"
        leads = {lead["phone"]: lead["remarks"] for lead in world.app.leads()}
        assert [leads.get(phone) for phone in phones] == remarks
        assert len(leads) == 25 * write_number
        listed = [reject for reject in world.app.all("syncrejects") if reject["location"] == file.name]
        assert len(listed) == 1
        assert "too few digits" in listed[0]["reason"]
    assert write_number > 4


def refuse(world: World, **rule: Any) -> None:
    """Rules of the database's own, as an administrator may have set them."""
    world.app._database.command("collMod", "leads", validator=rule)  # type: ignore[union-attr]


@pytest.fixture
def on_mongo(world: World) -> World:
    if world.url.startswith("sqlite"):
        pytest.skip("SQLite has no validation rules")
    return world


def test_what_the_database_refuses_is_told_and_read_again_next_time(on_mongo: World, tmp_path: Path) -> None:
    write(tmp_path / "walkin_sg_calicut.csv", row(), row(Contact="9000000001"))
    refuse(on_mongo, phone={"$ne": "9000000001"})
    result = on_mongo.import_files(WALKIN, tmp_path, is_import_dir=True)
    assert counts(result) == (1, 0, 0, 0, 0, 1)
    assert "row 4 (90xxxxxx01): the database refused" in (result.steps[0].error or "")
    assert "walkin_sg_calicut.csv" in (result.steps[0].error or "")
    refuse(on_mongo)
    assert counts(on_mongo.import_files(WALKIN, tmp_path, is_import_dir=True)) == (1, 0, 1, 0, 0, 0)


def test_a_reject_of_a_source_that_nobody_knows_stays_listed(world: World, file: Path) -> None:
    write(file, row(Contact="123"))
    world.import_files(WALKIN, file)
    with world.storage() as storage:
        (known,) = storage.rejects()
        storage.add_rejects([known._replace(reject_id="ab" * 12, source="another")])
    retried = world.retry_rejects()
    assert (retried.rows, retried.invalid) == (2, 2)
    assert len(world.app.all("syncrejects")) == 2


def test_a_retry_that_the_database_refuses_leaves_the_rejects_listed(on_mongo: World) -> None:
    refuse(on_mongo, leadType={"$ne": "return"})
    on_mongo.run()
    listed = len(on_mongo.app.all("syncrejects"))
    retried = on_mongo.retry_rejects()
    assert retried.rows == retried.invalid == listed == len(on_mongo.app.all("syncrejects"))
    refuse(on_mongo)
    better = on_mongo.retry_rejects()
    assert better.saved > 0
    assert len(on_mongo.app.all("syncrejects")) == listed - better.saved == better.invalid


def test_one_sheet_of_a_workbook_is_not_the_whole_of_it(world: World, tmp_path: Path) -> None:
    shutil.copy(SAMPLES / "loss of sale 2025.xlsx", tmp_path)
    loss = StepName.LOSS_OF_SALE
    first = world.import_files(loss, tmp_path / "loss of sale 2025.xlsx", sheet="MG Road")
    assert first.steps[0].counts.rows == 25
    assert world.import_files(loss, tmp_path, is_import_dir=True).steps[0].counts.rows == 75


def test_two_files_of_one_name_do_not_clear_each_others_rejects(world: World, tmp_path: Path) -> None:
    for folder, contact in (("a", "1"), ("b", "9000000001")):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "walkin_sg_calicut.csv", row(Contact=contact))
    world.import_files(
        WALKIN, tmp_path / "a" / "walkin_sg_calicut.csv", tmp_path / "b" / "walkin_sg_calicut.csv"
    )
    assert [reject["location"] for reject in world.app.all("syncrejects")] == ["a/walkin_sg_calicut.csv"]


def test_a_refused_file_leaves_nothing_not_even_rejects(world: World, tmp_path: Path) -> None:
    file = write(tmp_path / "walkin_sg_calicut.csv", row(), *[row(Contact="1")] * 1500)
    with file.open("a", encoding="utf-8") as out:
        out.write('01-01-2025,"never closed,9000000001\n' + "x\n" * 200)
    result = world.import_files(WALKIN, file)
    assert result.steps[0].status is StepStatus.FAILED
    assert counts(result) == (0, 0, 0, 0, 0, 0)
    assert world.app.all("syncrejects") == []
    assert world.app.leads() == []


def test_a_retry_does_not_put_old_values_over_newer_ones(world: World, tmp_path: Path) -> None:
    old = write(tmp_path / "walkin.csv", [*row(Remarks="old"), "Nowhere"], header=[*HEADER, "Store"])
    world.import_files(WALKIN, old)
    newer = write(tmp_path / "walkin_sg_calicut.csv", row(Remarks="new"))
    world.import_files(WALKIN, newer)
    better = load_locations()
    known = type(better).from_tables(
        {**better.by_code, "999": "Suitor Guy - Nowhere"}, {"Suitor Guy": ["sg"]}, {"nowhere": "Calicut"}
    )
    assert world.retry_rejects(known).existing == 1
    assert [lead["remarks"] for lead in world.app.leads()] == ["new"]


def test_odd_file_names_and_endless_files_stop_nothing(world: World, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"walkin_sg_kannur \xff.csv")
    write(odd, row(), row(Contact="1"))
    fifo = tmp_path / "walkin_sg_calicut.csv"
    os.mkfifo(fifo)
    result = world.import_files(WALKIN, odd, fifo, Path("/dev/full"), store="sg kannur")
    assert counts(result) == (1, 0, 0, 0, 0, 1)
    assert result.steps[0].errors == 2


def test_a_summary_sheet_makes_no_failure_of_a_workbook(world: World, tmp_path: Path) -> None:
    workbook = openpyxl.load_workbook(SAMPLES / "loss of sale 2025.xlsx")
    workbook.create_sheet("Summary").append(["Total", 75])
    file = tmp_path / "loss of sale.xlsx"
    workbook.save(file)
    result = world.import_files(StepName.LOSS_OF_SALE, file)
    step = result.steps[0]
    assert (step.status, step.counts.rows, step.counts.saved) == (StepStatus.PARTIAL, 75, 75)
    assert "loss of sale.xlsx" in (step.error or "")


def test_what_a_spreadsheet_would_reckon_is_neither_a_number_nor_a_name(world: World, tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    for cells in (
        ("Date", "Customer Name", "Contact"),
        ("09-10-2025", "Anju", "=9327600000+1"),
        ("09-10-2025", "Binu", 9327600014.5),
        ("09-10-2025", '=CONCAT("a","b")', 9327600015),
        ("09-10-2025", "Chithra", 9327600016),
    ):
        workbook.active.append(cells)
    file = tmp_path / "walkin_sg_calicut.xlsx"
    workbook.save(file)
    assert counts(world.import_files(WALKIN, file)) == (1, 0, 0, 0, 0, 3)
    assert world.retry_rejects().invalid == 3
    assert [lead["phone"] for lead in world.app.leads()] == ["9327600016"]
    assert len(world.app.all("syncrejects")) == 3


def test_an_old_lead_goes_to_the_row_that_tells_of_it(world: World, tmp_path: Path) -> None:
    file = write(tmp_path / "walkin_sg_calicut.csv", row(Customer_Name="Anu"))
    world.import_files(WALKIN, file)
    lead = world.app.leads()[0]
    world.app.delete(lead["_id"])
    world.app.insert({**old_lead(lead), "callStatus": "Connected"})
    forget(world)
    write(file, row(Customer_Name="Binu"), row(Customer_Name="Anu"))
    assert counts(world.import_files(WALKIN, file))[0] == 1
    assert sorted(lead["name"] for lead in world.app.leads()) == ["Anu", "Binu"]


def test_a_walk_in_and_a_loss_of_sale_of_one_visit_are_one_lead_that_settles(
    world: World, tmp_path: Path
) -> None:
    walkin = write(tmp_path / "walkin_sg_calicut.csv", row(Status="Loss", Staff=""))
    loss = write(tmp_path / "lossofsale_sg_calicut.csv", row(Status="Loss", Remarks="other"))
    kinds = ((WALKIN, walkin), (StepName.LOSS_OF_SALE, loss))
    assert [counts(world.import_files(kind, file))[:2] for kind, file in kinds] == [(1, 0), (0, 1)]
    lead = world.app.leads()[0]
    assert (lead["remarks"], lead["attendedBy"]) == ("just enquiry", "RAYAN")
    assert lead["visitDate"] == lead["enquiryDate"]
    world.app.edit(lead["_id"], remarks="mine")
    before = world.app.leads()
    for _ in range(2):
        assert [counts(world.import_files(kind, file))[:3] for kind, file in kinds] == [(0, 0, 1)] * 2
        assert [line for _, done in world.recorder.done for line in done.conflicts] == []
    assert world.app.leads() == before


def test_what_a_telecaller_has_emptied_the_other_kind_of_file_does_not_fill(
    world: World, tmp_path: Path
) -> None:
    loss = write(tmp_path / "lossofsale_sg_calicut.csv", row(Remarks="other"))
    world.import_files(WALKIN, write(tmp_path / "walkin_sg_calicut.csv", row(Status="Loss")))
    lead = world.app.leads()[0]
    world.app.edit(lead["_id"], remarks="", attendedBy="")
    world.import_files(StepName.LOSS_OF_SALE, loss)
    lead = world.app.leads()[0]
    assert (lead["remarks"], lead["attendedBy"]) == ("", "")
    assert lead["visitDate"] == lead["enquiryDate"]


@pytest.mark.parametrize("edited", [{}, {"name": "Anu Mol"}], ids=["", "and its name edited"])
def test_what_the_other_kind_of_file_has_filled_and_a_telecaller_emptied_stays_empty(
    world: World, tmp_path: Path, edited: dict[str, str]
) -> None:
    walkin = write(tmp_path / "walkin_sg_calicut.csv", row(Status="Loss", Staff="", Remarks=""))
    loss = write(tmp_path / "lossofsale_sg_calicut.csv", row(Remarks="too dear"))
    world.import_files(WALKIN, walkin)
    world.import_files(StepName.LOSS_OF_SALE, loss)
    lead = world.app.leads()[0]
    assert (lead["remarks"], lead["attendedBy"]) == ("too dear", "RAYAN")
    world.now += timedelta(minutes=1)
    world.app.edit(lead["_id"], remarks="", attendedBy=None, updatedAt=world.now, **edited)
    for kind, file in ((StepName.LOSS_OF_SALE, loss), (WALKIN, walkin)) * 2:
        world.now += timedelta(minutes=1)
        assert counts(world.import_files(kind, file))[:2] == (0, 0)
    lead = world.app.leads()[0]
    assert (lead["remarks"], lead.get("attendedBy")) == ("", None)


def test_the_first_kind_of_file_has_the_last_word_on_what_the_other_one_filled(
    world: World, tmp_path: Path
) -> None:
    walkin = write(tmp_path / "walkin_sg_calicut.csv", row(Status="Loss", Staff=""))
    loss = write(tmp_path / "lossofsale_sg_calicut.csv", row(Staff="RAYAN"))
    for kind, file in ((WALKIN, walkin), (StepName.LOSS_OF_SALE, loss), (WALKIN, walkin)):
        world.import_files(kind, file)
    assert world.app.leads()[0]["attendedBy"] == "RAYAN"
    world.import_files(WALKIN, write(walkin, row(Status="Loss", Staff="MEENA")))
    assert world.app.leads()[0]["attendedBy"] == "MEENA"
    assert [line for _, done in world.recorder.done for line in done.conflicts] == []
    world.import_files(StepName.LOSS_OF_SALE, loss)
    assert world.app.leads()[0]["attendedBy"] == "MEENA"


@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.MIDWAY, Moment.AFTER])
def test_what_a_killed_import_has_written_is_nobodys_edit(
    world: World, tmp_path: Path, moment: Moment
) -> None:
    def file(remark: str) -> Path:
        rows = [row(Remarks=remark), row(Customer_Name="Biju", Contact="9000000002", Remarks=remark)]
        return write(tmp_path / "walkin_sg_calicut.csv", *rows)

    world.import_files(WALKIN, file("first"))
    for write_number, name in enumerate(("add_writes", "update_leads", "update_records"), start=1):
        world.now += timedelta(minutes=1)
        with pytest.raises(Killed):
            world.import_files(
                WALKIN,
                file(f"news before {name}"),
                wrap=lambda storage: FailingStorage(storage, write_number, Killed, moment),  # noqa: B023
            )
        world.now += timedelta(minutes=1)
        world.import_files(WALKIN, file(f"newer than {name}"))
        assert {lead["remarks"] for lead in world.app.leads()} == {f"newer than {name}"}
        assert [line for _, done in world.recorder.done for line in done.conflicts] == []


def test_a_gap_that_a_killed_import_did_not_come_to_fill_is_filled(world: World, tmp_path: Path) -> None:
    loss = write(tmp_path / "lossofsale_sg_calicut.csv", row(Remarks="too dear"))
    world.import_files(
        WALKIN, write(tmp_path / "walkin_sg_calicut.csv", row(Status="Loss", Staff="", Remarks=""))
    )
    for write_number in (1, 2):
        world.now += timedelta(minutes=1)
        with pytest.raises(Killed):
            world.import_files(
                StepName.LOSS_OF_SALE,
                loss,
                wrap=lambda storage: FailingStorage(storage, write_number, Killed, Moment.BEFORE),  # noqa: B023
            )
        assert world.app.leads()[0]["remarks"] == ""
    world.now += timedelta(minutes=1)
    world.import_files(StepName.LOSS_OF_SALE, loss)
    assert world.app.leads()[0]["remarks"] == "too dear"


def test_a_lead_that_a_killed_import_left_without_a_record_is_no_other_visits(
    world: World, tmp_path: Path
) -> None:
    file = write(tmp_path / "walkin_sg_calicut.csv", row(), row(Customer_Name="Biju", Contact="9000000002"))

    def killed(storage: Storage) -> Any:
        return FailingStorage(storage, 1, Killed, Moment.MIDWAY, among=("store_leads",))

    with pytest.raises(Killed):
        world.import_files(WALKIN, file, wrap=killed)
    (half,) = world.app.leads()
    world.app.edit(half["_id"], callStatus="Connected")
    elsewhere = write(tmp_path / "walkin_z_edappally.csv", row(Contact=half["phone"]))
    assert counts(world.import_files(WALKIN, elsewhere))[:3] == (1, 0, 0)
    assert counts(world.import_files(WALKIN, file))[:3] == (1, 0, 1)
    assert len(world.app.leads()) == 3


def test_a_retry_counts_every_row_also_of_records_that_are_refused(on_mongo: World, tmp_path: Path) -> None:
    rows = [[*row(Contact=contact), "Nowhere"] for contact in ("9000000001", "9000000001", "9000000002")]
    on_mongo.import_files(WALKIN, write(tmp_path / "walkin.csv", *rows, header=[*HEADER, "Store"]))
    refuse(on_mongo, phone={"$ne": "9000000001"})
    better = load_locations()
    known = type(better).from_tables(
        {**better.by_code, "999": "Suitor Guy - Nowhere"}, {"Suitor Guy": ["sg"]}, {}
    )
    refused = on_mongo.retry_rejects(known)
    assert refused.balanced
    assert (refused.rows, refused.saved, refused.invalid) == (3, 1, 2)
    refuse(on_mongo)
    stored = on_mongo.retry_rejects(known)
    assert stored.balanced
    assert (stored.rows, stored.saved, stored.merged) == (2, 1, 1)
    assert on_mongo.app.all("syncrejects") == []
