"""A MongoDB document as a line of JSON and back: every byte of it."""

import json
from datetime import UTC, datetime

import bson
import pymongo
import pytest
from bson import Binary, DatetimeMS, Decimal128, Int64, ObjectId
from bson.binary import OLD_UUID_SUBTYPE as UUID_SUBTYPE
from bson.raw_bson import RawBSONDocument
from hypothesis import given
from hypothesis import strategies as st

from syncctl.errors import StorageError
from syncctl.storage.mongo.repair import BSON_KEY, RAW, from_line, to_line
from tests.contract import odd_mongo_documents

NAMES = st.one_of(
    st.sampled_from(
        ["$oid", "$date", "$numberLong", "$binary", "$ref", "$id", "$code", "$bson", "$table", "a.b"]
    ),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-(2**63), 2**63 - 1).map(Int64),
    st.integers(-(2**63), 2**63 - 1).map(DatetimeMS),
    st.floats(),
    st.decimals(places=3, min_value=-(10**9), max_value=10**9).map(Decimal128),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
    st.binary(max_size=9),
    st.builds(Binary, st.binary(max_size=9), st.sampled_from([0, 5, 128])),
    st.binary(min_size=16, max_size=16).map(lambda uuid: Binary(uuid, UUID_SUBTYPE)),
    st.binary(min_size=12, max_size=12).map(ObjectId),
    st.datetimes().map(lambda moment: moment.replace(tzinfo=UTC)),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=9,
)
DOCUMENTS = st.builds(
    lambda fields, bson_id: bson.encode({**fields, "_id": bson_id}),
    st.dictionaries(NAMES, VALUES, max_size=5),
    SCALARS,
)


def check(stored: bytes) -> str:
    line = to_line(RawBSONDocument(stored, RAW))
    assert from_line(line).raw == stored
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert isinstance(json.loads(line), dict)
    return line


@given(DOCUMENTS)
def test_any_document_survives(stored: bytes) -> None:
    check(stored)


@pytest.mark.skipif(pymongo.version_tuple < (4, 20), reason="drivers before 4.20 can't read such a document")
@pytest.mark.parametrize("content", [b"", b"x", b"x" * 17])
def test_what_is_marked_as_a_uuid_and_is_none_survives(content: bytes) -> None:
    odd = Binary(content, UUID_SUBTYPE)
    check(bson.encode({"_id": odd_mongo_documents.LEAD_ID, "a": odd}))
    check(bson.encode({"_id": odd}))


@pytest.mark.parametrize("stored", odd_mongo_documents.ALL.values(), ids=odd_mongo_documents.ALL.keys())
def test_odd_documents_survive(stored: bytes) -> None:
    check(stored)


def test_an_ordinary_lead_is_canonical_extended_json() -> None:
    lead = {
        "_id": odd_mongo_documents.LEAD_ID,
        "name": "Asha",
        "createdAt": datetime(2025, 2, 1, tzinfo=UTC),
        "securityAmount": 1500.0,
        "__v": 0,
    }
    assert json.loads(check(bson.encode(lead))) == {
        "_id": {"$oid": str(odd_mongo_documents.LEAD_ID)},
        "name": "Asha",
        "createdAt": {"$date": {"$numberLong": "1738368000000"}},
        "securityAmount": {"$numberDouble": "1500.0"},
        "__v": {"$numberInt": "0"},
    }


def test_what_json_can_not_say_is_kept_as_bytes() -> None:
    line = json.loads(check(odd_mongo_documents.RAW["no UTF-8"]))
    assert line.keys() == {"_id", BSON_KEY}
    assert line["_id"] == {"$oid": str(odd_mongo_documents.LEAD_ID)}


@pytest.mark.parametrize(
    "line",
    [
        '{"_id": {"$oid": "x"}}',
        '{"_id": {"$date": "soon"}}',
        '{"_id": 1, "a": {"$numberDecimal": "x"}}',
        '{"_id": 1, "a": {"$binary": "x"}}',
        '{"_id": 1, "a": "\\ud800"}',
        '{"_id": 1, "a\\u0000b": 1}',
        '{"_id": 1, "a": 99999999999999999999}',
        '{"$oid": "0123456789abcdef01234567"}',
        '{"_id": 1, "$bson": 1}',
        '{"_id": 1, "$bson": {"$binary": {"base64": "AAAA", "subType": "00"}}}',
        '{"_id": 1, "$bson": {"$binary": {"base64": "BQAAAAA=", "subType": "00"}}}',
    ],
)
def test_a_line_that_is_no_document(line: str) -> None:
    with pytest.raises(StorageError, match="A line of the backup isn't a lead") as caught:
        from_line(line)
    assert caught.value.__cause__ is None
