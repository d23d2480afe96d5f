"""What stands in syncctl's own collections and that it can't have written is skipped, with a warning."""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from syncctl.domain.lead_values import Document

logger = logging.getLogger(__name__)

ID_SHOWN = 60
"""Characters of an odd `_id` that the warning shows."""

T = TypeVar("T")


class OddDocumentError(Exception):
    """syncctl can't have written this document. Never leaves `OwnDocuments.read`."""


class OwnDocuments:
    """Reads what syncctl keeps of itself. Of each odd document it warns once, as runs read the same often.

    `to_document` makes what the driver gives, which has an `_id` in any case, a document as the codecs of
    this folder know it: ids as text, dates as datetimes.
    """

    def __init__(self, to_document: Callable[[Any], Document]) -> None:
        self._to_document = to_document
        self._warned_of: set[tuple[str, str]] = set()

    def read(self, collection: str, stored: Iterable[Any], make: Callable[[Document], T]) -> Iterator[T]:
        """What `make` makes of each document, those left out for which it raises OddDocumentError."""
        for each in stored:
            try:
                made = make(self._to_document(each))
            except OddDocumentError:
                self._warn(collection, repr(each["_id"])[:ID_SHOWN])
            else:
                yield made

    def _warn(self, collection: str, shown_id: str) -> None:
        if (collection, shown_id) in self._warned_of:
            return
        self._warned_of.add((collection, shown_id))
        logger.warning(
            "The document %s of %s is not one that syncctl writes, and is skipped: correct or delete it.",
            shown_id,
            collection,
        )


def own(document: Document, name: str, kind: type[T]) -> T:
    """That field of the document. Raises OddDocumentError where it is absent or not of that type."""
    try:
        value = document[name]
    except KeyError:
        raise OddDocumentError from None
    if not isinstance(value, kind):
        raise OddDocumentError
    return value


def own_or_none(document: Document, name: str, kind: type[T]) -> T | None:
    """As `own`, for a field that may be null; it must be there."""
    try:
        return None if document[name] is None else own(document, name, kind)
    except KeyError:
        raise OddDocumentError from None


def own_if_any(document: Document, name: str, kind: type[T]) -> T | None:
    """As `own`, for a field that may be null or absent."""
    value = document.get(name)
    if value is not None and not isinstance(value, kind):
        raise OddDocumentError
    return value
