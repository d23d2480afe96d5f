"""Shops under ids, in a store list and in rows."""

from typing import Any

LISTED = {"7": "SG.Perinthalmanna", "13": "SG.CALICUT", "1001": "SG.New Place", "718": "EKM MAIN", "16": " "}
PMNA, CALICUT, EDAPPALLY = "Suitor Guy - Perinthalmanna", "Suitor Guy - Calicut", "Zorucci - Edappally"


def row(number: int, location: Any, **fields: Any) -> dict[str, Any]:
    """A booking that names its shop like this; each number is a different customer."""
    return {
        "bookingNo": str(number),
        "customerName": "Anagha",
        "phoneNo": f"9{number:09d}",
        "bookingDate": "2026-03-09T10:00:00",
        "returnDate": "2026-03-10T10:00:00",
        "location": location,
        **fields,
    }


def rows(numbers: range, location: Any) -> list[Any]:
    """Bookings of these numbers."""
    return [row(number, location) for number in numbers]
