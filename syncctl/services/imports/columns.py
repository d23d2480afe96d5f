"""Which column of a file is taken for what, and what is left over: a look, nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from textwrap import shorten

from syncctl.domain.lead_fields import SOURCE_FIELDS, columns_of, fields_of
from syncctl.domain.row_decisions import shown_value
from syncctl.domain.sources import StepName
from syncctl.parsing.values import text
from syncctl.ports.files import FileHeader, FileReader, FileRow, FileSheet
from syncctl.ports.stop import Stop
from syncctl.safe_output.redact import mask_phone, mask_phones
from syncctl.text import mapping_line

SAMPLES = 2
"""Values shown of a column."""

SAMPLE_CHARACTERS = 30

PHONE, NAME = "phone", "name"


@dataclass(frozen=True, slots=True)
class TakenColumn:
    """A column of the file that is taken for something."""

    position: int
    """From 0."""

    title: str
    column: str
    """What its title means, by the names of the mapping file."""

    rank: int
    """1, or more where others of the same meaning are looked at before it."""

    fields: tuple[str, ...]
    """The fields of a lead that it has a part in; none: its meaning is of no use in this kind of file."""

    samples: tuple[str, ...]
    """The first values that differ, phone numbers masked."""


@dataclass(frozen=True, slots=True)
class LeftOverColumn:
    """A column of the file that is taken for nothing."""

    position: int
    title: str
    samples: tuple[str, ...]
    line: str
    """The line of a mapping file that would take it for something."""


@dataclass(frozen=True, slots=True)
class MissingField:
    """A field of a lead that the file has no column for."""

    field: str
    columns: tuple[str, ...]
    """What a title would have to mean, by the names of the mapping file."""


@dataclass(frozen=True, slots=True)
class HeaderColumns:
    """What a row of titles is taken for."""

    row: int
    """As a spreadsheet shows it; of a further header, the first row below it with a customer."""

    is_header: bool
    """False: it is what is most like a header where there is none; the sheet can't be imported."""

    taken: tuple[TakenColumn, ...]
    left_over: tuple[LeftOverColumn, ...]
    missing: tuple[MissingField, ...]


@dataclass(frozen=True, slots=True)
class SheetColumns:
    """What a sheet's headers are taken for."""

    name: str
    """"" in a CSV file."""

    headers: tuple[HeaderColumns, ...]
    """The first, and those further down that differ from all before."""


@dataclass(frozen=True, slots=True)
class ColumnReport:
    """What the columns of a file are taken for."""

    file: str
    kind: StepName
    sheets: tuple[SheetColumns, ...]
    problems: tuple[str, ...]
    """Sheets without anything like a header."""

    hidden_sheets: tuple[str, ...]
    """Those that an import passes over."""

    @property
    def is_understood(self) -> bool:
        """Whether an import would read all of it."""
        return not self.problems and all(
            header.is_header for sheet in self.sheets for header in sheet.headers
        )


def column_report(path: Path, kind: StepName, reader: FileReader, stop: Stop) -> ColumnReport:
    """Read the whole file for its headers.

    Raises:
        FileProblemError: it can't be read, or nothing in it is like a header.
        StopRequestedError: between two rows.
    """
    with reader(path) as opened:
        sheets = tuple(SheetColumns(sheet.name, _headers(kind, sheet, stop)) for sheet in opened)
        return ColumnReport(path.name, kind, sheets, tuple(opened.problems), tuple(opened.hidden_sheets))


@dataclass(slots=True)
class _Seen:
    """A header, and the values seen below it so far."""

    row: int
    header: FileHeader
    samples: dict[int, list[str]] = field(default_factory=dict)
    wanted: set[int] = field(default_factory=set)
    """The positions of which more are wanted."""

    def look_at(self, row: FileRow) -> None:
        for position in [each for each in self.wanted if each < len(row.written)]:
            cell = row.written[position]
            value = shown_value(cell) if isinstance(cell, date) else text(cell)
            known = self.samples.setdefault(position, [])
            if value and value not in known:
                known.append(value)
                if len(known) == SAMPLES:
                    self.wanted.discard(position)


def _headers(kind: StepName, sheet: FileSheet, stop: Stop) -> tuple[HeaderColumns, ...]:
    first = _Seen(sheet.header_row, sheet.header, wanted=set(range(len(sheet.header.titles))))
    seen = {tuple(sheet.header.titles): first}
    for row in stop.between(sheet.rows(lambda _: None)):
        titles = tuple(row.layout.titles)
        if titles not in seen:
            seen[titles] = _Seen(row.number, row.layout, wanted=set(range(len(titles))))
        if seen[titles].wanted:
            seen[titles].look_at(row)
    return tuple(_described(kind, each) for each in seen.values())


def _described(kind: StepName, seen: _Seen) -> HeaderColumns:
    header = seen.header
    places = {column: header.several.get(column, (at,)) for column, at in header.columns.items()}
    taken = [
        TakenColumn(
            position,
            header.titles[position],
            column,
            rank,
            fields_of(kind, column),
            tuple(_masked(sample, column) for sample in seen.samples.get(position, ())),
        )
        for column, positions in places.items()
        for rank, position in enumerate(positions, start=1)
    ]
    return HeaderColumns(
        seen.row,
        {PHONE, NAME} <= header.columns.keys() and len(header.columns) > 2,
        tuple(sorted(taken, key=lambda each: each.position)),
        tuple(
            LeftOverColumn(
                position,
                header.titles[position],
                tuple(_masked(sample) for sample in seen.samples.get(position, ())),
                mapping_line(f"columns.{kind}", header.titles[position], "COLUMN"),
            )
            for position in header.left_over()
        ),
        tuple(_missing(kind, header)),
    )


def _missing(kind: StepName, header: FileHeader) -> Iterator[MissingField]:
    for lead_field in SOURCE_FIELDS:
        columns = columns_of(kind, lead_field) or ((PHONE,) if lead_field.name == PHONE else ())
        if columns and not header.columns.keys() & {*columns}:
            yield MissingField(lead_field.name, columns)


def _masked(sample: str, column: str = "") -> str:
    masked = mask_phones(sample, mistyped=True)
    if column == PHONE and masked == sample and any(map(str.isdigit, sample)):
        masked = mask_phone(sample)
    return shorten(masked, SAMPLE_CHARACTERS, placeholder="…") or masked[:SAMPLE_CHARACTERS]
