"""The body of an answer -> its rows, whichever of the API's envelopes they came in."""

import json
import re
from collections.abc import Mapping
from typing import Any

from syncctl.errors import RetryableApiError

_DESCRIPTION_LENGTH = 200
_CUT_OFF = "a cut-off JSON body"
_SAYS_WHY = ("errorDescription", "detail", "title", "message", "Message")
"""Where an API may say why there are no rows: this one's own key, and those of RFC 9457 and of ASP.NET."""

_SAYS_EMPTY = re.compile(r"\bno data\b", re.IGNORECASE)  # and not "no database"
_NUMBER_OF_A_PERSON = re.compile(r"\+?\d(?:[\s().-]*\d){7,}")


def rows_of(body: bytes, secret: str | None = None) -> list[Any]:
    """The rows that `body` carries (contract/rental-api.md, "Envelope"), as the API sent them.

    Understood are `{"dataSet": {"data": [...]}}`, `{"dataSet": [...]}`, `{"data": [...]}`,
    `{"result": [...]}` and a bare array. "No data found" is an empty list. Everything else raises
    RetryableApiError, whose message says what came and never shows a row: an answer without rows counts as
    empty only if it says so, since an empty answer moves a location's watermark. Where the API's own
    description is quoted, `secret` (the key that it was sent) is masked.
    """
    value = _parsed(body)
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        raise RetryableApiError(f"the API sent a JSON {_kind(value)} instead of rows")
    rows = _wrapped(value)
    description = _one_line(value.get("errorDescription"), secret)
    failed = str(value.get("status")).lower() == "false"
    if not rows and _SAYS_EMPTY.search(description):
        return []
    if failed or rows is None:
        if description:
            raise RetryableApiError(f"the API says that the call failed: {description}", is_refusal=True)
        if failed:
            raise RetryableApiError(
                "the API says that the call failed (status false), without a reason", is_refusal=True
            )
        raise RetryableApiError("the API sent JSON without rows and without saying why")
    return rows


def envelope_of(body: bytes, secret: str | None = None) -> tuple[Any, str]:
    """What is around the rows, as JSON-like data: the keys, and of their values only what kind they are (None
    for a body that is no JSON); and what the API says about it in words, quoted as `rows_of` does, or ""."""
    try:
        value = _parsed(body)
    except RetryableApiError:
        written = body.decode("utf-8", "replace").strip()
        return None, "" if written.startswith(("<", "{", "[")) else _one_line(written, secret)
    said = [value[name] for name in _SAYS_WHY if value.get(name)] if isinstance(value, dict) else []
    return _kinds(value, levels=2), _one_line(said[0] if said else None, secret)


def _kinds(value: object, levels: int) -> Any:
    if isinstance(value, dict):
        return {key: _kinds(inner, levels - 1) for key, inner in value.items()} if levels else "object"
    if isinstance(value, list):
        return f"list of {len(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    return "empty string" if value == "" else _kind(value)


def _wrapped(value: Mapping[str, Any]) -> list[Any] | None:
    """The list inside the envelope, or None where it has none."""
    inner = value.get("dataSet")
    if isinstance(inner, dict):
        inner = inner.get("data")
    for candidate in (inner, value.get("data"), value.get("result")):
        if isinstance(candidate, list):
            return candidate
    return None


def _one_line(description: object, secret: str | None) -> str:
    """The API's own words, fit for a terminal and a log: printable, short, without anybody's number."""
    if not isinstance(description, str):
        return ""
    if secret:
        description = description.replace(secret, "[key]")
    start = description[: 4 * _DESCRIPTION_LENGTH]
    text = " ".join("".join(char if char.isprintable() else " " for char in start).split())
    text = _NUMBER_OF_A_PERSON.sub("[number]", text)
    return text if len(text) <= _DESCRIPTION_LENGTH else text[: _DESCRIPTION_LENGTH - 1] + "…"


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        raise RetryableApiError(f"the API sent {_what_came(error)}") from None
    except UnicodeDecodeError as error:
        what = _CUT_OFF if error.reason == "unexpected end of data" else "bytes that are no text"
        raise RetryableApiError(f"the API sent {what}") from None
    except RecursionError:
        raise RetryableApiError("the API sent JSON that is nested too deep") from None
    except ValueError:
        # The one left: an integer of more digits than Python converts (sys.set_int_max_str_digits).
        raise RetryableApiError("the API sent JSON with an absurdly long number") from None


def _what_came(error: json.JSONDecodeError) -> str:
    text = error.doc.strip()
    if not text:
        return "an empty body"
    if text.startswith("<"):
        return "an HTML page instead of JSON"
    if not text.startswith(("{", "[")):
        return "text that is not JSON"
    at_the_end = error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string")
    return _CUT_OFF if at_the_end else "broken JSON"


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"
