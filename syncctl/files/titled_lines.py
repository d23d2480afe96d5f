"""Reads a table by its titles alone, whatever they mean: the rejects list come back from a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest
from pathlib import Path

from syncctl.files.cells import Cell, as_text
from syncctl.files.headers import HEADER_SEARCH_ROWS, normalize_title
from syncctl.files.limits import LimitChecker, file_errors, problem
from syncctl.files.reading import Table, open_tables
from syncctl.files.rows import not_blank
from syncctl.ports.files import TitledLine
from syncctl.ports.stop import Stop


def titled_lines(path: Path, title: str, stop: Stop) -> list[TitledLine]:
    """The filled lines below each header that has this title, of all sheets; those without it are left out.

    Columns without a title are left out too; of two with the same, the second.

    Raises:
        FileProblemError: it can't be read, or no sheet has the title; the message names the file.
        StopRequestedError: `stop` was requested while it was waited for.
    """

    def columns_in(cells: Sequence[Cell]) -> tuple[int, int]:
        return (len(cells) if _is_header(cells, title) else 0), 0

    with open_tables(path, columns_in, stop) as tables, file_errors(path):
        limits = LimitChecker(path)
        found = [_lines(table, limits, title) for table in tables]
    if not any(lines is not None for lines in found):
        raise problem(
            path,
            f"no column has the title {title!r}, and lines are matched by it: restore that title, or export "
            "the list again with `syncctl rejects export` and correct that",
        )
    return [line for lines in found for line in lines or ()]


def _is_header(cells: Sequence[Cell], title: str) -> bool:
    wanted = normalize_title(title)
    return any(isinstance(cell, str) and normalize_title(cell) == wanted for cell in cells)


def _lines(table: Table, limits: LimitChecker, title: str) -> list[TitledLine] | None:
    """None: no header among its first lines."""
    records = not_blank(limits.records(table.records()))
    for _, cells in islice(records, HEADER_SEARCH_ROWS):
        if _is_header(cells, title):
            return list(_below(table.name, cells, records))
    return None


def _below(
    sheet: str, header: Sequence[Cell], records: Iterator[tuple[int, list[Cell]]]
) -> Iterator[TitledLine]:
    titles = list(map(as_text, header))
    for number, cells in records:
        if list(map(as_text, cells)) == titles:  # the header once more
            continue
        named: dict[str, object] = {}
        for name, cell in zip_longest(titles, cells[: len(titles)]):
            if name:
                named.setdefault(name, cell)
        if any(cell is not None for cell in named.values()):
            yield TitledLine(sheet, number, named)
