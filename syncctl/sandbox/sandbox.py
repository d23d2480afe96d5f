"""The sandbox: made-up data, faults and the server in one object."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, Self

from syncctl.sandbox.connections import LoggedRequest, RequestLog
from syncctl.sandbox.dialects import OWN_DATE, LedgerQuery, parse_dialects
from syncctl.sandbox.faults import Fault, FaultPlan
from syncctl.sandbox.ledger import BUSINESS_ZONE, Ledger
from syncctl.sandbox.server import ApiServer, Service
from syncctl.sandbox.wire import REPORTS, STORES, Report, endpoints, months_back

WHOLE_WINDOW_MONTHS = 12


class Sandbox:
    """A rental API on loopback that implements contract/rental-api.md.

    A context manager. Its methods may be called from any thread, before, during and after serving. Changes
    apply to the next request.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each thing that a test may want different
        self,
        *,
        seed: int = 1,
        locations: int = 21,
        bookings: int = 200,
        today: date | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        latency_s: float = 0.0,
        token: str | None = None,
        faults: Sequence[Fault] = (),
        dialect: str = OWN_DATE,
        reports: Sequence[Report] = REPORTS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`bookings`: how many each location has, over the 365 days up to `today` (if None: the real one).

        The same seed and day give the same data. `port` 0 takes a free one. `latency_s`: how long each
        answer takes. With a `token`, calls without it as their Bearer token get 401.
        `dialect`: as `set_dialect` takes it; a report that it does not name speaks own-date. `reports`: what
        it answers besides the store list.
        """
        self._reports = tuple(report.name for report in reports)
        dialects = parse_dialects([OWN_DATE], self._reports) | parse_dialects([dialect], self._reports)
        self._today = today or datetime.now(BUSINESS_ZONE).date()
        self._address = (host, port)
        self._sleep = sleep
        self._ledger = Ledger(
            seed=seed,
            locations=locations,
            bookings=bookings,
            today=self._today,
            now=None if today else lambda: datetime.now(BUSINESS_ZONE).replace(tzinfo=None),
            reports=reports,
        )
        # Its data, changed as these methods say.
        self.add_bookings, self.add_rows = self._ledger.add_bookings, self._ledger.add_rows
        self.change_booking, self.remove_booking = self._ledger.change_booking, self._ledger.remove_booking
        self.return_booking = self._ledger.return_booking
        self._plan = FaultPlan(seed, faults, (STORES, *self._reports))
        self._log = RequestLog()
        self._service = Service(
            self._ledger,
            self._plan,
            self._log,
            endpoints(reports),
            dialects,
            self._today,
            token,
            latency_s,
        )
        self._server: ApiServer | None = None

    @property
    def base_url(self) -> str:
        """`http://HOST:PORT`; the port is known after `start`."""
        host, port = self._address
        return f"http://{host}:{port}"

    def start(self) -> Self:
        """Start answering; after a stop, on the same port. OSError: the port is not available."""
        if self._server is not None:
            raise RuntimeError("The sandbox is running already.")
        self._server = ApiServer(self._address, self._service, self._sleep)
        self._address = (self._address[0], self._server.server_address[1])
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop listening and close all connections, even in the middle of an answer. Idempotent."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def today(self) -> date:
        """The sandbox's current day."""
        return self._today

    @property
    def locations(self) -> list[str]:
        """The store list's codes, as used in report requests."""
        return self._ledger.codes

    @property
    def requests(self) -> list[LoggedRequest]:
        """All requests so far, in order of arrival."""
        return self._log.entries()

    @property
    def fault_counts(self) -> Counter[str]:
        """How many faults of each kind were served up to now."""
        return self._plan.served()

    def set_faults(self, *faults: Fault) -> None:
        """Use these faults from now on, and no others; without arguments, none."""
        self._plan.replace(faults)

    def set_dialect(self, *written: str) -> None:
        """How reports answer from now on, as `booking-date`, `own-date+utc-days+capped-100` or
        `all-ignored@return`: names of DIALECTS and TRAITS or capped-N, for one report or all.

        A report that is not named keeps its dialect. Raises ValueError, with a message for the user.
        """
        self._service.dialects.update(parse_dialects(written, self._reports))

    def rows(self, api: str, location: str | None = None) -> list[Any]:
        """All that `api` has of the last 12 months, whatever its dialect, for one location or all of them; or
        the store list.

        Raises ValueError when `api` is neither stores nor a report.
        """
        if api == STORES:
            return self._ledger.rows(LedgerQuery(api))
        if api not in self._reports:
            raise ValueError(f"{api!r} is none of {', '.join((STORES, *self._reports))}.")
        first = months_back(self._today, WHOLE_WINDOW_MONTHS)
        codes = self.locations if location is None else [location]
        return [row for code in codes for row in self._ledger.rows(LedgerQuery(api, code, first))]
