"""Settings as odd as are allowed: the commands that go by them work, or say plainly what they can't."""

import itertools
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from zoneinfo import available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from syncctl.errors import ExitCode, SettingsError
from syncctl.sandbox import Sandbox
from syncctl.settings.settings import load_settings
from tests.chaos.garbage_target import fuzz
from tests.chaos.in_process import Ended, assert_plain_message, run, working_in
from tests.chaos.tally import tally
from tests.support.world import World, few_locations

COMMANDS = (("stores",), ("status",), ("doctor",), ("config",))
LEADS = "data/syncctl.db"
MOVES_THE_DATABASE = {"DATABASE_URL", "MONGO_URI", "DATA_DIR"}
NOBODY = "http://127.0.0.1:9"

# No slash in what is made up, no folder but the test's own and devices: tests may be run by root.
names = st.one_of(
    st.text(st.characters(exclude_characters="~/\0", exclude_categories=()), min_size=1, max_size=12),
    st.sampled_from(
        [
            *(LEADS, f"{LEADS}-wal", f"data/../{LEADS}", "data", "data/syncctl.lock", ".env", ".", "..", "~"),
            *("~/x", "a/b/c", "data/syncctl.db/x", "x" * 255, "x" * 256, "\udcff", "😀", "%s", "[red]", "-"),
        ]
    ),
)
devices = st.sampled_from(["/dev/null", "/dev/full", "/dev/null/x", "/proc/self/none"])
paths = st.one_of(names, names, devices)
keys = st.text(st.characters(min_codepoint=32, max_codepoint=255), min_size=1, max_size=40)
endpoints = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20).map(
    lambda text: "/" + text
)
zones = st.sampled_from(sorted(available_timezones()))
schedules = st.one_of(
    st.sampled_from(
        ["0 0 29 2 *", "59 23 31 12 *", "*/7 3-5 * * mon-fri", "0 0 1 1 7", "0 2 L * *", "1-59/2 * * * *"]
    ),
    st.tuples(*(st.sampled_from(["*", "1", "*/2", "1-3", "2,4"]) for _ in range(5))).map(" ".join),
)


def plausible(api: str) -> st.SearchStrategy[dict[str, str]]:
    """Up to four settings, each of which may be right; where `api` is a base address that answers."""
    bases = st.sampled_from([api, f"{api}/", f"{api}/a/b", NOBODY, "http://[::1]:9", "http://localhost:9/x"])
    wholes = st.integers(1, 366).map(str)
    return st.dictionaries(
        st.sampled_from(list(_values(bases, wholes))), st.none(), min_size=1, max_size=4
    ).flatmap(lambda chosen: st.fixed_dictionaries({name: _values(bases, wholes)[name] for name in chosen}))


def _values(
    bases: st.SearchStrategy[str], wholes: st.SearchStrategy[str]
) -> dict[str, st.SearchStrategy[str]]:
    # Neither pauses nor tries: what makes a run last is not set, and has tests of its own.
    return {
        "DATABASE_URL": names.map(lambda name: f"sqlite:///{name}"),
        **dict.fromkeys(("DATA_DIR", "IMPORT_DIR", "SYNC_LOCK_FILE", "SYNC_LOG_FILE"), paths),
        **dict.fromkeys(("API_BASE_URL", "BOOKING_API_BASE_URL", "RETURN_API_BASE_URL"), bases),
        **dict.fromkeys(("STORE_LIST_API_URL", "BOOKING_API_ENDPOINT", "RETURN_API_ENDPOINT"), endpoints),
        **dict.fromkeys(("API_TOKEN", "STORE_API_KEY", "BOOKING_API_KEY", "RETURN_API_KEY"), keys),
        **dict.fromkeys(("API_TOKEN_FILE", "STORE_API_KEY_FILE"), paths),
        **dict.fromkeys(("API_SYNC_TIMEZONE", "API_BUSINESS_TIMEZONE"), zones),
        **dict.fromkeys(("API_SYNC_FIRST_MONTHS", "API_SYNC_INCREMENTAL_DAYS", "API_CONCURRENCY"), wholes),
        "API_SYNC_TIME": schedules,
        "API_SYNC_ENABLED": st.sampled_from(["true", "OFF", "1", "no"]),
        "API_RUN_DEADLINE_S": st.sampled_from(["0.01", "0.5", "2", "86400"]),
        "API_TIMEOUT_S": st.sampled_from(["0.01", "0.5", "30", "3600"]),
        "SYNC_LOG_FORMAT": st.sampled_from(["json", "TEXT"]),
        "HEARTBEAT_URL": st.tuples(bases, endpoints).map("".join),
    }


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(locations=2, bookings=4) as sandbox:
        yield sandbox


@pytest.fixture
def leads(tmp_path: Path, sandbox: Sandbox) -> Path:
    """A SQLite file with some leads in it."""
    file = tmp_path / "leads.db"
    world = World(sandbox, f"sqlite:///{file}", few_locations(sandbox))
    world.run()
    world.close()
    return file


def leads_in(file: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return database.execute("SELECT * FROM leads ORDER BY _id").fetchall()


def can_be_set(environ: dict[str, str]) -> bool:
    """Whether an environment can hold it: no lone surrogate that stands for no byte."""
    try:
        return bool([os.fsencode(text) for text in environ.values()])
    except UnicodeEncodeError:
        return False


def assert_goes_by(environ: dict[str, str], folder: Path) -> None:
    """Right settings are gone by; wrong ones are told of, by the command that reads them and by `doctor`."""
    try:
        load_settings(environ=dict(os.environ), cwd=folder)
    except SettingsError:
        wrong = True
    else:
        wrong = False
    ended = {command[0]: run(*command) for command in COMMANDS}
    for each in ended.values():
        assert_plain_message(each)
        assert_no_secret(each, environ)
    if wrong:
        assert ended["stores"].status == ended["status"].status == ExitCode.CONFIG
        assert 1 <= len(ended["stores"].stderr.splitlines()) <= 2
        assert ended["doctor"].status == ExitCode.FAILED
    elif ended["stores"].status:
        assert ended["stores"].stderr.strip()
    else:
        # It was synced, so there is something to be told, whatever its health is.
        assert ended["status"].status in (ExitCode.OK, ExitCode.FAILED)
        assert ended["status"].stdout.startswith("health\t")


def assert_no_secret(ended: Ended, environ: dict[str, str]) -> None:
    """Keys that are long enough to be told from other text, and that no other setting gives away."""
    keys = {name: text.strip() for name, text in environ.items() if name.endswith(("_KEY", "_TOKEN"))}
    open_ones = [text for name, text in environ.items() if name not in keys]
    secrets = [key for key in keys.values() if len(key) > 8 and not any(key in text for text in open_ones)]
    assert not [key for key in secrets if key in ended.stdout + ended.stderr]


def test_commands_go_by_whatever_is_set(
    sandbox: Sandbox, leads: Path, tmp_path: Path, few_rounds: int
) -> None:
    before = leads_in(leads)
    assert before
    numbers = itertools.count()

    @fuzz(15 * few_rounds)
    @given(plausible(sandbox.base_url).filter(can_be_set))
    @example({"SYNC_LOCK_FILE": LEADS})
    @example({"SYNC_LOG_FILE": LEADS, "API_SYNC_TIME": "0 0 29 2 *"})
    @example({"SYNC_LOCK_FILE": ".env"})
    @example({"SYNC_LOG_FILE": "/dev/full"})
    @example({"DATABASE_URL": "mongodb://127.0.0.1:9/x?serverSelectionTimeoutMS=20"})
    @example({"DATA_DIR": "data/syncctl.db/x"})
    def check(environ: dict[str, str]) -> None:
        tally.add("garbage settings")
        folder = tmp_path / f"{next(numbers)}" / "work"
        (folder / "data").mkdir(parents=True)
        shutil.copy(leads, folder / LEADS)
        with working_in(folder, API_BASE_URL=sandbox.base_url) as patch:
            written = (folder / ".env").read_bytes()
            for name, text in environ.items():
                patch.setenv(name, text)
            assert_goes_by(environ, folder)
            assert (folder / ".env").read_bytes() == written
        if not MOVES_THE_DATABASE & environ.keys():
            assert leads_in(folder / LEADS) == before
        shutil.rmtree(folder.parent)

    check()
