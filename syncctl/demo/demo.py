"""The whole job on made-up data: a first sync, a telecaller's work, changes at the source, a second sync."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from syncctl.domain.dialects import Dialect
from syncctl.domain.run_results import Counts, RunResult
from syncctl.domain.sources import API_STEPS, REPORT_STEPS, StepName
from syncctl.domain.steps import Trigger
from syncctl.errors import UsageError
from syncctl.filesystem.private_files import make_private_folder, write_private
from syncctl.ports.listener import Listener
from syncctl.ports.stop import Stop
from syncctl.sandbox import Sandbox
from syncctl.services.checks.status import Status
from syncctl.services.checks.windows import asked_for
from syncctl.services.explain.explaining import Explanation
from syncctl.services.sync.planning import SyncOptions
from syncctl.settings.settings import Settings, load_settings
from syncctl.wiring.adapters import opened_database, sandbox_reports
from syncctl.wiring.checks import status
from syncctl.wiring.reconcile import explain_record
from syncctl.wiring.runs import Invocation, run_sync

NEW_BOOKINGS = 12
EDITED, FINISHED, DELETED = 5, 3, 1
DATABASE = "syncctl.db"
SANDBOX_COMMAND_URL = "http://127.0.0.1:8765"
"""The default address of `syncctl sandbox`, with which a kept demo continues."""

NEXT_STEPS = (
    "With your own data:",
    "  1. Set DATABASE_URL, API_BASE_URL and API_TOKEN in .env; check: syncctl doctor",
    "  2. Sync for the first time: syncctl api     (-n only shows what it would do)",
    "  3. Have cron do it every five minutes: syncctl cron install",
    "",
)


class Fact(NamedTuple):
    """One promise of the demo."""

    what: str

    measurement: str
    """What was measured."""

    is_met: bool = True
    """Whether that is as promised."""


class DemoResult(NamedTuple):
    """The checked promises, how it looks afterwards, and what to try next."""

    facts: tuple[Fact, ...]

    status: Status
    """What `syncctl status` says at the end."""

    explained: Explanation
    """What `syncctl explain` says of a booking that was finished in between."""

    zone: ZoneInfo
    """The business's time zone."""

    hints: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return all(fact.is_met for fact in self.facts)


def run_demo(
    keep: Path | None,
    make_listener: Callable[[Settings], AbstractContextManager[Listener]],
    say: Callable[[str], None],
    stop: Stop | None = None,
) -> DemoResult:
    """Run it in a temporary folder, or in `keep`, where database and settings stay.

    `make_listener` gives someone to tell the syncs to; `say` takes a line about what happens in between;
    `stop` ends it.

    Raises:
        UsageError: `keep` can't be used.
        SyncctlError: as a sync does.
    """
    stop = stop or Stop()
    if keep is None:
        with TemporaryDirectory(prefix="syncctl-demo-") as folder:
            shown = _demonstrate(Path(folder), make_listener, say, stop)
        return shown._replace(hints=(*NEXT_STEPS, "To keep this demo's database: syncctl demo --keep DIR"))
    folder_kept = keep.expanduser().absolute()
    try:
        make_private_folder(folder_kept)
    except OSError as error:
        raise UsageError(f"{keep} can't be created: {error.strerror}.") from None
    if any(os.path.lexists(folder_kept / name) for name in (DATABASE, ".env", ".env.local")):
        raise UsageError(f"{keep} already holds a database or settings: name a new folder.")
    shown = _demonstrate(folder_kept, make_listener, say, stop)
    return shown._replace(
        hints=(
            *NEXT_STEPS,
            f"Look:  open {folder_kept / DATABASE} in any SQLite browser: the table is leads.",
            "Go on: run syncctl sandbox, and in a second terminal:",
            f"  cd {quote(str(folder_kept))}",
            "  syncctl api",
        ),
    )


def _demonstrate(
    folder: Path,
    make_listener: Callable[[Settings], AbstractContextManager[Listener]],
    say: Callable[[str], None],
    stop: Stop,
) -> DemoResult:
    write_private(
        folder / ".env",
        f"DATABASE_URL=sqlite:///{DATABASE}\nDATA_DIR=.\nAPI_CALL_DELAY_MS=0\n"
        f"API_BASE_URL={SANDBOX_COMMAND_URL}\n".encode(),
        own=None,
    )
    with Sandbox(reports=sandbox_reports()) as sandbox:
        settings = load_settings(folder / ".env", environ={"API_BASE_URL": sandbox.base_url})
        invocation = Invocation("api", Trigger.MANUAL, stop=stop)
        say("A first sync, from a rental API of 21 locations into an empty database:")
        with make_listener(settings) as listener:
            first = run_sync(settings, invocation, API_STEPS, SyncOptions(), listener)
        with opened_database(settings) as stored:
            dialects = stored.dialects()
        added = {row["bookingNo"] for row in sandbox.add_bookings(NEW_BOOKINGS)}
        with closing(sqlite3.connect(folder / DATABASE)) as database:
            telecaller = _Telecaller(database)
            telecaller.work()
            say(
                f"\nA telecaller edits {EDITED} leads, finishes {FINISHED} and deletes {DELETED}; "
                f"{len(added)} new bookings come in. A second sync:"
            )
            with make_listener(settings) as listener:
                second = run_sync(settings, invocation, API_STEPS, SyncOptions(), listener)
            facts = _check_promises(first, second, added, telecaller, _measured(dialects))
    explained = explain_record(settings, telecaller.finished_booking, fetch=False)
    return DemoResult(facts, status(settings, folder / ".env"), explained, settings.business_timezone, ())


def _total(result: RunResult) -> Counts:
    return sum((step.counts for step in result.steps if step.name is not StepName.STORES), Counts())


def _measured(dialects: Mapping[StepName, Dialect]) -> Fact:
    """Whether the first sync measured how narrow a window each report supports."""
    found = [dialects.get(report, Dialect(report)) for report in REPORT_STEPS]
    return Fact(
        "… what later syncs ask for, as measured",
        "; ".join(f"{dialect.report} {asked_for(dialect)}" for dialect in found),
        all(dialect.measured_at is not None for dialect in found),
    )


def _check_promises(
    first: RunResult, second: RunResult, added: set[str], telecaller: _Telecaller, measured: Fact
) -> tuple[Fact, ...]:
    before, after = _total(first), _total(second)
    stored = telecaller.count("SELECT count(*) FROM leads WHERE bookingNo IN (%s)", sorted(added))
    untouched, back, doubles = telecaller.check()
    return (
        Fact("First sync: rows fetched", f"{before.rows:,} in {first.duration_s:.1f} s", first.ok),
        Fact("… leads added, one per booking and return", f"{before.saved:,}", before.saved > 0),
        Fact("… merged: more rows of the same bookings", f"{before.merged:,}"),
        Fact("… ignored: rows not returned yet", f"{before.ignored:,}"),
        Fact("… rejected: on the rejects list, with why", f"{before.invalid:,}"),
        Fact("… every row accounted for", "yes" if before.balanced else "no", before.balanced),
        measured,
        Fact("Second sync: rows fetched", f"{after.rows:,} in {second.duration_s:.1f} s", second.ok),
        Fact("… new bookings added", f"{stored} of {len(added)}", stored == len(added)),
        Fact("… and nothing else", f"{after.saved - stored} others", after.saved == stored),
        Fact("A telecaller's edits untouched", f"{untouched} of {EDITED}", untouched == EDITED),
        Fact("Finished or deleted leads that came back", f"{back} of {FINISHED + DELETED}", back == 0),
        Fact("Duplicates", f"{doubles}", doubles == 0),
    )


class _Telecaller:
    """Changes leads directly in the database, as the web app does."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._edited: list[str] = []
        self._gone: list[str] = []
        self.finished_booking = ""
        """The booking number of a lead that was finished."""

    def work(self) -> None:
        """Edit some leads, finish some (into reports), delete one."""
        newest = "SELECT _id FROM leads WHERE bookingNo IS NOT NULL ORDER BY createdAt DESC, _id LIMIT ?"
        ids = [row[0] for row in self._database.execute(newest, (EDITED + FINISHED + DELETED,))]
        self._edited, self._gone = ids[:EDITED], ids[EDITED:]
        booking = "SELECT bookingNo FROM leads WHERE _id = ?"
        (self.finished_booking,) = self._database.execute(booking, self._gone[:1]).fetchone()
        with self._database:
            for lead_id in self._edited:
                self._database.execute(
                    "UPDATE leads SET callStatus = 'Connected', remarks = 'Will come on Friday', "
                    "phone = '0000000000' WHERE _id = ?",
                    (lead_id,),
                )
            for lead_id in self._gone[:FINISHED]:
                self._database.execute(
                    "INSERT INTO reports (_id, document) SELECT 'report-' || _id, json_object("
                    "'lead_name', name, 'phone_number', phone, 'store', store, 'lead_type', leadType, "
                    "'booking_number', bookingNo, 'created_at', createdAt) FROM leads WHERE _id = ?",
                    (lead_id,),
                )
            self._database.executemany(
                "DELETE FROM leads WHERE _id = ?", [(lead_id,) for lead_id in self._gone]
            )

    def check(self) -> tuple[int, int, int]:
        """Counts of edits kept, leads that came back, and leads that duplicate another's key."""
        untouched = self.count(
            "SELECT count(*) FROM leads WHERE callStatus = 'Connected' AND phone = '0000000000' "
            "AND remarks = 'Will come on Friday' AND _id IN (%s)",
            self._edited,
        )
        back = self.count("SELECT count(*) FROM leads WHERE _id IN (%s)", self._gone)
        doubles = self.count(
            "SELECT count(*) FROM (SELECT 1 FROM leads WHERE phone != '0000000000' "
            "AND bookingNo IS NOT NULL GROUP BY leadType, bookingNo, phone HAVING count(*) > 1)",
            [],
        )
        return untouched, back, doubles

    def count(self, query: str, values: list[Any]) -> int:
        """The number returned by a query; %s in it stands for a list of values."""
        marks = ", ".join("?" * len(values))
        number: int = self._database.execute(query.replace("%s", marks), values).fetchone()[0]
        return number
