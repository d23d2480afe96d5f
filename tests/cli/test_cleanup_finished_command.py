"""`cleanup finished` as a person and a script meet it."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import typer

from syncctl.cli.render.cleanup_finished import finished_cleaned
from syncctl.cli.render.cleanup_output import Output
from syncctl.cli.render.clock import Clock
from syncctl.ports.admin import Database
from syncctl.safe_output.redact import Redactor
from syncctl.services.cleanup.finished.cleaning import FinishedCleaned
from syncctl.services.cleanup.finished.plan import FinishedPlan
from syncctl.storage.registry import open_storage
from tests.contract.samples import lead, text_id
from tests.support.brought_back import add_telecaller, app_report, brought_back, known
from tests.support.process_cost import measured
from tests.support.program import Ended, Program
from tests.support.webapp import Lead, SqliteApp, open_app

BOOKED = datetime(2026, 2, 1, 8, 59, 27, tzinfo=UTC)
DAY = datetime(2026, 1, 3, tzinfo=UTC)
CLOCK = Clock(UTC, DAY)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@contextmanager
def database_of(program: Program, url: str = "") -> Iterator[Database]:
    with closing(open_storage(url or f"sqlite:///{program.folder}/data/syncctl.db")) as database:
        database.prepare()
        yield database


def booking(number: int, **changes: Any) -> Lead:
    at = BOOKED + timedelta(minutes=number)
    return lead(number, **{"createdAt": at, "updatedAt": at, **changes})


def visit(number: int, **changes: Any) -> Lead:
    fields = {"leadType": "general", "createdAt": DAY, "updatedAt": DAY, "enquiryDate": DAY, **changes}
    return {name: value for name, value in booking(number, **fields).items() if name != "bookingNo"}


@pytest.fixture
def ids(program: Program) -> dict[str, str]:
    """Leads and reports: one that is finished, one that came back, and one that a report fits in part; by
    what they are."""
    back = brought_back(booking(2), Random(1))  # noqa: S311 - no secret
    with database_of(program) as database:
        leads = [booking(1), back, visit(3), booking(4)]
        database.store_leads(leads, [known(booking(number)) for number in (1, 2, 4)])
        with closing(SqliteApp(str(program.folder / "data" / "syncctl.db"))) as app:
            add_telecaller(app, "Made Up")
            report = app.add_report(app_report(booking(1), phone="9444444444"))
            beside = app.add_report(app_report(visit(3), name="Somebody [bold]Else\x1b[31m"))
    return {
        "finished": text_id(1),
        "back": back["_id"],
        "listed": text_id(3),
        "report": report,
        "beside": beside,
    }


def present(program: Program) -> set[str]:
    with database_of(program) as database:
        return {each["_id"] for each in database.scan_leads(())}


def json_of(ended: Ended) -> dict[str, Any]:
    (line,) = ended.stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_in_a_pipe_each_line_is_one_lead(program: Program, ids: dict[str, str]) -> None:
    ended = program.run("cleanup", "finished")
    store = "Suitor Guy - Calicut"
    assert [line.split("\t") for line in ended.stdout.splitlines()] == [
        [
            *("finished", ids["finished"], "booking", "90xxxxxx01", "2025000000001", store),
            *(ids["report"], "2026-03-01T20:30:07Z", "Made Up"),
            "same booking number, name, store, time; different phone",
            f"the report says: booking 2025000000001 · Customer 1 · 94xxxxxx44 · {store} · 2026-02-01",
        ],
        [
            *("came back", ids["back"], "booking", "90xxxxxx02", "2025000000002", store),
            *("-", "-", "-"),
            "deleted by somebody, stored again by another program on 2026-03-06T09:30:00Z",
        ],
        [
            *("listed", ids["listed"], "walk-in", "90xxxxxx03", "-", store),
            *(ids["beside"], "2026-03-01T20:30:07Z", "Made Up"),
            "same phone, store, day; different name",
            f"the report says: walk-in · Somebody [bold]Else\\x1b[31m · 90xxxxxx03 · {store} · 2026-01-03",
        ],
    ]
    assert "--apply` deletes 2 leads, after writing a backup" in ended.stderr
    assert "1 lead only listed" in ended.stderr
    assert program.run("cleanup", "finished", "-q").stderr == ""


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_on_a_terminal(program: Program, ids: dict[str, str], columns: int) -> None:
    shown = program.run_on_terminal("cleanup", "finished", columns=columns)
    assert shown.status == 0
    for text in (*ids.values(), "2026-03-02", "Made Up", "[bold]Else", "90xxxxxx01", "94xxxxxx44"):
        assert text in shown.output
    assert "\x1b[31m" not in shown.output
    assert "9000000001" not in shown.output
    assert len(present(program)) == 4
    assert not (program.folder / "data" / "backups").exists()


def test_json_of_plan_apply_and_restore_is_one_object(program: Program, ids: dict[str, str]) -> None:
    plan = json_of(program.run("cleanup", "finished", "--json"))
    assert (plan["command"], plan["ok"], plan["applied"], plan["to_delete"]) == (
        "cleanup finished",
        True,
        False,
        2,
    )
    assert [each["id"] for each in (*plan["finished"], *plan["came_back"], *plan["listed"])] == [
        ids["finished"],
        ids["back"],
        ids["listed"],
    ]
    (finished,), (back,) = plan["finished"], plan["came_back"]
    assert (finished["why"], finished["other"], finished["phone"]) == (
        "booking number",
        ["phone"],
        "90xxxxxx01",
    )
    assert (back["why"], back["report"], back["came_back_at"]) == ("deleted", None, "2026-03-06T09:30:00Z")
    assert finished["report"] == {
        "id": ids["report"],
        "shape": "flat",
        "finished_at": "2026-03-01T20:30:07Z",
        "finished_by": "Made Up",
        "lead_type": "bookingConfirmation",
        "phone": "94xxxxxx44",
        "booking_no": "2025000000001",
        "name": "Customer 1",
        "store": "Suitor Guy - Calicut",
        "day": "2026-02-01",
    }
    done = json_of(program.run("cleanup", "finished", "--json", "--apply"))
    assert {name: done[name] for name in plan} == plan | {"applied": True}
    assert (done["deleted"], done["left"]) == (2, [])
    assert done["restore"] == f"syncctl cleanup restore {done['backup']}"
    assert present(program) == {ids["listed"], text_id(4)}
    restored = json_of(program.run("cleanup", "restore", done["backup"], "--json"))
    assert (restored["kind"], restored["restored"], restored["different"]) == ("finished", 2, [])
    assert len(present(program)) == 4


def test_applied_it_says_what_it_did_and_how_to_undo_it(program: Program, ids: dict[str, str]) -> None:
    ended = program.run("cleanup", "finished", "--apply")
    (backup,) = (program.folder / "data" / "backups").iterdir()
    first, second, *rest = ended.stdout.splitlines()
    assert [first.split("\t")[:2], second.split("\t")[:2]] == [
        ["deleted", ids["finished"]],
        ["deleted", ids["back"]],
    ]
    assert rest == ["Deleted 2 leads.", f"To undo: syncctl cleanup restore {backup}"]
    assert f"Backup of 2 leads written: {backup}" in ended.stderr
    assert "API_SYNC_ENABLED=false" in ended.stderr
    again = program.run("cleanup", "finished", "--apply")
    assert (again.status, again.stdout) == (0, "No lead was deleted.\n")
    assert (
        "Nothing was changed, and --apply would delete nothing." in program.run("cleanup", "finished").stderr
    )


def test_what_was_changed_meanwhile_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    result = FinishedCleaned(FinishedPlan(), 0, (text_id(1),), Path("backup.jsonl"))
    with pytest.raises(typer.Exit) as ended:
        finished_cleaned(result, Output(Redactor(), CLOCK, as_json=False, quiet=True))
    assert ended.value.exit_code == 1
    assert capsys.readouterr().err.splitlines() == [
        f"Left as it is: lead {text_id(1)}",
        "1 lead changed meanwhile: run it again.",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "mongo"])
def test_thousands_brought_back_among_20_000_leads(
    program: Program, kind: str, request: pytest.FixtureRequest
) -> None:
    url = str(request.getfixturevalue("mongo_url")) if kind == "mongo" else ""
    finished, deleted = 3_000, 500
    rng = Random(1)  # noqa: S311 - no secret
    with database_of(program, url) as database:
        for start in range(0, 20_000, 1000):
            leads = [booking(number) for number in range(start, start + 1000)]
            back = [brought_back(each, rng) for each in leads[: max(0, finished + deleted - start)]]
            database.store_leads([*back, *leads[len(back) :]], [known(each) for each in leads])
    with closing(open_app(url or f"sqlite:///{program.folder}/data/syncctl.db")) as app:
        if isinstance(app, SqliteApp):
            app._database.execute("BEGIN")
        for number in range(finished):
            app.add_report(app_report(booking(number)))
        if isinstance(app, SqliteApp):
            app._database.execute("COMMIT")
    environment = {"DATABASE_URL": url} if url else {}
    plan, _, plan_mb = measured(program, environment, "finished", "--json")
    assert (len(plan["finished"]), len(plan["came_back"]), plan["listed"]) == (finished, deleted, [])
    done, apply_s, apply_mb = measured(program, environment, "finished", "--json", "--apply")
    assert done["deleted"] == finished + deleted
    assert apply_s < 30
    assert max(plan_mb, apply_mb) < 120
    restored, _, _ = measured(program, environment, "restore", done["backup"], "--json")
    assert restored["restored"] == done["deleted"]
