"""Made-up data to measure with: files of stores, and a database with duplicates."""

from __future__ import annotations

import csv
import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bson import ObjectId

TITLES = (
    "#",
    "Date",
    "Customer Name",
    "Contact",
    "Function Date",
    "Staff",
    "Status",
    "Category",
    "Sub Category",
    "Repeat count",
    "Remarks",
)


def _file_rows(count: int) -> Iterator[list[object]]:
    chance = random.Random(1)  # noqa: S311 - made-up data
    for number in range(count):
        day, month = chance.randint(1, 28), chance.randint(1, 12)
        yield [
            number + 1,
            f"{day:02}-{month:02}-2025",
            f"Customer {number}",
            9_000_000_000 + number * 7,
            f"{day:02}-{month:02}-2026",
            f"Staff {number % 30}",
            chance.choice(("Loss", "Booked", "New Walkin", "Trial")),
            chance.choice(("Suit", "Gown", "-")),
            "Sub",
            1,
            "asked for a remark " * chance.randint(0, 4),
        ]


def write_csv(folder: Path, rows: int) -> Path:
    """A walk-in report of so many customers."""
    file = folder / "walkin_sg_calicut.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([["Walk-In Report"], TITLES, *_file_rows(rows)])
    return file


def write_xlsx(folder: Path, rows: int) -> Path:
    """The same as a workbook."""
    from openpyxl import Workbook

    file = folder / "walkin_sg_kannur.xlsx"
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Report")
    for row in (["Walk-In Report"], TITLES, *_file_rows(rows)):
        sheet.append(row)
    book.save(file)
    return file


def duplicated_leads(leads: int, copies: int) -> Iterator[dict[str, Any]]:
    """Bookings as the old system inserted them: so many leads, and so many further copies of some of them,
    every third of those with a copy that was worked on."""
    start = datetime(2025, 1, 1, 9, tzinfo=UTC)
    for number in range(leads + copies):
        of = number if number < leads else (number - leads) % (leads // 5)
        booked_at = start + timedelta(minutes=of)
        worked_on = number >= leads and of % 3 == 0 and number < leads + leads // 5
        yield {
            "_id": ObjectId(),
            "leadType": "bookingConfirmation",
            "source": "Booking",
            "name": f"Customer {of}",
            "phone": f"{9_000_000_000 + of}",
            "store": "Suitor Guy - Calicut",
            "bookingNo": f"2025{of:012}",
            "functionDate": booked_at + timedelta(days=30),
            "securityAmount": 1500 + number % 10,
            "remarks": "will come on Monday" if worked_on else "",
            "callStatus": "Connected" if worked_on else "Not Called",
            "leadStatus": "No Status",
            "followUpFlag": False,
            "assignedTo": None,
            "createdAt": booked_at,
            "updatedAt": booked_at + timedelta(days=worked_on),
            "__v": 0,
        }


def fill_sqlite(path: Path, leads: Iterator[dict[str, Any]]) -> None:
    """Put leads into a database that syncctl has made."""
    with sqlite3.connect(path) as database:
        for lead in leads:
            row = {
                field: f"{value:%Y-%m-%dT%H:%M:%S.000Z}" if isinstance(value, datetime) else value
                for field, value in {**lead, "_id": str(lead["_id"])}.items()
            }
            names = ", ".join(row)
            marks = ", ".join("?" * len(row))
            database.execute(f"INSERT INTO leads ({names}) VALUES ({marks})", list(row.values()))  # noqa: S608
    database.close()
