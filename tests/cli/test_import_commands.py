"""`import`, `all` and `rejects` as users and scripts meet them."""

import csv
import json
import re
import shutil
from contextlib import closing
from pathlib import Path

import openpyxl
import pytest

from syncctl.sandbox import Sandbox
from tests.cli.test_sync_commands import STEP_KEYS, TOP_KEYS, count
from tests.support.program import Program
from tests.support.webapp import SqliteApp, finish

SAMPLES = Path(__file__).parents[1] / "integration" / "samples"


@pytest.fixture
def imports(program: Program) -> Path:
    folder = program.folder / "data" / "imports"
    shutil.copytree(SAMPLES, folder)
    return folder


def test_an_import_tells_each_file_and_the_totals(program: Program, imports: Path) -> None:
    ended = program.run("import", "walkin", str(imports))
    assert (ended.status, ended.stdout) == (0, "")
    said = [line.split("  ", 1)[1] for line in ended.stderr.splitlines()]
    assert said[0].startswith("Starting manual import walkin at ")
    assert "walkin_sg_calicut.xlsx Suitor Guy - Calicut: 62 rows: 57 added, 2 merged, 3 rejected" in said
    assert "Files processed: 2/2" in said
    assert "Total new records saved: 87" in said
    assert count(program, "SELECT count(*) FROM leads") == 87


def test_json_is_the_same_object_as_for_a_sync(program: Program, imports: Path) -> None:
    for name, command in (("import:lossofsale", ()), ("import", ("lossofsale",))):
        ended = program.run(name, *command, str(imports / "loss of sale 2025.xlsx"), "--json", "--dry-run")
        result = json.loads(ended.stdout)
        assert set(result) == TOP_KEYS | {"preview", "preview_hash"}
        assert (result["command"], result["trigger"]) == ("import lossofsale", "manual")
        assert [set(step) for step in result["steps"]] == [STEP_KEYS]
        assert result["steps"][0]["name"] == "lossofsale"
        assert result["steps"][0]["locations"] == {"processed": 1, "total": 1}
    assert not (program.folder / "data" / "syncctl.db").exists()


@pytest.mark.slow
def test_hidden_sheets_and_unreadable_dates_are_said_in_one_line_a_file(program: Program) -> None:
    book = openpyxl.Workbook()
    for name, day in (("CALICUT", "10-13-2026"), ("Old", "10-10-2026")):
        sheet = book.create_sheet(name)
        for row in (
            ("Date", "Customer Name", "Contact", "Function Date"),
            ("10-10-2026", f"Anagha {name}", "9000000001", day),
        ):
            sheet.append(row)
    book["Old"].sheet_state = "hidden"
    file = program.folder / "walkin_sg_calicut.xlsx"
    book.save(file)
    ended = program.run("import", "walkin", str(file), "-q")
    (line,) = ended.stderr.splitlines()
    assert "walkin_sg_calicut.xlsx: hidden sheets passed over: Old" in line
    assert "Function Date can't be read, saved without it: sheet CALICUT, row 2" in line
    assert ended.status == 0
    result = json.loads(program.run("import", "walkin", str(file), "--json").stdout)
    assert result["steps"][0]["hidden_sheets"] == [{"file": file.name, "sheets": ["Old"]}]


@pytest.mark.slow
def test_each_row_that_is_in_reports_is_named_with_its_report(program: Program) -> None:
    file = program.folder / "walkin_sg_calicut.csv"
    file.write_text("Date,Customer Name,Contact\n10-10-2026,Anagha,9000000001\n", encoding="utf-8")
    assert program.run("import", "walkin", str(file)).status == 0
    with closing(SqliteApp(str(program.folder / "data" / "syncctl.db"))) as app:
        report_id = finish(app, app.leads()[0], "general page")
    ended = program.run("import", "walkin", str(file), "--json")
    (step,) = json.loads(ended.stdout)["steps"]
    (row,) = step["finished"]
    assert (step["reported"], row["file"], row["report"]) == (1, file.name, report_id)
    assert (row["row"], row["day"]) == ("row 2 (90xxxxxx01)", "2026-10-10")
    assert row["finished_at"]
    said = program.run("-v", "import", "walkin", str(file)).stderr
    assert re.search(rf"row 2 \(90xxxxxx01\) of 2026-10-10: finished on \S+Z \(report {report_id}\)", said)
    assert report_id not in program.run("import", "walkin", str(file)).stderr


def test_bad_files_are_status_65_one_line_each_and_the_others_go_on(program: Program, imports: Path) -> None:
    bad = imports / "walkin_z_kannur.xlsx"
    bad.write_text("this is no workbook", encoding="utf-8")
    ended = program.run("import", "walkin", str(bad), "missing.csv", str(imports / "walkin_sg_calicut.xlsx"))
    assert ended.status == 65
    errors = [line for line in ended.stderr.splitlines() if "ERROR" in line]
    assert len(errors) == 2
    assert "walkin_z_kannur.xlsx" in errors[1]
    assert "missing.csv" in errors[0]
    assert count(program, "SELECT count(*) FROM leads") == 57


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("import", "walkin"), 2),
        (("import", "walkin", "x.csv", "--store", "Nowhere"), 2),
        (("import", "walkin", ""), 2),
        (("import", "walkin", "x.csv", "--store", ""), 2),
        (("import", "walkin", "x.csv", "--sheet", " "), 2),
        (("import", "walkin", "x.csv"), 65),
        (("rejects", "list", "--kind", "nothing"), 2),
    ],
)
def test_exit_statuses(program: Program, arguments: tuple[str, ...], status: int) -> None:
    ended = program.run(*arguments)
    assert ended.status == status
    assert ended.stderr


@pytest.mark.slow
def test_all_syncs_the_api_and_imports_what_is_new(program: Program, imports: Path) -> None:
    first = json.loads(program.run("all", "--json").stdout)
    assert [step["name"] for step in first["steps"]] == [
        "stores",
        "booking",
        "return",
        "walkin",
        "lossofsale",
    ]
    assert [step["saved"] for step in first["steps"][3:]] == [87, 112]
    again = json.loads(program.run("sync:all", "--json").stdout)
    assert again["command"] == "all"
    assert [step["rows"] for step in again["steps"][3:]] == [0, 0]
    assert again["ok"]


def test_what_cron_runs_never_touches_a_file(program: Program, imports: Path) -> None:
    assert program.run("api").status == 0
    assert (
        count(program, "SELECT count(*) FROM leads WHERE leadType NOT IN ('bookingConfirmation', 'return')")
        == 0
    )


@pytest.mark.slow
def test_rejects_are_listed_masked_exported_whole_and_tried_again(program: Program, imports: Path) -> None:
    program.run("import", "walkin", str(imports / "walkin_sg_calicut.xlsx"))
    listed = program.run("rejects", "list")
    assert listed.status == 0
    assert len(listed.stdout.splitlines()) == 3
    assert "8663394292" not in listed.output
    assert "86xxxxxx92" in listed.stdout
    shown = json.loads(program.run("rejects", "list", "--reason", "name", "--json").stdout)["rejects"]
    assert [(entry["kind"], entry["row"], entry["reason"]) for entry in shown] == [
        ("walkin", 10, "no customer name")
    ]
    assert "8663394292" not in json.dumps(shown)
    exported = program.run("rejects", "export", "bad.csv", "--file", "walkin_sg_calicut.xlsx")
    assert exported.status == 0
    with (program.folder / "bad.csv").open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert {entry["Contact"] for entry in rows} >= {"8663394292"}
    assert program.run("rejects", "export", "bad.csv").status == 2
    assert program.run("rejects", "export", "bad.csv", "--force").status == 0
    retried = json.loads(program.run("rejects", "retry", "--json").stdout)
    assert (retried["rows"], retried["invalid"]) == (3, 3)


@pytest.mark.slow
def test_an_export_is_no_danger_to_a_spreadsheet(program: Program, sandbox: Sandbox) -> None:
    formulas = ["=cmd()", "+1", "-1", "@SUM(A1)", "plain"]
    booked = {"bookingDate": f"{sandbox.today}T10:00:00"}
    sandbox.add_rows(
        sandbox.locations[0], [{**booked, "bookingNo": text, "remarks": text} for text in formulas]
    )
    program.run("booking")
    program.run("rejects", "export", "bad.csv", "--file", sandbox.locations[0])
    with (program.folder / "bad.csv").open(encoding="utf-8-sig", newline="") as opened:
        remarks = {entry["remarks"] for entry in csv.DictReader(opened)}
    assert {"'=cmd()", "'+1", "'-1", "'@SUM(A1)", "plain"} <= remarks


@pytest.mark.slow
def test_the_lock_covers_imports_and_retries(program: Program, imports: Path) -> None:
    from syncctl.run_lock import RunLock

    with RunLock(program.folder / "data" / "syncctl.lock").hold(0):
        for arguments in (("import", "walkin", str(imports)), ("rejects", "retry"), ("all",)):
            assert program.run(*arguments).status == 75
        assert program.run("import", "walkin", str(imports), "--dry-run").status == 0


@pytest.mark.slow
def test_on_a_terminal_each_file_is_told_above_the_table(program: Program, imports: Path) -> None:
    shown = program.run_on_terminal("import", "walkin", str(imports), columns=100)
    assert shown.status == 0
    assert "57 added" in shown.stdout
    assert "Importing 2 walk-in files" in shown.stdout
    assert "Walk-ins" in shown.stdout
    assert "Next sync" not in shown.stdout


@pytest.mark.slow
def test_all_without_files_names_the_folder_where_it_looked(program: Program) -> None:
    said = program.run("all").stderr
    folder = program.folder / "data" / "imports"
    for title, kind in (("Walk-ins", "walk-in"), ("Losses of sale", "loss-of-sale")):
        assert f"  {title}: no {kind} file in {folder} (IMPORT_DIR), which does not exist" in said
    folder.mkdir()
    assert f"no walk-in file in {folder} (IMPORT_DIR)\n" in program.run("sync:all").stderr
    assert program.run("sync:all", "-q").output == ""
    shown = program.run_on_terminal("all", columns=250).stdout
    assert f"Walk-ins: no walk-in file in {folder} (IMPORT_DIR)" in shown


@pytest.mark.slow
def test_all_without_files_tells_of_those_that_lie_elsewhere(program: Program, imports: Path) -> None:
    beside = program.folder / "data" / "walkin_sg_calicut.xlsx"
    (imports / "walkin_sg_calicut.xlsx").rename(beside)
    for name in ("loss of sale 2025.xlsx", "lossofsale_z_edappally.xlsx"):
        (imports / name).rename(program.folder / name)
    # The kind that is there needs no advice.
    said = program.run("all", "-q").stderr.splitlines()
    assert [line.split("  ", 1)[1] for line in said if ": move " in line] == [
        f"loss of sale 2025.xlsx and 1 more loss-of-sale files are in {program.folder}: move them into "
        f"{imports}, or import them with `syncctl import lossofsale {program.folder}`"
    ]
    (imports / "walkin_sg_mg road.csv").unlink()
    said = program.run("all", "--json").stderr.splitlines()
    (line,) = (line for line in said if "calicut" in line)
    assert line.split("  ", 1)[1] == (
        f"walkin_sg_calicut.xlsx is in {beside.parent}: move it into {imports}, or import it with "
        f"`syncctl import walkin {beside}`"
    )


@pytest.mark.slow
def test_the_old_names_for_all_files_of_a_kind_read_unchanged_ones_too(
    program: Program, imports: Path
) -> None:
    for name, rows in (("walkin", 92), ("lossofsale", 112)):
        for _ in range(2):
            ended = program.run(f"import:all:{name}", "--json")
            result = json.loads(ended.stdout)
            assert (ended.status, result["command"], result["trigger"]) == (0, f"import {name}", "manual")
            assert [step["name"] for step in result["steps"]] == [name]
            assert result["steps"][0]["rows"] >= rows
    assert count(program, "SELECT count(*) FROM leads") == 87 + 112


@pytest.mark.slow
@pytest.mark.parametrize("there", [False, True])
def test_the_old_names_for_all_files_end_as_an_import_of_an_empty_folder_does(
    program: Program, there: bool
) -> None:
    folder = program.folder / "data" / "imports"
    if there:
        folder.mkdir(parents=True)
    (program.folder / "walkin_sg_calicut.csv").touch()
    ended = program.run("import:all:walkin", "-q")
    assert ended.status == program.run("import", "walkin", str(folder)).status == 65
    error, hint = (line.split("  ", 1)[-1] for line in ended.stderr.splitlines())
    missing = "" if there else ", which does not exist"
    assert error.endswith(f"There is no walk-in file in {folder} (IMPORT_DIR){missing}.")
    assert hint.startswith(f"walkin_sg_calicut.csv is in {program.folder}: move it into {folder}")
    assert not count(program, "SELECT count(*) FROM leads")
