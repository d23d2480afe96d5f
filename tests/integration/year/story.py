"""The year: the old system, the switch to syncctl, the months with it, the cleanups."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from random import Random

from syncctl.domain.run_results import Counts, RunResult
from syncctl.domain.sources import StepName
from syncctl.locations import Locations, load_locations
from syncctl.sandbox import Sandbox
from tests.integration.year.oracle import Oracle
from tests.integration.year.plot import PLACES, STORES, Plot, SentFile
from tests.integration.year.records import Record
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
        self.chance = Random(seed)  # noqa: S311 - no secret
        self.sandbox = Sandbox(seed=seed, locations=len(STORES), bookings=0, today=END).start()
        tables = load_locations()
        self.world = World(self.sandbox, url, Locations(STORES, tables.brands, tables.places))
        self.plot = Plot(self.sandbox, self.world.app, self.chance)
        self.oracle = Oracle(self.plot)
        self.register = self.plot.register
        self.program = Program(folder, DATABASE_URL=url, API_BASE_URL=self.sandbox.base_url)
        self.cleans_finished = " finished " in self.program.run("cleanup", "--help").stdout

    def close(self) -> None:
        self.world.close()
        self.sandbox.stop()

    def play(self) -> None:
        for number, month in enumerate(MONTHS[:UNTIL_SYNCCTL]):
            self._month_of_the_old_system(month, INDIA if number >= UNTIL_INDIA else UTC)
        self._what_people_did_just_before_the_switch()
        self._switch()
        for month in MONTHS[UNTIL_SYNCCTL:]:
            self._month_of_syncctl(month)
        self._clean()
        self._see_that_it_stays_so()

    # The old system's time.

    def _month_of_the_old_system(self, month: date, zone: tzinfo) -> None:
        old = OldSystem(self.world.app, self.chance, STORES, zone)
        self._bookings_of(month)
        for lead in old.sync_api(self.sandbox, self._at(month, 26)):
            record = self.register.of_source(lead)
            assert record is not None
            record.leads[lead["_id"]] = {}
        for file in self._files_of(month):
            self._old_import(old, file, self._at(month, 27), file.records)
        for person in (self.plot.somebody(), self.plot.somebody()):
            lead_id = self.plot.type_in(
                person, self.chance.choice(list(PLACES.values())), self._at(month, 27)
            )
            if self.chance.random() < 0.5:
                self.plot.finish_typed(lead_id, self._at(month, 28))
        of_the_month = [record for record in self.register if record.day >= month]
        self.plot.work(of_the_month, self._at(month, 28), deletes=False)

    def _old_import(self, old: OldSystem, file: SentFile, now: datetime, records: list[Record]) -> None:
        """The old system derived the store from the file's name as well as it could."""
        store = self.chance.choice((file.store, file.store, file.store.upper(), DEFAULT_STORE))
        saved = old.import_file(file.kind, store, [record.row for record in records], now)
        for record, lead in zip(records, saved, strict=True):
            if lead is not None:
                record.leads[lead["_id"]] = {}

    def _what_people_did_just_before_the_switch(self) -> None:
        """After the old system's last run, which would otherwise create duplicates. Every identifying
        field is edited, in the app or in the database, and half of these leads are finished then."""
        now = self._at(MONTHS[UNTIL_SYNCCTL - 1], 29)
        plot, chance = self.plot, self.chance
        untouched = [
            record
            for record in self.register
            if len(record.leads) == 1 and not any(record.leads.values()) and not record.is_gone
        ]
        chance.shuffle(untouched)
        for of_api in (True, False):
            chosen = [record for record in untouched if record.is_of_api is of_api]
            kinds = len(plot.identity_edits(chosen[0]))
            for number, record in enumerate(chosen[: 4 * kinds]):
                changes = plot.identity_edits(record)[number % kinds]
                plot.edit(record, changes, now, in_the_app=chance.random() < 0.5)
                if number // kinds % 2:
                    plot.finish(record, plot.shape_for(record), now)
        self._two_of_one_name_and_two_of_one_phone(now)

    def _two_of_one_name_and_two_of_one_phone(self, now: datetime) -> None:
        """At one shop on one day. Of two customers with the same name, one is finished after an edit of
        the phone number: nothing shows whose report it is. Of a family with one phone, one is finished
        unchanged."""
        file = self.plot.file("walkin", "sg_kottayam", MONTHS[0])
        day = self._at(MONTHS[UNTIL_SYNCCTL - 1], 3).date()
        (name, phone), (_, other_phone), (other_name, _) = (self.plot.somebody() for _ in range(3))
        namesakes = [
            self.plot.visit(file, (name, number), day, is_loss=False) for number in (phone, other_phone)
        ]
        day += timedelta(days=1)
        family = [self.plot.visit(file, (who, phone), day, is_loss=False) for who in (name, other_name)]
        self._old_import(OldSystem(self.world.app, self.chance, STORES), file, now, file.records)
        self.plot.edit(namesakes[0], {"phone": "9300000000"}, now)
        self.plot.finish(namesakes[0], "general page", now)
        self.plot.finish(family[0], "loss of sale page", now)

    # syncctl's.

    def _switch(self) -> None:
        month = MONTHS[UNTIL_SYNCCTL - 1]
        self.world.now = self._at(month, 30)
        self._losses_of_the_1st_the_5th_and_the_9th(month)
        self.sync("the switch", full=True)
        self.import_files("the switch", self.plot.files)

    def _losses_of_the_1st_the_5th_and_the_9th(self, month: date) -> None:
        """The old system has imported the first, which is finished; the shop has sent more rows since."""
        file = self.plot.file("lossofsale", "z_edappally", MONTHS[0])
        person = self.plot.somebody()
        old = OldSystem(self.world.app, self.chance, STORES, INDIA)
        for day in (1, 5, 9):
            self.plot.visit(file, person, month.replace(day=day))
        self._old_import(old, file, self._at(month, 29), file.records[:1])
        self.plot.finish(file.records[0], "loss of sale page", self._at(month, 29))

    def _month_of_syncctl(self, month: date) -> None:
        last_of_month = min(END, self._at(month, 28).date())
        self._bookings_of(month)
        self.world.now = self._at(month, 20)
        self.sync(f"{month:%B}")
        files = self._files_of(month)
        self._returning_customers(files, month)
        self.import_files(f"{month:%B}", files)
        of_the_month = [record for record in self.register if record.day >= month]
        self.plot.work(of_the_month, self.world.now)
        self._edits_of_what_a_lead_is_known_by(of_the_month)
        if month == MONTHS[UNTIL_SYNCCTL + 1]:
            self._the_app_syncs_as_well()
        self.world.now = datetime.combine(last_of_month, time(12), UTC)
        self.sync(f"{month:%B}, again", full=self.chance.random() < 0.5)
        again = [file for file in self.plot.files if file.month == month or self.chance.random() < 0.3]
        self.import_files(f"{month:%B}, again", again)

    def _returning_customers(self, files: list[SentFile], month: date) -> None:
        """Customers of earlier visits, finished or not, come again: to any shop, for anything."""
        for record in self.chance.sample([record for record in self.register if not record.is_of_api], 12):
            day = month + timedelta(days=self.chance.randrange(18))
            self._visit_once(self.chance.choice(files), record, day)
        finished = [record for record in self.register if record.reports and not record.is_of_api]
        for record in self.chance.sample(finished, 6):
            same_shop = [file for file in files if file.store == record.store]
            self._visit_once(self.chance.choice(same_shop), record, month + timedelta(days=18))

    def _visit_once(self, file: SentFile, record: Record, day: date) -> None:
        """At most one visit of a person on a day: two of one kind at one shop would be one record."""
        if all(other.phone != record.phone or other.day != day for other in self.register):
            self.plot.visit(file, (record.name, record.phone), day)

    def _edits_of_what_a_lead_is_known_by(self, records: list[Record]) -> None:
        chosen = [record for record in records if len(record.leads) == 1 and not any(record.leads.values())]
        for number, record in enumerate(chosen[:12]):
            kinds = self.plot.identity_edits(record)
            self.plot.edit(record, kinds[number % len(kinds)], self.world.now, in_the_app=number % 2 == 0)
            if number % 3 == 0:
                self.plot.finish(record, self.plot.shape_for(record), self.world.now)

    def _the_app_syncs_as_well(self) -> None:
        """One run of its scheduler, and an upload of a shop's file of which it can't tell the shop."""
        app = OldSystem(self.world.app, self.chance, STORES)
        for lead in app.sync_api(self.sandbox, self.world.now, trigger="auto"):
            record = self.register.of_source(lead)
            assert record is not None
            record.leads[lead["_id"]] = {}
            self.oracle.of_the_app[lead["_id"]] = "by the app's scheduler"
        for file in self.chance.sample(self.plot.files, 4):
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
        self._look(f"api, {when}", said, result, before, is_whole=full)

    def import_files(self, when: str, files: list[SentFile]) -> None:
        """An import of these files of each kind, looked at."""
        for kind, step in KINDS.items():
            before = self._lead_ids()
            of_kind = [file for file in files if file.kind == kind]
            paths = [file.write_in(self.folder) for file in of_kind]
            result = self.world.import_files(step, *paths)
            said = [record for file in of_kind for record in file.records]
            self._look(f"{kind}, {when}", said, result, before)

    def _look(
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
        for what in (
            ("duplicates", "stores", "finished") if self.cleans_finished else ("duplicates", "stores")
        ):
            ended = self.program.run("cleanup", what, "--apply")
            leads = {lead["_id"]: lead for lead in self.world.app.leads()}
            self.oracle.look_at_leads(f"cleanup {what}", leads, may_delete=True)
            assert ended.status in (0, 1), ended.output

    def _see_that_it_stays_so(self) -> None:
        self.world.now += timedelta(hours=1)
        self.sync("after the cleanup", full=True)
        self.import_files("after the cleanup", self.plot.files)
        self.oracle.at_the_end(finished_are_cleaned=self.cleans_finished)

    # A month.

    def _bookings_of(self, month: date) -> None:
        for _ in range(BOOKINGS_A_MONTH):
            self.plot.book(self.plot.somebody(), month + timedelta(days=self.chance.randrange(18)))
        due = [r for r in self.register if r.lead_type == "bookingConfirmation" and r.day < month]
        back = {record.number for record in self.register if record.lead_type == "return"}
        for booking in [booking for booking in due if booking.number not in back][:4]:
            self.plot.give_back(booking, month + timedelta(days=self.chance.randrange(18)))

    def _files_of(self, month: date) -> list[SentFile]:
        files = [self.plot.file(kind, place, month) for kind in KINDS for place in PLACES]
        for file in files:
            for _ in range(VISITS_A_FILE):
                day = month + timedelta(days=self.chance.randrange(18))
                self.plot.visit(file, self.plot.somebody(), day)
        return files

    @staticmethod
    def _at(month: date, day: int) -> datetime:
        return datetime.combine(month, time(12), UTC) + timedelta(days=day - 1)
