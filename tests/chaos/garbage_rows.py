"""Hundreds of thousands of distinct garbage rows: for reports, store lists and files."""

import hashlib
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from tests.chaos.garbage_values import KEYS, any_text, mangled, pool, text_pool
from tests.support.store_files import HEADER
from tests.support.store_files import row as file_row

SHARES = ("sqlite", "mongo")
"""Each kind of database gets its own rows."""

SOUND_ROW = {
    "bookingNo": "2002",
    "customerName": "Anagha",
    "phoneNo": "9400000002",
    "bookingDate": "2026-03-01T10:00:00",
    "returnDate": "2026-03-02T10:00:00",
    "deliveryDate": "2026-03-05T00:00:00",
    "price": 1500.5,
    "itemCode": "X1",
}
STORE_FIELDS = ("locCode", "locName", "city", "brand", "status")
SOUND_CELLS = 2
"""Cells of a file's row that stay valid: with fewer it might be blank or a month title."""


def report_rows(rng: Random) -> Iterator[Any]:
    """An endless stream of report rows: most are valid ones with garbage in one to four fields, the rest
    are garbage objects and values that are not rows."""
    values = pool(rng)
    fields = list(SOUND_ROW)
    while True:
        kind = rng.random()
        if kind < 0.04:
            yield rng.choice(values)
        elif kind < 0.12:
            yield {rng.choice((rng.choice(KEYS), any_text(rng))): rng.choice(values) for _ in range(4)}
        else:
            row: dict[str, Any] = dict(SOUND_ROW)
            if kind < 0.5:  # a record of its own, or of a few
                row["bookingNo"] = mangled(SOUND_ROW["bookingNo"], rng)  # type: ignore[arg-type]
            for _ in range(rng.randint(1, 4)):
                row[rng.choice(fields if rng.random() < 0.8 else KEYS)] = rng.choice(values)
            if row != SOUND_ROW:
                yield row


def store_list_rows(rng: Random) -> Iterator[Any]:
    """An endless stream of store list rows with garbage in some or all fields. Each has a `brand`, which
    no report row has."""
    values = pool(rng)
    while True:
        row: dict[str, Any] = {"locCode": str(rng.randint(1, 9999)), "locName": "Zorucci - Kottayam"}
        row |= {rng.choice(STORE_FIELDS): rng.choice(values) for _ in range(rng.randint(1, 5))}
        yield {"brand": rng.choice(values)} | row


def file_rows(rng: Random) -> Iterator[list[str]]:
    """An endless stream of file rows with garbage in one to six of their eight cells."""
    texts = text_pool(rng)
    while True:
        row = file_row()
        for position in rng.sample(range(len(HEADER)), rng.randint(1, len(HEADER) - SOUND_CELLS)):
            row[position] = rng.choice(texts)
        yield row


class DistinctRows:
    """The rows made by `make`, without repetitions and without other shares' rows.

    Each row belongs to one share, by its fingerprint. So tests with different shares never have a row in
    common, even in different processes, and their numbers of rows can be added up.
    """

    def __init__(self, make: Callable[[Random], Iterator[Any]], share: str) -> None:
        self._made = make(Random(f"garbage for {share}"))  # noqa: S311 - the same rows in each session
        self._share = SHARES.index(share)
        self._given: set[int] = set()

    def take(self, count: int) -> list[Any]:
        """The next `count` rows."""
        rows: list[Any] = []
        while len(rows) < count:
            # As it is read from JSON: there, two lone surrogates in a row may be one character.
            row = json.loads(json.dumps(next(self._made)))
            mark = fingerprint(row)
            if mark % len(SHARES) == self._share and mark not in self._given:
                self._given.add(mark)
                rows.append(row)
        return rows


def fingerprint(row: Any) -> int:
    """A number that is equal only for rows that are equal field by field."""
    text = json.dumps(row, sort_keys=True)
    return int.from_bytes(hashlib.blake2b(text.encode("ascii"), digest_size=8).digest())
