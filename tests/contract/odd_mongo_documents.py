"""Documents that only MongoDB can hold, and that are hard to write as one line of JSON."""

import re
import struct
from datetime import UTC, datetime
from typing import Any

import bson
from bson import Binary, Code, DatetimeMS, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

LEAD_ID = ObjectId("0123456789abcdef01234567")

FIELDS: dict[str, dict[str, Any]] = {
    "numbers": {"a": 1, "b": Int64(1), "c": 1.0, "d": -0.0, "e": 2**31, "f": 1e-300, "g": True, "h": 0.1},
    "decimals": {"a": Decimal128("1.0"), "b": Decimal128("1.00"), "c": Decimal128("-Infinity")},
    "no numbers": {"a": float("nan"), "b": float("inf"), "c": -float("inf"), "d": Decimal128("NaN")},
    "dates": {"a": datetime(1, 1, 1, tzinfo=UTC), "b": DatetimeMS(2**62), "c": DatetimeMS(-(2**62))},
    "ids": {"a": LEAD_ID, "b": str(LEAD_ID), "c": [LEAD_ID, {"d": LEAD_ID}]},
    "bytes": {
        "a": b"\0\xff",
        "b": Binary(b"1234567890123456", 4),
        "c": Binary(b"x", 128),
        "d": Binary(b"", 2),
    },
    "programs": {"a": Regex("^a/b", re.I | re.M), "b": Code("f()"), "c": Code("f()", {"x": Int64(1)})},
    "the rest": {"a": MinKey(), "b": MaxKey(), "c": Timestamp(7, 9), "d": None, "e": [], "f": {}},
    "order": {"z": 1, "a": {"y": 1, "b": 2}, "m": [3, 1, 2]},
    "names": {"a.b": 1, "": 2, "1": 3, " ": 4, "അ": 5},
    "texts": {"a": "two\nlines\u2028\u0085", "b": "\0", "c": "😀", "d": '{"$oid": "x"}', "e": ""},
    "like an id": {"a": {"$oid": str(LEAD_ID)}, "b": {"$oid": "x"}},
    "like a date": {"a": {"$date": 5}, "b": {"$date": {"$numberLong": "5"}}, "c": {"$date": "2025-02-01"}},
    "like a number": {"a": {"$numberInt": "5"}, "b": {"$numberLong": "x"}, "c": {"$numberDecimal": "x"}},
    "like bytes": {"a": {"$binary": "AAAA"}, "b": {"$binary": {"base64": "AA", "subType": "zz"}}},
    "like a reference": {
        "a": {"$ref": "users", "$id": LEAD_ID, "$db": "x", "more": 1},
        "b": {"$id": 1, "$ref": "u"},
    },
    "like others": {
        "a": {"$regex": "x"},
        "b": {"$undefined": True},
        "c": {"$symbol": "x"},
        "d": {"$uuid": "x"},
    },
    "like a snapshot": {"$bson": b"\x05\0\0\0\0"},
    "like one of SQLite": {"$table": "leads"},
    "deep": {"a": [[[[{"b": {"c": {"d": [{"$minKey": 1}]}}}]]]]},
}


def raw_element(kind: int, name: bytes, value: bytes) -> bytes:
    """A field as BSON's bytes (https://bsonspec.org/spec.html)."""
    return bytes([kind]) + name + b"\0" + value


def raw_document(*elements: bytes) -> bytes:
    """A document of LEAD_ID with these fields."""
    body = raw_element(7, b"_id", LEAD_ID.binary) + b"".join(elements) + b"\0"
    return struct.pack("<i", len(body) + 4) + body


RAW = {
    "no UTF-8": raw_document(raw_element(2, b"name", b"\x03\0\0\0a\xff\0")),
    "a field twice": raw_document(raw_element(16, b"a", b"\1\0\0\0"), raw_element(16, b"a", b"\2\0\0\0")),
    "an odd NaN": raw_document(raw_element(1, b"a", b"\1\0\0\0\0\0\xf8\xff")),
    "a symbol": raw_document(raw_element(14, b"a", b"\2\0\0\0x\0")),
    "undefined": raw_document(raw_element(6, b"a", b"")),
    "a pointer": raw_document(raw_element(12, b"a", b"\2\0\0\0x\0" + LEAD_ID.binary)),
    "a gap in a list": raw_document(
        raw_element(4, b"a", struct.pack("<i", 12) + raw_element(16, b"7", b"\1\0\0\0") + b"\0")
    ),
    "a name that is no UTF-8": raw_document(raw_element(16, b"\xff", b"\1\0\0\0")),
}
"""What other programs' drivers may have stored, as the bytes of BSON."""

ALL = {name: bson.encode({"_id": LEAD_ID, **fields}) for name, fields in FIELDS.items()} | RAW
