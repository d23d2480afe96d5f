"""A storage that fails at a chosen call: fault injection between a run and its database."""

import signal
from collections.abc import Callable, Collection, Iterator
from enum import Enum
from typing import Any

from syncctl.errors import StopRequestedError
from syncctl.ports.storage import Storage

WRITES = frozenset(
    {
        "store_leads",
        "update_records",
        "add_writes",
        "replace_records",
        "renew_records",
        "add_corrections",
        "update_leads",
        "save_file_hash",
        "add_rejects",
        "clear_rejects",
        "amend_rejects",
        "close_rejects",
        "forget_closed_rejects",
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
        "save_import",
        "add_import_notes",
        "replace_import_notes",
        "remove_records",
        "restore_values",
        "restore_writes",
        "restore_file_hash",
        "save_duplicate_count",
    }
)

SCANS = frozenset(
    {
        "scan_leads",
        "scan_reports",
        "scan_records",
        "finished_or_linked_records",
        "sync_logs",
        "leads_by_age",
        "leads_that_may_have",
        "leads_with_phones",
        "records_of_run",
    }
)

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
    "writes",
    "leads",
    "reject_positions",
    "rejects",
    "closed_rejects",
    "stores",
    "store_list",
    "file_hashes",
    "location_states",
    "facts",
    "open_rejects",
    "count_leads",
    "leads_per_day",
    "duplicate_count",
    "records_about",
    "last_sync_logs",
    "runs",
    "first_run_at",
    "run_spans",
    "snapshots",
    "noted_imports",
    "import_notes",
    "leads_created",
    "reports_on_leads_created",
}

CONNECTION_METHODS = frozenset({"prepare", "set_deadline", "close", "probe_writing"})
"""Calls that concern the connection itself; no faults are injected here."""


class Killed(BaseException):
    """Simulates SIGKILL: nothing in syncctl may catch it."""


def interrupted() -> BaseException:
    """What a safe point raises after a Ctrl-C."""
    return StopRequestedError(signal.SIGINT)


def terminated() -> BaseException:
    """What a safe point raises after a SIGTERM."""
    return StopRequestedError(signal.SIGTERM)


class Moment(Enum):
    """When, relative to the call, it fails. MIDWAY: half of the given data is written, as when a server
    loses its client in the middle of a batch (never within a SQLite transaction), or half of a scan is
    read."""

    BEFORE = "before"
    MIDWAY = "midway"
    AFTER = "after"


class FailingStorage:
    """Forwards every call, but raises `error` at the `at`-th call (0: never) of the methods in `among`.
    `calls`: those calls so far; `struck`: the failed one, or ""."""

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

        def call(*given: Any, **named: Any) -> Any:
            self.calls.append(name)
            if len(self.calls) != self._at:
                return method(*given, **named)
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
    """Write half of the first list and nothing after it; a single document is all or nothing."""
    collections = (list, set, frozenset, dict)  # a tuple is a period
    for place, many in enumerate(given):
        if isinstance(many, collections):
            some = list(many)[: (len(many) + 1) // 2]
            half = {key: many[key] for key in some} if isinstance(many, dict) else some
            rest = ([] if isinstance(each, collections) else each for each in given[place + 1 :])
            method(*given[:place], half, *rest)
            return
