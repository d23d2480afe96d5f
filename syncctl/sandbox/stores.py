"""The store list: 21 locations with old and new codes, spelled as the API spells them."""

from dataclasses import dataclass
from typing import Any

FIRST_FURTHER_CODE = 1000

# 7 and 709 are the old and the new code of one shop; each has its own bookings.
_LIST: tuple[dict[str, Any], ...] = (
    {"locCode": "7", "locName": "SG.Perinthalmanna", "city": "", "brand": None, "status": 1},
    {"locCode": 144, "locName": "Z- Edapally", "city": "Kochi", "brand": "Zorucci", "status": 1},
    {"locCode": "701", "locName": "SG.Kottayam", "city": "Kottayam", "brand": "Suitor Guy", "status": "1"},
    {"locCode": 709, "locName": "PMNA", "city": "", "brand": None, "status": "1"},
    {"locCode": "13", "locName": "SG.CALICUT", "city": "Calicut", "brand": "SG", "status": 1},
    {"locCode": "8", "locName": "Z.Kottakkal", "status": 0},
    {"locCode": 700, "locName": "SG-Trivandrum", "city": None, "brand": None, "status": 1},
    {"locCode": 702, "locName": "SG.Edappally", "city": "Kochi", "brand": None, "status": 1},
    {"locCode": "703", "locName": " SG.Perumbavoor ", "city": "", "status": 1},
    {"locCode": "704", "locName": "SG.Trissur", "city": "Thrissur", "brand": "Suitor Guy", "status": "1"},
    {"locCode": 705, "locName": "sg.palakkad", "city": None, "brand": "", "status": 1},
    {"locCode": 706, "locName": "SG. CHAVAKKAD", "city": "", "brand": None, "status": 1},
    {"locCode": "707", "locName": "SG.Edappal", "city": "", "brand": None, "status": 1},
    {"locCode": "100", "locName": "Z.Edappal", "city": "", "brand": "Zurocci", "status": 1},
    {"locCode": 133, "locName": "Z - PMNA", "city": None, "brand": None, "status": 1},
    {"locCode": 708, "locName": "SG.Vadakara", "city": "", "brand": None, "status": "1"},
    {"locCode": 710, "locName": "SG.MANJERY", "brand": None, "status": 1},
    {"locCode": "711", "locName": "SG.Kottakal", "city": "", "brand": None, "status": 1},
    {"locCode": "21", "locName": "Suitor Guy  Kannur", "city": "Kannur", "status": 1},
    {"locCode": 717, "locName": "SG.Kalpetta", "city": "", "brand": None, "status": None},
    {"locCode": 718, "locName": "SG.MG Road", "city": "Kochi", "brand": None, "status": 1},
)


@dataclass(frozen=True, slots=True)
class Store:
    """A row of the store list, and the code for report requests (always a string)."""

    code: str
    row: dict[str, Any]

    @property
    def spelling(self) -> str:
        """The store's name as spelled by the API."""
        return str(self.row["locName"])


def store_list(count: int) -> list[Store]:
    """The first `count` stores; from the 22nd on, "SG.Place N" with codes from 1000."""
    further = (
        {"locCode": FIRST_FURTHER_CODE + n, "locName": f"SG.Place {n + 1}", "city": "", "status": 1}
        for n in range(max(0, count - len(_LIST)))
    )
    return [Store(str(row["locCode"]), dict(row)) for row in (*_LIST[:count], *further)]
