"""A storage that dies at a chosen write: the fault point that tests put between a run and its database."""

from collections.abc import Callable
from enum import Enum
from typing import Any

from syncctl.ports import Storage

WRITES = frozenset(
    {
        "store_leads",
        "update_records",
        "update_leads",
        "save_file_hash",
        "add_rejects",
        "clear_rejects",
        "add_stores",
        "save_store_list",
        "save_location_states",
        "add_sync_log",
        "save_run",
        "forget_runs",
        "delete_unchanged",
        "restore",
        "repoint_records",
    }
)


class Killed(BaseException):
    """Stands for SIGKILL: nothing of syncctl may catch it."""


class Moment(Enum):
    """When in a write it happens. MIDWAY: half of what the call was given is written, as a server does that
    loses its client in the middle of a batch (a transaction of SQLite's never stops there)."""

    BEFORE = "before"
    MIDWAY = "midway"
    AFTER = "after"


class FailingStorage:
    """Passes everything on, but raises `error` at the `at`-th write (0: at none). `writes`: how many there
    were."""

    def __init__(
        self,
        storage: Storage,
        at: int,
        error: Callable[[], BaseException] = Killed,
        moment: Moment = Moment.BEFORE,
    ) -> None:
        self.writes = 0
        self._storage = storage
        self._at = at
        self._error = error
        self._moment = moment

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._storage, name)
        if name not in WRITES:
            return method

        def write(*given: Any) -> Any:
            self.writes += 1
            if self.writes != self._at:
                return method(*given)
            if self._moment is Moment.MIDWAY:
                _write_half(method, *given)
            elif self._moment is Moment.AFTER:
                method(*given)
            raise self._error()

        return write


def _write_half(method: Callable[..., Any], *given: Any) -> None:
    """Half of the first list and nothing of what would come after it; a single document is all or nothing."""
    for place, many in enumerate(given):
        if isinstance(many, list | tuple | set | frozenset | dict):
            some = list(many)[: (len(many) + 1) // 2]
            half = {key: many[key] for key in some} if isinstance(many, dict) else some
            method(*given[:place], half, *([] for _ in given[place + 1 :]))
            return
