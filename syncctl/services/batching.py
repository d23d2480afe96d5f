"""Work in batches: a few round trips for each batch instead of one for each item."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of up to `size`, taken lazily."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
