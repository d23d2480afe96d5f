"""The locations in parts."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.domain.shards import Shard, shards
from syncctl.errors import UsageError
from syncctl.locations import load_locations

IDS = ("1", "2", "3", "7", "700", "701", "702", "", "K7", "9" * 30)


@given(st.text(), st.integers(1, 50))
def test_each_location_falls_to_exactly_one_part(location: str, of: int) -> None:
    assert sum(shard.has(location) for shard in shards(of)) == 1


def test_the_same_part_in_every_version() -> None:
    """Where they fell when this was written: hosts of two versions must agree."""
    found = [[location for location in IDS if shard.has(location)] for shard in shards(3)]
    assert found == [["3", "702", ""], ["1", "7", "700", "K7", "9" * 30], ["2", "701"]]


def test_the_shops_are_shared_fairly() -> None:
    sizes = Counter(shard for code in load_locations().by_code for shard in shards(4) if shard.has(code))
    assert max(sizes.values()) - min(sizes.values()) <= 3


def test_written_and_read() -> None:
    for shard in shards(12):
        assert Shard.parse(str(shard)) == shard
    assert Shard.parse("2/4").file_of(Path("data/syncctl.lock")) == Path("data/syncctl-2of4.lock")


@pytest.mark.parametrize("written", ["0/4", "5/4", "1/0", "1", "1/4/4", "-1/4", "a/b", "1/1001", "", "1 / 4"])
def test_what_is_no_part_is_refused(written: str) -> None:
    with pytest.raises(UsageError, match="isn't a part: write 1/4 to 4/4"):
        Shard.parse(written)
