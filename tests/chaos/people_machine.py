"""A random history of source and people as rules of a state machine; test_state_machine.py adds the runs."""

import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from syncctl.locations import Locations, load_locations
from syncctl.sandbox import Sandbox
from tests.chaos.corrections import NOBODY_REACHED
from tests.chaos.imports import Imports
from tests.chaos.lead_model import Model, Report
from tests.chaos.records import record_key, records_of
from tests.chaos.source import Answer, Row, Source
from tests.chaos.tally import tally
from tests.support.oracle import Key
from tests.support.webapp import MOSTLY_CURRENT_SHAPES, Lead, any_shape, report_of
from tests.support.world import KOLKATA, World

BEGIN, END = datetime(2026, 3, 2, 6, 0, tzinfo=UTC), date(2026, 8, 1)
STORES = {"7": "Suitor Guy - Perinthalmanna", "144": "Zorucci - Edappally"}
"""The sandbox's first locations, and whose they are (contract/locations.toml)."""

PHONES = ("9400000001", "9400000002", "9400000003")
NAMES = ("Anagha", "Biju", "Chitra")
NUMBERS = ("5001", "5002", "7001")
WHO_IT_IS = ("name", "phone", "store", "bookingNo")
CALL_STATUSES = ("Called", "Not Called", *sorted(NOBODY_REACHED))
picks = st.integers(0, 999)
"""An index, modulo the number of items."""

statuses = st.sampled_from(CALL_STATUSES).map(lambda value: {"callStatus": value})
edits = st.one_of(
    statuses,
    st.sampled_from(["Interested", "No Status"]).map(lambda value: {"leadStatus": value}),
    st.sampled_from(["", "calls back", "wants blue"]).map(lambda value: {"remarks": value}),
    st.sampled_from(["price", "Price"]).map(lambda value: {"reasonCollectedFromStore": value}),
    st.sampled_from(["Booked", "Lost"]).map(lambda value: {"closingStatus": value}),
    st.sampled_from(NAMES).map(lambda value: {"name": value}),
    st.sampled_from([*PHONES, "9499999999"]).map(lambda value: {"phone": value}),
    st.sampled_from(["Zorucci - Kottayam", *STORES.values()]).map(lambda value: {"store": value}),
    st.sampled_from(NUMBERS).map(lambda value: {"bookingNo": value}),
    st.integers(1, 5).map(lambda value: {"rating": value}),
    st.booleans().map(lambda value: {"followUpFlag": value}),
    st.just({"assignedTo": "agent", "assignedAt": BEGIN}),
    st.just({"followUpDate": BEGIN, "callDate": BEGIN}),
    st.dates(date(2026, 4, 1), date(2026, 4, 3)).map(
        lambda day: {"functionDate": datetime.combine(day, time(), UTC)}
    ),
)
"""What a telecaller edits (contract/database.md)."""

last_edits: st.SearchStrategy[Lead] = st.one_of(st.just({}), statuses, edits)
"""What a telecaller edits as a lead is finished."""

telecaller_actions = st.one_of(
    st.tuples(st.just("_edit"), picks, edits),
    st.tuples(st.just("_finish"), picks, st.sampled_from(MOSTLY_CURRENT_SHAPES), last_edits),
    st.tuples(st.just("_delete"), picks),
)
"""What a telecaller does: a method name and its arguments."""

source_changes = st.sampled_from(
    [
        {"deliveryDate": datetime(2026, 6, 1)},  # noqa: DTZ001 - the source's dates have no zone
        {"deliveryDate": None, "trialDate": None},
        {"price": 4711.5},
        {"remarks": "rescheduled"},
        {"customerName": "Somebody Else"},
        {"customerName": "  "},
        {"phoneNo": "12345"},
    ]
)


class PeopleMachine(RuleBasedStateMachine):
    """A source, people, and the model of the expected leads."""

    make_url: Callable[[Path], str]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="syncctl-story-")
        self.sandbox = Sandbox(locations=len(STORES), bookings=0, today=END).start()
        tables = load_locations()
        locations = Locations(STORES, tables.brands, tables.places)
        self.world = World(self.sandbox, type(self).make_url(Path(self.folder.name)), locations)
        # One lane, so that a history can be replayed.
        self.world.config = self.world.config._replace(concurrency=1, max_tries=1)
        self.world.now = BEGIN
        self.source = Source(self.sandbox)
        self.model = Model(self.world.app)
        self.imports = Imports(self.model)
        self.typed = 0

    def teardown(self) -> None:
        self.world.close()
        self.sandbox.stop()
        self.folder.cleanup()

    @property
    def today(self) -> date:
        """The current day of the business."""
        return self.world.now.astimezone(KOLKATA).date()

    @invariant()
    def nobody_else_has_touched_anything(self) -> None:
        tally.add("state machine steps")
        self.model.assert_unchanged()

    @initialize()
    def begin(self) -> None:
        for customer in ({}, {"phoneNo": PHONES[0], "customerName": NAMES[0]}):
            self.source.book(self.today, 0, **customer)
        self.old_system_has_imported_one(0)

    @rule(minutes=st.sampled_from([5, 24 * 60, 24 * 60, 9 * 24 * 60, -3 * 60]))
    def time_goes_by(self, minutes: int) -> None:
        """Advance the clock, or set it back when it is corrected."""
        if self.today + timedelta(days=10) < END:
            self.world.now = max(BEGIN, self.world.now + timedelta(minutes=minutes))

    # What happens at the source.

    @rule(
        back=st.integers(0, 3),
        customer=st.fixed_dictionaries(
            {}, optional={"phoneNo": st.sampled_from(PHONES), "customerName": st.sampled_from(NAMES)}
        ),
        count=st.integers(1, 3),
    )
    def source_adds(self, back: int, customer: Row, count: int) -> None:
        for _ in range(count):
            self.source.book(self.today, back, **customer)

    @precondition(lambda self: self.source.numbers)
    @rule(pick=picks, change=source_changes)
    def source_changes_one(self, pick: int, change: Row) -> None:
        self.sandbox.change_booking(self._number(pick), **change)

    @precondition(lambda self: self.source.numbers)
    @rule(pick=picks, withdrawn=st.booleans())
    def source_takes_one_back(self, pick: int, withdrawn: bool) -> None:
        """A return, or the booking itself, is withdrawn."""
        if withdrawn:
            self.source.withdraw(self._number(pick))
        else:
            self.source.give_back(self._number(pick), self.today)

    @rule(
        where=st.sampled_from(list(STORES)),
        name=st.sampled_from([*NAMES, " anagha", ""]),
        phone=st.sampled_from([*PHONES, "+91 94000 00001", None]),
        number=st.sampled_from(["", *NUMBERS[:2]]),
        is_back=st.booleans(),
    )
    def source_shows_an_odd_row(self, where: str, name: str, phone: str, number: str, is_back: bool) -> None:
        row: Row = {"customerName": name, "phoneNo": phone, "bookingNo": number, "itemCode": "X1"}
        row["bookingDate"] = self.source.instant(self.today).isoformat()
        row["returnDate"] = self.source.instant(self.today).isoformat() if is_back else None
        self.source.show_always(where, row)

    def _number(self, pick: int) -> str:
        return self.source.numbers[pick % len(self.source.numbers)]

    # What people do.

    @precondition(lambda self: self.model.leads)
    @rule(pick=picks, changes=st.lists(edits, min_size=1, max_size=3))
    def telecaller_edits(self, pick: int, changes: list[Lead]) -> None:
        self._edit(pick, {name: value for change in changes for name, value in change.items()})

    @precondition(lambda self: self.model.leads)
    @rule(pick=picks, shape=st.sampled_from(MOSTLY_CURRENT_SHAPES), changes=last_edits)
    def telecaller_finishes(self, pick: int, shape: str, changes: Lead) -> None:
        self._finish(pick, shape, changes)

    @precondition(lambda self: self.model.leads)
    @rule(pick=picks)
    def telecaller_deletes(self, pick: int) -> None:
        self._delete(pick)

    def _edit(self, pick: int, edit: Lead) -> None:
        lead = self._lead(pick)
        if lead["_id"] in self.model.old or lead["_id"] in self.model.half:
            # With every identifying field edited, the lead could not be recognized.
            edit = {name: value for name, value in edit.items() if name not in WHO_IT_IS}
        edit = {**edit, "updatedAt": self.world.now}
        self.world.app.edit(lead["_id"], **edit)
        self.model.leads[lead["_id"]] = {**lead, **edit}
        self.imports.note_edit(lead["_id"], edit)

    def _finish(self, pick: int, shape: str, changes: Lead) -> None:
        lead = self.model.found()[self._lead(pick)["_id"]]
        document = report_of(lead, any_shape(lead, shape), changes, self.world.now)
        report_id = self.world.app.add_report(document)
        self.world.app.delete(lead["_id"])
        self.model.is_finished(Report(report_id, lead, document, changes))

    def _delete(self, pick: int) -> None:
        lead_id = self._lead(pick)["_id"]
        self.world.app.delete(lead_id)
        self.model.is_deleted(lead_id)

    @precondition(lambda self: self.model.reports)
    @rule(pick=picks, report_stays=st.booleans())
    def telecaller_reopens(self, pick: int, report_stays: bool) -> None:
        """Move a report back into leads, with a new id if the report has none."""
        report = self.model.reports[pick % len(self.model.reports)]
        lead = {**report.lead, "updatedAt": self.world.now}
        if "id" not in report.document or lead["_id"] in self.model.leads:
            lead["_id"] = self._id()
        self._insert(lead)
        if not report_stays:
            self.world.app.remove_report(report.report_id)
            self.model.reports.remove(report)
            self.model.never_again.discard(record_key(report.lead))

    @rule(
        lead_type=st.sampled_from(["general", "justDial", "bookingConfirmation", "lossOfSale"]),
        phone=st.sampled_from(PHONES),
        name=st.sampled_from(NAMES),
        number=st.sampled_from([None, NUMBERS[0]]),
    )
    def telecaller_types_in(self, lead_type: str, phone: str, name: str, number: str | None) -> None:
        lead: Lead = {"_id": self._id(), "leadType": lead_type, "name": name, "phone": phone}
        lead |= {"store": STORES["7"], "followUpFlag": False, "assignedTo": None}
        lead |= {"createdAt": self.world.now, "updatedAt": self.world.now}
        self._insert(lead | ({"bookingNo": number} if number else {}))

    @rule(pick=picks)
    def old_system_has_imported_one(self, pick: int) -> None:
        """A lead with a random id, of a record that no run has seen."""
        if not (unknown := self._unknown_records()):
            return
        key = sorted(unknown)[pick % len(unknown)]
        lead = {**unknown[key], "_id": self._id()}
        self.model.old[lead["_id"]] = key
        self._insert(lead)

    def _lead(self, pick: int) -> Lead:
        leads = self.model.leads
        return leads[sorted(leads)[pick % len(leads)]]

    def _insert(self, lead: Lead) -> None:
        self.world.app.insert(lead)
        # As it reads: SQLite has Mongoose's defaults for what is left out.
        self.model.leads[lead["_id"]] = self.model.found()[lead["_id"]]

    def _id(self) -> str:
        self.typed += 1
        return f"{self.typed:024x}"

    def _unknown_records(self) -> dict[Key, Lead]:
        answers = [Answer("booking", where, self.source.rows("booking", where)) for where in STORES]
        known = {key: lead for answer in answers for key, lead in records_of(answer, STORES).items()}
        met = {
            *self.model.lead_ids_by_record,
            *self.model.half.values(),
            *self.model.old.values(),
            *self.model.never_again,
        }
        return {key: lead for key, lead in known.items() if key not in met}
