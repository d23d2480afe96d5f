"""Rejects that close: corrected in the exported sheet and imported again, or dismissed."""

import csv
from collections.abc import Callable, Sequence
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import openpyxl
import pytest

from syncctl.domain.sources import StepName
from syncctl.domain.steps import Trigger
from syncctl.errors import UsageError
from syncctl.mapping.api_rows import RowDates
from syncctl.ports.storage import Storage
from syncctl.sandbox import Sandbox
from syncctl.services.rejects.correcting import ANSWERS_KEPT, LineOutcome, SheetResult
from syncctl.services.rejects.dismissing import rejects_by_id
from syncctl.services.rejects.list_updates import update_rejects
from syncctl.services.rejects.reject_sheets import ID_TITLE
from syncctl.services.run import Run, RunRequest
from syncctl.services.sync.answer_rows import AnswerRows
from tests.support.completeness import assert_nothing_found, look, totals
from tests.support.failing_storage import FailingStorage, Killed, Moment
from tests.support.store_files import HEADER, SAMPLES, counts, row, snapshot, write
from tests.support.world import World

WALKIN = StepName.WALKIN
BOOKING = (StepName.BOOKING,)


def outcomes(result: SheetResult) -> tuple[int, int, int]:
    assert result.lines
    return (
        result.count(LineOutcome.FIXED),
        result.count(LineOutcome.STILL_INVALID),
        result.count(LineOutcome.UNCHANGED),
    )


def open_rejects(world: World) -> int:
    with world.storage() as storage:
        return len(storage.rejects())


Lines = list[dict[str, str]]


def corrected(world: World, file: Path, correct: Callable[[Lines], object]) -> Path:
    """The list exported to a CSV file, changed, and saved again."""
    world.export_rejects(file)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        lines = list(csv.DictReader(opened))
    correct(lines)
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return file


def setting(**cells: str) -> Callable[[Lines], None]:
    """Sets cells of each line that is exported."""

    def correct(lines: Lines) -> None:
        for line in lines:
            line.update({title.replace("_", " "): cell for title, cell in cells.items()})

    return correct


def refuse(world: World, **rule: object) -> None:
    world.app._database.command("collMod", "leads", validator=rule)  # type: ignore[union-attr]


@pytest.fixture
def on_mongo(world: World) -> World:
    if world.url.startswith("sqlite"):
        pytest.skip("only MongoDB has validators")
    return world


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "walkin_sg_calicut.csv", row(), row(Customer_Name="Binu", Contact="123"))


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return tmp_path / "rejects.csv"


def test_a_corrected_line_is_saved_as_its_file_would_have_and_leaves_the_list(
    world: World, file: Path, sheet: Path
) -> None:
    world.import_files(WALKIN, file)
    corrected(world, sheet, setting(Contact="+91 90000 12345"))
    planned = world.import_rejects(sheet, dry_run=True)
    assert (outcomes(planned), planned.listed, planned.dry_run) == ((1, 0, 0), 0, True)
    assert (len(world.app.leads()), open_rejects(world)) == (1, 1)

    result = world.import_rejects(sheet)
    assert (outcomes(result), result.listed, open_rejects(world)) == ((1, 0, 0), 0, 0)
    lead = next(lead for lead in world.app.leads() if lead["name"] == "Binu")
    write(file, row(), row(Customer_Name="Binu", Contact="9000012345"))
    before = snapshot(world)
    assert counts(world.import_files(WALKIN, file)) == (0, 0, 2, 0, 0, 0)
    assert snapshot(world) == before
    assert (lead["phone"], lead["store"], lead["leadType"]) == (
        "9000012345",
        "Suitor Guy - Calicut",
        "general",
    )


def test_the_same_sheet_twice_changes_nothing_more(world: World, file: Path, sheet: Path) -> None:
    world.import_files(WALKIN, file)
    corrected(world, sheet, setting(Contact="9000012345"))
    world.import_rejects(sheet)
    before, rejects = snapshot(world), world.app.all("syncrejects")
    (again,) = world.import_rejects(sheet).lines
    assert again.outcome is LineOutcome.NOT_LISTED
    assert (snapshot(world), world.app.all("syncrejects")) == (before, rejects)


def test_the_original_file_does_not_open_an_answered_reject_again(
    world: World, file: Path, sheet: Path, tmp_path: Path
) -> None:
    write(file, row(Contact="123"), row(Customer_Name="Binu", Contact="45"))
    assert counts(world.import_files(WALKIN, file))[-1] == 2
    corrected(world, sheet, lambda lines: lines[0].update(Contact="9000012345"))
    assert outcomes(world.import_rejects(sheet)) == (1, 0, 1)
    with world.storage() as storage:
        (left,) = storage.rejects()
    world.dismiss_rejects(left.reject_id[:10])
    before = snapshot(world)
    result = world.import_files(WALKIN, file)
    assert counts(result) == (0, 0, 0, 0, 0, 0)
    assert result.steps[0].counts.ignored == 2
    assert world.recorder.newly_rejected == []
    assert (open_rejects(world), snapshot(world)) == (0, before)
    # Another mistake at the same place is another reject; a later answer keeps those of two years.
    write(file, row(Contact="1234"), row(Customer_Name="Binu", Contact="45"))
    assert counts(world.import_files(WALKIN, file))[-1] == 1
    world.now += ANSWERS_KEPT + timedelta(days=1)
    corrected(world, sheet, setting())
    assert outcomes(world.import_rejects(sheet)) == (0, 0, 1)
    assert counts(world.import_files(WALKIN, file))[-1] == 2


def test_what_is_still_invalid_stays_with_the_new_reason_and_what_was_corrected(
    world: World, file: Path, sheet: Path
) -> None:
    write(file, row(Contact="123", Date="31-02-2025"))
    world.import_files(WALKIN, file)
    corrected(world, sheet, setting(Contact="9000012345"))
    result = world.import_rejects(sheet)
    assert outcomes(result) == (0, 1, 0)
    assert "31-02-2025" in result.lines[0].reason
    assert "too few digits" in result.lines[0].rejects[0].reason
    with world.storage() as storage:
        (reject,) = storage.rejects()
    assert reject.reason == result.lines[0].reason
    assert outcomes(world.import_rejects(sheet)) == (0, 0, 1)
    assert counts(world.import_files(WALKIN, file))[-1] == 1
    assert open_rejects(world) == 1
    corrected(world, sheet, setting(Date="28-02-2025"))
    assert outcomes(world.import_rejects(sheet)) == (1, 0, 0)
    assert world.app.leads()[0]["phone"] == "9000012345"
    world.import_files(WALKIN, file)
    assert open_rejects(world) == 0


def test_a_retry_of_a_line_corrected_in_part_answers_it_too(
    world: World, tmp_path: Path, sheet: Path
) -> None:
    header = [*HEADER, "Store"]
    file = write(tmp_path / "walkin.csv", [*row(Contact="1"), "Brand New"], header=header)
    world.import_files(WALKIN, file)
    corrected(world, sheet, setting(Contact="9000012345"))
    assert outcomes(world.import_rejects(sheet)) == (0, 1, 0)
    known = type(world.locations).from_tables(
        {**world.locations.by_code, "999": "Suitor Guy - Brand New"}, {"Suitor Guy": ["sg"]}, {}
    )
    assert world.retry_rejects(known).saved == 1
    world.locations = known
    world.import_files(WALKIN, file)
    assert open_rejects(world) == 0


def test_the_store_may_be_given_in_the_sheet(world: World, tmp_path: Path, sheet: Path) -> None:
    header = [*HEADER, "Store"]
    file = write(
        tmp_path / "walkin.csv", [*row(), "Nowhere"], [*row(Contact="9000012345"), ""], header=header
    )
    world.import_files(WALKIN, file)

    def correct(lines: Lines) -> None:
        lines[0]["rejected: store"] = "z. edappally"
        lines[1]["rejected: store"] = "Atlantis"

    result = world.import_rejects(corrected(world, sheet, correct))
    assert outcomes(result) == (1, 1, 0)
    assert "rejected: store" in result.lines[1].reason
    assert world.app.leads()[0]["store"] == "Zorucci - Edappally"


def test_lines_that_can_not_be_found_again_are_told_and_left(world: World, file: Path, sheet: Path) -> None:
    world.import_files(WALKIN, file)

    def correct(lines: Lines) -> None:
        good = {**lines[0], "Contact": "9000012345"}
        lines[:] = [
            {**good, ID_TITLE: ""},
            {**good, ID_TITLE: "R-" + "ab" * 12},
            good,
            {**good, "Contact": "9000099999"},
            dict.fromkeys(good, ""),
        ]

    result = world.import_rejects(corrected(world, sheet, correct))
    assert [line.outcome for line in result.lines] == [
        LineOutcome.WITHOUT_ID,
        LineOutcome.NOT_LISTED,
        LineOutcome.FIXED,
        LineOutcome.REPEATED,
    ]
    assert {lead["phone"] for lead in world.app.leads()} == {"7796831125", "9000012345"}


def test_columns_may_be_moved_added_and_taken_away(world: World, file: Path, sheet: Path) -> None:
    world.import_files(WALKIN, file)

    def correct(lines: Lines) -> None:
        for line in lines:
            cells = dict(reversed(line.items()))
            del cells["Remarks"], cells["Contact"]
            line.clear()
            line.update({**cells, "checked by": "me", "Mobile": "9000012345"})

    assert outcomes(world.import_rejects(corrected(world, sheet, correct))) == (1, 0, 0)
    lead = next(lead for lead in world.app.leads() if lead["name"] == "Binu")
    assert (lead["phone"], lead["remarks"]) == ("9000012345", "just enquiry")


def test_a_note_beside_the_table_is_no_correction(world: World, file: Path, sheet: Path) -> None:
    world.import_files(WALKIN, file)
    rejects = world.app.all("syncrejects")
    corrected(world, sheet, setting(checked_by="me", **{"rejected: reason": "asked the shop"}))
    assert outcomes(world.import_rejects(sheet)) == (0, 0, 1)
    assert world.app.all("syncrejects") == rejects


def test_the_item_rows_of_a_booking_are_corrected_together(
    world: World, sandbox: Sandbox, sheet: Path
) -> None:
    location = sandbox.locations[0]
    booked = {"bookingNo": "900001", "customerName": "Anagha", "phoneNo": "12", "price": 10}
    booked |= {"bookingDate": f"{sandbox.today}T10:00:00", "deliveryDate": f"{sandbox.today}T00:00:00"}
    world.run(BOOKING)
    before = open_rejects(world)
    sandbox.add_rows(location, [{**booked, "itemCode": item} for item in "ABC"])
    world.run(BOOKING)
    assert open_rejects(world) == before + 3

    def correct(lines: Lines) -> None:
        lines[:] = [line for line in lines if line["bookingNo"] == "900001"]
        (line,) = lines
        line.update(phoneNo="9000012345", bookingDate="05/03/2026", price="11.5")

    assert outcomes(world.import_rejects(corrected(world, sheet, correct))) == (1, 0, 0)
    (lead,) = (lead for lead in world.app.leads() if lead.get("bookingNo") == "900001")
    assert (lead["phone"], lead["securityAmount"], lead["createdAt"].date().isoformat()) == (
        "9000012345",
        11.5,
        "2026-03-05",
    )
    # The API goes on sending the wrong rows.
    step = world.run(BOOKING, full=True).steps[0]
    assert step.counts.balanced
    assert step.counts.ignored >= 3
    assert (open_rejects(world), world.recorder.newly_rejected) == (before, [])
    assert [each for each in world.app.leads() if each.get("bookingNo") == "900001"] == [lead]


def test_a_booking_that_becomes_right_at_the_source_is_the_same_lead(
    world: World, sandbox: Sandbox, sheet: Path
) -> None:
    location = sandbox.locations[0]
    booked = {"bookingNo": "900001", "customerName": "Anagha", "itemCode": "A"}
    booked |= {"bookingDate": f"{sandbox.today}T10:00:00"}
    sandbox.add_rows(location, [{**booked, "phoneNo": "12"}])
    world.run(BOOKING)

    def correct(lines: Lines) -> None:
        lines[:] = [line for line in lines if line["bookingNo"] == "900001"]
        lines[0]["phoneNo"] = "9000012345"

    world.import_rejects(corrected(world, sheet, correct))
    leads = len(world.app.leads())
    sandbox.add_rows(location, [{**booked, "itemCode": "B", "phoneNo": "9000012345"}])
    world.run(BOOKING, full=True)
    assert len(world.app.leads()) == leads


def test_dismissed_rows_of_the_api_stay_away_and_verify_does_not_miss_them(
    world: World, sandbox: Sandbox
) -> None:
    world.run()
    with world.storage() as storage:
        rejects = storage.rejects()
    listed = [reject for reject in rejects if reject.source == "booking"]
    assert listed
    before = totals(look(world)).rejected
    world.dismiss_rejects(*(reject.reject_id for reject in listed))
    found = look(world)
    assert_nothing_found(found)
    assert totals(found).answered == len(listed)
    assert totals(found).rejected == before - len(listed)
    world.run(full=True)
    assert world.recorder.newly_rejected == []
    assert open_rejects(world) == len(rejects) - len(listed)


def test_an_answer_holds_when_the_report_ceases_to_keep_to_location_ids(world: World) -> None:
    row = {"bookingNo": "77", "itemCode": "A", "bookingDate": "2026-03-01T10:00:00"}

    def listed(*, store_from_row: bool) -> int:
        with world.storage() as storage:
            run = Run(RunRequest("api", BOOKING, Trigger.AUTO), storage, world.recorder, world._clock())
            answer = AnswerRows(StepName.BOOKING, "7", [row], RowDates(UTC), invalid=[(row, "no phone")])
            answer.store_from_row = store_from_row
            positions = storage.reject_positions(BOOKING[0])
            known = {place: ids for found in positions.values() for place, ids in found.items()}
            update_rejects(run, answer, known, storage.closed_rejects(BOOKING[0]))
            return len(storage.rejects())

    assert listed(store_from_row=False) == 1
    with world.storage() as storage:
        world.dismiss_rejects(*(reject.reject_id for reject in storage.rejects()))
    assert [listed(store_from_row=anywhere) for anywhere in (True, False, True)] == [0, 0, 0]


def test_nothing_is_dismissed_if_one_id_is_unknown(world: World, file: Path) -> None:
    world.import_files(WALKIN, file)
    with world.storage() as storage:
        (reject,) = storage.rejects()
    for unknown in ("ab" * 12, "", " "):
        with pytest.raises(UsageError, match="Nothing was dismissed"):
            world.dismiss_rejects(reject.reject_id, unknown)
    assert open_rejects(world) == 1
    world.dismiss_rejects(f"R-{reject.reject_id[:6].upper()}")
    assert open_rejects(world) == 0
    with pytest.raises(UsageError, match="Nothing was dismissed"):
        world.dismiss_rejects(reject.reject_id)


def test_a_beginning_that_several_ids_have_is_refused(world: World, file: Path) -> None:
    write(file, *(row(Customer_Name=f"N {'ABCDEFGHIJKLMNOPQRSTUV'[n]}", Contact="1") for n in range(20)))
    world.import_files(WALKIN, file)
    with world.storage() as storage:
        some = storage.rejects()
    alike = [each._replace(reject_id=f"abcdef{number:018}") for number, each in enumerate(some)]
    with pytest.raises(UsageError, match="20 rejects have an id that begins with 'abcdef'"):
        rejects_by_id(Mock(rejects=lambda: alike), ["abcdef"])


def test_the_beginning_of_an_id_has_six_characters(world: World, file: Path) -> None:
    world.import_files(WALKIN, file)
    with world.storage() as storage:
        (reject,) = storage.rejects()
    for length in range(1, 6):
        with pytest.raises(UsageError, match="too short to name a reject: give at least 6 "):
            world.dismiss_rejects(reject.reject_id[:length])
    assert open_rejects(world) == 1


def test_a_lead_that_the_database_refuses_stays_on_the_list(on_mongo: World, file: Path, sheet: Path) -> None:
    on_mongo.import_files(WALKIN, file)
    refuse(on_mongo, name={"$ne": "Binu"})
    corrected(on_mongo, sheet, setting(Contact="9000012345"))
    result = on_mongo.import_rejects(sheet)
    assert (outcomes(result), open_rejects(on_mongo)) == ((0, 1, 0), 1)
    assert "rules" in result.lines[0].reason
    refuse(on_mongo)
    assert outcomes(on_mongo.import_rejects(sheet)) == (1, 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER])
def test_killed_at_any_write_the_same_sheet_does_the_rest(
    world: World, tmp_path: Path, sheet: Path, moment: Moment
) -> None:
    write_number = 0
    killed = True
    while killed:  # each time with customers of its own, so that every write is there to be killed at
        write_number += 1
        phones = [f"9{write_number:03}00000{number}" for number in range(3)]
        file = write(
            tmp_path / f"walkin_sg_calicut ({write_number}).csv",
            *(row(Contact=str(number)) for number in range(2)),
            row(Contact="2", Date="31-02-2025"),
        )
        world.import_files(WALKIN, file)

        def correct(lines: Lines, name: str = file.name, numbers: Sequence[str] = phones) -> None:
            lines[:] = [line for line in lines if line["rejected: file"] == name]
            for line, phone in zip(lines, numbers, strict=True):
                line["Contact"] = phone

        corrected(world, sheet, correct)

        def failing(storage: Storage, at: int = write_number) -> Any:
            return FailingStorage(storage, at, Killed, moment)

        try:
            world.import_rejects(sheet, wrap=failing)
            killed = False
        except Killed:
            world.import_rejects(sheet)
        assert counts(world.import_files(WALKIN, file))[-1] == 1
        with world.storage() as storage:
            listed = [each for each in storage.rejects() if each.location == file.name]
        assert [("31-02-2025" in each.reason, phones[2] in each.row) for each in listed] == [(True, True)]
        assert [lead["phone"] for lead in world.app.leads() if lead["phone"] in phones] == phones[:2]
    assert write_number > 4


def test_head_office_ends_with_an_empty_list(world: World, tmp_path: Path) -> None:
    """The samples and two files more; eight cells corrected in a workbook, as a person does."""
    (tmp_path / "more").mkdir()
    more = write(
        tmp_path / "more" / "walkin_z_kottakal.csv",
        row(Contact="+971 50 123"),
        row(Customer_Name="=now()", Contact="9000011111"),
    )
    files = [SAMPLES / "walkin_sg_calicut.xlsx", more]
    world.import_files(WALKIN, *files)
    world.import_files(StepName.LOSS_OF_SALE, SAMPLES / "lossofsale_z_edappally.xlsx")
    leads = len(world.app.leads())
    assert open_rejects(world) == 8
    workbook = world.export_rejects(tmp_path / "rejects.xlsx")

    book = openpyxl.load_workbook(workbook)
    corrected_lines = 0
    for sheet in book.worksheets:
        titles = {cell.value: cell.column for cell in sheet[1]}
        sheet.insert_rows(2)
        sheet.insert_cols(1)
        titles = {title: column + 1 for title, column in titles.items()}
        for number in range(3, sheet.max_row + 1):
            reason = sheet.cell(number, titles["rejected: reason"]).value
            if "name" in reason:
                sheet.cell(number, titles["Customer Name"]).value = "Devika"
            elif "Date" in reason:
                sheet.cell(number, titles["Date"]).value = openpyxl.utils.datetime.from_excel(45716)
            else:
                sheet.cell(number, titles["Contact"]).value = 9000012340.0 + number
            corrected_lines += 1
    book.save(workbook)
    assert corrected_lines == 8

    result = world.import_rejects(workbook)
    assert (outcomes(result), open_rejects(world)) == ((8, 0, 0), 0)
    assert len(world.app.leads()) == leads + 8
    before = snapshot(world)
    for _ in range(2):
        assert counts(world.import_files(WALKIN, *files))[-1] == 0
        assert (open_rejects(world), snapshot(world)) == (0, before)
