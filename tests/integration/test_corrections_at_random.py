"""Random histories of one booking whose number is corrected, while people are at work and runs are killed,
held against a model in a few lines."""

import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syncctl.domain.sources import StepName
from syncctl.domain.steps import Trigger
from syncctl.locations import load_locations
from syncctl.ports.storage import Storage
from syncctl.services.run import Clock, Run, RunRequest
from syncctl.services.sync.answer_intake import AnswerIntake
from syncctl.services.sync.answer_rows import classify_rows
from syncctl.storage.dry_run import DryRunStorage
from syncctl.storage.registry import open_storage
from tests.support.failing_storage import FailingStorage, Killed, Moment
from tests.support.webapp import SqliteApp, finish
from tests.support.world import Recorder

PHONES = [f"98460123{n:02}" for n in range(4)]
PERSONS = "9999999999"
STORE = "Suitor Guy - Perinthalmanna"
STEPS = 25


@dataclass
class Model:
    """What must be. `source`: the number that counts. `finished`: numbers that a report has finished: where
    the source goes back to one, a later lead of the booking takes it, else nothing happens. `gone`: why there
    is no lead: "", "deleted", "finished" or "not reached"."""

    source: str
    seen: set[str]
    finished: set[str] = field(default_factory=set)
    phone: str | None = None
    called: bool = False
    gone: str = ""

    def synced(self, number: str) -> None:
        if number in self.finished and self.phone is None:
            return
        self.finished.discard(number)
        before, self.source = self.source, number
        if not self.seen or (self.gone == "not reached" and number not in self.seen):
            self.phone, self.called, self.gone = number, False, ""
        elif self.phone == before and not self.called:
            self.phone = number
        elif self.gone in ("finished", "not reached"):
            self.finished.add(number)
        self.seen.add(number)


class History:
    def __init__(self, url: str, app: SqliteApp, seed: int) -> None:
        self.url, self.app = url, app
        self.random = Random(seed)  # noqa: S311 - no secret
        self.now = datetime(2026, 3, 11, tzinfo=UTC)
        self.model = Model("", set())
        self.number = self.random.choice(PHONES)

    def ingest(self, storage: Storage, number: str, *, is_whole: bool = True) -> Any:
        row = {
            "bookingNo": "2026020100100001",
            "customerName": self.random.choice(["Made Up One", "Made Up Two"]),
            "phoneNo": number,
            "bookingDate": "2026-03-01T08:59:27",
        }
        request = RunRequest("api", (StepName.BOOKING,), Trigger.AUTO)
        clock = Clock(lambda: self.now, time.monotonic, lambda after: after, ZoneInfo("UTC"))
        run = Run(request, storage, Recorder(), clock)
        answer = classify_rows(StepName.BOOKING, "7", STORE, [row], UTC)
        taken = AnswerIntake(run, load_locations()).ingest(answer, is_whole=is_whole)
        assert taken.counts.balanced
        return taken

    def sync(self) -> None:
        """A whole answer; before it perhaps a narrow one, a dry run, or one that is killed."""
        self.now += timedelta(minutes=5)
        with closing(open_storage(self.url)) as storage:
            storage.prepare()
            if self.model.seen and self.random.random() < 0.3:
                self.ingest(storage, self.number, is_whole=False)
            there = self.leads()
            tried = self.ingest(DryRunStorage(storage), self.number).counts
            assert self.leads() == there
            if self.random.random() < 0.5:
                killed = FailingStorage(
                    storage, self.random.randint(1, 4), moment=self.random.choice(list(Moment))
                )
                with suppress(Killed):
                    self.ingest(killed, self.number)
                self.now += timedelta(minutes=5)
                self.ingest(storage, self.number)
            else:
                assert self.ingest(storage, self.number).counts == tried
            self.model.synced(self.number)
            again = self.ingest(storage, self.number).counts
            assert (again.saved, again.updated) == (0, 0)

    def leads(self) -> list[Any]:
        return self.app.leads()

    def act(self) -> None:
        """Somebody calls, edits, finishes or deletes the lead, or the source corrects the number."""
        model, lead = self.model, next(iter(self.leads()), None)
        what = self.random.choice(
            ["correct", "correct", "correct", "call", "edit", "finish", "lose", "delete"]
        )
        if what == "correct":
            self.number = self.random.choice(PHONES)
        elif lead is None:
            return
        elif what == "call":
            self.app.edit(lead["_id"], callStatus="Connected")
            model.called = True
        elif what == "edit":
            # A number of the booking that is finished could make the report of another one of either.
            model.phone = self.random.choice([PERSONS, *PHONES] if not model.finished else [PERSONS])
            self.app.edit(lead["_id"], phone=model.phone)
        elif what == "delete":
            self.app.delete(lead["_id"])
            model.phone, model.gone = None, "deleted"
        else:
            reached = what == "finish"
            status = "Connected" if reached else self.random.choice(["Wrong Number", "Not Connected"])
            finish(self.app, lead, "booking page", callStatus=status)
            model.phone, model.gone = None, "finished" if reached else "not reached"
            model.finished.add(model.source)


@pytest.fixture
def histories(tmp_path: Path) -> Iterator[Any]:
    apps: list[SqliteApp] = []

    def history(seed: int) -> History:
        path = tmp_path / f"{seed}.db"
        with closing(open_storage(f"sqlite:///{path}")) as storage:
            storage.prepare()
        apps.append(SqliteApp(str(path)))
        return History(f"sqlite:///{path}", apps[-1], seed)

    yield history
    for app in apps:
        app.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60))
def test_the_lead_is_as_the_model_says(histories: Any, seed: int) -> None:
    history = histories(seed)
    history.sync()
    for _ in range(STEPS):
        history.act()
        if history.random.random() < 0.6:
            history.sync()
        model = history.model
        found = [(lead["phone"], lead["callStatus"] != "Not Called") for lead in history.leads()]
        assert found == ([] if model.phone is None else [(model.phone, model.called)])
