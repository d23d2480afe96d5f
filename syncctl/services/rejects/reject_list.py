"""The rejects list for a person: filtered, shown without phone numbers, exported for correction."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from syncctl.domain.identity import SEPARATOR
from syncctl.domain.records import Reject
from syncctl.domain.run_documents import instant
from syncctl.domain.sources import FILE_STEPS
from syncctl.filesystem.private_files import private_file
from syncctl.filesystem.protected_files import OwnFiles
from syncctl.ports.storage import Storage
from syncctl.safe_output.redact import mask_phones, redacted
from syncctl.services.rejects.raw_rows import row_values
from syncctl.text import normalize_text

OWN_COLUMNS = ("kind", "where", "store", "sheet", "row", "reason", "rejected_at")
OWN_TITLES = tuple(f"rejected: {column}" for column in OWN_COLUMNS)
"""Titles that an import doesn't take for lead columns, so that a corrected export can be imported."""

_INVISIBLE = (
    r" \x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xa0\xad\u061c\u1680\u180e"
    r"\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
)
_FORMULA_STARTS = r"=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212"
# Also after what some spreadsheets take for the end of a cell, whatever quotes surround it.
_FORMULA = re.compile(rf"(^[\t\r\n{_INVISIBLE}]*|[\t\r\n;][{_INVISIBLE}]*)(?=[{_FORMULA_STARTS}])")
"""Where a cell begins like a formula, with characters of any width."""


@dataclass(frozen=True, slots=True)
class RejectFilter:
    """Which rejects are wanted."""

    kind: str | None = None
    """Of this kind only (a step's name)."""

    reason: str | None = None
    """With this text in the reason."""

    where: str | None = None
    """Of this file or location."""

    def matches(self, reject: Reject) -> bool:
        return (self.reason is None or normalize_text(self.reason) in normalize_text(reject.reason)) and (
            self.where is None or normalize_text(self.where) == normalize_text(reject.location)
        )


def find_rejects(storage: Storage, wanted: RejectFilter) -> list[Reject]:
    """The matching rejects, newest first. Raises StorageError."""
    return [reject for reject in storage.rejects(wanted.kind) if wanted.matches(reject)]


def sheet_and_row(reject: Reject) -> tuple[str, int | None]:
    """A reject's position in its file; ("", None) for one from the API."""
    if reject.source not in FILE_STEPS:
        return "", None
    sheet, _, number = reject.position.rpartition(SEPARATOR)
    return sheet, int(number) if number.isdigit() else None


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
    """Like reject_document, but anything that may be a phone number shows only its first and last two
    digits."""
    document = reject_document(reject)
    values = redacted(document["values"], _masked, numbers=True)
    return {**document, "reason": _masked(document["reason"]), "values": values}


def _masked(text: str) -> str:
    return mask_phones(text, mistyped=True)


def export_rejects(rejects: Sequence[Reject], file: Path, *, overwrite: bool, own: OwnFiles) -> None:
    """Write rejects with their raw values, for correction, as a CSV that spreadsheets open (UTF-8 with BOM).
    The file is readable only by this user, and written completely or not at all.

    Raises:
        UsageError: the file already exists, is one of `own`, or can't be written.
    """
    with private_file(file, overwrite=overwrite, own=own) as out:
        text = TextIOWrapper(out, encoding="utf-8-sig", errors="replace", newline="")
        _write(rejects, text)
        text.detach()


def _write(rejects: Sequence[Reject], out: Any) -> None:
    titles = dict.fromkeys(title for reject in rejects for title in row_values(reject))
    csv.writer(out).writerow([_escaped(title) for title in (*OWN_TITLES, *titles)])
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    for reject in rejects:
        document = reject_document(reject)
        own = [document[column] for column in OWN_COLUMNS]
        writer.writerow([_escaped(value) for value in (*own, *_in_order(document["values"], titles))])


def _in_order(values: Mapping[str, Any], titles: Iterable[str]) -> Iterable[Any]:
    return (values.get(title) for title in titles)


def _escaped(value: Any) -> str:
    """A cell's text, with an apostrophe before anything a spreadsheet would run (OWASP, "CSV Injection")."""
    if value is None:
        return ""
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    defused = _FORMULA.sub(_with_apostrophe, written)
    return f"'{defused}" if defused.startswith(("\t", "\r")) else defused


def _with_apostrophe(match: re.Match[str]) -> str:
    return f"'{match[0]}" if match.start() == 0 and match[0][:1] != ";" else f"{match[0][0]}'{match[0][1:]}"
