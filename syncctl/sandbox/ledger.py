"""Each location's bookings and returns, day by day, and changes to them."""

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from syncctl.sandbox.data import Booking, add_events, new_booking, past_bookings, wall_clock
from syncctl.sandbox.dialects import LedgerQuery
from syncctl.sandbox.vocabulary import Store, seeded, store_list
from syncctl.sandbox.wire import REPORTS, STORES, Report, usual_envelope

BUSINESS_ZONE = ZoneInfo("Asia/Kolkata")
MIDDAY = time(12, 30)


@dataclass(slots=True)
class _Location:
    store: Store
    bookings: list[Booking]
    next_number: int
    raw_rows: list[object] = field(default_factory=list)


class Ledger:
    """The bookings of all locations; thread-safe.

    A location's bookings are generated on first access. Each answer is encoded once and cached until
    something in its location changes.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each thing that a test may want different
        self,
        *,
        seed: int,
        locations: int,
        bookings: int,
        today: date,
        now: Callable[[], datetime] | None = None,
        reports: Sequence[Report] = REPORTS,
    ) -> None:
        """`now`: the wall clock, after which nothing is made up to have happened; None: it may, until the
        end of `today`."""
        self._dates = {report.name: report.date for report in reports}
        self._seed = seed
        self._count = bookings
        self._today = today
        self._now = now
        self._stores = {store.code: store for store in store_list(locations)}
        self._locations: dict[str, _Location] = {}
        self._answers: dict[str | None, dict[LedgerQuery, bytes]] = defaultdict(dict)
        self._added = 0
        self._lock = threading.RLock()
        self._store_answer = _encode(self._store_rows())

    @property
    def codes(self) -> list[str]:
        """The locations' codes, in the store list's order."""
        return list(self._stores)

    def rows(self, ledger_query: LedgerQuery) -> list[Any]:
        """The matching rows, copied; none for an unknown location."""
        if ledger_query.api == STORES:
            return self._store_rows()
        codes = self.codes if ledger_query.location is None else [ledger_query.location]
        with self._lock:
            found = [self._rows(code, ledger_query) for code in codes if code in self._stores]
        return [row for rows in found for row in rows][: ledger_query.at_most]

    def answer(self, ledger_query: LedgerQuery) -> bytes:
        """The whole body that answers the question, in the usual envelope."""
        if ledger_query.api == STORES:
            return self._store_answer
        if ledger_query.location is not None and ledger_query.location not in self._stores:
            return _encode([])
        with self._lock:
            answers = self._answers[ledger_query.location]
            if ledger_query not in answers:
                answers[ledger_query] = _encode(self.rows(ledger_query))
            return answers[ledger_query]

    def add_bookings(self, count: int, on: date | None = None) -> list[dict[str, Any]]:
        """Add `count` bookings, cycling through the locations, dated `on` (default: today). Returns the
        booking report's new rows (none without a location)."""
        rows: list[dict[str, Any]] = []
        with self._lock:
            for _ in range(count if self._stores else 0):
                location = self._location(self.codes[self._added % len(self._stores)])
                booking = new_booking(
                    location.store,
                    number=location.next_number,
                    seed=self._seed,
                    today=self._today,
                    day=on or self._today,
                )
                for name in self._dates.values():
                    booking.fields.setdefault(name, None)
                if self._now is not None:
                    self._settle(booking, self._now())
                location.next_number += 1
                location.bookings.append(booking)
                self._forget_answers(location)
                self._added += 1
                rows += booking.rows()
        return rows

    def change_booking(self, booking_no: str, **fields: Any) -> None:
        """Set fields by the contract's names, e.g. `customerName`, in all its item rows; dates may be date,
        datetime or text. LookupError: the booking or the field is unknown."""
        with self._lock:
            location, booking = self._find(booking_no)
            unknown = [name for name in fields if name not in booking.fields and name != "price"]
            if unknown:
                raise LookupError(
                    f"A booking has no field {', '.join(unknown)}. It has: {', '.join(booking.fields)}"
                )
            for name, value in fields.items():
                booking.fields[name] = wall_clock(value) if isinstance(value, date) else value
            self._forget_answers(location)

    def return_booking(self, booking_no: str, at: datetime | None = None) -> None:
        """Return all its items, by default today at midday (a return may be entered late). LookupError:
        unknown booking."""
        midday = datetime.combine(self._today, MIDDAY)
        moment = at or (min(midday, self._now()) if self._now else midday)
        self.change_booking(booking_no, returnDate=moment, returnAttendedBy="Staff A")

    def remove_booking(self, booking_no: str) -> None:
        """Take it out of all reports. LookupError: there is no such booking."""
        with self._lock:
            location, booking = self._find(booking_no)
            location.bookings.remove(booking)
            self._forget_answers(location)

    def add_rows(self, code: str, rows: Sequence[object]) -> None:
        """Put any JSON values into all reports of a location, whatever the window. LookupError: no such
        location."""
        if code not in self._stores:
            raise LookupError(f"The sandbox has no location {code}. It has: {', '.join(self.codes)}")
        with self._lock:
            location = self._location(code)
            location.raw_rows += rows
            self._forget_answers(location)

    def _rows(self, code: str, ledger_query: LedgerQuery) -> list[Any]:
        location = self._location(code)
        found = (booking.rows() for booking in location.bookings if self._in_window(booking, ledger_query))
        rows = [row for of_one in found for row in of_one]
        if ledger_query.location is None:
            # Some made-up rows name another shop, which is only possible if the id decides.
            rows = [row | {"location": location.store.spelling} for row in rows]
        return rows + deepcopy(location.raw_rows)

    def _in_window(self, booking: Booking, ledger_query: LedgerQuery) -> bool:
        if ledger_query.by:
            dated = booking.fields[ledger_query.by]
        else:
            # Bookings not returned yet are in the return report too (contract/rental-api.md).
            dated = booking.fields[self._dates[ledger_query.api]] or booking.fields["bookingDate"]
        if dated is None:
            return False
        day = _utc_day(str(dated)) if ledger_query.utc else str(dated)[:10]
        return str(ledger_query.first) <= day <= str(ledger_query.last)

    def _forget_answers(self, location: _Location) -> None:
        for code in (location.store.code, None):
            self._answers.pop(code, None)

    def _store_rows(self) -> list[Any]:
        return [dict(store.row) for store in self._stores.values()]

    def _location(self, code: str) -> _Location:
        if code not in self._locations:
            store = self._stores[code]
            bookings = past_bookings(store, count=self._count, seed=self._seed, today=self._today)
            for name in self._dates.values():
                if any(name not in booking.fields for booking in bookings):
                    add_events(bookings, name, seeded(self._seed, store.code, name), self._today)
            if self._now is not None:
                for booking in bookings:  # not now: when it is first asked for must not matter
                    self._settle(booking, datetime.combine(self._today, time.min))
            self._locations[code] = _Location(store, bookings, next_number=self._count + 1)
        return self._locations[code]

    def _settle(self, booking: Booking, latest: datetime) -> None:
        """Let nothing have happened to a booking later today than it can have."""
        for name in self._dates.values():
            at = booking.fields[name]
            if at and at.startswith(self._today.isoformat()):
                booking.fields[name] = min(at, wall_clock(latest))

    def _find(self, booking_no: str) -> tuple[_Location, Booking]:
        for location in map(self._location, self._stores):
            for booking in location.bookings:
                if booking_no and booking.fields["bookingNo"] == booking_no:
                    return location, booking
        raise LookupError(f"The sandbox has no booking {booking_no!r}.")


def _utc_day(written: str) -> str:
    """The UTC day of a date as in the reports; for an unreadable one, the day as written."""
    try:
        moment = datetime.fromisoformat(written)
        local = moment if moment.tzinfo else moment.replace(tzinfo=BUSINESS_ZONE)
        return str(local.astimezone(UTC).date())
    except (ValueError, OverflowError):  # OverflowError: the beginning of year 1 in India
        return written[:10]


def _encode(rows: list[Any]) -> bytes:
    return json.dumps(usual_envelope(rows), ensure_ascii=False).encode()
