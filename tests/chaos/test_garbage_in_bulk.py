"""Rows of garbage by the hundred thousand, no two alike: each is saved, known or rejected.

What hypothesis makes up, in `test_garbage`, is not counted: two databases may be shown the same.
"""

import json
from pathlib import Path

import pytest

from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus
from tests.chaos.garbage_rows import DistinctRows, file_rows, report_rows, store_list_rows
from tests.chaos.garbage_target import empty_target, write_file
from tests.chaos.tally import tally

REPORTS, REPORT_ROWS = 2, 250
FILE_ROWS = 100
STORE_LIST_ROWS = 50
"""A round shows so many."""

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16")


@pytest.fixture
def share(database_url: str) -> str:
    """The rows that are this database's."""
    return "sqlite" if database_url.startswith("sqlite") else "mongo"


def test_report_rows(database_url: str, share: str, rounds: int) -> None:
    garbage = DistinctRows(report_rows, share)
    for _ in range(rounds):
        with empty_target(database_url) as target:
            for _ in range(REPORTS):
                rows = garbage.take(REPORT_ROWS)
                target.assert_takes(rows)
                tally.add("garbage rows", len(rows))
            assert target.world.retry_rejects().balanced


def test_store_list_rows(database_url: str, share: str, rounds: int) -> None:
    garbage = DistinctRows(store_list_rows, share)
    for _ in range(rounds):
        with empty_target(database_url) as target:
            rows = garbage.take(STORE_LIST_ROWS)
            target.api.stores = [json.dumps(row) for row in rows]
            (step,) = target.world.run((StepName.STORES,)).steps
            assert step.status is StepStatus.SUCCESS, step.error
            assert step.counts.rows == len(rows)
            assert step.counts.balanced
            stores = target.world.app.all("stores")
            assert len(stores) == step.counts.saved
            assert all(isinstance(store["name"], str) and store["name"] for store in stores)
            (again,) = target.world.run((StepName.STORES,)).steps
            assert (again.counts.saved, again.counts.invalid) == (0, step.counts.invalid)
            assert target.world.app.all("stores") == stores
            tally.add("garbage rows", len(rows))


def test_file_rows(database_url: str, share: str, rounds: int, tmp_path: Path) -> None:
    files = tmp_path / "walkin_z_edappally.csv", tmp_path / "walkin_sg_perinthalmanna.csv"
    garbage = DistinctRows(file_rows, share)
    for number in range(rounds):
        with empty_target(database_url) as target:
            rows = garbage.take(FILE_ROWS)
            text = [row for row in rows if is_text(row)]
            no_text = [row for row in rows if not is_text(row)]
            assert text
            assert no_text
            written = write_file(files[0], text, ENCODINGS[number % len(ENCODINGS)])
            written += write_file(files[1], no_text)
            target.assert_imports(files, written)
            tally.add("garbage rows", len(rows))


def is_text(row: list[str]) -> bool:
    """Whether a row has no lone surrogates: one of them makes bytes of a file that are no text."""
    try:
        "".join(row).encode()
    except UnicodeEncodeError:
        return False
    return True
