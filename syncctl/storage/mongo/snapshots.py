"""A stored document as one line of extended JSON and back, byte for byte.

The JSON is canonical: https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/. What it can't say
(text that isn't UTF-8, a field named twice, one named as a type is) is kept as the document's BSON in base64.
"""

import bson
from bson import json_util
from bson.binary import Binary
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from bson.json_util import JSONMode, JSONOptions
from bson.raw_bson import RawBSONDocument

from syncctl.domain.lead_values import Document
from syncctl.errors import StorageError
from syncctl.storage.common.snapshot_lines import SQLITE_MARK, parsed, wrong_kind

BSON_KEY = "$bson"

# Years beyond Python's come as DatetimeMS, which keeps their milliseconds.
_DATES = DatetimeConversion.DATETIME_AUTO
_EXACT: CodecOptions[Document] = CodecOptions(tz_aware=True, datetime_conversion=_DATES)
_JSON = JSONOptions(json_mode=JSONMode.CANONICAL, tz_aware=True, datetime_conversion=_DATES)
RAW: CodecOptions[RawBSONDocument] = CodecOptions(
    document_class=RawBSONDocument,
    tz_aware=True,
    datetime_conversion=_DATES,
    unicode_decode_error_handler="replace",
)
"""Reads documents as their bytes."""


def to_line(document: RawBSONDocument) -> str:
    """A document as one line of ASCII."""
    try:
        line = json_util.dumps(bson.decode(document.raw, _EXACT), json_options=_JSON)
        if from_line(line).raw == document.raw:
            return line
    except (BSONError, StorageError):
        pass  # JSON can't say it
    whole = {"_id": document["_id"], BSON_KEY: Binary(bytes(document.raw))}
    return json_util.dumps(whole, json_options=_JSON)


def from_line(line: str) -> RawBSONDocument:
    """The document that `to_line` wrote. Raises StorageError where the line is none."""
    return parsed(line, _read)


def _read(line: str) -> RawBSONDocument:
    try:
        found = json_util.loads(line, json_options=_JSON)
        if SQLITE_MARK in found:
            raise wrong_kind("a SQLite database")
        whole = found[BSON_KEY] if found.keys() == {"_id", BSON_KEY} else bson.encode(found, False, _EXACT)
        document = RawBSONDocument(whole, RAW)
        document["_id"]
    except BSONError as error:
        raise ValueError from error
    return document
