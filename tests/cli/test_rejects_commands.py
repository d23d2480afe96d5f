"""`rejects` as people and scripts meet it: listed, exported, corrected, dismissed."""

import csv
import io
import json
import re
import stat
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.cli.test_sync_commands import count
from tests.support.program import Program
from tests.support.store_files import row, write

pytestmark = pytest.mark.slow

PHONE = "9000012345"


@pytest.fixture
def listed(program: Program) -> Program:
    """A program whose database has four rejects of two stores."""
    calicut = write(
        program.folder / "walkin_sg_calicut.csv", row(Contact="123"), row(Customer_Name=""), row()
    )
    edappally = write(program.folder / "walkin_z_edappally.csv", row(Contact="45"), row(Date="31-02-2025"))
    assert program.run("import", "walkin", str(calicut), str(edappally)).status == 0
    return program


def rejects(program: Program, *arguments: str) -> list[dict[str, Any]]:
    printed = json.loads(program.run("rejects", "list", *arguments, "--json").stdout)
    found: list[dict[str, Any]] = printed["rejects"]
    return found


def test_on_a_terminal_counts_come_first_and_each_reject_is_one_line(listed: Program) -> None:
    for columns in (80, 120):
        shown = listed.run_on_terminal("rejects", "list", columns=columns).stdout
        lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
        assert lines[0] == "4 rejects"
        assert max(map(len, lines)) <= columns
        assert any(line.split()[:4] == ["1", "Suitor", "Guy", "-"] for line in lines)
        for store, file in (("Suitor Guy - Calicut", "sg_calicut"), ("Zorucci - Edappally", "z_edappally")):
            assert f"{store} · walkin_{file}.csv" in lines
        for reject in rejects(listed):
            (line,) = (line for line in lines if line.startswith(reject["id"][:8]))
            assert f"  row {reject['row']}  {reject['reason'][:24]}" in line
        assert "Date '31-02-2025' can't be read as a date (day first)" in " ".join(shown.split())
        assert "7796831125" not in shown


def test_in_a_pipe_there_is_one_line_each(listed: Program) -> None:
    lines = listed.run("rejects", "list").stdout.splitlines()
    assert len(lines) == 4
    (line,) = (line.split("\t") for line in lines if "sg_calicut.csv row 3" in line)
    assert line[1] in {reject["id"] for reject in rejects(listed)}
    about = ["walkin", "walkin_sg_calicut.csv row 3", "Suitor Guy - Calicut"]
    assert line[2:6] == [*about, "too few digits in the phone number"]
    assert line[6].startswith("Date: 09-10-2025, ")


def test_a_limit_is_one_of_the_summary_too(listed: Program) -> None:
    shown = listed.run_on_terminal("rejects", "list", "--limit", "1", columns=80)
    rows = [line.split() for line in re.sub(r"\x1b\[[0-9;]*m", "", shown.stdout).splitlines()]
    assert (["3", "3", "more", "lines"] in rows, len(rows)) == (True, 10)


def test_a_store_may_be_written_in_any_spelling(listed: Program) -> None:
    assert len(rejects(listed, "--store", "sg calicut")) == 2
    exported = listed.run("rejects", "export", "-", "--store", "z. EDAPPALLY")
    assert len(exported.stdout.splitlines()) == 3
    retried = json.loads(
        listed.run("rejects", "retry", "-n", "--store", "zurocci edappally", "--json").stdout
    )
    assert retried["rows"] == 2
    unknown = listed.run("rejects", "list", "--store", "Atlantis")
    assert unknown.status == 2
    assert "'Atlantis' isn't a known store" in unknown.stderr


def test_exported_corrected_and_imported(listed: Program) -> None:
    exported = listed.run("rejects", "export", "bad.csv")
    assert "4 rejects written to bad.csv" in exported.stderr
    file = listed.folder / "bad.csv"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_bytes().decode("utf-8-sig")
    assert listed.run("rejects", "export", "-").stdout.removeprefix("\ufeff") == text
    lines = list(csv.DictReader(io.StringIO(text)))
    for line in lines:
        if "digits" in line["rejected: reason"]:
            line["Contact"] = PHONE
    lines[-1]["Contact"] = "" if lines[-1]["Contact"] != PHONE else PHONE
    with file.open("w", encoding="cp1252", newline="") as out:
        writer = csv.DictWriter(out, list(lines[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(lines)

    planned = listed.run("rejects", "import", "bad.csv", "-n")
    assert planned.status == 0
    assert "2 would be fixed, 1 still rejected, 1 unchanged." in planned.stdout
    assert len(planned.stdout.splitlines()) == 2
    of_each = listed.run("rejects", "import", "bad.csv", "-n", "-v").stdout.splitlines()
    assert sum(re.fullmatch(r"row \d: would be fixed", line) is not None for line in of_each) == 2
    assert len(of_each) == 5
    assert "DRY RUN: nothing was written." in planned.stderr
    assert count(listed, "SELECT count(*) FROM leads") == 1
    ended = listed.run("rejects", "import", "bad.csv")
    assert ended.status == 0
    assert ended.stdout.splitlines()[-1] == "2 fixed, 1 still rejected, 1 unchanged."
    assert "2 rejects are still on the list." in ended.stderr
    again = json.loads(listed.run("rejects", "import", "bad.csv", "--json").stdout)
    assert (again["fixed"], again["not_listed"], again["unchanged"]) == (0, 2, 2)
    assert {line["outcome"] for line in again["lines"]} == {"not_listed", "unchanged"}
    assert "7796831125" not in json.dumps(again)
    assert count(listed, "SELECT count(*) FROM leads") == 3
    history = json.loads(listed.run("history", "--json").stdout)["runs"]
    assert [run["command"] for run in history[:2]] == ["rejects import", "rejects import"]
    assert history[1]["corrected_lines"]["fixed"] == 2
    assert "2 fixed, 1 still rejected, 1 unchanged" in listed.run("history").stdout
    assert "2 fixed" in listed.run_on_terminal("history", columns=80).stdout
    assert "2 fixed" in listed.run("history", history[1]["run_id"]).stdout
    assert listed.run("verify", "sync").status in (0, 1)


def test_a_workbook_is_corrected_and_imported(listed: Program) -> None:
    assert listed.run("rejects", "export", "bad.xlsx").status == 0
    file = listed.folder / "bad.xlsx"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    book = openpyxl.load_workbook(file)
    sheet = book["Walk-ins"]
    titles = {cell.value: cell.column for cell in sheet[1]}
    for number in range(2, 6):
        sheet.cell(number, titles["Contact"]).value = int(PHONE) + number
        sheet.cell(number, titles["Customer Name"]).value = "Devika"
        sheet.cell(number, titles["Date"]).value = "13-02-2025"
    book.save(file)
    shown = listed.run_on_terminal("rejects", "import", "bad.xlsx", columns=80).stdout
    assert "4 fixed, 0 still rejected, 0 unchanged." in shown
    assert "The rejects list is empty." in listed.run("rejects", "list").stderr
    assert json.loads(listed.run("status", "--json").stdout)["rejects"] == 0


def test_with_nothing_listed_a_sheet_changes_nothing_and_makes_no_database(program: Program) -> None:
    (program.folder / "bad.csv").write_text("rejected: id,Contact\nfeedface00000000,9000012345\n")
    ended = program.run("rejects", "import", "bad.csv")
    assert ended.status == 0
    assert "1 line passed over: no longer on the rejects list." in ended.stdout
    assert "The rejects list is empty." in ended.stderr
    shown = program.run_on_terminal("rejects", "import", "bad.csv").output
    assert "dry run" not in (ended.output + shown).casefold()
    document = json.loads(program.run("rejects", "import", "bad.csv", "--json").stdout)
    assert (document["run_id"], document["dry_run"], document["not_listed"]) == ("", False, 1)
    assert not list(program.folder.rglob("*.db"))


def test_without_its_id_column_a_sheet_is_refused(listed: Program) -> None:
    (listed.folder / "bad.csv").write_text("Customer Name,Contact,my id\nA,9000012345,R-1\n")
    refused = listed.run("rejects", "import", "bad.csv")
    assert refused.status == 65
    assert "rejected: id" in refused.stderr
    assert listed.run("rejects", "import", "missing.csv").status == 65
    assert listed.run("rejects", "export", "bad.ods").status == 2


def test_no_rejects_no_file(listed: Program) -> None:
    exported = listed.run("rejects", "export", "none.xlsx", "--reason", "there is none like this")
    assert (exported.status, exported.stdout) == (0, "")
    assert exported.stderr == "No reject matches: `syncctl rejects list` shows all there are.\n"
    assert not (listed.folder / "none.xlsx").exists()


def test_a_character_is_no_id(listed: Program) -> None:
    first = rejects(listed)[0]["id"]
    assert listed.run("rejects", "dismiss", first[0], "--json").status == 2
    assert len(rejects(listed)) == 4


def test_dismissed_ones_stay_away(listed: Program) -> None:
    first, second, *_ = (reject["id"] for reject in rejects(listed))
    unknown = listed.run("rejects", "dismiss", first, "feedfacefeedface")
    assert unknown.status == 2
    assert "no reject on the list has the id 'feedfacefeedface'" in unknown.stderr
    assert len(rejects(listed)) == 4
    assert "Dismiss 1 reject?" in listed.run_on_terminal("rejects", "dismiss", first, typed="n\n").stdout
    assert len(rejects(listed)) == 4
    assert "1 reject dismissed." in listed.run_on_terminal("rejects", "dismiss", first, "--yes").stdout
    dismissed = json.loads(listed.run("rejects", "dismiss", f"R-{second}", "--json").stdout)
    assert dismissed == {"command": "rejects dismiss", "ok": True, "schema": 1, "dismissed": [second]}
    files = [str(each) for each in Path(listed.folder).glob("walkin_*.csv")]
    ended = listed.run("import", "walkin", *files)
    assert "newly rejected" not in ended.output
    assert len(rejects(listed)) == 2


def test_those_of_a_store_are_dismissed_once_agreed_to(listed: Program) -> None:
    calicut = {each["id"] for each in rejects(listed, "--store", "sg calicut")}
    choice = ("rejects", "dismiss", "--store", "sg calicut")
    planned = listed.run(*choice)
    assert (planned.status, len(planned.stdout.splitlines())) == (0, 2)
    assert planned.stderr == "Nothing was changed: --apply dismisses 2 rejects.\n"
    as_json = json.loads(listed.run(*choice, "--json").stdout)
    assert (as_json["dismissed"], {*as_json["planned"]}) == ([], calicut)
    refused = listed.run_on_terminal(*choice, "--apply", typed="n\n")
    assert "Dismiss 2 rejects? [y/N]" in refused.stdout
    assert len(rejects(listed)) == 4
    assert listed.run("rejects", "dismiss").status == 2
    assert listed.run(*choice, next(iter(calicut))).status == 2
    assert listed.run(*choice, "--yes").status == 2
    one = listed.run("rejects", "dismiss", "--store", "sg calicut", "--reason", "no customer", "--apply")
    assert one.stdout == "1 reject dismissed.\n"
    assert "1 reject dismissed." in listed.run_on_terminal(*choice, "--apply", "--yes").stdout
    assert not calicut.intersection(each["id"] for each in rejects(listed))
    assert "No reject matches: " in listed.run(*choice, "--apply").stderr


def test_a_preview_leaves_out_what_was_answered_before(listed: Program) -> None:
    first = rejects(listed, "--file", "walkin_sg_calicut.csv")[0]["id"]
    assert listed.run("rejects", "dismiss", first).status == 0
    planned = listed.run("import", "walkin", "walkin_sg_calicut.csv", "-n")
    assert (
        "3 rows: 1 already there, 1 would be rejected, 1 ignored; 1 row answered before is passed over"
        in planned.stdout
    )
    assert planned.stdout.count("Rejected: ") == 1
    shown = json.loads(listed.run("import", "walkin", "walkin_sg_calicut.csv", "-n", "--json").stdout)
    assert sorted(each["action"] for each in shown["preview"]) == ["keep", "reject"]
    assert (shown["steps"][0]["invalid"], shown["steps"][0]["ignored"]) == (1, 1)


def test_a_dry_run_of_a_retry_writes_nothing(listed: Program) -> None:
    tried = listed.run("rejects", "retry", "--dry-run")
    assert "DRY RUN: nothing was written." in tried.stderr
    assert "4 still rejected" in tried.stdout
    one = listed.run("rejects", "retry", "-n", "--reason", "Date").stdout
    assert "1 reject tried again: " in one
    assert json.loads(listed.run("rejects", "retry", "-n", "--json").stdout)["dry_run"] is True
