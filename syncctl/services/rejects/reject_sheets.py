"""The rejects list as a sheet for correction: a line per customer's row, under the source's own titles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from syncctl.domain.identity import SEPARATOR
from syncctl.domain.records import Reject
from syncctl.domain.sources import FILE_STEPS, StepName
from syncctl.locations import location_words
from syncctl.mapping.api_rows import BOOKING_NO, NAME, PHONE, row_text
from syncctl.safe_output.printable import formula_safe
from syncctl.services.rejects.file_rejects import CellsOf
from syncctl.services.rejects.raw_rows import row_values
from syncctl.services.rejects.reject_list import in_order, sheet_and_row
from syncctl.services.rejects.sheet_cells import JOINED_BY, plain_text

OWN_COLUMNS = ("reason", "file", "row", "store", "id")
OWN_TITLES = tuple(f"rejected: {column}" for column in OWN_COLUMNS)
"""Titles that no source has, and that an import doesn't take for lead columns."""

STORE_TITLE, ID_TITLE = OWN_TITLES[3:]

_OWN_LETTERS = frozenset("".join(filter(str.isalnum, title)) for title in OWN_TITLES)

_ID_MARK = "R-"
"""Before an id in the sheet: hexadecimal digits alone may be a number to a spreadsheet, such as 12e34."""

_NEEDED_OF_FILES = {"name": "Customer Name", "phone": "Contact", "date": "Date"}
"""Column -> title for it where no row has one: a row only has titles of cells that were filled."""

_NEEDED_OF_REPORTS = (NAME, PHONE)

_SHEET_NAMES = {
    StepName.STORES: "Store list",
    StepName.WALKIN: "Walk-ins",
    StepName.LOSS_OF_SALE: "Loss of sale",
}


class RejectSheet(NamedTuple):
    """A table for correction."""

    name: str
    """What a workbook calls it."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Cells as text, formulas made safe."""


class RejectLine:
    """A customer's row in the sheet: one row of a file, or all item rows of one booking."""

    def __init__(self, rejects: Sequence[Reject]) -> None:
        self.rejects = tuple(rejects)
        self.values = [row_values(reject) for reject in self.rejects]
        # A source that has titles of ours would be taken for what syncctl has written.
        titles = [title for title in merged_titles(self.values) if not is_own_title(title)]
        self.titles = in_order(self.rejects[0].source, titles)

    def values_of(self, title: str) -> list[Any]:
        """The different values that its rows have under a title, empty ones left out."""
        found = (values.get(title) for values in self.values)
        return list({text: value for value in found if (text := plain_text(value))}.values())

    def text_of(self, title: str) -> str:
        """What is in its cell under a title."""
        return JOINED_BY.join(map(plain_text, self.values_of(title)))

    @property
    def own_cells(self) -> tuple[str, ...]:
        """The cells of OWN_TITLES."""
        first = self.rejects[0]
        reasons = dict.fromkeys(reject.reason for reject in self.rejects)
        sheet, number = sheet_and_row(first)
        is_file = first.source in FILE_STEPS
        where = first.location if is_file else f"{first.source}, {location_words(first.location)}"
        ids = " ".join(f"{_ID_MARK}{reject.reject_id}" for reject in self.rejects)
        place = f"{sheet} {'' if number is None else number}".strip()
        return ("; ".join(reasons), where, place, first.store, ids)


def title_letters(title: str) -> str:
    """A title as the reader recognizes it (`files.headers.normalize_title`)."""
    return "".join(filter(str.isalnum, title.casefold()))


def is_own_title(title: str) -> bool:
    """Whether it is one of OWN_TITLES, however it is written."""
    return title_letters(title) in _OWN_LETTERS


def ids_in(cell: object) -> tuple[str, ...]:
    """The ids in a cell of the sheet, or in an argument copied from one."""
    return tuple(word.strip().removeprefix(_ID_MARK).lower() for word in str(cell or "").split())


def lines_of(rejects: Iterable[Reject]) -> list[RejectLine]:
    """The lines of the sheet, in the order of the sources."""
    by_customer: dict[tuple[str, ...], list[Reject]] = {}
    for reject in sorted(rejects, key=_place):
        booking = "" if reject.source in FILE_STEPS else row_text(row_values(reject), BOOKING_NO)
        customer = (reject.source, reject.location, booking or reject.reject_id)
        by_customer.setdefault(customer, []).append(reject)
    return [RejectLine(of_customer) for of_customer in by_customer.values()]


def sheets_of(lines: Sequence[RejectLine], cells_of: CellsOf) -> list[RejectSheet]:
    """A sheet for each kind."""
    by_name: dict[str, list[RejectLine]] = {}
    for line in lines:
        by_name.setdefault(_sheet_name(line.rejects[0].source), []).append(line)
    return [_sheet(name, of_kind, cells_of) for name, of_kind in by_name.items()] or [
        _sheet("Rejects", (), cells_of)
    ]


def sheet_of_all(lines: Sequence[RejectLine], cells_of: CellsOf) -> RejectSheet:
    """One sheet, with the titles of all kinds."""
    return _sheet("Rejects", lines, cells_of)


def _sheet(name: str, lines: Sequence[RejectLine], cells_of: CellsOf) -> RejectSheet:
    titles = merged_titles([*(line.titles for line in lines), *_needed_titles(lines, cells_of)])
    return RejectSheet(
        name,
        tuple(map(formula_safe, (*titles, *OWN_TITLES))),
        tuple(tuple(map(formula_safe, (*map(line.text_of, titles), *line.own_cells))) for line in lines),
    )


def merged_titles(rows: Iterable[Iterable[str]]) -> list[str]:
    """The titles of all rows, each once; one that the earlier rows lack stands behind its left neighbour."""
    following: dict[str | None, str | None] = {None: None}
    for row in rows:
        before: str | None = None
        for title in row:
            if title not in following:
                following[title], following[before] = following[before], title
            before = title
    titles: list[str] = []
    while (title_after := following[titles[-1] if titles else None]) is not None:
        titles.append(title_after)
    return titles


def _needed_titles(lines: Sequence[RejectLine], cells_of: CellsOf) -> list[list[str]]:
    """Titles for what a lead must have, of each file and report of whose rows none has anything there."""
    of_source: dict[tuple[str, str], dict[str, None]] = {}
    for line in lines:
        first = line.rejects[0]
        where = first.location if first.source in FILE_STEPS else ""
        of_source.setdefault((first.source, where), {}).update(dict.fromkeys(line.titles))
    needed = []
    for (source, _), titles in of_source.items():
        if source in FILE_STEPS:
            there = cells_of(StepName(source), dict.fromkeys(titles, "x"))
            missing = [title for column, title in _NEEDED_OF_FILES.items() if column not in there]
        else:
            missing = [names[0] for names in _NEEDED_OF_REPORTS if titles.keys().isdisjoint(names)]
        needed.append([*titles, *missing])
    return needed


def _sheet_name(kind: str) -> str:
    step = next((step for step in StepName if step == kind), None)
    if step is None:
        return "Others"
    return _SHEET_NAMES.get(step) or (step.source.title if step.source else step.value)


def _place(reject: Reject) -> tuple[str, str, str, int, str]:
    sheet, number = sheet_and_row(reject)
    place = reject.position if number is None else sheet
    return reject.source, reject.location, place.partition(SEPARATOR)[0], number or 0, reject.position
