"""The events of the year at the source, in the shops and at the telecallers' desks."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, product
from pathlib import Path
from random import Random

from syncctl.sandbox import Sandbox
from syncctl.sandbox.vocabulary import FIRST_NAMES, LAST_NAMES
from tests.integration.year.records import Record, Register
from tests.support.store_files import HEADER, write
from tests.support.webapp import Lead, MongoApp, SqliteApp, pages_for, report_of

STORES = {"7": "Suitor Guy - Perinthalmanna", "144": "Zorucci - Edappally", "701": "Suitor Guy - Kottayam"}
"""The sandbox's first locations (contract/locations.toml)."""

PLACES = {
    "sg_perinthalmanna": "Suitor Guy - Perinthalmanna",
    "z_edappally": "Zorucci - Edappally",
    "sg_kottayam": "Suitor Guy - Kottayam",
}
"""The same shops as the names of their files tell them."""

GENERAL_STATUSES, LOSS_STATUSES = ("Booked", "Trial", "New Walkin"), ("Loss", "Revisit Loss")
FAR_AWAY = "Suitor Guy - Kannur"
OLDER_SHAPES, OF_NUMBERS = ("leadSnapshot", "beforeSnapshot"), ("leadData", "flat with id")
"""Older shapes of reports that hold dates, and those that do not: they tell a booking by its number, but not
one visit of a customer from the next."""

Person = tuple[str, str]
"""Name and phone number."""


@dataclass(frozen=True)
class SentFile:
    """A shop's file as last sent, with its records. `number`: of the folder it is sent in, as other files
    have the same name."""

    number: int
    kind: str
    place: str
    month: date
    records: list[Record] = field(default_factory=list)

    @property
    def store(self) -> str:
        return PLACES[self.place]

    def write_in(self, folder: Path) -> Path:
        """Put it there."""
        own = folder / f"sent {self.number}"
        own.mkdir(exist_ok=True)
        rows = [list(record.row.values()) for record in self.records]
        return write(own / f"{self.kind}_{self.place}.csv", *rows)


class Simulation:
    """Creates people, bookings and visits, and does what telecallers do. Everything is recorded in the
    register, so the owner of each lead is known."""

    def __init__(self, sandbox: Sandbox, app: MongoApp | SqliteApp, rng: Random) -> None:
        self.sandbox = sandbox
        self.app = app
        self.rng = rng
        self.register = Register()
        self.files: list[SentFile] = []
        self._names = [f"{first} {last}" for first, last in product(FIRST_NAMES, LAST_NAMES)]
        rng.shuffle(self._names)
        self._numbers = count(1)
        self._bookings = count()
        self.shapes_used = Counter[str]()

    # People and what they do in the shops.

    def somebody(self) -> Person:
        """A new person."""
        return self._names.pop(), f"98{next(self._numbers):08}"

    def book(self, person: Person, day: date) -> Record:
        """A booking, of one item or of several."""
        number = self.sandbox.add_bookings(1)[0]["bookingNo"]
        store = list(STORES.values())[next(self._bookings) % len(STORES)]
        instant = self._instant(day)
        self.sandbox.change_booking(
            number,
            customerName=person[0],
            phoneNo=person[1],
            bookingDate=instant.replace(tzinfo=None),
            deliveryDate=datetime.combine(day + timedelta(days=20), time()),
        )
        return self.register.add(
            Record("bookingConfirmation", *person, store, day, number=number, instant=instant)
        )

    def give_back(self, booking: Record, day: date) -> Record:
        """The garments of a booking come back."""
        instant = self._instant(day)
        self.sandbox.return_booking(booking.number, instant.replace(tzinfo=None))
        name, phone, store = booking.name, booking.phone, booking.store
        return self.register.add(
            Record("return", name, phone, store, day, number=booking.number, instant=instant)
        )

    def visit(self, file: SentFile, person: Person, day: date, *, is_loss: bool | None = None) -> Record:
        """A visit to a shop, in its file. `is_loss`: by chance, unless given or the file is of losses."""
        if is_loss is None:
            is_loss = file.kind == "lossofsale" or self.rng.random() < 0.3
        row = dict.fromkeys(HEADER, "") | {
            "Date": f"{day:%d-%m-%Y}",
            "Customer Name": person[0],
            "Contact": person[1],
            "Function Date": f"{day + timedelta(days=30):%d-%m-%Y}",
            "Staff": "RAYAN",
            "Status": self.rng.choice(LOSS_STATUSES if is_loss else GENERAL_STATUSES),
            "Category": self.rng.choice(("PRICE", "SIZE", "ENQUIRY")),
            "Remarks": self.rng.choice(("", "just enquiry", "wants blue")),
        }
        lead_type = "lossOfSale" if is_loss else "general"
        record = self.register.add(Record(lead_type, *person, file.store, day, row=row))
        file.records.append(record)
        return record

    def file(self, kind: str, place: str, month: date) -> SentFile:
        """A new file, without rows yet."""
        self.files.append(SentFile(len(self.files), kind, place, month))
        return self.files[-1]

    def _instant(self, day: date) -> datetime:
        """Within opening hours, at a unique second."""
        number = next(self._numbers)
        return datetime.combine(day, time(10, number // 60 % 60, number % 60), UTC)

    # Telecallers.

    def edit(self, record: Record, changes: Lead, now: datetime, *, in_the_app: bool = True) -> None:
        """Edit a record's only or first lead; in the database by hand, `updatedAt` does not move."""
        lead = self._lead_of(record)
        self.app.edit(lead["_id"], **changes, updatedAt=now if in_the_app else lead["updatedAt"])
        record.leads[lead["_id"]] |= changes
        record.edited |= changes

    def finish(self, record: Record, shape: str, now: datetime, changes: Lead | None = None) -> None:
        """Finish a record's only or first lead on a page, or as an older version of the app did."""
        self.shapes_used[shape] += 1
        lead = self._lead_of(record)
        report = report_of(lead, shape, changes, now)
        report_id = self.app.add_report(report)
        self.app.delete(lead["_id"])
        del record.leads[lead["_id"]]
        record.reports[report_id] = report
        record.was_seen_when_gone = record.was_seen

    def delete(self, record: Record) -> None:
        """Delete a record's only lead."""
        (lead_id,) = record.leads
        self.app.delete(lead_id)
        record.leads.clear()
        record.is_deleted, record.was_seen_when_gone = True, record.was_seen

    def type_in(self, person: Person, store: str, now: datetime) -> str:
        """A lead typed in by hand."""
        lead = {
            "leadType": ("general", "justDial")[len(self.register.typed) % 2],
            "source": "JustDial",
            "name": person[0],
            "phone": person[1],
            "store": store,
            "callStatus": "Not Called",
            "leadStatus": "No Status",
            "followUpFlag": False,
            "assignedTo": None,
            "remarks": "",
            "createdAt": now,
            "updatedAt": now,
            "__v": 0,
        }
        lead_id = self.app.insert(lead)
        (self.register.typed[lead_id],) = self.app.leads(phone=person[1])
        return lead_id

    def finish_typed(self, lead_id: str, now: datetime) -> None:
        """Finish a lead that was typed in by hand."""
        lead = self.register.typed.pop(lead_id)
        page = min(pages_for(lead), key=self.shapes_used.__getitem__)
        self.shapes_used[page] += 1
        self.app.add_report(report_of(lead, page, None, now))
        self.app.delete(lead_id)

    def shape_for(self, record: Record) -> str:
        """One of the app's pages that show its lead, and now and then an older shape."""
        shapes: list[str] = pages_for(self._lead_of(record))
        if self.rng.random() < 0.15:
            shapes = [*OLDER_SHAPES, *(OF_NUMBERS if record.is_of_api else ())]
        return self.rng.choice(shapes)

    def _lead_of(self, record: Record) -> Lead:
        """A record's only or first lead, as it is now."""
        lead_id = min(record.leads)
        phone = record.leads[lead_id].get("phone", record.phone)
        return next(lead for lead in self.app.leads(phone=phone) if lead["_id"] == lead_id)

    def work(self, records: list[Record], now: datetime, *, deletes: bool = True) -> None:
        """A telecaller's day: of these records' untouched leads, some are finished, some edited, a few
        deleted."""
        for record in records:
            if not record.leads or record.is_gone or any(record.leads.values()):
                continue
            match self.rng.choices(("finish", "edit", "delete", "leave"), (30, 20, 5, 45))[0]:
                case "finish":
                    self.finish(record, self.shape_for(record), now, self.rng.choice(self.page_edits(now)))
                case "edit":
                    self.edit(record, self.rng.choice(self.page_edits(now)[1:]), now)
                case "delete" if deletes and len(record.leads) == 1:
                    self.delete(record)

    def page_edits(self, now: datetime) -> list[Lead]:
        """What the app's pages let a telecaller change."""
        return [
            {},
            {"callStatus": "Connected", "leadStatus": "Confirmed"},
            {"remarks": f"calls back, {next(self._numbers)}"},
            {"followUpDate": now + timedelta(days=3), "followUpFlag": True},
            {"closingStatus": "Not interested", "rating": 3},
        ]

    def identity_edits(self, record: Record) -> list[Lead]:
        """Edits made in the database: identifying fields, one at a time and all together."""
        number = next(self._numbers)
        phone, name = {"phone": f"93{number:08}"}, {"name": f"Somebody {number}"}
        store, booking = {"store": FAR_AWAY}, {"bookingNo": f"edited-{number}"}
        one = [phone, name, store]
        if record.is_of_api:
            return [*one, booking, phone | name, booking | phone, booking | phone | name | store]
        return [*one, phone | name, name | store]
