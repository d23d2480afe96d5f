"""What made-up bookings are made of: stores, words, seeds, and alternative field names on the wire."""

from collections.abc import Mapping
from random import Random
from types import MappingProxyType
from typing import Any, NamedTuple

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


class Store(NamedTuple):
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


FIRST_NAMES = tuple(
    name
    for line in (
        "Anagha Rahul Anju Sreejith Fathima Nikhil Meera Arjun Haritha Shameer",
        "Devika Vishnu Aysha Jithin Lekshmi Basil Nimisha Ashique Gopika Sarath",
        "Riya Muhammed Athira Abin Sneha Jaseel Parvathy Amal Shahana Kiran",
    )
    for name in line.split()
)
LAST_NAMES = (
    "K",
    "P K",
    "Nair",
    "Menon",
    "M",
    "Joseph",
    "V S",
    "Thomas",
    "Rasheed",
    "Das",
    "Varghese",
    "C P",
)
STAFF = ("Staff A", "Staff B", "Staff C", "Staff D", None)
REMARKS = (
    "Anju:36\n30-06-2024",
    "",
    None,
    "Trial on Sunday, call after 6",
    "അളവ് 38, കൈ നീളം കുറയ്ക്കണം",
    "Length +2\r\nwaist 34\tadvance ₹500",
    "“urgent” \N{EM DASH} wedding at Guruvayur ✨",
)
GARMENTS = (
    ("ZR04B", "GOWN", "GARMENT B2"),
    ("SG11S", "SUIT", "GARMENT A1"),
    ("SG07J", "JODHPURI", "GARMENT A2"),
    ("ZR02L", "LEHENGA", "GARMENT B1"),
    ("AC01N", "NECKLACE", "ACCESSORY"),
)
MEASUREMENTS = ("0", "36", "38/40")
# How ten digits are written: {0} all of them, {1} and {2} the halves, {3} without the second.
PHONE_SHAPES = (
    "{0}",
    "{0}",
    "{0}",
    "+91 {1} {2}",
    "0{0}",
    "91{0}",
    "{1}-{2}",
    "{3}",  # a number that lost its leading zero
)

# Other names of the same fields, as other versions of the reports have them (contract/rental-api.md).
SNAKE_CASE: Mapping[str, str] = MappingProxyType(
    {
        "bookingNo": "bookingNumber",
        "customerName": "name",
        "phoneNo": "mobile",
        "bookingDate": "booking_date",
        "returnDate": "return_date",
        "deliveryDate": "functionDate",
        "price": "securityAmount",
        "bookingBy": "attended_by",
        "category": "type",
        "remarks": "notes",
    }
)
PASCAL_CASE: Mapping[str, str] = MappingProxyType(
    {
        "bookingNo": "BookingNo",
        "customerName": "CustomerName",
        "phoneNo": "Contact",
        "bookingDate": "BookingDate",
        "returnDate": "ReturnDate",
        "deliveryDate": "eventDate",
        "price": "deposit",
        "bookingBy": "handledBy",
        "category": "enquiryType",
        "remarks": "feedback",
    }
)


def seeded(*parts: object) -> Random:
    """A generator with the same numbers for the same parts, in every process and on every machine."""
    return Random("/".join(map(str, parts)))  # noqa: S311 - made-up data and faults, nothing to protect
