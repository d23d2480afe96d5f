"""The messages between the program and the worker process that reads a workbook."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

ZIP_MAGICS = b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"
"""The first bytes of an .xlsx file (PKWARE's APPNOTE 4.3, 8.5)."""

OLE_MAGIC = bytes.fromhex("D0CF11E0A1B11AE1")
"""The first bytes of an .xls file, and of a password-protected .xlsx file ([MS-CFB] 2.2)."""

DAMAGED = (
    "it is damaged or incomplete; open it in Excel, save it as .xlsx and import that, or ask for it again"
)
NO_WORKBOOK = (
    "it isn't an Excel workbook; open it in the program that made it, save it as .xlsx and import that"
)
PASSWORD = "it is protected with a password; save it without one and import it again"  # noqa: S105
TOO_LARGE = "it unpacks to more than 500 MB; divide it and import the pieces"
TOO_SPREAD = (
    "it takes too much memory or time to read, as happens when a stray cell is far below or right of "
    "the table; copy the table into a new workbook and import that"
)
NOT_STARTED = "the process that reads workbooks does not start; reinstall syncctl"

Batch: TypeAlias = list[tuple[int, list[Any]]]
"""Rows of a sheet: row numbers (from 1) with the values from the workbook library."""

Facts: TypeAlias = tuple[bool, list[tuple[str, bool]]]
"""Whether the workbook counts days from 1904; its worksheets' names, and whether each is hidden."""

Request: TypeAlias = tuple[str, int, int]
"""A sheet, how many of its non-blank rows to skip, and the maximum number of rows wanted."""

Reply: TypeAlias = (
    tuple[Literal["ready"], None]
    | tuple[Literal["facts"], Facts]
    | tuple[Literal["rows"], tuple[Batch, int, int]]
    | tuple[Literal["problem"], str]
)
"""First, unasked, the worker's readiness and the facts; then for each Request rows, how many characters they
have, and the number of the sheet's last one. A problem ends the replies."""
