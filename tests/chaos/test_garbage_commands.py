"""Whatever is typed or set: an exit status of the table, a line or two, and no traceback."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from syncctl.cli.app import whole_program
from syncctl.domain.sources import StepName
from syncctl.errors import ExitCode
from syncctl.sandbox import Sandbox
from tests.chaos.garbage import garbage_world
from tests.chaos.garbage_target import fuzz
from tests.chaos.in_process import Ended, assert_plain_message, run, working_in
from tests.chaos.tally import tally
from tests.support.program import Program
from tests.support.store_files import row as file_row
from tests.support.store_files import write
from tests.support.webapp import Lead
from tests.support.world import World, few_locations

SERVING = {"sandbox", "demo"}
"""Commands that go on until they are stopped, or take seconds: they have tests of their own."""

WRITING_ELSEWHERE = {"install", "remove"}
"""Commands that write to the user's crontab."""


UNENDING = {"--watch"}
"""Options with which a command goes on until it is stopped."""


def commands(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Every command with its options, but for those that a test can't run."""
    if not hasattr(tree, "commands"):
        names = [name for parameter in tree.params for name in parameter.opts]
        yield path, [name for name in names if name.startswith("-") and name not in UNENDING]
        return
    for name, inner in tree.commands.items():
        if name not in SERVING and not (path == ("cron",) and name in WRITING_ELSEWHERE):
            yield from commands(inner, (*path, name))


COMMANDS = dict(commands(typer.main.get_command(whole_program())))

# No slash: what is written is written in the test's own folder. No NUL: no argument can have one.
words = st.one_of(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=()), max_size=8),
    st.sampled_from(
        [
            *(
                "",
                "-",
                "--",
                ".",
                "..",
                "0",
                "-1",
                "1e999",
                "nan",
                "inf",
                "9" * 40,
                "2026-03-11",
                "0001-01-01",
            ),
            *("9999-12-31", "2026-02-30", "7", "walkin", "booking", "x" * 300, "[red]", "{}", "%s", "$(id)"),
            *("9400000001", "\udcff", "=1+1", "*/5 * * * *", "stores", "--json", "--dry-run", "-v", "-q"),
        ]
    ),
)


@st.composite
def command_lines(draw: st.DrawFn, known: tuple[str, ...] = ("7",)) -> list[str]:
    """A command, most of the time a real one, with options of its own and words that may be their values.
    `known`: words that mean something where it is run."""
    path = draw(st.one_of(st.sampled_from(list(COMMANDS)), st.lists(words, max_size=2).map(tuple)))
    own = COMMANDS.get(path, ["--json"])
    some = st.one_of(words, st.sampled_from(known), st.sampled_from(own) if own else words)
    rest = draw(st.lists(some, max_size=5))
    return [*path, *(word for word in rest if word not in ("--help", "-h"))]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A working folder of the test's own, an empty database, and an API that refuses every call."""
    settings = {"DATABASE_URL": "sqlite:///syncctl.db", "API_BASE_URL": "http://127.0.0.1:9"}
    with working_in(tmp_path, **settings):
        yield tmp_path


@dataclass(frozen=True)
class Busy:
    """A working folder whose database has leads, rejects and a history. `known`: words that name some."""

    world: World
    known: tuple[str, ...]

    def leads(self) -> dict[str, Lead]:
        return {lead["_id"]: lead for lead in self.world.app.leads()}


@pytest.fixture
def busy(database_url: str, tmp_path: Path) -> Iterator[Busy]:
    folder = tmp_path / "work"
    folder.mkdir()
    file = write(folder / "walkin_z_edappally.csv", file_row(), file_row(Contact="12"))
    with Sandbox(locations=3, bookings=6) as sandbox:
        world = World(sandbox, database_url, few_locations(sandbox))
        world.run()
        world.import_files(StepName.WALKIN, file)
        leads = world.app.leads()
        assert len(leads) > 10
        booked = next(lead for lead in leads if lead.get("bookingNo"))
        known = (file.name, booked["phone"], booked["bookingNo"], booked["store"], *sandbox.locations)
        with working_in(folder, DATABASE_URL=database_url, API_BASE_URL=sandbox.base_url):
            yield Busy(world, known)
        world.close()


def test_command_lines_of_garbage(folder: Path, few_rounds: int) -> None:
    @fuzz(40 * few_rounds)
    @given(command_lines())
    def check(arguments: list[str]) -> None:
        tally.add("garbage settings")
        assert_plain_message(run(*arguments))

    check()


def test_command_lines_of_garbage_where_there_is_plenty_to_lose(busy: Busy, few_rounds: int) -> None:
    before = busy.leads()
    phones = {lead["phone"] for lead in before.values()}

    @fuzz(40 * few_rounds)
    @given(command_lines(busy.known))
    def check(arguments: list[str]) -> None:
        tally.add("garbage settings")
        ended = run(*arguments)
        assert_plain_message(ended)
        # A word that a command can't understand is shown as it was typed.
        assert not [phone for phone in phones - set(arguments) if phone in ended.stderr]
        after = busy.leads()
        assert {lead_id: after.get(lead_id) for lead_id in before} == before

    check()


def test_processes_with_arguments_of_garbage(folder: Path) -> None:
    program = Program(folder, API_BASE_URL="http://127.0.0.1:9", API_MAX_TRIES=1)
    for arguments in (
        ("booking", "--location", "\udcff\udcfe"),
        ("sandbox", "--latency-ms", "nan", "--port", "-1"),
        ("sandbox", "--fault", "[red]\udcff"),
        ("sandbox", "--dialect", "[red]\udcff"),
        ("import", "walkin", "\udcff.csv", "--store", "[/red]"),
    ):
        ended = program.run(*arguments)
        tally.add("garbage settings")
        assert_plain_message(Ended(ended.status, ended.stdout, ended.stderr))
        assert ended.status != ExitCode.OK


def test_rejects_of_garbage_are_listed_exported_and_tried_again(folder: Path) -> None:
    with garbage_world(f"sqlite:///{folder / 'syncctl.db'}") as (world, api):
        odd: list[Any] = [
            {"customerName": float("nan"), "phoneNo": 9400000001.0, "price": float("-inf")},
            {"customerName": None, "phoneNo": {"mobile": "9400000001"}, "\ud800": "\udfff", "\0": "\0"},
            {"customerName": "x" * 20_000, "phoneNo": "9400000001"},
            {"customerName": "", "remarks": "y" * 200_000},
            {"$where": {"a.b": [10**400]}, "": "=1+1", "customerName": "[red]\x1b[31m"},
            [["9400000001"]],
            "\ud800",
            None,
            True,
        ]
        booked = {"bookingDate": "2026-03-01T10:00:00"}  # without it none of them would be a booking
        odd = [{**row, **booked} if isinstance(row, dict) else row for row in odd]
        nested = '{"a":' * 299 + "1" + "}" * 299
        api.rows = [*map(json.dumps, odd), f'{{"bookingDate": "2026-03-01T10:00:00", "a": {nested}}}']
        assert world.run((StepName.BOOKING,)).steps[0].counts.invalid == len(api.rows)
    listed = run("rejects", "list", "--limit", "0")
    as_json = run("rejects", "list", "--limit", "0", "--json")
    exported = run("rejects", "export", "rejects.csv")
    imported = run("rejects", "import", "rejects.csv")
    retried = run("rejects", "retry", "--json")
    for ended in (listed, as_json, exported, imported, retried):
        assert_plain_message(ended)
        assert ended.status == ExitCode.OK
        assert "9400000001" not in ended.stdout + ended.stderr
    rejects = json.loads(as_json.stdout)["rejects"]
    assert len(rejects) == len(listed.stdout.splitlines()) == len(api.rows)
    assert json.loads(retried.stdout)["invalid"] == len(rejects)
    assert "rejected: reason" in (folder / "rejects.csv").read_text("utf-8-sig").splitlines()[0]
    assert imported.stdout.splitlines()[-1] == f"0 fixed, 0 still rejected, {len(rejects)} unchanged."
