"""Word lists for made-up bookings, and alternative field names on the wire."""

from collections.abc import Mapping
from types import MappingProxyType

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
