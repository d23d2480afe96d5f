"""The year: the old system, the switch to syncctl, the months with it, the cleanups."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from random import Random

from syncctl.domain.run_results import Counts, RunResult
from syncctl.domain.sources import StepName
from syncctl.locations import Locations, load_locations
from syncctl.sandbox import Sandbox
from tests.integration.year.oracle import Oracle
from tests.integration.year.records import Record
from tests.integration.year.simulation import PLACES, STORES, SentFile, Simulation
from tests.support.old_system import DEFAULT_STORE, INDIA, OldSystem
from tests.support.program import Program
from tests.support.world import World

MONTHS = [*(date(2025, month, 1) for month in range(4, 13)), *(date(2026, month, 1) for month in (1, 2, 3))]
END = date(2026, 3, 25)
UNTIL_INDIA, UNTIL_SYNCCTL = 4, 8
"""The old system's files are read on a machine in UTC, then on one in India; then syncctl comes."""

KINDS = {"walkin": StepName.WALKIN, "lossofsale": StepName.LOSS_OF_SALE}
BOOKINGS_A_MONTH, VISITS_A_FILE = 6, 3


class Year:
    """Plays the year on its own database and folder."""

    def __init__(self, url: str, folder: Path, seed: int) -> None:
        self.folder = folder
        self.rng = Random(seed)  # noqa: S311 - no secret
        self.sandbox = Sandbox(seed=seed, locations=len(STORES), bookings=0, today=END).start()
        tables = load_locations()
        self.world = World(self.sandbox, url, Locations(STORES, tables.brands, tables.places))
        self.simulation = Simulation(self.sandbox, self.world.app, self.rng)
        self.oracle = Oracle(self.simulation)
        self.register = self.simulation.register
        self.program = Program(folder, DATABASE_URL=url, API_BASE_URL=self.sandbox.base_url)

    def close(self) -> None:
        self.world.close()
        self.sandbox.stop()

    def play(self) -> None:
        for number, month in enumerate(MONTHS[:UNTIL_SYNCCTL]):
            self._month_of_the_old_system(month, INDIA if number >= UNTIL_INDIA else UTC)
        self._edits_before_the_switch()
        self._switch()
        for month in MONTHS[UNTIL_SYNCCTL:]:
            self._month_of_syncctl(month)
        self._clean()
        self._check_nothing_changes_again()

    # The old system's time.

    def _month_of_the_old_system(self, month: date, zone: tzinfo) -> None:
        old = OldSystem(self.world.app, self.rng, STORES, zone)
        self._bookings_of(month)
        for lead in old.sync_api(self.sandbox, self._at(month, 26)):
            record = self.register.of_source(lead)
            assert record is not None
            record.leads[lead["_id"]] = {}
        for file in self._files_of(month):
            self._old_import(old, file, self._at(month, 27), file.records)
        for person in (self.simulation.somebody(), self.simulation.somebody()):
            lead_id = self.simulation.type_in(
                person, self.rng.choice(list(PLACES.values())), self._at(month, 27)
            )
            if self.rng.random() < 0.5:
                self.simulation.finish_typed(lead_id, self._at(month, 28))
        of_the_month = [record for record in self.register if record.day >= month]
        self.simulation.work(of_the_month, self._at(month, 28), deletes=False)

    def _old_import(self, old: OldSystem, file: SentFile, now: datetime, records: list[Record]) -> None:
        """The old system derived the store from the file's name as well as it could."""
        store = self.rng.choice((file.store, file.store, file.store.upper(), DEFAULT_STORE))
        saved = old.import_file(file.kind, store, [record.row for record in records], now)
        for record, lead in zip(records, saved, strict=True):
            if lead is not None:
                record.leads[lead["_id"]] = {}

    def _edits_before_the_switch(self) -> None:
        """After the old system's last run, which would otherwise create duplicates. Every identifying
        field is edited, in the app or in the database, and half of these leads are finished then."""
        now = self._at(MONTHS[UNTIL_SYNCCTL - 1], 29)
        simulation, rng = self.simulation, self.rng
        untouched = [
            record
            for record in self.register
            if len(record.leads) == 1 and not any(record.leads.values()) and not record.is_gone
        ]
        rng.shuffle(untouched)
        for of_api in (True, False):
            chosen = [record for record in untouched if record.is_of_api is of_api]
            kinds = len(simulation.identity_edits(chosen[0]))
            for number, record in enumerate(chosen[: 4 * kinds]):
                changes = simulation.identity_edits(record)[number % kinds]
                simulation.edit(record, changes, now, in_the_app=rng.random() < 0.5)
                if number // kinds % 2:
                    simulation.finish(record, simulation.shape_for(record), now)
        self._ambiguous_customers(now)

    def _ambiguous_customers(self, now: datetime) -> None:
        """At one shop on one day. Of two customers with the same name, one is finished after an edit of
        the phone number: nothing shows whose report it is. Of a family with one phone, one is finished
        unchanged."""
        file = self.simulation.file("walkin", "sg_kottayam", MONTHS[0])
        day = self._at(MONTHS[UNTIL_SYNCCTL - 1], 3).date()
        (name, phone), (_, other_phone), (other_name, _) = (self.simulation.somebody() for _ in range(3))
        namesakes = [
            self.simulation.visit(file, (name, number), day, is_loss=False) for number in (phone, other_phone)
        ]
        day += timedelta(days=1)
        family = [self.simulation.visit(file, (who, phone), day, is_loss=False) for who in (name, other_name)]
        self._old_import(OldSystem(self.world.app, self.rng, STORES), file, now, file.records)
        self.simulation.edit(namesakes[0], {"phone": "9300000000"}, now)
        self.simulation.finish(namesakes[0], "general page", now)
        self.simulation.finish(family[0], "loss of sale page", now)

    # syncctl's.

    def _switch(self) -> None:
        month = MONTHS[UNTIL_SYNCCTL - 1]
        self.world.now = self._at(month, 30)
        self._repeated_losses(month)
        self.sync("the switch", full=True)
        self.import_files("the switch", self.simulation.files)

    def _repeated_losses(self, month: date) -> None:
        """The old system has imported the first, which is finished; the shop has sent more rows since."""
        file = self.simulation.file("lossofsale", "z_edappally", MONTHS[0])
        person = self.simulation.somebody()
        old = OldSystem(self.world.app, self.rng, STORES, INDIA)
        for day in (1, 5, 9):
            self.simulation.visit(file, person, month.replace(day=day))
        self._old_import(old, file, self._at(month, 29), file.records[:1])
        self.simulation.finish(file.records[0], "loss of sale page", self._at(month, 29))

    def _month_of_syncctl(self, month: date) -> None:
        last_of_month = min(END, self._at(month, 28).date())
        self._bookings_of(month)
        self.world.now = self._at(month, 20)
        self.sync(f"{month:%B}")
        files = self._files_of(month)
        self._returning_customers(files, month)
        self.import_files(f"{month:%B}", files)
        of_the_month = [record for record in self.register if record.day >= month]
        self.simulation.work(of_the_month, self.world.now)
        self._identity_edits(of_the_month)
        if month == MONTHS[UNTIL_SYNCCTL + 1]:
            self._app_scheduler_run()
        self.world.now = datetime.combine(last_of_month, time(12), UTC)
        self.sync(f"{month:%B}, again", full=self.rng.random() < 0.5)
        again = [file for file in self.simulation.files if file.month == month or self.rng.random() < 0.3]
        self.import_files(f"{month:%B}, again", again)

    def _returning_customers(self, files: list[SentFile], month: date) -> None:
        """Customers of earlier visits, finished or not, come again: to any shop, for anything."""
        for record in self.rng.sample([record for record in self.register if not record.is_of_api], 12):
            day = month + timedelta(days=self.rng.randrange(18))
            self._visit_once(self.rng.choice(files), record, day)
        finished = [record for record in self.register if record.reports and not record.is_of_api]
        for record in self.rng.sample(finished, 6):
            same_shop = [file for file in files if file.store == record.store]
            self._visit_once(self.rng.choice(same_shop), record, month + timedelta(days=18))

    def _visit_once(self, file: SentFile, record: Record, day: date) -> None:
        """At most one visit of a person on a day: two of one kind at one shop would be one record."""
        if all(other.phone != record.phone or other.day != day for other in self.register):
            self.simulation.visit(file, (record.name, record.phone), day)

    def _identity_edits(self, records: list[Record]) -> None:
        chosen = [record for record in records if len(record.leads) == 1 and not any(record.leads.values())]
        for number, record in enumerate(chosen[:12]):
            kinds = self.simulation.identity_edits(record)
            self.simulation.edit(
                record, kinds[number % len(kinds)], self.world.now, in_the_app=number % 2 == 0
            )
            if number % 3 == 0:
                self.simulation.finish(record, self.simulation.shape_for(record), self.world.now)

    def _app_scheduler_run(self) -> None:
        """One run of its scheduler, and an upload of a shop's file of which it can't tell the shop."""
        app = OldSystem(self.world.app, self.rng, STORES)
        for lead in app.sync_api(self.sandbox, self.world.now, trigger="auto"):
            record = self.register.of_source(lead)
            assert record is not None
            record.leads[lead["_id"]] = {}
            self.oracle.of_the_app[lead["_id"]] = "by the app's scheduler"
        for file in self.rng.sample(self.simulation.files, 4):
            untouched = [r for r in file.records if r.leads and not any(r.leads.values()) and not r.is_gone]
            rows = [record.row for record in untouched]
            saved = app.import_file(file.kind, DEFAULT_STORE, rows, self.world.now)
            for record, uploaded in zip(untouched, saved, strict=True):
                if uploaded is not None:
                    record.leads[uploaded["_id"]] = {}
                    self.oracle.of_the_app[uploaded["_id"]] = "by an upload"

    # Runs of syncctl.

    def sync(self, when: str, *, full: bool = False) -> None:
        """A run of `api`, looked at."""
        before = self._lead_ids()
        result = self.world.run(full=full)
        said = [record for record in self.register if record.is_of_api]
        self._check(f"api, {when}", said, result, before, is_whole=full)

    def import_files(self, when: str, files: list[SentFile]) -> None:
        """An import of these files of each kind, looked at."""
        for kind, step in KINDS.items():
            before = self._lead_ids()
            of_kind = [file for file in files if file.kind == kind]
            paths = [file.write_in(self.folder) for file in of_kind]
            result = self.world.import_files(step, *paths)
            said = [record for file in of_kind for record in file.records]
            self._check(f"{kind}, {when}", said, result, before)

    def _check(
        self,
        when: str,
        said: list[Record],
        result: RunResult,
        before: set[str],
        *,
        is_whole: bool = True,
    ) -> None:
        assert result.ok, result
        assert all(step.counts.balanced for step in result.steps)
        counts = sum((step.counts for step in result.steps if step.name != "stores"), Counts())
        assert not counts.invalid
        self.oracle.after_run(when, said, counts, before, is_whole=is_whole)

    def _lead_ids(self) -> set[str]:
        return {lead["_id"] for lead in self.world.app.leads()}

    # The end.

    def _clean(self) -> None:
        for what in ("duplicates", "stores", "finished"):
            ended = self.program.run("cleanup", what, "--apply")
            leads = {lead["_id"]: lead for lead in self.world.app.leads()}
            self.oracle.check_leads(f"cleanup {what}", leads, may_delete=True)
            assert ended.status in (0, 1), ended.output

    def _check_nothing_changes_again(self) -> None:
        self.world.now += timedelta(hours=1)
        self.sync("after the cleanup", full=True)
        self.import_files("after the cleanup", self.simulation.files)
        self.oracle.at_the_end()

    # A month.

    def _bookings_of(self, month: date) -> None:
        for _ in range(BOOKINGS_A_MONTH):
            self.simulation.book(self.simulation.somebody(), month + timedelta(days=self.rng.randrange(18)))
        due = [r for r in self.register if r.lead_type == "bookingConfirmation" and r.day < month]
        back = {record.number for record in self.register if record.lead_type == "return"}
        for booking in [booking for booking in due if booking.number not in back][:4]:
            self.simulation.give_back(booking, month + timedelta(days=self.rng.randrange(18)))

    def _files_of(self, month: date) -> list[SentFile]:
        files = [self.simulation.file(kind, place, month) for kind in KINDS for place in PLACES]
        for file in files:
            for _ in range(VISITS_A_FILE):
                day = month + timedelta(days=self.rng.randrange(18))
                self.simulation.visit(file, self.simulation.somebody(), day)
        return files

    @staticmethod
    def _at(month: date, day: int) -> datetime:
        return datetime.combine(month, time(12), UTC) + timedelta(days=day - 1)
