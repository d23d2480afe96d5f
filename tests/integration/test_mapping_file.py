"""Imports with a mapping file over the packaged tables; what an import tells of its progress."""

import csv
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.domain.sources import StepName
from syncctl.errors import SettingsError, UsageError
from syncctl.locations import load_locations
from syncctl.services.imports.file_stores import FileStores
from syncctl.services.imports.reading import ROWS_PER_REPORT
from syncctl.settings.mapping_file import MappingFile, read_mapping_file
from tests.support.world import World

HEADER = ("Date", "Customer Name", "Contact", "Remarks")


def mapping(folder: Path, text: str) -> MappingFile:
    file = folder / "mapping.toml"
    file.write_text(text, encoding="utf-8")
    return read_mapping_file(file)


def write(file: Path, *rows: tuple[object, ...], header: tuple[str, ...] = HEADER) -> Path:
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([header, *rows])
    return file


def added_line(message: str) -> str:
    """The line that a message says to add, as a mapping file has it."""
    table, _, entry = message.partition("add to MAPPING_FILE: [")[2].partition("] ")
    return f"[{table}]\n{entry.partition(chr(10))[0].rstrip('.')}\n"


def test_a_file_of_an_unknown_shop_names_the_line_that_lets_it_in(world: World, tmp_path: Path) -> None:
    file = write(tmp_path / "walkin_z_aluva nov 2026.csv", ("10-10-2026", "Anju", "9000000001", "x"))
    (refused,) = world.import_files(StepName.WALKIN, file).steps
    assert refused.error is not None
    assert 'add to MAPPING_FILE: [places] "aluva" = "Zorucci - Aluva"' in refused.error
    world.locations = mapping(tmp_path, added_line(refused.error)).locations
    (step,) = world.import_files(StepName.WALKIN, file).steps
    assert (step.error, step.counts.saved) == (None, 1)
    assert [lead["store"] for lead in world.app.leads()] == ["Zorucci - Aluva"]


def test_a_sheet_of_an_unknown_shop_does_too(world: World, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for name in ("NOVEMBER", "Sheet2", "KOCHI"):
        sheet = book.create_sheet(name)
        for row in (HEADER, ("10-10-2026", "Anju", "9000000001", "x")):
            sheet.append(row)
    book.save(tmp_path / "lossofsale 2026.xlsx")
    (refused,) = world.import_files(StepName.LOSS_OF_SALE, tmp_path / "lossofsale 2026.xlsx").steps
    assert '[places] "kochi" = "Suitor Guy - Kochi"' in str(refused.error)


def test_rows_of_an_unknown_shop_name_the_line_once(world: World, tmp_path: Path) -> None:
    header = (*HEADER, "Store")
    rows = [("10-10-2026", f"Anju {n}", f"900000000{n}", "x", "Kochi") for n in range(3)]
    rows += [
        ("10-10-2026", "Manu", "9000000007", "x", "sg calicut"),
        ("10-10-2026", "M", "9000000008", "", "9000000008"),
    ]
    file = write(tmp_path / "november.csv", *rows, header=header)
    (step,) = world.import_files(StepName.WALKIN, file).steps
    (location,) = step.locations
    assert str(location.warning).count('[places] "kochi" = "Suitor Guy - Kochi"') == 1
    assert "9000000008" not in str(location.warning)
    assert step.counts.invalid == 4
    world.locations = mapping(tmp_path, added_line(str(location.warning))).locations
    assert world.retry_rejects().saved == 3


def test_a_store_named_by_hand_names_the_line(world: World, tmp_path: Path) -> None:
    file = write(tmp_path / "november.csv", ("10-10-2026", "Anju", "9000000001", "x"))
    with pytest.raises(UsageError) as refused:
        world.import_files(StepName.WALKIN, file, store="Z Calicut")
    # Calicut is a place already, of another brand: the line says brand and place.
    assert '[places] "z calicut" = "Zorucci - Calicut"' in refused.value.hint


@given(st.text(max_size=30))
def test_the_line_makes_any_store_known(tmp_path_factory: pytest.TempPathFactory, written: str) -> None:
    locations = load_locations()
    if not (line := locations.line_to_add(written)) or FileStores(locations, []).named(written):
        return
    try:
        added = mapping(tmp_path_factory.getbasetemp(), added_line(line))
    except SettingsError as wrong:
        assert "characters" in str(wrong)  # noqa: PT017 - such as a control character in the name
        return
    assert FileStores(added.locations, []).named(written) == locations.canonical(written)


def test_an_unchanged_file_is_read_again_once_the_mapping_file_adds_something(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    write(
        tmp_path / "in" / "walkin_sg_calicut.csv",
        ("10-10-2026", "Anju", "9000000001", "blue"),
        header=(*HEADER[:3], "What she said"),
    )
    for _ in range(2):
        (step,) = world.import_files(StepName.WALKIN, tmp_path / "in", is_import_dir=True).steps
    assert step.locations[0].unchanged
    world.mapping = mapping(tmp_path, '[columns.walkin]\n"What she said" = "remarks"\n')
    (step,) = world.import_files(StepName.WALKIN, tmp_path / "in", is_import_dir=True).steps
    assert step.counts.updated == 1
    assert [lead["remarks"] for lead in world.app.leads()] == ["blue"]


def test_rejects_are_tried_again_with_the_titles_of_the_mapping_file(world: World, tmp_path: Path) -> None:
    world.mapping = mapping(tmp_path, '[columns.walkin]\n"Caller" = "phone"\n"Who" = "name"\n')
    file = write(
        tmp_path / "november.csv",
        ("10-10-2026", "Anju", "9000000001", "Kochi"),
        header=("Date", "Who", "Caller", "Store"),
    )
    assert world.import_files(StepName.WALKIN, file).steps[0].counts.invalid == 1
    world.locations = mapping(tmp_path, '[places]\n"kochi" = "Suitor Guy - Kochi"\n').locations
    assert world.retry_rejects().saved == 1


@pytest.mark.parametrize("kind", [StepName.WALKIN, StepName.LOSS_OF_SALE])
def test_a_store_that_a_mapping_file_renames_keeps_its_leads(
    world: World, tmp_path: Path, kind: StepName
) -> None:
    file = write(tmp_path / f"{kind}_sg_newtown.csv", ("10-10-2026", "Anju", "9000000001", "x"))
    world.locations = mapping(tmp_path, '[places]\n"newtown" = "Suitor Guy - Newtown"\n').locations
    world.import_files(kind, file)
    world.app.edit(world.app.leads()[0]["_id"], remarks="called")
    world.locations = mapping(tmp_path, '[places]\n"newtown" = "Suitor Guy - New Town"\n').locations
    write(file, ("10-10-2026", "Anju", "9000000001", "y"))
    (step,) = world.import_files(kind, file).steps
    assert (step.counts.saved, step.counts.existing) == (0, 1)
    (lead,) = world.app.leads()
    assert (lead["store"], lead["remarks"]) == ("Suitor Guy - Newtown", "called")


def test_reading_and_storing_are_told(world: World, tmp_path: Path) -> None:
    rows = [("10-10-2026", f"Person {n}", 7_000_000_000 + n, "x" * 50) for n in range(2500)]
    first = write(tmp_path / "walkin_sg_calicut.csv", *rows[:1250])
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("List")
    for row in (HEADER, *rows[1250:]):
        sheet.append(row)
    second = tmp_path / "walkin_sg_kannur.xlsx"
    book.save(second)
    world.import_files(StepName.WALKIN, first, second)
    told = world.recorder.read
    of_first = [each for each in told if each.name == first.name]
    of_second = [each for each in told if each.name == second.name]
    assert [each.rows for each in of_first] == [0, *range(ROWS_PER_REPORT, 1251, ROWS_PER_REPORT)]
    for file, each in ((first, of_first), (second, of_second)):
        assert {one.size for one in each} == {file.stat().st_size}
        read = [one.bytes_read for one in each]
        assert read == sorted(read)
        assert read[0] == 0 < read[-1] <= file.stat().st_size
    assert of_first[-1].bytes_read > first.stat().st_size * 0.9
    assert [(each.number, each.of) for each in (of_first[0], of_second[0])] == [(1, 2), (2, 2)]
    assert world.recorder.stored == [(0, 2500), (1000, 2500), (2000, 2500)]
