"""Look-ups and inserts of any number of documents in a few round trips per thousand."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, zip_longest
from types import MappingProxyType
from typing import Any, TypeVar

from pymongo import UpdateOne
from pymongo.collection import Collection
from pymongo.cursor import Cursor
from pymongo.errors import BulkWriteError

from syncctl.storage.common.report_paths import as_stored
from syncctl.storage.mongo.documents import possible_bson_ids, to_bson_id
from syncctl.storage.mongo.errors import refusals
from syncctl.text import to_text

BATCH = 1000
REPLY = 5000
"""Documents per reply: the server's own first reply holds 101 and would cost a second round trip."""

Wanted = Sequence[tuple[str, Iterable[Any], Mapping[str, Any]]]
"""Fields, the values that one of them must have, and what must stand beside it."""

T = TypeVar("T")
D = TypeVar("D", bound=Mapping[str, Any])


def in_batches(items: Iterable[T]) -> Iterator[list[T]]:
    """The items in lists of at most BATCH."""
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def find(
    collection: Collection[D], query: Mapping[str, Any], fields: Sequence[str] | None = None
) -> Cursor[D]:
    """The documents that match, with these fields and `_id` only, or whole."""
    return collection.find(query, list(fields) if fields is not None else None, batch_size=REPLY)


def find_any(
    collection: Collection[D],
    wanted: Wanted,
    also: Mapping[str, Any] = MappingProxyType({}),
    numbers: tuple[str, ...] = (),
) -> Iterator[D]:
    """The documents that have any of the values in one of these fields, together with what stands beside it,
    and in any case with what `also` asks for. One with values of several batches is given for each.
    `numbers`: those of the fields whose texts may be stored as numbers."""
    batches = zip_longest(*(in_batches(values) for _, values, _ in wanted), fillvalue=())
    for batch in batches:
        clauses = [
            {field: {"$in": as_stored(values) if field in numbers else values}, **beside}
            for (field, _, beside), values in zip(wanted, batch, strict=True)
            if values
        ]
        yield from find(collection, {**also, "$or": clauses})


def find_by_ids(
    collection: Collection[D], ids: Iterable[Any], fields: Sequence[str] | None = None
) -> Iterator[D]:
    """Documents with these `_id`s, with `_id` and these fields only, or whole."""
    wanted = ["_id", *fields] if fields is not None else None
    return chain.from_iterable(find(collection, {"_id": {"$in": batch}}, wanted) for batch in in_batches(ids))


def find_by_texts(
    collection: Collection[D], texts: Iterable[str], fields: Sequence[str] | None = None
) -> Iterator[D]:
    """Documents whose `_id` is one of these texts at the port, with `_id` and these fields only, or whole.

    Nearly all are ObjectIds: what else a text may stand for is asked for only where there is none."""
    missing = dict.fromkeys(texts)
    for document in find_by_ids(collection, map(to_bson_id, list(missing)), fields):
        missing.pop(to_text(document["_id"]), None)
        yield document
    others = (
        bson_id for text in missing for bson_id in possible_bson_ids(text) if bson_id != to_bson_id(text)
    )
    yield from find_by_ids(collection, others, fields)


def insert_new(
    collection: Collection[D],
    documents: Iterable[D],
    refused: dict[Any, str] | None = None,
) -> list[Any]:
    """Insert the documents whose `_id` is not there yet, and give the `_id`s of those inserted.

    Those that the collection's own rules keep out are put into `refused`, if it is given, `_id` -> reason.
    Raises pymongo's errors for anything else that keeps a document out.
    """
    inserted = []
    for batch in in_batches(documents):
        kept_out = set[int]()
        try:
            collection.insert_many(batch, ordered=False)
        except BulkWriteError as error:
            reasons = refusals(error)
            if reasons is None or (refused is None and any(reasons.values())):
                raise
            kept_out = set(reasons)
            if refused is not None:
                refused |= {batch[index]["_id"]: reason for index, reason in reasons.items() if reason}
        inserted += [document["_id"] for index, document in enumerate(batch) if index not in kept_out]
    return inserted


def write_where_free(collection: Collection[D], updates: Sequence[UpdateOne]) -> None:
    """Make the updates, without those that would make a second document of what is there once already."""
    try:
        collection.bulk_write(updates, ordered=False)
    except BulkWriteError as error:
        reasons = refusals(error)
        if reasons is None or any(reasons.values()):
            raise
