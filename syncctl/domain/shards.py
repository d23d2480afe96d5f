"""The locations in parts, so that several hosts share one job."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from syncctl.errors import UsageError

MOST = 1000
"""A location is asked in half a second; nobody has so many hosts."""

LONGEST_NUMBER = 19
"""Digits of an id that is taken for a number."""

_WRITTEN = re.compile(r"([0-9]{1,4})/([0-9]{1,4})")


class Shard(NamedTuple):
    """One part of the locations."""

    of: int
    """How many parts there are."""

    number: int
    """Which one this is, from 1 on."""

    @classmethod
    def parse(cls, written: str) -> Shard:
        """`2/4`. Raises UsageError."""
        match = _WRITTEN.fullmatch(written)
        number, of = map(int, match.groups()) if match else (0, 0)
        if not 1 <= number <= of <= MOST:
            raise UsageError(
                f"--shard {written!r} isn't a part: write 1/4 to 4/4 for the first to the last of four."
            )
        return cls(of, number)

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def file_of(self, file: Path) -> Path:
        """This part's own file in place of one that the others would use as well: `syncctl-2of4.lock`."""
        return file.with_name(f"{file.stem}-{self.number}of{self.of}{file.suffix}")

    def has(self, location: str) -> bool:
        """Whether a location id falls to this part: the same on every host and in every version."""
        # Ids are numbers, given out one after the other: their remainders share them out evenly.
        is_number = location.isascii() and location.isdigit() and len(location) < LONGEST_NUMBER
        number = int(location) if is_number else crc32(location.encode("utf-8", "surrogatepass"))
        return number % self.of == self.number - 1


def shards(of: int) -> tuple[Shard, ...]:
    """All parts of so many."""
    return tuple(Shard(of, number) for number in range(1, of + 1))
