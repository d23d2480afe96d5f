"""The rows of garbage that are counted are distinct, whichever tests and processes they are made for."""

import json
from collections.abc import Iterator
from random import Random

import pytest

from tests.chaos.garbage_rows import (
    SHARES,
    SOUND_ROW,
    DistinctRows,
    file_rows,
    fingerprint,
    report_rows,
    store_list_rows,
)

KINDS = {"reports": report_rows, "store lists": store_list_rows, "files": file_rows}
MANY = 500


def rows_of(kind: str, share: str) -> list[str]:
    return [json.dumps(row, sort_keys=True) for row in DistinctRows(KINDS[kind], share).take(MANY)]


def test_no_row_comes_twice_nor_in_two_shares_nor_as_two_kinds() -> None:
    rows = [row for kind in KINDS for share in SHARES for row in rows_of(kind, share)]
    assert len(set(rows)) == len(rows) == MANY * len(KINDS) * len(SHARES)


def test_of_what_is_made_for_both_each_share_takes_its_own() -> None:
    def make(_: Random) -> Iterator[int]:
        return iter(range(1000))

    shares = [DistinctRows(make, share).take(MANY // 2) for share in SHARES]
    assert not set(shares[0]) & set(shares[1])


@pytest.mark.parametrize("kind", KINDS)
def test_each_session_is_shown_the_same(kind: str) -> None:
    assert rows_of(kind, "mongo") == rows_of(kind, "mongo")


def test_each_row_has_garbage_in_it() -> None:
    assert json.dumps(SOUND_ROW, sort_keys=True) not in rows_of("reports", "sqlite")


def test_what_is_made_again_is_passed_over() -> None:
    rows = DistinctRows(lambda _: iter(number % 7 for number in range(1000)), "sqlite")
    mine = [number for number in range(7) if fingerprint(number) % len(SHARES) == 0]
    assert 0 < len(mine) < 7
    assert rows.take(len(mine)) == mine
    with pytest.raises(StopIteration):
        rows.take(1)
