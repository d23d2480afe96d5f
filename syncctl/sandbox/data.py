"""Made-up bookings of one location, deterministic for a seed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from syncctl.sandbox import vocabulary as words
from syncctl.sandbox.vocabulary import Store, seeded

DAYS = 365

# Drawn like cards, a hundred bookings at a time, so that 200 bookings have 352 item rows for any seed.
_ITEM_COUNTS = (1,) * 50 + (2,) * 29 + (3,) * 16 + (4,) * 5
_ODD_BOOKINGS = (
    *("plain",) * 64,
    *("padded name",) * 8,
    *("returning customer",) * 6,
    *("no price",) * 5,
    *("snake case", "pascal case") * 4,
    *("other spelling",) * 3,
    *("blank name", "null name", "short phone", "null phone", "blank number", "null number"),
)
_ODD_FIELDS: Mapping[str, Mapping[str, Any]] = {
    "blank name": {"customerName": "  "},
    "null name": {"customerName": None},
    "short phone": {"phoneNo": "12345"},
    "null phone": {"phoneNo": None},
    "blank number": {"bookingNo": ""},
    "null number": {"bookingNo": None},
}


@dataclass(slots=True, eq=False)
class Booking:
    """A booking, with the contract's field names."""

    fields: dict[str, Any]
    """Values shared by all its item rows."""

    items: list[dict[str, Any]]
    """Each item row's own values."""

    aliases: Mapping[str, str] = field(default_factory=dict)
    """Field names used on the wire instead."""

    def rows(self) -> list[dict[str, Any]]:
        """The booking as in the reports: one row per item."""
        rename = self.aliases.get
        return [
            {rename(name, name): value for name, value in (self.fields | item).items()} for item in self.items
        ]


def past_bookings(store: Store, *, count: int, seed: int, today: date) -> list[Booking]:
    """`count` bookings of the last 365 days, oldest first, including every oddity in the contract."""
    rng = seeded(seed, store.code)
    days = sorted(today - timedelta(days=rng.randrange(DAYS)) for _ in range(count))
    sizes, kinds_of_odd = _deal(rng, _ITEM_COUNTS, count), _deal(rng, _ODD_BOOKINGS, count)
    bookings: list[Booking] = []
    customers: list[tuple[str, str]] = []
    for number, (day, size, kind_of_odd) in enumerate(zip(days, sizes, kinds_of_odd, strict=True), start=1):
        booking = Booking(_fields(rng, store, number, day, today), _items(rng, size))
        if kind_of_odd == "returning customer" and customers:
            booking.fields["customerName"], booking.fields["phoneNo"] = rng.choice(customers)
        elif kind_of_odd == "plain":
            customers.append((booking.fields["customerName"], booking.fields["phoneNo"]))
        else:
            _make_odd(booking, kind_of_odd)
        bookings.append(booking)
    return bookings


def add_events(bookings: Iterable[Booking], name: str, rng: Random, today: date) -> None:
    """Let something have happened to a third of the bookings, up to `today`: the field `name` says when; of
    the others it is None."""
    for booking in bookings:
        at = datetime.fromisoformat(booking.fields["bookingDate"]) + timedelta(days=rng.randint(1, 20))
        happened = rng.random() < 1 / 3 and at.date() <= today
        booking.fields[name] = wall_clock(at) if happened else None


def new_booking(store: Store, *, number: int, seed: int, today: date, day: date) -> Booking:
    """A valid booking entered today and dated `day`, not returned; `number` is its running number at the
    location."""
    rng = seeded(seed, store.code, number)
    fields = _fields(rng, store, number, day, today=day)
    fields["bookingNo"] = _booking_no(store, number, today)
    return Booking(fields, _items(rng, rng.choice(_ITEM_COUNTS)))


def wall_clock(moment: date) -> str:
    """A date or datetime as in the reports: local time to the second, without a zone."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}"


def _deal(rng: Random, cards: tuple[Any, ...], count: int) -> list[Any]:
    dealt: list[Any] = []
    while len(dealt) < count:
        dealt += rng.sample(cards, len(cards))
    return dealt[:count]


def _fields(rng: Random, store: Store, number: int, day: date, today: date) -> dict[str, Any]:
    delivery = day + timedelta(days=rng.randint(2, 30))
    days_since = (today - delivery).days
    returned = days_since >= 1 and rng.random() < 0.735  # including those that can't be yet: about 70 %
    return_day = delivery + timedelta(days=rng.randint(1, max(1, min(5, days_since))))
    return {
        "bookingNo": _booking_no(store, number, day),
        "customerName": f"{rng.choice(words.FIRST_NAMES)} {rng.choice(words.LAST_NAMES)}",
        "phoneNo": _phone(rng, store.code, number),
        "bookingDate": wall_clock(datetime.combine(day, _opening_hours(rng))),
        "deliveryDate": wall_clock(delivery),
        "trialDate": wall_clock(delivery - timedelta(days=1)) if rng.random() < 0.8 else None,
        "expectedReturnDate": wall_clock(delivery + timedelta(days=3)),
        "remarks": rng.choice(words.REMARKS),
        "returnDate": wall_clock(datetime.combine(return_day, _opening_hours(rng))) if returned else None,
        "price": rng.randrange(1000, 20000, 250) + rng.choice((0, 0, 0.5)),
        "bookingBy": rng.choice(words.STAFF),
        "location": store.spelling,
        "returnAttendedBy": rng.choice(words.STAFF) if returned else None,
        "rentOutDate": wall_clock(delivery) if returned else None,
    }


def _booking_no(store: Store, number: int, day: date) -> str:
    return f"{day:%Y%m%d}{int(store.code):03d}{number:05d}"


def _items(rng: Random, count: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    for _ in range(count):
        prefix, garment, category = rng.choice(words.GARMENTS)
        code = f"{prefix}{rng.randrange(1000):03d}"
        items.append(
            {
                "itemCode": code,
                "itemName": f"{code} {garment}",
                "measurement": rng.choice(words.MEASUREMENTS),
                "category": category,
                "subCategory": garment,
            }
        )
    return items


def _phone(rng: Random, code: str, number: int) -> str:
    digits = f"9{int(code):04d}{number:05d}"
    return rng.choice(words.PHONE_SHAPES).format(digits, digits[:5], digits[5:], digits[0] + digits[2:])


def _opening_hours(rng: Random) -> time:
    return time(rng.randint(9, 19), rng.randrange(60), rng.randrange(60))


def _make_odd(booking: Booking, kind_of_odd: str) -> None:
    fields = booking.fields
    fields |= _ODD_FIELDS.get(kind_of_odd, {})
    match kind_of_odd:
        case "padded name":
            fields["customerName"] = f"  {fields['customerName']} "
        case "no price":
            del fields["price"]
        case "snake case":
            booking.aliases = words.SNAKE_CASE
        case "pascal case":
            booking.aliases = words.PASCAL_CASE
        case "other spelling":
            fields["location"] = fields["location"].upper().replace("- ", " - ")
