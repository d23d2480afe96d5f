"""The rows of files on the rejects list, read by their column titles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from syncctl.domain.sources import StepName
from syncctl.mapping.file_rows import usable_cells
from syncctl.parsing.phones import phone_number
from syncctl.ports.storage import Storage
from syncctl.services.matching.legacy_leads import text_of
from syncctl.services.rejects.raw_rows import raw_row
from syncctl.text import normalize_text

CellsOf = Callable[[StepName, Mapping[str, Any]], Mapping[str, object]]
"""Takes the kind of a file and a raw row of it by column titles, and returns its cells by column name
(`FileRow.cells`)."""


class FileRejects:
    """The rejects of one file. Stores reuse their file names month after month, so by now the same
    position may belong to another customer."""

    def __init__(self, storage: Storage, kind: StepName, name: str, cells_of: CellsOf) -> None:
        self._customers: dict[str, dict[str, _Customer | None]] = defaultdict(dict)
        self.closed: set[str] = set()
        """The ids of those that a person has answered."""
        if not storage.reject_positions(kind, name):
            return
        self.closed = storage.closed_rejects(kind, name)
        for reject in storage.rejects(kind):
            if reject.location == name:
                row = raw_row(reject)
                customer = _customer(usable_cells(cells_of(kind, row))) if isinstance(row, Mapping) else None
                self._customers[reject.position][reject.reject_id] = customer

    def __bool__(self) -> bool:
        return bool(self._customers)

    @property
    def ids(self) -> set[str]:
        """The ids of those on the list."""
        return {reject_id for listed in self._customers.values() for reject_id in listed}

    def superseded_by(self, position: str, cells: Mapping[str, object]) -> set[str]:
        """The ids of the rejects that this row, now at their position, supersedes: those of the same
        customer, by name or phone. A reject with neither matches any customer."""
        listed = self._customers.get(position)
        if not listed:
            return set()
        now = _customer(cells)
        return {
            reject_id
            for reject_id, before in listed.items()
            if before is not None and before.may_be_same_as(now)
        }


class _Customer(NamedTuple):
    name: str
    phone: str

    def may_be_same_as(self, other: _Customer) -> bool:
        if not any(self):
            return True
        return any(before and before == now for before, now in zip(self, other, strict=True))


def _customer(cells: Mapping[str, object]) -> _Customer:
    written = text_of(cells, "phone")
    return _Customer(normalize_text(text_of(cells, "name")), phone_number(written) or written)
