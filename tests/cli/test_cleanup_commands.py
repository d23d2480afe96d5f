"""`cleanup` as a person and a script meet it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from syncctl.ports.admin import Database
from syncctl.run_lock import RunLock
from syncctl.storage.registry import open_storage
from tests.contract.samples import lead, text_id
from tests.support.duplicates import CopySet, copy_sets
from tests.support.process_cost import measured
from tests.support.program import Ended, Program

SETS = 18
EXTRA = 29
CONFLICTS = 3


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@contextmanager
def database_of(program: Program, url: str = "") -> Iterator[Database]:
    database = open_storage(url or f"sqlite:///{program.folder}/data/syncctl.db")
    try:
        database.prepare()
        yield database
    finally:
        database.close()


@pytest.fixture
def sets(program: Program) -> list[CopySet]:
    sets = list(copy_sets(SETS))
    with database_of(program) as database:
        database.store_leads([copy for made in sets for copy in made.copies], [])
    return sets


def present(program: Program, sets: list[CopySet]) -> set[str]:
    with database_of(program) as database:
        return database.present_leads([copy["_id"] for made in sets for copy in made.copies])


def json_of(ended: Ended) -> dict[str, Any]:
    (line,) = ended.stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.mark.parametrize(
    "arguments",
    [("duplicates",), ("duplicates", "--apply"), ("stores",), ("finished",), ("finished", "--apply")],
)
def test_on_an_empty_database(program: Program, arguments: tuple[str, ...]) -> None:
    ended = program.run("cleanup", *arguments)
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout in (
        "There are no leads yet: `syncctl api` brings them.\n",
        "No misspelt store names.\n",
        "No finished or deleted lead is still among the leads.\n",
    )
    assert not (program.folder / "data" / "backups").exists()
    assert (program.folder / "data").exists() == ("--apply" in arguments)


@pytest.mark.slow
def test_the_plan_changes_nothing_and_shows_no_number(program: Program, sets: list[CopySet]) -> None:
    for shown in (
        program.run("cleanup", "duplicates"),
        program.run("cleanup:duplicates"),
        *(program.run_on_terminal("cleanup", "duplicates", columns=width) for width in (60, 80, 200)),
    ):
        assert shown.status == 0
        assert "--apply` deletes 29 leads" in " ".join(shown.output.split())
        assert "90xxxxxx00" in shown.output
        for made in sets:
            assert made.copies[0]["phone"] not in shown.output
            assert made.kept or all(copy["_id"] in shown.output for copy in made.copies)
    assert len(present(program, sets)) == sum(len(made.copies) for made in sets)
    assert not (program.folder / "data" / "backups").exists()


def test_in_a_pipe_each_line_is_one_thing(program: Program, sets: list[CopySet]) -> None:
    ended = program.run("cleanup", "duplicates")
    lines = [line.split("\t") for line in ended.stdout.splitlines()]
    assert lines[:3] == [
        ["bookings", "9 sets", "13 to delete", "0 conflicts"],
        ["walk-ins", "4 sets", "9 to delete", "1 conflict"],
        ["returns", "5 sets", "7 to delete", "2 conflicts"],
    ]
    of_sets = [line for line in lines[3:] if line[0] != "conflict"]
    conflicts = lines[3 + len(of_sets) :]
    assert [line[0] for line in of_sets].count("keep") == SETS - CONFLICTS
    assert [line[0] for line in of_sets].count("delete") == EXTRA
    assert [line[0] for line in conflicts] == ["conflict"] * len(conflicts)
    assert [
        *("keep", "booking 2025000000000 90xxxxxx00", "679de26fd8f16adf91b7584a", "2025-03-05T08:59:27Z"),
        *("callStatus=Connected, leadStatus=Confirmed", "worked on"),
    ] == of_sets[0]
    assert [
        "conflict",
        "return 2025000000005 90xxxxxx05",
        "679de39b552b82f6be3edc0a",
        "2025-03-28T08:59:27Z",
        "callStatus=Connected, leadStatus=Confirmed",
    ] in conflicts


@pytest.mark.slow
def test_a_lead_that_is_kept_under_no_store_is_named_with_the_store_of_its_copy(program: Program) -> None:
    walk_in = {
        "leadType": "general",
        "source": "Walk-in",
        "bookingNo": "",
        "phone": "9000000001",
        "name": "A",
    }
    default = {**walk_in, "store": "Default Store", "callStatus": "Busy"}
    with database_of(program) as database:
        database.store_leads([lead(1, **walk_in), lead(2, **default)], [])
    assert program.run("verify", "data").status == 1
    line = f"store to set\t{text_id(2)}\tSuitor Guy - Calicut"
    piped = program.run("cleanup", "duplicates")
    assert line in piped.stdout.splitlines()
    assert [line.split("\t")[0] for line in piped.stdout.splitlines()[1:]] == [
        "keep",
        "delete",
        "store to set",
    ]
    assert "import the store's files again" in piped.stderr
    for columns in (60, 80, 200):
        shown = program.run_on_terminal("cleanup", "duplicates", columns=columns)
        assert text_id(2) in shown.stdout
        assert "Suitor Guy - Calicut" in " ".join(shown.stdout.split())
    as_json = json_of(program.run("cleanup", "duplicates", "--json"))
    assert as_json["stores_to_set"] == [{"id": text_id(2), "store": "Suitor Guy - Calicut"}]
    applied = program.run("cleanup", "duplicates", "--apply")
    assert line in applied.stdout.splitlines()
    assert program.run("cleanup", "duplicates").stdout.startswith("No duplicates")


def test_json_of_plan_apply_and_restore_is_one_object(program: Program, sets: list[CopySet]) -> None:
    plan = json_of(program.run("cleanup", "duplicates", "--json"))
    assert (plan["sets"], plan["to_delete"], plan["applied"], plan["ok"]) == (SETS, EXTRA, False, True)
    assert len(plan["conflicts"]) == CONFLICTS
    assert plan["by_type"]["general"] == {"sets": 4, "to_delete": 9, "conflicts": 1}
    done = json_of(program.run("cleanup", "duplicates", "--json", "--apply"))
    assert {name: done[name] for name in ("applied", "to_delete", "deleted", "left")} == {
        "applied": True,
        "to_delete": EXTRA,
        "deleted": EXTRA,
        "left": [],
    }
    assert done["remaining"]["sets"] == CONFLICTS
    assert done["restore"] == f"syncctl cleanup restore {done['backup']}"
    assert len(present(program, sets)) == sum(len(made.copies) for made in sets) - EXTRA
    assert plan["decisions"] == done["decisions"]
    assert len(plan["decisions"]) == SETS - CONFLICTS
    first, *_ = plan["decisions"]
    assert [copy["id"] for copy in first["copies"]] == [first["kept"], *first["deleted"]]
    assert first["copies"][0]["values"] == {"callStatus": "Connected", "leadStatus": "Confirmed"}
    restored = json_of(program.run("cleanup", "restore", done["backup"], "--json"))
    assert restored == {
        "command": "cleanup restore",
        "ok": True,
        "schema": 1,
        "kind": "duplicates",
        "restored": EXTRA,
        "same": 0,
        "different": [],
    }
    (note,) = Path(done["backup"]).parent.glob("restored-*")  # for `explain`
    assert len(note.read_text().splitlines()) == EXTRA + 2
    assert len(present(program, sets)) == sum(len(made.copies) for made in sets)


def test_on_a_terminal_it_shows_every_set_and_asks_once(program: Program, sets: list[CopySet]) -> None:
    everything = present(program, sets)
    for typed in ("n\n", "\n", "\x04"):
        ended = program.run_on_terminal("cleanup", "duplicates", "--apply", typed=typed)
        assert ended.status == 1
        assert "Nothing was changed." in ended.stdout
        assert present(program, sets) == everything
    for made in sets:
        for copy in made.copies:
            assert copy["_id"] in ended.stdout
    assert ended.stdout.count("Delete 29 leads? [y/N]") == 1
    assert "9000000001" not in ended.stdout
    ended = program.run_on_terminal(
        "cleanup", "duplicates", "--apply", typed="y\n", PAGER="tail -n 2", LINES="20"
    )
    assert ended.status == 0
    (backup,) = (program.folder / "data" / "backups").iterdir()
    paged, _, rest = ended.stdout.partition("Delete 29 leads? [y/N]")
    assert len(paged.splitlines()) == 3
    assert "Deleted 29 leads." in rest
    assert f"To undo: syncctl cleanup restore {backup}" in " ".join(rest.split())
    assert len(present(program, sets)) == len(everything) - EXTRA
    shown = program.run_on_terminal("cleanup", "restore", str(backup), typed="n\n")
    assert "Backup of `cleanup duplicates`: 29 leads would be put back." in shown.stdout
    assert (shown.status, len(present(program, sets))) == (1, len(everything) - EXTRA)
    for arguments in (["--yes"], []):  # the second finds nothing to ask about
        shown = program.run_on_terminal("cleanup", "restore", str(backup), *arguments)
        assert "[y/N]" not in shown.stdout
        assert (shown.status, present(program, sets)) == (0, everything)
    with database_of(program) as database:
        database.delete_unchanged(database.snapshots(sorted(everything)))
    assert program.run_on_terminal("cleanup", "restore", str(backup)).status == 1


def test_yes_without_apply_is_refused(program: Program) -> None:
    for arguments in (["cleanup", "duplicates"], ["cleanup", "stores"], ["cleanup", "finished"]):
        ended = program.run(*arguments, "--yes")
        assert (ended.status, ended.stdout) == (2, "")
        assert "--yes goes with --apply" in ended.stderr


def test_a_conflict_decided_by_a_person(program: Program, sets: list[CopySet]) -> None:
    conflict = next(made for made in sets if not made.kept)
    chosen = conflict.copies[-1]["_id"]
    plan = program.run("cleanup", "duplicates", "--keep", chosen)
    assert f"`syncctl cleanup duplicates --apply --keep {chosen}` deletes" in plan.stderr
    ended = program.run("cleanup", "duplicates", "--apply", "--keep", chosen)
    assert ended.status == 0
    assert "2 sets are left for you to decide" in ended.stderr
    assert present(program, [conflict]) == {chosen}
    again = program.run("cleanup", "duplicates", "--keep", chosen)
    assert (again.status, again.stdout) == (2, "")
    assert chosen in again.stderr


def test_what_leads_hold_is_shown_harmlessly(program: Program) -> None:
    copies = [
        lead(n, phone="9000000001", bookingNo="7", leadType="[bold]x", callStatus="Busy", remarks=remarks)
        for n, remarks in ((1, "call 9876543210\x1b[31m\nnow [red]"), (2, "y" * 5000), (3, ""))
    ]
    with database_of(program) as database:
        database.store_leads(copies, [])
    piped = program.run("cleanup", "duplicates")
    assert "98xxxxxx10" in piped.stdout
    assert len(piped.stdout.splitlines()) == 4
    for shown in (piped, program.run_on_terminal("cleanup", "duplicates", columns=300)):
        assert "9876543210" not in shown.stdout
        assert "\x1b[31m" not in shown.stdout
        assert "[red]" in shown.stdout
        assert "[bold]x" in shown.stdout
        assert "y" * 100 not in shown.stdout
    assert program.run("cleanup", "duplicates", "--json").stdout.count("y" * 5000) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [("duplicates", "--apply"), ("stores", "--apply"), ("finished", "--apply"), ("restore", "backup.jsonl")],
)
def test_while_another_run_is_under_way_nothing_is_done(program: Program, arguments: tuple[str, ...]) -> None:
    with RunLock(program.folder / "data" / "syncctl.lock").hold():
        ended = program.run("cleanup", *arguments)
        assert ended.status == 75
        assert "--wait" in ended.stderr
        assert program.run("cleanup", "duplicates").status == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("rejects retry", "The rejects list is empty.\n"),
        ("rejects retry --kind return", "No reject matches: `syncctl rejects list` shows all there are.\n"),
        ("cleanup stores --apply", "No misspelt store names.\n"),
    ],
)
def test_where_there_is_nothing_to_do_no_database_is_made(
    program: Program, arguments: str, said: str
) -> None:
    ended = program.run(*arguments.split())
    assert (ended.status, ended.stdout, ended.stderr) == (0, said, "")
    assert not list(program.folder.glob("**/*.db"))


def test_restore_tells_what_it_leaves_alone(program: Program, sets: list[CopySet]) -> None:
    done = json_of(program.run("cleanup", "duplicates", "--json", "--apply"))
    program.run("cleanup", "restore", done["backup"])
    changed = done["examples"][0]["deleted"][0]
    with database_of(program) as database:
        document = database.leads([changed])[changed]
        (snapshot,) = database.snapshots([changed])
        database.delete_unchanged([snapshot])
        database.store_leads([{**document, "remarks": "something else"}], [])
    ended = program.run("cleanup", "restore", Path(done["backup"]).name)
    assert ended.status == 1
    assert ended.stdout == "Put back 0 leads.\n28 leads are as in the backup already.\n"
    assert changed in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("content", [None, b"", b"garbage\n", b"\x00\xff" * 100])
def test_a_file_that_is_no_backup_is_status_65(program: Program, content: bytes | None) -> None:
    file = program.folder / "file.jsonl"
    if content is not None:
        file.write_bytes(content)
    ended = program.run("cleanup", "restore", str(file))
    assert (ended.status, ended.stdout) == (65, "")
    assert "file.jsonl" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_backup_that_cannot_be_written_is_one_line(program: Program, sets: list[CopySet]) -> None:
    (program.folder / "data" / "backups").write_text("a file", encoding="utf-8")
    ended = program.run("cleanup", "duplicates", "--apply")
    assert (ended.status, ended.stdout) == (78, "")
    assert "nothing was changed" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert len(present(program, sets)) == sum(len(made.copies) for made in sets)


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [("duplicates",), ("duplicates", "--apply"), ("stores", "--json"), ("finished",)]
)
def test_an_unreachable_database_is_status_69(program: Program, arguments: tuple[str, ...]) -> None:
    ended = program.run(
        "cleanup", *arguments, DATABASE_URL="mongodb://127.0.0.1:9/x?serverSelectionTimeoutMS=100"
    )
    assert ended.status == 69
    assert "can't be reached" in ended.stderr
    if "--json" in arguments:
        assert json_of(ended)["error"]["exit_code"] == 69
    else:
        assert ended.stdout == ""


def test_stores_from_plan_to_restore(program: Program) -> None:
    stores = ("Zurocci - Edappally", "Default Store", "Suitor Guy - Calicut")
    with database_of(program) as database:
        database.store_leads([lead(n, store=store) for n, store in enumerate(stores)], [])
    plan = program.run("cleanup", "stores")
    assert plan.stdout.splitlines() == [
        "rename\tZurocci - Edappally\tZorucci - Edappally\t1 lead",
        "unknown\tDefault Store\t1 lead",
    ]
    assert "Nothing was changed." in plan.stderr
    assert "Default Store: import their files again" in plan.stderr
    shown = program.run_on_terminal("cleanup", "stores", columns=60).stdout
    assert "Becomes" in shown
    assert "Default Store: import their files again" in " ".join(shown.split())
    done = json_of(program.run("cleanup", "stores", "--apply", "--json"))
    assert (done["renamed"], done["left"]) == (1, [])
    with database_of(program) as database:
        assert database.leads([text_id(0)])[text_id(0)]["store"] == "Zorucci - Edappally"
    assert program.run("cleanup", "restore", done["backup"]).status == 0
    assert json_of(program.run("cleanup", "stores", "--json"))["to_rename"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "mongo"])
def test_ten_thousand_extra_copies_among_45_000_leads(
    program: Program, kind: str, request: pytest.FixtureRequest
) -> None:
    url = str(request.getfixturevalue("mongo_url")) if kind == "mongo" else ""
    made = chain((copy for one in copy_sets(5_000) for copy in one.copies), map(lead, range(10**6, 10**7)))
    with database_of(program, url) as database:
        for _ in range(45):
            database.store_leads([next(made) for _ in range(1000)], [])
    environment = {"DATABASE_URL": url} if url else {}
    plan, _, plan_mb = measured(program, environment, "duplicates", "--json")
    assert plan["to_delete"] + sum(len(conflict["copies"]) - 1 for conflict in plan["conflicts"]) > 10_000
    done, apply_s, apply_mb = measured(program, environment, "duplicates", "--json", "--apply")
    assert done["deleted"] == plan["to_delete"] > 8_000
    assert done["remaining"]["sets"] == len(plan["conflicts"]) == 833
    assert apply_s < 10
    assert max(plan_mb, apply_mb) < 90
    restored, _, _ = measured(program, environment, "restore", done["backup"], "--json")
    assert restored["restored"] == done["deleted"]
