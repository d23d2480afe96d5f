"""Keeps what becomes of each row, and knows it again by a hash."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.domain.row_decisions import FieldDecision, Reason, RowAction, RowDecision
from syncctl.errors import StopRequestedError
from syncctl.ports.stop import Stop
from syncctl.services.imports.preview import Preview, PreviewHash
from syncctl.services.imports.tally import FileTally

DAY = datetime(2025, 10, 9, tzinfo=UTC)
FILES = [("walkin_sg_calicut.csv", "hash of its content")]


def decision(row: int, **changes: Any) -> RowDecision:
    fields = (FieldDecision("remarks", "old", "new", "new"), FieldDecision("enquiryDate", DAY, DAY, DAY))
    before = RowDecision(
        *("walkin_sg_calicut.csv", "Sheet", row, RowAction.UPDATE, Reason.NEWS, "Made Up", "9000000401"),
        *("Suitor Guy - Calicut", "ab" * 12, fields),
    )
    return before._replace(**changes)


def hash_of(*decisions: RowDecision, files: list[tuple[str, str]] = FILES) -> str:
    taken = PreviewHash()
    for each in decisions:
        taken.add(each.row, each)
    taken.finish("walkin", files)
    return taken.hash


@given(st.permutations(range(12)))
def test_rows_come_as_they_stand_in_the_files_in_whatever_order_they_were_decided(order: list[int]) -> None:
    with Preview() as preview:
        for row in order:
            preview.add(row, decision(row))
        assert list(preview) == [decision(row) for row in range(12)]
        preview.finish("walkin", FILES)
        assert preview.hash == hash_of(*map(decision, range(12)))


def test_rows_of_several_files_and_sheets_sort_by_file_sheet_and_row() -> None:
    tally = FileTally(Path("x"), "x", sheets={"Z": 0, "A": 1})
    places = [(0, "Z", 9), (0, "A", 2), (1, "Z", 1), (1, "Z", 2), (1, "A", 1)]
    positions = [tally.position(*place) for place in places]
    assert positions == sorted(positions)


def test_a_file_that_could_not_be_understood_leaves_no_row() -> None:
    with Preview() as preview:
        preview.begin_file()
        preview.add(1, decision(1))
        preview.begin_file()
        preview.add(2, decision(2))
        preview.drop_file()
        assert list(preview) == [decision(1)]
        preview.finish("walkin", FILES)
        assert preview.hash == hash_of(decision(1))


def test_the_hash_is_of_what_is_done_and_of_the_files() -> None:
    kept = FieldDecision("closingStatus", "Booked", "Booked", "Booked")
    same = decision(
        1, fields=(*decision(1).fields, kept._replace(now="a telecaller's", becomes="a telecaller's"))
    )
    assert hash_of(decision(1), decision(2)) == hash_of(decision(2), decision(1))
    assert hash_of(decision(1)) == hash_of(same)
    others = [
        hash_of(decision(1, action=RowAction.KEEP)),
        hash_of(decision(1, reason="other")),
        hash_of(decision(1, lead_id="other")),
        hash_of(decision(1, sheet="other")),
        hash_of(decision(1, fields=(FieldDecision("remarks", "old", "other", "other"),))),
        hash_of(decision(1, fields=(FieldDecision("remarks", "other", "new", "new"),))),
        hash_of(decision(1, fields=(kept._replace(file="Trial", is_conflict=True),))),
        hash_of(decision(1), decision(1)),
        hash_of(decision(1), files=[("walkin_sg_calicut.csv", "other content")]),
        hash_of(decision(1), files=[]),
    ]
    assert len({hash_of(decision(1)), *others}) == len(others) + 1


def test_what_is_kept_of_many_rows_is_on_disk() -> None:
    """Two numbers a row are in memory."""
    with Preview() as preview:
        for row in range(3000):
            preview.add(row, decision(row, name="x" * 10_000))
        assert preview._spool._rolled  # type: ignore[attr-defined]
        assert sum(1 for _ in preview) == 3000


def test_looking_at_many_rows_can_be_stopped() -> None:
    stop = Stop()
    with Preview(stop) as preview:
        for row in range(3):
            preview.add(row, decision(row))
        rows = iter(preview)
        next(rows)
        stop.request(2)
        with pytest.raises(StopRequestedError):
            next(rows)
