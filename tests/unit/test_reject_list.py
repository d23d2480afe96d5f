"""The rejects list as it is shown: whatever a source has sent, readable, and without anybody's number."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from syncctl.models import Reject
from syncctl.services.reject_list import masked_document

NUMBER = "9400000001"


def reject(row: str) -> Reject:
    at = datetime(2026, 3, 11, tzinfo=UTC)
    return Reject("a" * 24, "booking", "7", "", "1", "no customer name", row, "run", at)


@pytest.mark.parametrize(
    "value",
    [NUMBER, int(NUMBER), float(NUMBER), [NUMBER], {"contact": [{"mobile": int(NUMBER)}]}, f"call {NUMBER}!"],
    ids=str,
)
def test_a_number_is_masked_whatever_it_stands_in(value: Any) -> None:
    shown = json.dumps(masked_document(reject(json.dumps({"phone": value}))))
    assert NUMBER not in shown
    assert "94xxxxxx" in shown


def test_what_is_no_number_of_a_person_stays_as_it_is() -> None:
    values = {"price": 1500.5, "count": 3, "paid": True, "note": None, "items": ["X1", 2.5]}
    assert masked_document(reject(json.dumps(values)))["values"] == values


def test_what_json_has_no_word_for_is_shown_as_text() -> None:
    document = masked_document(reject('{"price": NaN, "deposit": [-Infinity]}'))
    assert json.dumps(document, allow_nan=False)
    assert document["values"] == {"price": "nan", "deposit": ["-inf"]}
