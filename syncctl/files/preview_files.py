"""Writes an import's preview for a spreadsheet: every row, as CSV or as a workbook in colours."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from syncctl.domain.lead_fields import LEAD_FIELDS
from syncctl.domain.row_decisions import TITLES, RowAction, RowDecision, shown_value
from syncctl.files import sheet_writing
from syncctl.files.sheet_writing import in_a_cell, workbook_in
from syncctl.safe_output.printable import formula_safe

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

ROWS_OF_A_SHEET = 1_048_575
"""Below the header."""

_OF_A_FIELD = ("now", "file", "becomes")
_WIDTHS = (26, 12, 7, 9, 30, 22, 12, 26, 26)
_COLOURS = {
    RowAction.CREATE: "#E2F0D9",
    RowAction.UPDATE: "#DDEBF7",
    RowAction.KEEP: "#FFFFFF",
    RowAction.FINISHED: "#EDEDED",
    RowAction.MERGE: "#F7F7F7",
    RowAction.REJECT: "#F8CBAD",
}
_CONFLICT = "#FFE699"
_CHANGED = "#9DC3E6"


class Rows(Protocol):
    """A preview's rows, in the order of the files."""

    @property
    def fields(self) -> Collection[str]: ...
    def __iter__(self) -> Iterator[RowDecision]: ...


def write_csv(rows: Rows, out: BinaryIO, *, encoding: str = "utf-8-sig") -> None:
    """Write every row; no cell is one that a spreadsheet would run. `out` stays open. Raises OSError."""
    fields = _in_order(rows.fields)
    lines = (map(formula_safe, _cells(decision, fields)) for decision in rows)
    sheet_writing.write_csv(_titles(fields), lines, out, encoding=encoding)


def write_workbook(rows: Rows, summary: Iterable[Sequence[str | int]], out: BinaryIO) -> None:
    """Write every row, coloured by what happens to it, behind a sheet with a summary. All cells are texts,
    so that none is run, not even once it is edited. Needs XlsxWriter. Raises OSError."""
    with workbook_in(out) as workbook:
        styles = _Styles(workbook)
        _write_summary(workbook.add_worksheet("Summary"), summary, styles)
        _write_rows(workbook, rows, styles)


class _Styles:
    """The formats of cells, each made once."""

    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self._made: dict[str, Format] = {}
        self.bold: Format = workbook.add_format({"bold": True, "num_format": "@"})

    def of(self, colour: str) -> Format:
        """A text on that background. It stays a text when it is edited."""
        if colour not in self._made:
            form = {"bg_color": colour, "num_format": "@", "quote_prefix": True, "border": 1}
            self._made[colour] = self._workbook.add_format(form | {"border_color": "#D9D9D9"})
        return self._made[colour]


def _write_summary(sheet: Worksheet, lines: Iterable[Sequence[str | int]], styles: _Styles) -> None:
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 12, 11)
    number = 0
    for line in lines:
        for column, cell in enumerate(line):
            if isinstance(cell, int):
                sheet.write_number(number, column, cell)
            else:
                sheet.write_string(number, column, in_a_cell(cell), styles.bold if column == 0 else None)
        number += 1
    legend = [(action.value, colour) for action, colour in _COLOURS.items()]
    legend += [("this field changes", _CHANGED), ("the telecaller's value stays", _CONFLICT)]
    for below, (meaning, colour) in enumerate(legend, start=number + 1):
        sheet.write_string(below, 0, meaning, styles.of(colour))


def _write_rows(workbook: Any, rows: Rows, styles: _Styles) -> None:
    fields = _in_order(rows.fields)
    sheet, number = _new_sheet(workbook, "Rows", fields, styles), 0
    for decision in rows:
        if number == ROWS_OF_A_SHEET:
            sheet.autofilter(0, 0, number, len(_titles(fields)) - 1)
            sheet, number = _new_sheet(workbook, f"Rows {len(workbook.worksheets())}", fields, styles), 0
        number += 1
        colours = _colours(decision, fields)
        for column, (cell, colour) in enumerate(zip(_cells(decision, fields), colours, strict=True)):
            if cell or column < len(TITLES):  # most cells are empty
                sheet.write_string(number, column, in_a_cell(cell), styles.of(colour))
    sheet.autofilter(0, 0, max(number, 1), len(_titles(fields)) - 1)


def _new_sheet(workbook: Any, name: str, fields: Sequence[str], styles: _Styles) -> Worksheet:
    sheet: Worksheet = workbook.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    titles = _titles(fields)
    sheet.set_column(len(_WIDTHS), len(titles), 18)
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    for column, title in enumerate(titles):
        sheet.write_string(0, column, title, styles.bold)
    return sheet


def _colours(decision: RowDecision, fields: Sequence[str]) -> Iterator[str]:
    plain = _COLOURS[decision.action]
    yield from [plain] * len(TITLES)
    marked = {
        each.field: _CONFLICT if each.is_conflict else _CHANGED
        for each in decision.changes
        if decision.action is not RowAction.CREATE
    }
    for field in fields:
        yield from [marked.get(field, plain)] * len(_OF_A_FIELD)


def _titles(fields: Iterable[str]) -> list[str]:
    return [*TITLES, *(f"{field}: {what}" for field in fields for what in _OF_A_FIELD)]


def _cells(decision: RowDecision, fields: Iterable[str]) -> Iterator[str]:
    *place, row, action, reason, name, phone, store, lead_id, explained = decision
    yield from (*place, str(row), action.value, str(reason), name, phone, store, lead_id or "")
    values = {each.field: (each.now, each.file, each.becomes) for each in explained}
    for field in fields:
        yield from (shown_value(value) or "" for value in values.get(field, (None,) * len(_OF_A_FIELD)))


def _in_order(fields: Collection[str]) -> list[str]:
    return [field for field in LEAD_FIELDS if field in fields]
