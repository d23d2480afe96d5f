"""Extracts the rows from an answer's body, whichever of the API's envelopes they came in."""

import json
import re
from collections.abc import Mapping
from typing import Any

from syncctl.errors import RetryableApiError, UnclearAnswerError

_DESCRIPTION_LENGTH = 200
_CUT_OFF = "a cut-off JSON body"
_ROWS_KEYS = ("dataSet", "data", "result")
_TEXT_KEY = re.compile("error|exception|fault|desc|detail|title|messag|msg|reason|^info|^response$", re.I)
"""Keys whose value may explain missing rows: this API's own, and those of RFC 9457 and ASP.NET."""

_STATE_KEY = re.compile("status|success|(?<!loc)code|^error", re.I)
"""Keys with a short call status, which `locCode` isn't. A text takes precedence: "no data" also comes with
status false."""

_EMPTY = re.compile(
    r"\bnothing\b|"
    r"(?:\b(?:no|not|0|zero)\b|n['\u2019]t\b)[^.;!]*"
    r"\b(?:data|records?|rows?|found|available|results?|bookings?|returns?)\b|"
    r"\b(?:data|records?|rows?|results?)\b[^.;!]*\bnot\b",
    re.I,
)
"""Texts that mean "no data", unless they also mention an error."""

_ERROR = re.compile(
    r"time[d ]?[- ]?out|exception|(?<!no )(?<!without )(?<!\b0 )\berrors?\b|"
    r"\binvalid|\bnot valid|\bfail(?!ing)|"
    r"(?:object|null) ?reference|conver[ts]|\bcast\b|overflow|truncat|divide|violat|constraint|syntax|"
    r"deadlock|\blog ?[io]n\b|denied|authori[sz]ed\b|forbidden|permission|credential|"
    r"expired|\b(?:is|are|fields?|parameters?) required|"
    r"(?:can(?:not|'t)|could(?: not|n't)|unable to) (?!be found|find any|find data)|stored procedure|"
    r"refused|unavailable|unreachable|(?:not|dis) ?connect|data source|aborted|terminated|too many|"
    r"try again|went wrong|problem|(?:task|operation|request) was cancel|maintenance|\bmemory\b|"
    r"\bclosed\b|\bcolumn\b|\bformat\b|out(?:side| of) (?:the )?(?:bounds|range)|"
    r"not (?:supported|implemented|respond)|bad (?:request|gateway)|"
    r"\b(?:server|service|database|connection|network|host|driver|endpoint|resource|page|api)\b[^.;]{0,40}"
    r"\bnot\b|"
    r"\bno (?:\w+ )?(?:server|service|database|connection|network|host|driver|response)\b|"
    r"^\W*5\d\d\b|\b(?:http|status|code)\W{0,3}(?:code\W{0,3})?5\d\d\b",
    re.I,
)
"""Texts that mention an error. Such an answer must not count as empty, which would move a watermark."""

_HTTP_ERROR = re.compile("[45][0-9][0-9]")
_PARTS_OF_A_NAME = re.compile(r"(?<=[a-z])(?=[A-Z])|_")
_NUMBER_OF_A_PERSON = re.compile(r"\+?\d(?:[\s().-]*\d){7,}")


def rows_of(body: bytes, secret: str | None = None) -> list[Any]:
    """The rows in `body` (contract/rental-api.md, "Envelope"), as the API sent them.

    Accepted envelopes: `{"dataSet": {"data": [...]}}`, `{"dataSet": [...]}`, `{"data": [...]}`, `{"result":
    [...]}` and a bare array. An envelope without rows is an empty list if it says that there is no data, or
    gives no reason. `secret` (the key that was sent) is masked in anything quoted from the API; rows are
    never quoted.

    Raises:
        UnclearAnswerError: no rows, and a text that means neither "no data" nor a failure.
        RetryableApiError: anything else; the message says what was received.
    """
    value = _parsed(body)
    if isinstance(value, list):
        return _no_rows(value[0], secret) if _is_message(value) else value
    if not isinstance(value, dict):
        raise RetryableApiError(f"the API sent a JSON {_kind(value)} instead of rows")
    rows = _wrapped(value)
    if not rows:
        return _no_rows(value, secret)
    if _is_message(rows):
        return _no_rows(rows[0], secret)
    if str(value.get("status")).lower() == "false":
        raise _call_failed(_quoted(value, secret) or "status false, without a reason")
    return rows


def _is_message(rows: list[Any]) -> bool:
    """Whether the value in the place of rows is only a message about the call."""
    (row, *more) = rows or [None]
    return (
        isinstance(row, dict)
        and not more
        and all(_TEXT_KEY.search(key) or _STATE_KEY.search(key) for key in row)
        and (any(isinstance(value, bool) for value in row.values()) or bool(_texts(row) or _states(row)))
    )


def _no_rows(value: Mapping[str, Any], secret: str | None) -> list[Any]:
    """How to read an envelope without rows: [] or an error, as in `rows_of`."""
    texts, states = _texts(value), _states(value)
    sentences = [state for state in states if " " in state]
    texts, states = [*texts, *sentences], [state for state in states if state not in sentences]
    words = [_PARTS_OF_A_NAME.sub(" ", text) for text in (*texts, *states)]
    of_texts = words[: len(texts)]
    codes = [int(word) for word in words if _HTTP_ERROR.fullmatch(word)]
    quoted = _quoted(value, secret)
    if any(map(_ERROR.search, of_texts)) or any(code >= 500 for code in codes):
        raise _call_failed(quoted or (f"status {max(codes)}" if codes else ", ".join(words)))
    if any(map(_EMPTY.search, words)):
        return []
    if codes or any(map(_ERROR.search, words)) or value.get("error") is True:
        raise _call_failed(quoted or ", ".join(states) or "error true, without a reason")
    if quoted:
        raise UnclearAnswerError(quoted)
    if _wrapped(value) is None and (not value.keys() & set(_ROWS_KEYS) or not _is_empty(value)):
        raise RetryableApiError("the API sent JSON without rows and without saying why")
    return []


def _call_failed(why: str) -> RetryableApiError:
    return RetryableApiError(f"the API says that the call failed: {why}", is_refusal=True)


def _is_empty(value: Mapping[str, Any]) -> bool:
    """Whether the key for rows is present and holds nothing, whatever else is beside it."""
    inner = value.get("dataSet")
    if isinstance(inner, dict) and "data" in inner:
        inner = inner["data"]
    return not any((inner, value.get("data"), value.get("result")))


def _texts(value: object, *, is_text: bool = False, levels: int = 4) -> list[str]:
    """All message texts in an envelope, in order. `is_text`: the key marks its value as one. Lists under a
    row key are skipped, so that no customer's data is quoted."""
    if isinstance(value, str):
        text = value.strip()
        return [text] if is_text and text and (not text.isdecimal() or _HTTP_ERROR.fullmatch(text)) else []
    if not levels or not isinstance(value, dict | list):
        return []
    if isinstance(value, list):
        return [text for item in value for text in _texts(item, is_text=is_text, levels=levels - 1)]
    texts: list[str] = []
    for key, inner in value.items():
        holds_rows = key in _ROWS_KEYS
        if not (holds_rows and isinstance(inner, list)):
            says = is_text or _TEXT_KEY.search(key) or (holds_rows and isinstance(inner, str))
            texts += _texts(inner, is_text=bool(says), levels=levels - 1)
    return texts


def _states(value: Mapping[str, Any]) -> list[str]:
    """The short status words and numbers in an envelope."""
    inner = value.get("dataSet")
    parts = [value, *([inner] if isinstance(inner, dict) else [])]
    return [
        str(state).strip()
        for part in parts
        for key, state in part.items()
        if _STATE_KEY.search(key) and isinstance(state, str | int) and not isinstance(state, bool)
    ]


def _quoted(value: Mapping[str, Any], secret: str | None) -> str:
    return _one_line("; ".join(dict.fromkeys(_texts(value))), secret)


def envelope_of(body: bytes, secret: str | None = None) -> tuple[Any, str]:
    """The structure around the rows as JSON-like data: its keys, with only the types of their values (None
    if the body is not JSON); and the API's own message, quoted as in `rows_of`, or ""."""
    try:
        value = _parsed(body)
    except RetryableApiError:
        written = body.decode("utf-8", "replace").strip()
        return None, "" if written.startswith(("<", "{", "[")) else _one_line(written, secret)
    return _kinds(value, levels=2), _quoted(value, secret) if isinstance(value, dict) else ""


def _kinds(value: object, levels: int) -> Any:
    if isinstance(value, dict):
        return {key: _kinds(inner, levels - 1) for key, inner in value.items()} if levels else "object"
    if isinstance(value, list):
        return f"list of {len(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    return "empty string" if value == "" else _kind(value)


def _wrapped(value: Mapping[str, Any]) -> list[Any] | None:
    """The list inside the envelope: the first one with rows, if there are several; None if there is none."""
    inner = value.get("dataSet")
    if isinstance(inner, dict):
        inner = inner.get("data")
    lists = [each for each in (inner, value.get("data"), value.get("result")) if isinstance(each, list)]
    return next(filter(None, lists), lists[0] if lists else None)


def _one_line(description: object, secret: str | None) -> str:
    """The API's message made fit for a terminal and a log: printable, short, phone numbers masked."""
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
        raise RetryableApiError(f"the API sent {_description_of(error)}") from None
    except UnicodeDecodeError as error:
        what = _CUT_OFF if error.reason == "unexpected end of data" else "bytes that are not text"
        raise RetryableApiError(f"the API sent {what}") from None
    except RecursionError:
        raise RetryableApiError("the API sent JSON that is nested too deep") from None
    except ValueError:
        # Only this is left: an integer with more digits than Python converts (sys.set_int_max_str_digits).
        raise RetryableApiError("the API sent JSON with an absurdly long number") from None


def _description_of(error: json.JSONDecodeError) -> str:
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
