"""`verify sync` and `verify data` as a person and a monitor run them."""

import json
import re
from contextlib import closing
from pathlib import Path

import pytest

from syncctl.storage.registry import open_storage
from tests.contract.samples import lead, phone, text_id
from tests.support.program import Program

UNREACHABLE = "mongodb://u:pass-word@127.0.0.1:9/leads?serverSelectionTimeoutMS=200"


@pytest.fixture
def program(program: Program) -> Program:
    """Where no crontab(1) is found: what is in that of whoever runs the tests must not decide."""
    program.environment["PATH"] = str(program.folder)
    return program


def put(program: Program, *leads: dict[str, object]) -> None:
    with closing(open_storage(f"sqlite:///{program.folder / 'data' / 'syncctl.db'}")) as database:
        database.prepare()
        database.store_leads(leads, [])


@pytest.mark.slow
def test_after_a_run_nothing_is_wrong_by_any_name_of_the_commands(program: Program) -> None:
    assert program.run("api").status == 0
    ended = program.run("verify", "sync", "--json")
    assert ended.status == 0, ended.output
    report = json.loads(ended.stdout)
    assert list(report) == ["command", "ok", "schema", "checks"]
    assert (report["command"], report["ok"]) == ("verify sync", True)
    found = {check["name"]: check["result"] for check in report["checks"]}
    assert found["Database"] == found["Last success: bookings"] == found["Watermarks: returns"] == "ok"
    ended = program.run("verify", "data", "--json")
    assert ended.status == 0, ended.output
    report = json.loads(ended.stdout)
    assert list(report) == ["command", "ok", "schema", "checks", "tallies", "took_s"]
    assert (report["command"], report["ok"]) == ("verify data", True)
    assert sum(report["tallies"]["Leads by type"].values()) > 0
    assert len([check for check in report["checks"] if check["name"] == "Newest lead"]) == 3
    assert program.run("verify:sync").stdout.startswith("ok\tDatabase: ")
    assert program.run("verify:data").stdout.startswith("ok\tLeads: ")


def test_verify_sync_checks_the_rest_when_the_database_is_unreachable(program: Program) -> None:
    ended = program.run("verify", "sync", DATABASE_URL=UNREACHABLE, API_TOKEN="hush-hush")
    assert ended.status == 1
    lines = ended.stdout.splitlines()
    assert lines[0].startswith("FAILED\tDatabase: ")
    assert any(line.startswith("ok\tLock: ") for line in lines)
    assert "with the key of API_TOKEN" in ended.stdout
    assert ended.stderr == ""
    for secret in ("pass-word", "hush-hush"):
        assert secret not in ended.stdout


def test_verify_sync_ends_with_1_when_the_last_run_failed(program: Program) -> None:
    program.run("api", "-q")
    program.run("booking", API_BASE_URL="http://127.0.0.1:9", API_MAX_TRIES="1")
    ended = program.run("verify", "sync")
    assert ended.status == 1
    (wrong,) = [line for line in ended.stdout.splitlines() if line.startswith("FAILED")]
    assert "Last success: bookings" in wrong
    assert "->" in wrong


def test_verify_sync_ends_with_1_while_there_are_duplicates(program: Program) -> None:
    program.run("api", "-q")
    assert program.run("verify", "sync").status == 0
    put(program, lead(1), lead(1, _id=text_id(2)))
    ended = program.run("verify", "sync")
    assert ended.status == 1
    (wrong,) = [line for line in ended.stdout.splitlines() if line.startswith("FAILED")]
    assert wrong.startswith("FAILED\tDuplicates: 1 set")
    assert "syncctl cleanup duplicates" in wrong


def test_verify_data_names_what_is_wrong_and_hides_numbers(program: Program) -> None:
    put(program, lead(1), lead(1, _id=text_id(2)), lead(3, name=phone(3), store="[red]Zurocci - Edappally"))
    ended = program.run("verify", "data")
    assert ended.status == 1
    assert any(line.startswith("FAILED\tDuplicates") for line in ended.stdout.splitlines())
    assert "Leads by store\tSuitor Guy - Calicut\t2" in ended.stdout
    for number in (1, 3):
        assert phone(number) not in ended.output


def test_a_terminal_of_any_width_shows_bars_and_whole_words(program: Program) -> None:
    put(program, lead(1), lead(2, store="[red]Default\x1b Store"))
    for columns in (60, 200):
        ended = program.run_on_terminal("verify", "data", columns=columns)
        assert "█" in ended.stdout
        assert "[red]Default" in ended.stdout
        assert all(len(line) <= columns for line in _plain(ended.stdout).splitlines())
        assert "all right" in ended.stdout


def _plain(shown: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)


def test_verify_data_of_an_unreachable_database_ends_with_69(program: Program) -> None:
    ended = program.run("verify", "data", DATABASE_URL=UNREACHABLE)
    assert (ended.status, ended.stdout) == (69, "")
    assert "pass-word" not in ended.stderr


def test_looking_makes_nothing(tmp_path: Path) -> None:
    program = Program(tmp_path)
    looks = (("verify", "sync"), ("verify", "data"), ("status",), ("history",), ("rejects", "list"))
    for words in (*looks, ("explain", "9000000001"), ("cleanup", "duplicates")):
        program.run(*words)
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_status_shows_the_duplicates_that_a_check_has_counted(program: Program) -> None:
    def shown() -> str:
        lines = program.run("status").stdout.splitlines()
        return next(line for line in lines if line.startswith("duplicates\t"))

    assert shown() == "duplicates\tnot counted yet: `syncctl verify data` counts them"
    put(program, lead(1), lead(1, _id=text_id(2)))
    program.run("verify", "data")
    counted = r"duplicates\t1 set, 1 copy too many, counted [0-9-]+T[0-9:]+Z by `syncctl verify data`"
    assert re.fullmatch(counted, shown())  # UTC, as in every pipe
    program.run("cleanup", "duplicates", "--apply")
    assert shown().startswith("duplicates\tnone, counted ")
    assert shown().endswith("by `syncctl cleanup duplicates`")
