"""The rejects list as it is shown: whatever a source has sent, readable, and without anybody's number."""

import json
from datetime import UTC, datetime

import pytest

from syncctl.domain.records import Reject
from syncctl.services.rejects.reject_list import masked_document

NUMBER = "9400000001"


def reject(row: str) -> Reject:
    at = datetime(2026, 3, 11, tzinfo=UTC)
    return Reject("a" * 24, "booking", "7", "", "1", "no customer name", row, "run", at)


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("904878001", "90xxxxx01"),
        ("90487801", "90xxxx01"),
        ("904878 001", "90xxxxx01"),
        ("90487800111", "04xxxxxx11"),
        ("\u0d6f\u0d66\u0d6a\u0d6e\u0d6d\u0d6e\u0d66\u0d66\u0d67\u0d67", "90xxxxxx11"),
    ],
)
def test_a_mistyped_number_is_masked_too(value: str, masked: str) -> None:
    shown = json.dumps(masked_document(reject(json.dumps({"phone": value, value: 1}))), ensure_ascii=False)
    assert value not in shown
    assert shown.count(masked) == 2
