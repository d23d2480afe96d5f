"""Bodies as the API sends them, and what they are taken for."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.api.envelope import rows_of
from syncctl.errors import ApiError, RetryableApiError, UnclearAnswerError
from tests.support.answers import errors_without_rows

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


def test_a_store_that_has_only_its_code_is_a_row() -> None:
    assert rows_of(b'[{"locCode": null}]') == [{"locCode": None}]


def test_a_row_that_says_nothing_is_no_message() -> None:
    assert rows_of(b'[{"status": null}]') == [{"status": None}]
    assert rows_of(b'[{"status": []}]') == [{"status": []}]


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
        {"dataSet": {"data": None}, "status": True, "errorDescription": None},
        {"dataSet": None, "status": True},
        {"dataSet": None, "status": False, "errorDescription": ""},
        {"dataSet": [], "status": "False"},
        {"dataSet": None, "status": 0, "errorDescription": "No Data Found"},
        {"dataSet": "No data found", "status": True},
        {"data": [], "status": "error", "message": "No records found"},
        {"data": [], "statusCode": 404, "message": "Record not found"},
        {"data": [], "error": None, "errors": {}, "success": True, "statusCode": 200},
        {"data": [], "error": False, "status": "success"},
        {"status": False, "message": "no_data_found"},
        {"data": []},
        [],
    ],
)
def test_an_empty_answer_that_says_so(envelope: Any) -> None:
    assert rows_of(json.dumps(envelope).encode()) == []


@pytest.mark.parametrize(
    "text",
    [
        "No record found",
        "No rows",
        "There are no bookings available for this location",
        "Data not found",
        "Data not available.",
        "Not found",
        "Records are not available for the selected dates",
        "0 rows returned",
        "Nothing found",
        "NoDataFound",
        "Couldn't find any records",
    ],
)
@pytest.mark.parametrize("key", ["errorDescription", "message", "Message", "detail", "error"])
def test_a_text_that_says_that_there_is_nothing(text: str, key: str) -> None:
    assert rows_of(json.dumps({"dataSet": {"data": []}, "status": False, key: text}).encode()) == []


@pytest.mark.parametrize(
    "text",
    [
        "Execution Timeout Expired. The timeout period elapsed prior to completion of the operation or the "
        "server is not responding.",
        "The wait operation timed out",
        "Object reference not set to an instance of an object.",
        "Invalid column name 'returnDate'.",
        "Conversion failed when converting date and/or time from character string.",
        "Error converting data type varchar to int.",
        "Transaction (Process ID 52) was deadlocked on lock resources",
        "Cannot open database \"Rental\" requested by the login. The login failed for user 'sa'.",
        "An exception occurred: no data",
        "System.NullReferenceException",
        "SqlTimeout",
        "Arithmetic overflow error: no rows",
        "String or binary data would be truncated.",
        "A network-related or instance-specific error; the server was not found",
        "The database is not available",
        "Service not available",
        "No connection available",
        "No response from server",
        "No database",
        "500 Internal Server Error",
        "HTTP 503",
        "Could not find stored procedure 'GetBookingReport'.",
        "Access denied",
        "Unauthorized",
        "Something failed",
        "Index was outside the bounds of the array.: exception",
        "Data source name not found and no default driver specified",
        "The connection was closed unexpectedly; no data available",
        "There is not enough memory to run this query, no data",
        "Column 'bookingDate' not found",
        "Data is not in correct format",
        "Input string was not in a correct format.",
        "The API is currently not available",
        "Index was outside the bounds of the array.",
    ],
)
@pytest.mark.parametrize(
    "envelope",
    [
        {"dataSet": {"data": []}, "status": True, "errorDescription": "?"},
        {"dataSet": None, "status": False, "errorDescription": "?"},
        {"data": [], "error": "?"},
        {"result": [], "errors": ["?"]},
        {"data": [], "error": {"code": 7, "message": "?"}},
        {"dataSet": {"data": [], "message": "?"}, "status": True},
        {"Message": "An event", "ExceptionMessage": "?"},
        {"dataSet": "?"},
    ],
)
def test_a_text_that_speaks_of_an_error(text: str, envelope: Any) -> None:
    body = json.dumps(envelope).replace('"?"', json.dumps(text)).encode()
    with pytest.raises(RetryableApiError, match="the API says that the call failed: ") as caught:
        rows_of(body)
    assert caught.value.is_refusal


@pytest.mark.parametrize("envelope", errors_without_rows())
def test_an_error_is_no_empty_answer(envelope: Any) -> None:
    with pytest.raises(RetryableApiError, match="the API says that the call failed"):
        rows_of(json.dumps(envelope).encode())


@pytest.mark.parametrize(
    "envelope",
    [
        {"data": [], "statusCode": 500},
        {"data": [], "status": "503", "message": "no data"},
        {"data": [], "code": 400},
        {"dataSet": [], "status": "error"},
        {"dataSet": [], "error": True},
        {"data": [], "status": "Timeout: no data"},
        {"data": [], "status": "500 Internal Server Error: no data"},
        {"data": [], "message": "500"},
        {"data": [], "info": "Object reference not set to an instance of an object."},
        {"dataSet": [{"errorMessage": "Object reference not set to an instance of an object."}]},
        [{"errorMessage": "Execution Timeout Expired"}],
    ],
)
def test_an_error_without_a_text(envelope: Any) -> None:
    with pytest.raises(RetryableApiError, match="the API says that the call failed"):
        rows_of(json.dumps(envelope).encode())


@pytest.mark.parametrize(
    "envelope",
    [
        {"dataSet": {"data": []}, "status": True, "errorDescription": "?"},
        {"dataSet": None, "status": False, "errorDescription": "?"},
        {"data": [], "message": "?"},
        {"result": [], "errors": ["", "?"]},
    ],
)
@pytest.mark.parametrize("text", ["Kindly select a location", "Ask the office, 9876543210", "അറിയില്ല"])
def test_any_other_text_is_quoted_and_decides_nothing(envelope: Any, text: str) -> None:
    with pytest.raises(UnclearAnswerError) as caught:
        rows_of(json.dumps(envelope).replace('"?"', json.dumps(text)).encode())
    assert caught.value.said == text.replace("9876543210", "[number]")


def test_what_an_api_says_beside_rows_is_no_matter() -> None:
    assert rows_of(json.dumps({"data": ROWS, "message": "timeout of the last call: 30 s"}).encode()) == ROWS


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
        (b'{"dataSet": {"rows": []}}', "without rows"),
        (b'{"data": {"9876543210": "x"}}', "without rows"),
        (b'{"dataSet": [{"a": 1}], "status": false, "errorDescription": "No data found"}', "No data found"),
        (b'{"dataSet": null, "status": false, "errorDescription": "No database"}', "failed: No database"),
        (b'{"a": "\xff"}', "not text"),
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
    description = "Failed\r\nthing \x1b[31m of +91 88487-82000 s3cret " + "x" * 1_000_000
    body = json.dumps({"status": False, "errorDescription": description}).encode()
    with pytest.raises(RetryableApiError) as caught:
        rows_of(body, secret="s3cret")
    said = str(caught.value).partition("failed: ")[2]
    assert said.startswith("Failed thing [31m of [number] [key] xxx")
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
