"""What the rows on the rejects list say, of files too, where they stand under their columns' titles."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from syncctl.domain.records import Reject
from syncctl.domain.steps import StepName
from syncctl.errors import InvalidRowError
from syncctl.mapping.file_rows import chosen
from syncctl.parsing.phones import phone_number
from syncctl.parsing.values import text
from syncctl.ports.storage import Storage
from syncctl.text import fold

CellsOf = Callable[[Mapping[str, Any]], Mapping[str, object]]
"""From a file's raw row, by its columns' titles, to its cells by column name (`FileRow.cells`)."""


def raw_row(reject: Reject) -> Any:
    """The raw row, or None where it was too long to be kept whole, or nested too deeply to be read again."""
    try:
        return json.loads(reject.row)
    except (ValueError, RecursionError):
        return None


class ListedFileRows:
    """What the rejects list holds of one file. The stores call their files the same month after month, so
    that in a row's place another customer may stand by now."""

    def __init__(self, storage: Storage, kind: StepName, name: str, cells_of: CellsOf) -> None:
        self._customers: dict[str, dict[str, _Customer | None]] = defaultdict(dict)
        if not storage.reject_positions(kind, name):
            return
        for reject in storage.rejects(kind):
            if reject.location == name:
                row = raw_row(reject)
                customer = _customer(chosen(cells_of(row))) if isinstance(row, Mapping) else None
                self._customers[reject.position][reject.reject_id] = customer

    def __bool__(self) -> bool:
        return bool(self._customers)

    @property
    def ids(self) -> set[str]:
        """The ids of all of them."""
        return {reject_id for listed in self._customers.values() for reject_id in listed}

    def told_anew(self, position: str, cells: Mapping[str, object]) -> set[str]:
        """The ids of those that the row in that place now tells anew, of the same customer: name or phone
        stayed. One that had neither was nobody's."""
        listed = self._customers.get(position)
        if not listed:
            return set()
        now = _customer(cells)
        return {
            reject_id for reject_id, before in listed.items() if before is not None and before.may_be(now)
        }


class _Customer(NamedTuple):
    name: str
    phone: str

    def may_be(self, other: _Customer) -> bool:
        if not any(self):
            return True
        return any(before and before == now for before, now in zip(self, other, strict=True))


def _customer(cells: Mapping[str, object]) -> _Customer:
    written = _text(cells.get("phone"))
    return _Customer(fold(_text(cells.get("name"))), phone_number(written) or written)


def _text(cell: object) -> str:
    try:
        return text(cell)
    except InvalidRowError:
        return ""
