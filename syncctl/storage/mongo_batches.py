"""Look-ups and inserts of any number of documents in a few round trips per thousand."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, TypeVar

from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from syncctl.models import Document
from syncctl.storage.mongo_errors import duplicates_only

BATCH = 1000
REPLY = 5000
"""Documents per reply: the server's own first reply holds 101 and would cost a second round trip."""

T = TypeVar("T")


def in_batches(items: Iterable[T]) -> Iterator[list[T]]:
    """The items in lists of at most BATCH."""
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def find(
    collection: Collection[Document], query: Mapping[str, Any], fields: Sequence[str] | None = None
) -> Iterator[Document]:
    """The documents that match, with these fields and `_id` only, or whole."""
    return collection.find(query, list(fields) if fields is not None else None, batch_size=REPLY)


def find_by_ids(
    collection: Collection[Document], ids: Iterable[Any], fields: Sequence[str]
) -> Iterator[Document]:
    """Documents with these `_id`s, with `_id` and these fields only."""
    return chain.from_iterable(
        find(collection, {"_id": {"$in": batch}}, ["_id", *fields]) for batch in in_batches(ids)
    )


def insert_new(collection: Collection[Document], documents: Iterable[Document]) -> list[Any]:
    """Insert the documents whose `_id` is not there yet, and give the `_id`s of those inserted.

    Raises pymongo's errors for anything else that keeps a document out.
    """
    inserted = []
    for batch in in_batches(documents):
        refused = set[int]()
        try:
            collection.insert_many(batch, ordered=False)
        except BulkWriteError as error:
            if not duplicates_only(error):
                raise
            refused = {write_error["index"] for write_error in error.details["writeErrors"]}
        inserted += [document["_id"] for index, document in enumerate(batch) if index not in refused]
    return inserted
