"""The business: its bookings, corrections and withdrawals, its shops' files, and its telecallers' work.

Every record is created here, so the owner of each lead is known without syncctl's code. The expected leads
are computed by tests/support/oracle.py and tests/chaos/store_file_model.py, from the contract.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

from syncctl.sandbox import Sandbox
from syncctl.sandbox.vocabulary import FIRST_NAMES, LAST_NAMES
from tests.chaos.records import record_key
from tests.chaos.store_file_model import PLACES, STATUSES, StoreFile, new_lead
from tests.support.oracle import Key, Row, key_and_lead
from tests.support.webapp import Lead, MongoApp, SqliteApp, pages_for, report_of
from tests.support.world import KOLKATA

CORRECTED_PHONE_IS_ONE_LEAD = True
"""Whether a booking whose phone number the source corrects is still one lead. False: the corrected number may
be a lead of its own, which is not looked at further."""

RECENT = 250
"""Of how many records or bookings, the newest, something happens to one."""

LATE_DAYS = 40
"""A booking entered late has a date so long ago at most; it is beyond a narrow window."""

FAR_AWAY = "Suitor Guy - Kannur"
OPENING, OPEN_S = time(10), 36_000
NEVER = 10**9
REACHED = "Connected"
"""The call status of a customer who was spoken to."""


@dataclass(eq=False)
class Record:
    """A booking, a return or a visit, which must become one lead."""

    key: Key

    said: list[Lead]
    """The source's values over time, newest last; a lead may no longer have the first `passed` of them."""

    due: int
    """After how many undisturbed runs it must be stored."""

    news_due: int = 0
    """After how many undisturbed runs its newest phone number must be stored."""

    passed: int = 0

    leads: dict[str, Lead] = field(default_factory=dict)
    """Its leads by id, with people's edits of each."""

    is_finished: bool = False
    """By people."""

    is_deleted: bool = False
    """By people."""

    was_reached: bool = False

    may_return: bool = False
    """It was finished before anybody was reached, and its phone number was corrected."""

    is_optional: bool = False
    """It may or may not have a lead."""

    @property
    def is_gone(self) -> bool:
        """Whether people have finished or deleted it."""
        return self.is_finished or self.is_deleted

    @property
    def phone(self) -> str:
        """Its phone number, as its source says it now."""
        return str(self.said[-1]["phone"])

    def __str__(self) -> str:
        return " ".join(filter(None, self.key))


@dataclass(eq=False)
class Booking:
    """A booking at the source."""

    row: Row
    """Its first item's current row."""

    store: str

    records: dict[str, Record] = field(default_factory=dict)
    """Its records by report."""


class Business:
    """`runs`: the number of undisturbed runs. `in_run`: one is in progress. `counts`: what happened."""

    def __init__(
        self, sandbox: Sandbox, app: MongoApp | SqliteApp, stores: Mapping[str, str], rng: Random
    ) -> None:
        self.app = app
        self.runs = 0
        self.in_run = False
        self.audit_round = 1 + len(stores)
        self.counts = Counter[str]()
        self.records: list[Record] = []
        self.typed: dict[str, Lead] = {}
        self.report_ids: set[str] = set()
        self.files = [StoreFile(kind, place, []) for kind in ("walkin", "lossofsale") for place in PLACES]
        self._sandbox = sandbox
        self._stores = list(stores.values())
        self._chance = rng
        self._bookings: list[Booking] = []
        self._by_key: dict[Key, Record] = {}
        self._numbers = 0
        self._booked = 0

    def record_of(self, lead: Lead) -> Record | None:
        """The record that a lead is of which nobody has edited."""
        return self._by_key.get(record_key(lead))

    # At the source.

    def book(self, at: datetime, days_back: int = 0, *, is_valid: bool = True) -> Booking:
        """A booking entered at `at`, dated so many days before."""
        row = self._sandbox.add_bookings(1)[0]
        booking = Booking(row, self._stores[self._booked % len(self._stores)])
        self._booked += 1
        self._bookings.append(booking)
        moment = self._moment(at - timedelta(days=days_back))
        number = self._phone() if is_valid else "12345"
        self._change(
            booking,
            customerName=self._name(),
            phoneNo=self._chance.choice(("{0}", "0{0}", "+91 {0}", "91{0}")).format(number),
            bookingDate=f"{moment:%Y-%m-%dT%H:%M:%S}",
            deliveryDate=f"{moment + timedelta(days=20):%Y-%m-%dT00:00:00}",
            price=float(self._chance.randrange(1000, 9000, 250)),
        )
        if days_back and "booking" in booking.records:
            booking.records["booking"].due = self._due(self.audit_round)
        self.counts["bookings"] += 1
        self.counts["invalid bookings"] += not is_valid
        return booking

    def give_back(self, at: datetime) -> None:
        """The garments of a booking come back."""
        booking = self._some_booking(lambda each: "return" not in each.records)
        if booking is not None:
            moment = self._moment(at)
            self._change(booking, returnDate=f"{moment:%Y-%m-%dT%H:%M:%S}", returnAttendedBy="Staff A")
            self.counts["returns"] += 1

    def correct(self) -> None:
        """A booking's phone number, name or date is corrected; one without a number gets one."""
        booking = self._some_booking()
        if booking is None:
            return
        what = "phones" if not booking.records else self._chance.choice(("phones", "names", "dates"))
        match what:
            case "phones":
                self._change(booking, phoneNo=self._phone())
            case "names":
                self._change(booking, customerName=self._name())
            case "dates":
                day = datetime.fromisoformat(booking.row["deliveryDate"]) + timedelta(days=1)
                self._change(booking, deliveryDate=f"{day:%Y-%m-%dT%H:%M:%S}")
        self.counts[f"corrected {what}"] += 1

    def cancel(self) -> None:
        """A booking is removed. If it has become a lead, the lead stays."""
        booking = self._some_booking()
        if booking is not None:
            self._sandbox.remove_booking(booking.row["bookingNo"])
            self._bookings.remove(booking)
            for record in booking.records.values():
                record.is_optional = record.is_optional or not record.leads
                # No answer shows any more that its number was corrected.
                record.news_due = NEVER
            self.counts["cancellations"] += 1

    def _some_booking(self, fits: Callable[[Booking], bool] = lambda booking: True) -> Booking | None:
        fitting = [booking for booking in self._bookings[-RECENT:] if fits(booking)]
        return self._chance.choice(fitting) if fitting else None

    def _change(self, booking: Booking, **fields: Any) -> None:
        self._sandbox.change_booking(booking.row["bookingNo"], **fields)
        booking.row |= fields
        for report in ("booking", "return"):
            outcome = key_and_lead(report, booking.row, booking.store)
            if isinstance(outcome, str):
                continue
            key, lead = outcome
            record = booking.records.get(report)
            if record is None or not (CORRECTED_PHONE_IS_ONE_LEAD or record.key == key):
                booking.records[report] = self._new(key, lead)
                booking.records[report].is_optional = record is not None
                if record is not None:
                    record.is_optional = True
            else:
                self._say(record, key, lead)

    def _say(self, record: Record, key: Key, lead: Lead) -> None:
        """The source changes a known booking."""
        if lead["phone"] != record.phone:
            record.news_due = self._due(self.audit_round)
            record.may_return = record.is_finished and not record.was_reached
        record.said.append(lead)
        self._by_key[key] = record

    def _new(self, key: Key, lead: Lead) -> Record:
        assert key not in self._by_key, key
        record = Record(key, [lead], self._due(1))
        self.records.append(record)
        self._by_key[key] = record
        return record

    def _due(self, runs: int) -> int:
        return self.runs + runs + self.in_run

    # In the shops.

    def visit(self, at: datetime) -> None:
        """Some customers come to each shop, and one of those of before says more."""
        for file in self.files:
            assert isinstance(file.lines, list)
            for _ in range(self._chance.randint(1, 3)):
                day, function = at.astimezone(KOLKATA), at + timedelta(days=30)
                number = "12" if self._chance.random() < 0.05 else self._phone()
                status = "Loss" if file.kind == "lossofsale" else self._chance.choice(STATUSES)
                dates = f"{day:%d-%m-%Y}", f"{function:%d-%m-%Y}"
                file.lines.append([dates[0], self._name(), number, dates[1], "RAYAN", status, "Price", ""])
                self.counts["file rows"] += 1
                self.counts["invalid file rows"] += number == "12"
            self._chance.choice(file.lines)[-1] = f"will confirm, {self._next()}"
            self.counts["corrected file rows"] += 1
            for key, visit in file.visits().items():
                lead = new_lead(visit, at)
                if key not in self._by_key:
                    self._new(key, lead).due = NEVER  # until an import
                elif (record := self._by_key[key]).said[-1] != lead:
                    record.said.append(lead)

    def imported(self, file: StoreFile) -> None:
        """An import of the file has ended well."""
        for key in file.visits():
            record = self._by_key[key]
            record.due, record.passed = 0, len(record.said) - 1

    def write_files(self, folder: Path) -> dict[str, list[Path]]:
        """The shops' files as they are now, by kind."""
        written: dict[str, list[Path]] = {}
        for file in self.files:
            if file.lines:
                written.setdefault(file.kind, []).append(file.write_in(folder))
        return written

    # At the telecallers' desks.

    def work(self, at: datetime) -> None:
        """A telecaller handles a lead, or adds one."""
        if self._chance.random() < 0.03:
            self._type_in(at)
        records = [record for record in self.records[-RECENT:] if not record.is_gone]
        if not records:
            return
        record = self._chance.choice(records)
        lead = self.lead_of(record)
        if lead is None:
            return
        kinds = ("finish", "edit", "edit by hand", "delete")
        match self._chance.choices(kinds, (40, 45, 7, 8))[0]:
            case "finish":
                self._finish(record, lead, at)
            case "edit":
                self._edit(record, lead, self._chance.choice(self._page_edits(at)[1:]), at)
            case "edit by hand":
                # In the database: `updatedAt` does not move.
                self._edit(record, lead, self._chance.choice(self._edits_by_hand(record)), lead["updatedAt"])
            case "delete":
                self.app.delete(lead["_id"])
                record.is_deleted = True
                record.leads.clear()
                self.counts["deleted"] += 1

    def lead_of(self, record: Record) -> Lead | None:
        """Its current lead; None: there is none yet, or more than one."""
        phones = {said["phone"] for said in record.said}
        phones |= {edits["phone"] for edits in record.leads.values() if "phone" in edits}
        found = [lead for phone in sorted(phones) for lead in self.app.leads(phone=phone)]
        own = [
            lead
            for lead in found
            if lead["_id"] in record.leads or (not record.leads and self.record_of(lead) is record)
        ]
        if len(own) != 1:
            return None
        record.leads.setdefault(own[0]["_id"], {})
        return own[0]

    def _finish(self, record: Record, lead: Lead, at: datetime) -> None:
        changes = self._chance.choice(self._page_edits(at))
        report = report_of(lead, self._chance.choice(pages_for(lead)), changes, at)
        self.report_ids.add(self.app.add_report(report))
        self.app.delete(lead["_id"])
        record.is_finished = True
        record.was_reached = report["call_status"] == REACHED
        record.may_return = record.phone != lead["phone"] and not record.was_reached
        record.leads.clear()
        self.counts["finished"] += 1

    def _edit(self, record: Record, lead: Lead, changes: Lead, updated_at: datetime) -> None:
        self.app.edit(lead["_id"], **changes, updatedAt=updated_at)
        record.leads[lead["_id"]] |= changes
        self.counts["edited"] += 1

    def _type_in(self, at: datetime) -> None:
        lead = {
            "leadType": self._chance.choice(("general", "justDial", "bookingConfirmation")),
            "name": self._name(),
            "phone": self._chance.choice(self.records).phone,
            "store": self._chance.choice(self._stores),
            "callStatus": "Not Called",
            "leadStatus": "No Status",
            "followUpFlag": False,
            "remarks": "typed in",
            "createdAt": at,
            "updatedAt": at,
            "__v": 0,
        }
        lead_id = self.app.insert(lead)
        self.typed[lead_id] = next(
            each for each in self.app.leads(phone=str(lead["phone"])) if each["_id"] == lead_id
        )
        self.counts["typed in"] += 1

    def _page_edits(self, at: datetime) -> list[Lead]:
        """What the app's pages let a telecaller change."""
        return [
            {},
            {"callStatus": REACHED, "leadStatus": "Confirmed"},
            {"callStatus": "Not Connected"},
            {"remarks": f"calls back, {self._next()}"},
            {"followUpDate": at + timedelta(days=3), "followUpFlag": True},
            {"closingStatus": "Not interested", "rating": 3},
        ]

    def _edits_by_hand(self, record: Record) -> list[Lead]:
        """What no page can change, and people change in the database."""
        edits: list[Lead] = [{"phone": f"93{self._next():08}"}, {"name": f"Somebody {self._next()}"}]
        edits += [{"store": FAR_AWAY}, {"functionDate": record.said[-1]["createdAt"] + timedelta(days=9)}]
        return [*edits, {"bookingNo": f"edited-{self._next()}"}] if record.key[1] else edits

    # Names and numbers.

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers

    def _phone(self) -> str:
        return f"98{self._next():08}"

    def _name(self) -> str:
        return f"{self._chance.choice(FIRST_NAMES)} {self._chance.choice(LAST_NAMES)}"

    def _moment(self, at: datetime) -> datetime:
        """That day, at a unique second: `createdAt` tells leads apart."""
        day = at.astimezone(KOLKATA).date()
        return datetime.combine(day, OPENING) + timedelta(seconds=self._next() % OPEN_S)
