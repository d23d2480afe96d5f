"""Bodies as the API sends them, and what they are taken for."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.api.envelope import rows_of
from syncctl.errors import ApiError, RetryableApiError

ROWS = [{"bookingNo": "2025020100700001"}, {"bookingNo": "2025020100700002"}]


@pytest.mark.parametrize(
    "envelope",
    [
        {"dataSet": {"data": ROWS}, "status": True, "errorDescription": None},
        {"dataSet": {"data": ROWS}},
        {"dataSet": ROWS, "status": True},
        {"data": ROWS},
        {"data": ROWS, "status": 200},
        {"result": ROWS},
        {"dataSet": None, "result": ROWS},
        ROWS,
    ],
)
def test_rows_in_every_envelope(envelope: Any) -> None:
    assert rows_of(json.dumps(envelope).encode()) == ROWS


@pytest.mark.parametrize(
    "envelope",
    [
        {"dataSet": None, "status": False, "errorDescription": "No data found"},
        {"dataSet": None, "status": False, "errorDescription": "  NO\n DATA available"},
        {"dataSet": {"data": []}, "status": False, "errorDescription": "No data found"},
        {"dataSet": {"data": None}, "status": False, "errorDescription": "No data found."},
        {"dataSet": [], "status": False, "errorDescription": "no data"},
        {"dataSet": None, "status": True, "errorDescription": "No data found"},
        {"dataSet": {"data": []}, "status": True, "errorDescription": None},
        {"data": []},
        [],
    ],
)
def test_an_empty_answer_that_says_so(envelope: Any) -> None:
    assert rows_of(json.dumps(envelope).encode()) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "an empty body"),
        (b" \r\n", "an empty body"),
        (b"<!DOCTYPE html><html><body>Service 9876543210</body></html>", "an HTML page"),
        (b"\xef\xbb\xbf<html>", "an HTML page"),
        (b"Internal Server Error", "text that is not JSON"),
        (b'{"dataSet": {"data": [{"bookingNo": "20250201', "a cut-off JSON body"),
        (b'{"dataSet": {"data": [{"bookingNo": "1"},', "a cut-off JSON body"),
        (b'{"dataSet": {"data": [', "a cut-off JSON body"),
        (b'{"dataSet" = []}', "broken JSON"),
        (b"42", "a JSON number"),
        (b'"9876543210"', "a JSON string"),
        (b"true", "a JSON boolean"),
        (b"null", "a JSON null"),
        (b"{}", "without rows"),
        (b'{"dataSet": null, "status": true}', "without rows"),
        (b'{"dataSet": {"data": null}, "status": true, "errorDescription": null}', "without rows"),
        (b'{"dataSet": {"rows": []}}', "without rows"),
        (b'{"data": {"9876543210": "x"}}', "without rows"),
        (b'{"dataSet": null, "status": false, "errorDescription": null}', "status false"),
        (b'{"dataSet": [], "status": false}', "status false"),
        (b'{"dataSet": null, "status": "False"}', "status false"),
        (b'{"dataSet": [{"a": 1}], "status": false, "errorDescription": "No data found"}', "No data found"),
        (b'{"dataSet": null, "status": false, "errorDescription": "No database"}', "failed: No database"),
        (b'{"a": "\xff"}', "no text"),
        (b'{"a": "\xe0\xa4', "a cut-off JSON body"),
        (b"[" * 100_000, "nested too deep"),
        (b"[" + b"9" * 5000 + b"]", "absurdly long number"),
    ],
)
def test_what_is_no_answer_is_a_failed_call_and_named(body: bytes, message: str) -> None:
    with pytest.raises(RetryableApiError, match=message) as caught:
        rows_of(body)
    assert "98765" not in str(caught.value)
    assert "20250201" not in str(caught.value)


def test_a_description_is_one_short_line_without_escapes_or_numbers() -> None:
    description = "Bad\r\nthing \x1b[31m of +91 88487-82000 s3cret " + "x" * 1_000_000
    body = json.dumps({"status": False, "errorDescription": description}).encode()
    with pytest.raises(RetryableApiError) as caught:
        rows_of(body, secret="s3cret")
    said = str(caught.value).partition("failed: ")[2]
    assert said.startswith("Bad thing [31m of [number] [key] xxx")
    assert said.isprintable()
    assert len(said) == 200


def test_names_in_utf_8_with_and_without_a_mark() -> None:
    body = json.dumps([{"customerName": "അനഘ"}], ensure_ascii=False).encode()
    assert rows_of(body) == rows_of(b"\xef\xbb\xbf" + body) == [{"customerName": "അനഘ"}]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["dataSet", "data", "result", "status", "errorDescription"]) | st.text(),
            inner,
            max_size=5,
        )
    ),
    max_leaves=8,
)


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_rows_or_a_failed_call(body: bytes) -> None:
    try:
        rows: object = rows_of(body)
    except ApiError as error:
        rows = error
    assert isinstance(rows, list) or str(rows).isprintable()  # a message is one line for a terminal
