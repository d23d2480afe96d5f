"""`import --dry-run`, `--preview` and `--only-if` as users and scripts meet them."""

import csv
import io
import json
import os
import shutil
import stat
import subprocess
from contextlib import closing
from pathlib import Path

import openpyxl
import pytest

from tests.cli.test_sync_commands import TOP_KEYS, count
from tests.support.program import AFRESH, Program
from tests.support.store_files import SAMPLES, row, write
from tests.support.webapp import SqliteApp

ACTIONS = {"create", "update", "keep", "finished", "merge", "reject"}


@pytest.fixture
def file(program: Program) -> Path:
    shutil.copy(SAMPLES / "walkin_sg_calicut.xlsx", program.folder)
    return program.folder / "walkin_sg_calicut.xlsx"


def previewed(program: Program, *arguments: str) -> dict[str, object]:
    shown: dict[str, object] = json.loads(program.run("import", "walkin", *arguments, "--json", "-n").stdout)
    return shown


def in_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_a_dry_run_says_what_would_be_and_never_that_it_was(program: Program, file: Path) -> None:
    ended = program.run("import", "walkin", file.name, "-n")
    assert ended.status == 0
    first, of_the_file, *lines = ended.stdout.splitlines()
    assert first == "DRY RUN: nothing was written"
    counted = "62 rows: 57 would be added, 2 merged, 3 would be rejected"
    assert of_the_file == f"walkin_sg_calicut.xlsx Suitor Guy - Calicut: {counted}"
    assert lines[0] == "New leads: sheet Sheet1, row 5 (71xxxxxx40): Neethu K, Suitor Guy - Calicut"
    assert "Rejected: sheet Sheet1, row 10 (86xxxxxx92): no customer name" in lines
    assert "--only-if" in lines[-1]
    for word in ("saved", "updated", "rejected"):
        for said in ended.output.splitlines():
            assert word not in said or "would be" in said, said
    assert {path.name for path in program.folder.iterdir()} == {".env", file.name}
    assert program.run("import", "walkin", file.name, "-n", "-q").stdout == ""


def test_json_has_every_row_with_each_field(program: Program, file: Path) -> None:
    shown = previewed(program, file.name)
    assert set(shown) == TOP_KEYS | {"preview", "preview_hash"}
    rows: list[dict[str, object]] = shown["preview"]  # type: ignore[assignment]
    assert len(rows) == 62
    assert {frozenset(each) for each in rows} == {
        frozenset(("file", "sheet", "row", "action", "reason", "lead_id", "fields"))
    }
    assert {each["action"] for each in rows} == {"create", "merge", "reject"} <= ACTIONS
    fields: list[dict[str, object]] = rows[2]["fields"]  # type: ignore[assignment]
    assert {"field": "phone", "now": None, "file": "71xxxxxx40", "becomes": "71xxxxxx40"} in fields
    assert "8663394292" not in json.dumps(shown)


@pytest.mark.parametrize("name", ["preview.csv", "preview.xlsx"])
def test_a_preview_has_every_row_and_is_for_this_user_alone(program: Program, file: Path, name: str) -> None:
    ended = program.run("import", "walkin", file.name, "--preview", name)
    assert ended.status == 0
    assert "it holds customers' data" in ended.stderr
    written = program.folder / name
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    if name.endswith(".csv"):
        rows = in_csv(written.read_text(encoding="utf-8"))
        found = [(each["row number"], each["action"], each["phone"]) for each in rows]
    else:
        sheet = openpyxl.load_workbook(written).worksheets[1]
        found = [(line[2], line[3], line[6]) for line in sheet.iter_rows(min_row=2, values_only=True)]
    assert len(found) == 62
    assert found[2] == ("5", "create", "7101905740")
    assert not (program.folder / "data" / "syncctl.db").exists()
    kept = written.read_bytes()
    refused = program.run("import", "walkin", file.name, "--preview", name)
    assert (refused.status, refused.stdout) == (2, "")
    assert "--force" in refused.stderr
    assert "Step 1" not in refused.stderr  # before any work
    assert written.read_bytes() == kept
    assert program.run("import", "walkin", file.name, "--preview", name, "--force", "-q").status == 0


def test_a_preview_on_stdout_is_the_csv_and_nothing_else(program: Program, file: Path) -> None:
    ended = program.run("import", "walkin", file.name, "--preview", "-")
    assert ended.status == 0
    rows = in_csv(ended.stdout)
    assert [len(rows), rows[2]["action"], rows[2]["phone"]] == [62, "create", "7101905740"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--preview", "p.txt"), "neither .xlsx nor .csv"),
        (("--preview", "no/such/folder/p.csv"), "No such file or directory"),
        (("--preview", ""), "it is empty"),
        (("--preview", "walkin_sg_calicut.xlsx", "--force"), "one of the files to import"),
        (("--preview", "data/imports/walkin_preview.csv"), "would be imported"),
        (("--preview", "data/syncctl.db.csv", "--force"), ""),
        (("--preview", ".env", "--force"), "neither .xlsx nor .csv"),
        (("--preview", "-", "--json"), "Use either"),
        (("--only-if", "yes"), "isn't a preview's hash"),
        (("--force",), "--preview"),
    ],
)
def test_what_can_not_be_is_refused_before_any_work(
    program: Program, file: Path, arguments: tuple[str, ...], said: str
) -> None:
    (program.folder / "data" / "imports").mkdir(parents=True)
    program.write_env(DATABASE_URL="sqlite:///data/syncctl.db.csv")
    content = file.read_bytes()
    ended = program.run("import", "walkin", file.name, *arguments)
    assert ended.status == 2
    assert said in ended.stderr
    assert "Step 1" not in ended.stderr
    assert file.read_bytes() == content
    assert [*(program.folder / "data").iterdir()] == [program.folder / "data" / "imports"]


@pytest.mark.slow
def test_without_xlsxwriter_a_csv_works_and_a_workbook_says_what_to_install(
    program: Program, file: Path
) -> None:
    hidden = "import sys; sys.modules['xlsxwriter'] = None; from syncctl.cli.main import main; main()"
    program_without = WithoutXlsxWriter(program.folder, hidden)
    ended = program_without.run("import", "walkin", file.name, "--preview", "p.xlsx")
    assert ended.status == 2
    assert "-m pip install XlsxWriter" in ended.stderr
    assert "Step 1" not in ended.stderr
    assert program_without.run("import", "walkin", file.name, "--preview", "p.csv").status == 0


class WithoutXlsxWriter(Program):
    """The program where XlsxWriter is not installed."""

    def __init__(self, folder: Path, code: str) -> None:
        super().__init__(folder)
        self._code = code

    @property
    def command(self) -> list[str]:
        return [AFRESH[0], "-c", self._code]


def test_only_what_was_previewed_is_imported_else_65(program: Program, file: Path) -> None:
    shown = str(previewed(program, file.name)["preview_hash"])
    refused = program.run("import", "walkin", file.name, "--only-if", "0" * 16)
    assert (refused.status, refused.stdout) == (65, "")
    assert f"Its preview is now {shown}" in refused.stderr
    assert count(program, "SELECT count(*) FROM leads") == 0
    assert count(program, "SELECT count(*) FROM syncrejects") == 0
    assert count(program, "SELECT count(*) FROM synclogs") == 0
    assert count(program, "SELECT count(*) FROM syncruns") == 0
    done = program.run("import", "walkin", file.name, "--only-if", shown)
    assert done.status == 0
    assert "57 added, 2 merged, 3 rejected" in done.stderr
    assert program.run("import", "walkin", file.name, "--only-if", shown).status == 65


def test_of_files_that_all_failed_nothing_is_there_to_be_imported(program: Program) -> None:
    (program.folder / "walkin_sg_calicut.csv").write_text("nothing,of,use\n")
    ended = program.run("import", "walkin", "walkin_sg_calicut.csv", "-n")
    assert ended.status == 65
    assert "--only-if" not in ended.output


@pytest.mark.slow
def test_a_reader_that_goes_does_not_hide_that_a_file_failed(program: Program) -> None:
    program.environment["PYTHONUNBUFFERED"] = "1"
    (program.folder / "walkin_sg_calicut.csv").write_text("nothing,of,use\n")
    for arguments in (("-n",), ("--json",)):
        reader, writer = os.pipe()
        os.close(reader)
        command = [*program.command, "import", "walkin", "walkin_sg_calicut.csv", *arguments]
        ended = subprocess.run(
            command,
            cwd=program.folder,
            env=program.environment,
            stdout=writer,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        os.close(writer)
        assert ended.returncode == 65


@pytest.mark.slow
def test_on_a_terminal_the_first_changes_are_shown_and_v_shows_all(program: Program) -> None:
    file = program.folder / "walkin_sg_calicut.csv"
    phones = [f"90000000{number:02}" for number in range(30)]
    write(file, *(row(Contact=phone) for phone in phones))
    assert program.run("import", "walkin", file.name).status == 0
    with closing(SqliteApp(str(program.folder / "data" / "syncctl.db"))) as app:
        (lead,) = app.leads(phone=phones[0])
        app.edit(lead["_id"], remarks="mine")
    write(file, *(row(Contact=phone, Remarks="news") for phone in phones))
    shown = program.run_on_terminal("import", "walkin", file.name, "-n", columns=120)
    assert shown.status == 0
    assert "DRY RUN: nothing was written" in shown.stdout
    assert "30 rows: 29 would be changed, 1 already there" in shown.stdout
    assert "remarks: mine stays (a telecaller entered it; the file says news)" in shown.stdout
    assert shown.stdout.count("remarks: just enquiry → news") == 19
    assert "Changes, 20 of 30 fields (-v shows all)" in shown.stdout
    for said in ("saved", "updated", phones[0]):
        assert said not in shown.stdout
    everything = program.run_on_terminal("import", "walkin", file.name, "-n", "-v", columns=120)
    assert everything.stdout.count("remarks: just enquiry → news") == 29


@pytest.mark.slow
def test_the_old_names_for_all_files_preview_too(program: Program) -> None:
    folder = program.folder / "data" / "imports"
    folder.mkdir(parents=True)
    shutil.copy(SAMPLES / "walkin_sg_calicut.xlsx", folder)
    ended = program.run("import:all:walkin", "--preview", "p.csv", "--json")
    shown = json.loads(ended.stdout)
    assert len(shown["preview"]) == 62
    assert program.run("import:all:walkin", "--only-if", shown["preview_hash"]).status == 0
    # Read again, although it is unchanged: only `all` passes over those.
    again = json.loads(program.run("import:all:walkin", "-n", "--json").stdout)
    assert {each["action"] for each in again["preview"]} == {"keep", "merge", "reject"}
    one = json.loads(program.run("import", "walkin", str(folder), "-n", "--json").stdout)
    assert one["preview"] == again["preview"]


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 120])
def test_a_dry_run_of_the_api_says_what_would_be_saved(program: Program, columns: int) -> None:
    shown = program.run_on_terminal("api", "--dry-run", columns=columns).stdout
    assert "DRY RUN: nothing was written" in shown
    assert "Would be added" in shown
    plain = program.run("api", "--dry-run").stderr
    assert " would be added, " in plain
    assert "Total new records that would be saved: " in plain
    for said in (*shown.splitlines(), *plain.splitlines()):
        assert "aved" not in said or "would be saved" in said, said
        assert "pdated" not in said or "would be updated" in said, said
