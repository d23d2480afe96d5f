"""Every `--json` is exactly one object, and what docs/reference/schemas says, in whatever state all is."""

import copy
import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from syncctl.cli.render.documents.results import RESULTS
from syncctl.cli.render.printer import SCHEMA
from syncctl.domain.row_decisions import RowDecision
from syncctl.errors import TemporaryFileError
from syncctl.run_lock import RunLock
from syncctl.sandbox import Sandbox
from syncctl.services.imports.preview import Preview
from syncctl.storage.registry import open_storage
from tests.chaos.in_process import Ended, run, working_in
from tests.contract.samples import lead
from tests.support.duplicates import copy_sets
from tests.support.reference import FOLDER
from tests.support.schemas import ERROR, RELEASED, Schema, breaks, schemas
from tests.support.store_files import row, write

VALIDATORS = {
    name.removesuffix(".json"): Draft202012Validator(
        schema, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    for name, schema in schemas().items()
}

Words = tuple[str, ...]
Named = Mapping[str, Words]
"""Command -> what it is given."""

NOWHERE: Named = {
    **dict.fromkeys(RESULTS, ()),
    "import walkin": ("walkin_sg_calicut.csv",),
    "import lossofsale": ("lossofsale_sg_calicut.csv",),
    "import columns": ("walkin_sg_calicut.csv",),
    "import undo": ("0123abcd",),
    "rejects import": ("rejects.csv",),
    "rejects dismiss": ("0123abcd",),
    "explain": ("9000000401",),
    "cleanup restore": ("backup.jsonl",),
}
"""Where there is nothing that could be named."""

LOCKING = {
    *("api", "stores", "booking", "return", "all", "import walkin", "import lossofsale"),
    *("rejects import", "rejects retry", "cleanup restore"),
}
WITHOUT_DATABASE = {"config", "cron show", "doctor", "import columns"}
"""They have something to print all the same."""

WITHOUT_SETTINGS = {"config", "doctor"}


def one_object(command: str, *arguments: str, called: Words = ()) -> tuple[int, dict[str, Any]]:
    """What a command prints, and how it ends. `called`: by these words instead."""
    ended = run(*(called or command.split()), *arguments, "--json")
    return ended.status, checked(command, ended)


def checked(command: str, ended: Ended) -> dict[str, Any]:
    assert ended.stdout.count("\n") == 1, ended
    found: dict[str, Any] = json.loads(ended.stdout)
    validator = VALIDATORS[command.replace(" ", "-") if command in RESULTS else ERROR]
    assert [error.message for error in validator.iter_errors(found)] == [], found
    assert list(found)[:1] == ["command"]
    assert found["schema"] == SCHEMA
    assert found["ok"] == (ended.status == 0), (command, ended)
    if error := found.get("error"):
        assert error["exit_code"] == ended.status
        assert error["message"] in ended.stderr
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A working folder whose API answers nothing, and whose database is new."""
    with working_in(tmp_path, API_BASE_URL="http://127.0.0.1:9"):
        yield tmp_path


@pytest.fixture
def synced(tmp_path: Path) -> Iterator[Named]:
    """A working folder with leads, rejects, duplicates and a history."""
    file = write(tmp_path / "walkin_sg_calicut.csv", row(), row(Contact="12"), row(Contact="9000000401"))
    with (
        Sandbox(locations=2, bookings=8) as sandbox,
        working_in(tmp_path, API_BASE_URL=sandbox.base_url, API_RUN_DEADLINE_S=120),
    ):
        assert run("api").status == 0
        run_id = one_object("import walkin", file.name)[1]["run_id"]
        run("rejects", "export", "rejects.csv")
        with_database(tmp_path)
        reject = one_object("rejects list")[1]["rejects"][0]
        yield {
            **NOWHERE,
            "import undo": (run_id,),
            "rejects dismiss": (reject["id"],),
            "history": (run_id,),
        }


def with_database(folder: Path) -> None:
    """Put leads there as the old system left them: copies, and a store that is misspelt."""
    database = open_storage(f"sqlite:///{folder}/data/syncctl.db")
    misspelt = lead(700, phone="9000000700", bookingNo="700", store="SG Calicut")
    database.store_leads([*(each for made in copy_sets(9) for each in made.copies), misspelt], [])
    database.close()


def test_every_command_with_json_has_a_schema() -> None:
    with_json = {
        section.splitlines()[0]
        for section in (FOLDER / "commands.md").read_text("utf-8").split("\n## syncctl ")[1:]
        if "`--json`" in section
    }
    assert with_json == set(RESULTS)
    files = {file.name for file in (FOLDER / "schemas").iterdir()}
    assert files == {*schemas()}
    for name in ("status.json", "cron-show.json", "error.json"):  # one is made as the other
        Draft202012Validator.check_schema(schemas()[name])


def test_a_schema_refuses_what_it_does_not_know() -> None:
    known = {"command": "config", "ok": True, "schema": SCHEMA, "settings": []}
    assert VALIDATORS["config"].is_valid(known)
    others: list[Schema] = [
        {"more": 1},
        {"settings": [{}]},
        {"schema": "1"},
        {"command": "status"},
        {"ok": 1},
    ]
    for other in others:
        assert not VALIDATORS["config"].is_valid({**known, **other})
    moment = {"at": "2026-03-11 08:00"}
    assert not Draft202012Validator(schemas()["explain.json"]["$defs"]["EventDocument"]).is_valid(
        {**moment, "what": ""}
    )


def test_where_there_is_nothing_yet(folder: Path) -> None:
    for command, arguments in NOWHERE.items():
        one_object(command, *arguments)
    assert one_object("history")[1]["runs"] != []  # runs of an API that can't be reached


def test_where_all_is_well(synced: Named) -> None:
    for command, arguments in synced.items():
        one_object(command, *arguments)
    for command in ("api", "import walkin", "status", "history", "explain", "rejects list", "config"):
        assert one_object(command, *synced[command])[0] == 0, command


def test_what_else_commands_print(synced: Named, tmp_path: Path) -> None:
    file = synced["import columns"][0]
    preview = one_object("import walkin", file, "--dry-run")[1]
    assert {each["action"] for each in preview["preview"]} >= {"keep", "reject"}
    one_object("api", "--dry-run", "--full", called=("sync:api",))
    one_object("verify source", "--repair")
    one_object("verify sync", called=("verify:sync",))
    one_object("import walkin", file, called=("import:walkin",))
    one_object("import lossofsale", called=("import:all:lossofsale",))
    one_object("cron show", "--systemd")
    one_object("doctor", "--evidence", "evidence.json")
    one_object("rejects retry", "--dry-run")
    one_object("history")
    correct_a_reject(tmp_path / "rejects.csv")
    assert one_object("rejects import", "rejects.csv")[1]["fixed"] == 1
    one_object("history")
    undone = one_object("import undo", *synced["import undo"], "--apply")[1]
    assert undone["applied"]
    assert one_object("history", *synced["history"])[1]["run"]["undone_at"]
    for command in ("cleanup stores", "cleanup duplicates", "cleanup finished"):
        done = one_object(command, "--apply")[1]
        assert done["applied"]
        if done["backup"]:
            one_object("cleanup restore", done["backup"])


def correct_a_reject(sheet: Path) -> None:
    header, *lines = csv.reader(sheet.read_text("utf-8-sig").splitlines())
    contact = header.index("Contact")
    (line,) = [line for line in lines if line[contact] == "12"]
    line[contact] = "9000000402"
    with sheet.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([header, *lines])


def test_where_the_api_fails(synced: Named, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_BASE_URL", "http://127.0.0.1:9")
    for command in ("api", "booking", "return", "stores", "all", "verify source", "status", "doctor"):
        status, found = one_object(command)
        assert status == 1, command
        assert "error" not in found
    one_object("verify sync")
    one_object("explain", *synced["explain"], "--fetch")


def test_where_a_run_holds_the_lock(synced: Named, tmp_path: Path) -> None:
    with RunLock(tmp_path / "data" / "syncctl.lock").hold(0):
        for command, arguments in synced.items():
            status, found = one_object(command, *arguments)
            assert (status == 75) == (command in LOCKING), command
            assert ("error" in found) == (status == 75)


def test_where_the_database_cannot_be_reached(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder / "walkin_sg_calicut.csv", row())
    monkeypatch.setenv("DATABASE_URL", "sqlite:////proc/no/such.db")
    for command, arguments in NOWHERE.items():
        status, found = one_object(command, *arguments)
        if command not in WITHOUT_DATABASE and "error" in found:
            assert status in (2, 65, 69), command
    assert one_object("api")[0] == 69
    assert one_object("status")[0] == 1  # FAILING, and says why
    monkeypatch.setenv("DATABASE_URL", "mongodb://127.0.0.1:9/leads?serverSelectionTimeoutMS=50")
    for command in ("rejects list", "history", "cleanup stores"):
        assert one_object(command)[0] == 69


def test_where_a_setting_is_wrong(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TIMEOUT_S", "soon")
    for command, arguments in NOWHERE.items():
        status, found = one_object(command, *arguments)
        assert ("error" in found) == (command not in WITHOUT_SETTINGS), command
        if "error" in found:
            assert status == 78
            assert "API_TIMEOUT_S" in found["error"]["message"]


def test_where_the_command_line_is_wrong(folder: Path) -> None:
    for command in (*RESULTS, "nothing", "--nothing"):
        status, found = one_object(command, "--no-such-option")
        assert (status, found["ok"]) == (2, False)
        assert found["command"] == (command if command in RESULTS else "syncctl")
    own = one_object("api", "--to", "2026-01-01")[1]
    assert "--from" in own["error"]["message"]
    assert one_object("verify data", "--no-such-option", called=("verify:data",))[0] == 2
    assert one_object("import undo")[1]["command"] == "import undo"  # without its argument
    assert run("config", "--no-such-option", "--", "--json").stdout == ""


def test_a_defect(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("9000000401 by nothing")

    monkeypatch.setattr("syncctl.settings.settings.inspect_settings", fail)
    for more in ((), ("-v",)):
        status, found = one_object("config", *more)
        assert status == 1
        assert found["error"]["message"] == "Unexpected ZeroDivisionError: 90xxxxxx01 by nothing"
        assert found["error"]["hint"].startswith("This is a bug in syncctl")


def test_rows_that_cannot_be_read_to_their_end(synced: Named, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Preview.__iter__

    def broken(preview: Preview) -> Iterator[RowDecision]:
        yield next(whole(preview))
        raise TemporaryFileError("The folder for temporary files is full.")

    monkeypatch.setattr(Preview, "__iter__", broken)
    status, found = one_object("import walkin", *synced["import walkin"], "--dry-run")
    assert (status, len(found["preview"])) == (1, 1)
    assert found["error"]["message"] == "The folder for temporary files is full."


def test_the_person_says_no(synced: Named, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncctl.cli.terminal.asking.can_ask", lambda: True)
    monkeypatch.setattr("sys.stdin.readline", lambda: "n\n")
    for command, more in (("rejects dismiss", ()), ("import undo", ("--apply",))):
        status, found = one_object(command, *synced[command], *more)
        assert (status, found["error"]["message"]) == (1, "Nothing was changed.")
    monkeypatch.setattr("sys.stdin.readline", lambda: "y\n")
    for is_left in (True, False):
        undone = one_object("import undo", *synced["import undo"], "--apply")[1]
        assert bool(undone["undone"]) == is_left


def test_what_readers_of_the_last_release_know_is_still_there() -> None:
    """After a release: `python -m tests.support.schemas`. A form of which this does not hold needs another
    number, SCHEMA."""
    released: dict[str, Schema] = json.loads(RELEASED.read_text("utf-8"))
    now = schemas()
    number = released["error.json"]["$defs"]["FailedDocument"]["properties"]["schema"]["const"]
    assert number <= SCHEMA
    if number == SCHEMA:
        assert {name: found for name in released if (found := breaks(released[name], now[name]))} == {}


def test_what_would_break_a_reader_is_found() -> None:
    before = schemas()["status.json"]
    status = before["$defs"]["StatusDocument"]

    def found(*path: str, value: Any = None) -> list[str]:
        after = copy.deepcopy(before)
        *inner, last = path
        place = after["$defs"]
        for name in inner:
            place = place[name]
        if value is None:
            del place[last]
        else:
            place[last] = value
        return breaks(before, after)

    assert found("StatusDocument", "properties", "doubts") == ["StatusDocument.doubts is gone"]
    assert found("StatusDocument", "properties", "ok", value={"type": "string"}) != []
    assert found("StatusDocument", "properties", "leads", value={"type": "integer"}) == []
    assert found("LockDocument", "properties", "held", value={"anyOf": [{"type": "boolean"}, {}]}) != []
    assert found("LockDocument", "required", value=["held"]) != []
    assert found("StatusDocument", "properties", value={**status["properties"], "new": {}}) == []
    assert found("StatusDocument", "properties", "leads_per_day", value={"type": "object"}) == []
    assert breaks({**before, "oneOf": before["oneOf"]}, {**before, "oneOf": before["oneOf"][1:]}) != []
