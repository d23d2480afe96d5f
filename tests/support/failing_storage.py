"""A storage that dies at a chosen call: the fault point that tests put between a run and its database."""

from collections.abc import Callable, Collection, Iterator
from enum import Enum
from typing import Any

from syncctl.ports.storage import Storage

WRITES = frozenset(
    {
        "store_leads",
        "update_records",
        "note_writes",
        "replace_records",
        "renew_records",
        "add_corrections",
        "update_leads",
        "save_file_hash",
        "add_rejects",
        "clear_rejects",
        "add_stores",
        "save_store_list",
        "save_location_states",
        "add_sync_log",
        "save_run",
        "save_dialect",
        "pair_reports",
        "forget_runs",
        "delete_unchanged",
        "restore",
        "repoint_records",
        "unpair_reports",
    }
)

SCANS = frozenset({"scan_leads", "scan_reports", "scan_records", "sync_logs", "leads_by_age"})

READS = SCANS | {
    "corrected_records",
    "has_records",
    "saved_by_audits",
    "find_records",
    "shared_bookings",
    "recorded_leads",
    "present_leads",
    "paired_reports",
    "reports",
    "dialects",
    "user_names",
    "find_leads",
    "find_reports",
    "record_values",
    "noted_writes",
    "leads",
    "reject_positions",
    "rejects",
    "stores",
    "store_list",
    "file_hashes",
    "location_states",
    "facts",
    "totals",
    "records_about",
    "last_sync_logs",
    "runs",
    "first_run_at",
    "run_spans",
    "snapshots",
}

OF_THE_CONNECTION = frozenset({"prepare", "set_deadline", "close", "probe_writing"})
"""What a run or its command asks of the connection itself; no fault point is here."""


class Killed(BaseException):
    """Stands for SIGKILL: nothing of syncctl may catch it."""


class Moment(Enum):
    """When in a call it happens. MIDWAY: half of what a write was given is written, as a server does that
    loses its client in the middle of a batch (a transaction of SQLite's never stops there), or half of what
    a scan finds was read."""

    BEFORE = "before"
    MIDWAY = "midway"
    AFTER = "after"


class FailingStorage:
    """Passes everything on, but raises `error` at the `at`-th (0: at none) of the calls that are `among`
    these. `calls`: which of them there were; `struck`: the one that it happened in, or ""."""

    def __init__(
        self,
        storage: Storage,
        at: int,
        error: Callable[[], BaseException] = Killed,
        moment: Moment = Moment.BEFORE,
        among: Collection[str] = WRITES,
    ) -> None:
        self.calls: list[str] = []
        self.struck = ""
        self._storage = storage
        self._at = at
        self._error = error
        self._moment = moment
        self._among = among

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._storage, name)
        if name not in self._among:
            return method

        def call(*given: Any) -> Any:
            self.calls.append(name)
            if len(self.calls) != self._at:
                return method(*given)
            self.struck = name
            if self._moment is Moment.MIDWAY:
                if name in SCANS:
                    return self._half_read(method(*given))
                if name in WRITES:
                    _write_half(method, *given)
            elif self._moment is Moment.AFTER:
                method(*given)
            raise self._error()

        return call

    def _half_read(self, documents: Iterator[Any]) -> Iterator[Any]:
        every = list(documents)
        yield from every[: len(every) // 2]
        raise self._error()


def _write_half(method: Callable[..., Any], *given: Any) -> None:
    """Half of the first list and nothing of what would come after it; a single document is all or nothing."""
    collections = (list, tuple, set, frozenset, dict)
    for place, many in enumerate(given):
        if isinstance(many, collections):
            some = list(many)[: (len(many) + 1) // 2]
            half = {key: many[key] for key in some} if isinstance(many, dict) else some
            rest = ([] if isinstance(each, collections) else each for each in given[place + 1 :])
            method(*given[:place], half, *rest)
            return
