"""The rejects list as a person works with it: filtered, told without numbers, exported for correction."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncctl.errors import UsageError
from syncctl.identity import SEPARATOR, fold
from syncctl.models import FILE_STEPS, Reject
from syncctl.ports import Storage
from syncctl.results import instant

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula (OWASP, "CSV Injection")."""

OWN_COLUMNS = ("kind", "where", "store", "sheet", "row", "reason", "rejected_at")
OWN_TITLES = tuple(f"rejected: {column}" for column in OWN_COLUMNS)
"""Titles that an import takes for no column of a lead's, so that a corrected export can be imported."""

_LONG_NUMBER = re.compile(r"(?<!\d)\d(?:[\s\-.]?\d){8,12}(?!\d)")


@dataclass(frozen=True, slots=True)
class RejectFilter:
    """Which rejects: of one kind (a step's name), with a text in the reason, of one file or location."""

    kind: str | None = None
    reason: str | None = None
    where: str | None = None

    def takes(self, reject: Reject) -> bool:
        return (self.reason is None or fold(self.reason) in fold(reject.reason)) and (
            self.where is None or fold(self.where) == fold(reject.location)
        )


def find_rejects(storage: Storage, wanted: RejectFilter) -> list[Reject]:
    """The rejects that the filter takes, newest first. Raises StorageError."""
    return [reject for reject in storage.rejects(wanted.kind) if wanted.takes(reject)]


def sheet_and_row(reject: Reject) -> tuple[str, int | None]:
    """Where in its file a reject stands; ("", None) for one of the API's."""
    if reject.source not in FILE_STEPS:
        return "", None
    sheet, _, number = reject.position.rpartition(SEPARATOR)
    return sheet, int(number) if number.isdigit() else None


def row_values(reject: Reject) -> Mapping[str, Any]:
    """The raw row by its fields or titles; under "row" where it is no record of fields."""
    try:
        row = json.loads(reject.row)
    except (ValueError, RecursionError):  # too long to be kept whole, or nested too deeply
        row = reject.row
    return row if isinstance(row, Mapping) else {"row": row}


def reject_document(reject: Reject) -> dict[str, Any]:
    """A reject as plain data."""
    sheet, number = sheet_and_row(reject)
    return {
        "kind": reject.source,
        "where": reject.location,
        "store": reject.store,
        "sheet": sheet,
        "row": number,
        "reason": reject.reason,
        "rejected_at": instant(reject.rejected_at),
        "run_id": reject.run_id,
        "values": dict(row_values(reject)),
    }


def masked_document(reject: Reject) -> dict[str, Any]:
    """As reject_document; whatever may be a phone number shows its first and last two digits only."""
    document = reject_document(reject)
    values = {title: _masked(value) for title, value in document["values"].items()}
    return {**document, "reason": _masked(document["reason"]), "values": values}


def _masked(value: Any) -> Any:
    """JSON without phone numbers, at any depth; NaN and infinity, which JSON has not, as text."""
    if isinstance(value, Mapping):
        return {name: _masked(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    written = str(value)
    if written.startswith("+"):
        written = written.lstrip("+")
    masked = _LONG_NUMBER.sub(lambda number: f"{number[0][:2]}xxxxxx{number[0][-2:]}", written)
    return value if masked == str(value) else masked


def export_rejects(rejects: Sequence[Reject], file: Path, *, overwrite: bool) -> None:
    """Write rejects as a CSV that spreadsheets open (UTF-8 with BOM), with their raw values, for correction.

    Raises:
        UsageError: the file exists already, or can't be written.
    """
    try:
        with file.open("w" if overwrite else "x", encoding="utf-8-sig", errors="replace", newline="") as out:
            _write(rejects, out)
    except FileExistsError:
        raise UsageError(f"{file} exists already: name another, or overwrite it with --force.") from None
    except OSError as error:
        raise UsageError(f"{file} can't be written: {error.strerror}.") from None


def _write(rejects: Sequence[Reject], out: Any) -> None:
    titles = dict.fromkeys(title for reject in rejects for title in row_values(reject))
    writer = csv.writer(out)
    writer.writerow([_defused(title) for title in (*OWN_TITLES, *titles)])
    for reject in rejects:
        document = reject_document(reject)
        own = [document[column] for column in OWN_COLUMNS]
        writer.writerow([_defused(value) for value in (*own, *_in_order(document["values"], titles))])


def _in_order(values: Mapping[str, Any], titles: Iterable[str]) -> Iterable[Any]:
    return (values.get(title) for title in titles)


def _defused(value: Any) -> str:
    """A cell's text, with an apostrophe before what a spreadsheet would run."""
    if value is None:
        return ""
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "'" + written if written.startswith(DANGEROUS) else written
