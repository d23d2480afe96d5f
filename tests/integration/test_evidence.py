"""`doctor --evidence`: the document alone identifies the API's dialect, and has no customer data."""

import json
import re
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncctl.ports.stop import Stop
from syncctl.safe_output.redact import Redactor
from syncctl.sandbox import DIALECTS, Fault, Sandbox
from syncctl.services.doctor.evidence.document import readable
from syncctl.settings.settings import load_settings
from syncctl.wiring.evidence import Evidence, gather_evidence

WITH_MONTHS = ("all keys", "without empty keys")
WITHOUT_MONTHS = ("without months", "dates and location only")
BARE = ("without empty keys", "dates and location only")
DATES = {
    "returnDate": "own-date",
    "bookingDate": "booking-date",
    "deliveryDate": "delivery-date",
    "expectedReturnDate": "expected-return-date",
}
"""Which date counts in each dialect that honours dates in any body."""


def gather(sandbox: Sandbox, folder: Path, **settings: object) -> Evidence:
    """The evidence of a fresh installation."""
    settings_in_file = {"API_BASE_URL": sandbox.base_url, "API_CALL_DELAY_MS": 0, **settings}
    file = folder / ".env"
    file.write_text(
        "".join(f"{name}={value}\n" for name, value in settings_in_file.items()), encoding="utf-8"
    )
    loaded = load_settings(file, environ={})
    return gather_evidence(loaded, Redactor(loaded.secrets), pytest.fail, lambda _: None, Stop())


def sent(evidence: Evidence) -> Any:
    """The document as its recipient reads it."""
    return json.loads(readable(evidence.document))


def effect_of(cases: list[dict[str, Any]]) -> str:
    """What a query returned at all locations: error, nothing, everything, 1 month, or the field whose
    dates decided."""
    if all(case["error"] for case in cases):
        return "error"
    if not any(case["rows"] for case in cases):
        return "nothing"
    (same, *others) = {case["same_rows_as"] for case in cases}
    if same and not others:
        return str(same)
    fitting = [
        field
        for field in cases[0]["by"]
        if field != "own date"
        and all(case["by"][field]["verdict"] == "agrees" for case in cases)
        and any(case["by"][field]["found"] for case in cases)
    ]
    return min(
        fitting,
        key=lambda field: sum(case["by"][field]["without_date"] for case in cases),
        default="no one knows",
    )


def dialect_name(document: Any, report: str) -> str:
    """The dialect's name, derived from the document."""
    by_question: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for case in document["reports"][report]["less"]:
        by_question[case["of"], case["body"]].append(case)
    days = {body: effect_of(cases) for (kind, body), cases in by_question.items() if kind == "days"}
    months = effect_of(by_question["months", "usual"])
    assert set(days) == {*WITH_MONTHS, *WITHOUT_MONTHS}
    if len(set(days.values())) == 1:
        (led,) = set(days.values())
        if led == "everything":
            return "all-ignored" if months == "everything" else "?"
        return {"nothing": "dates-empty", "error": "dates-error", **DATES}[led]
    honoured = {body for body, led in days.items() if led in DATES}
    if not honoured:
        assert {days[body] for body in WITH_MONTHS} == {"1 month"}
        assert {days[body] for body in WITHOUT_MONTHS} == {"everything"}
        return "dates-ignored"
    return {
        frozenset(WITHOUT_MONTHS): "dates-without-months",
        frozenset(WITH_MONTHS): "dates-with-months",
        frozenset(BARE): "dates-without-empty-strings",
    }[frozenset(honoured)]


SENTENCES = {
    "own-date": "asked, in every form of the body: the rows with such a returnDate come",
    "dates-empty": "asked, in every form of the body: nothing comes, though ",
    "dates-error": "asked, in every form of the body: an error, the API says that the call failed: Execution",
    "all-ignored": "1 month, 2 months, 3 months asked: it is ignored: everything comes.",
    "dates-ignored": "asked, body all keys or without empty keys: it is ignored: what 1 month brings comes.",
    "dates-with-months": "asked, body without months or dates and location only: it is ignored: everything",
}
"""What the summary says of returns, in plain words."""


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_dialect_can_be_named_from_the_document(dialect: str, tmp_path: Path) -> None:
    with Sandbox(locations=3, bookings=100, dialect=dialect) as sandbox:
        document = sent(gather(sandbox, tmp_path))
        asked = [request for request in sandbox.requests if request.api != "stores"]
    assert dialect_name(document, "return") == dialect
    if dialect != "own-date":  # of bookings, that is the date of the booking
        assert dialect_name(document, "booking") == dialect
    assert len(asked) == 52
    assert [call["body"] for call in document["calls"][1:]] == [request.body for request in asked]
    if sentence := SENTENCES.get(dialect):
        summary = document["summary"]
        assert any(line.startswith("Returns, ") and sentence in line for line in summary), summary


TOKEN = "open-sesame-4711"


@pytest.mark.slow
def test_nobodys_data_is_in_it(tmp_path: Path) -> None:
    with Sandbox(locations=4, bookings=60, token=TOKEN) as sandbox:
        odd: list[object] = [
            {"9846012345": "Anagha Nair", "location": "Anagha Nair", "bookingNo": "2026110100700001"},
            {
                "bookingNo": "2026110100700002",
                "Sreejith Menon": 1,
                "note": "call 98460-12345",
                "price": 98460.5,
            },
            {"bookingNo": 2026110100700003, "phoneNo": 9846012345, "bookingDate": f"{sandbox.today}"},
            "Anagha Nair 9846012345",
            ["9846012345"],
        ]
        sandbox.add_rows(sandbox.locations[0], odd)
        evidence = gather(sandbox, tmp_path, API_TOKEN=TOKEN)
        rows = [row for api in ("booking", "return") for row in sandbox.rows(api) if isinstance(row, dict)]
    text = readable(evidence.document)
    assert evidence.is_answered
    assert TOKEN not in text
    words = set(re.findall(r"[^\W\d_]+", text))
    digits = re.sub(r"[^0-9]+", " ", text).split()
    checked = 0
    for row in rows:
        for name in ("bookingNo", "bookingNumber", "BookingNo"):
            number = str(row.get(name) or "")
            assert not number or number not in text
        for name in ("phoneNo", "mobile", "Contact"):
            phone = re.sub(r"\D", "", str(row.get(name) or ""))
            assert len(phone) < 9 or phone[-9:] not in text
            assert not any(len(run) >= 9 and run in phone for run in digits)
        for name in ("customerName", "name", "CustomerName"):
            first, *_ = str(row.get(name) or "").split() or [""]
            assert first not in words
            checked += bool(first)
        for name in ("remarks", "notes", "feedback", "bookingBy", "itemCode", "itemName", "measurement"):
            value = str(row.get(name) or "")
            assert len(value) < 4 or value not in text
    assert checked > 300
    for word in ("Anagha", "Nair", "Sreejith", "98460", "9846012345", "call 9"):
        assert word not in text
    assert "(another key)" in text
    assert "(another text)" in text


def test_what_is_known_of_the_whole_is_in_it(tmp_path: Path) -> None:
    with Sandbox(locations=3, bookings=60) as sandbox:
        document = sent(gather(sandbox, tmp_path))
        today = sandbox.today
    location = document["locations"]["asked"][0]
    whole = document["reports"]["return"]["everything"][location]
    assert set(document["reports"]["return"]["everything"]) == set(document["locations"]["asked"])
    booked = whole["dates"]["bookingDate"]
    assert booked["rows"] == whole["rows"]
    assert str(today - timedelta(days=366)) < booked["first"] < booked["last_not_ahead"] <= booked["last"]
    assert booked["last"][:10] <= str(today)
    returned = whole["dates"]["returnDate"]
    assert returned["rows"] + returned["empty"] == whole["rows"]
    looks = document["reports"]["return"]["fields"]
    assert set(looks["bookingDate"]) == {"9999-99-99T99:99:99"}
    assert "16 digits" in looks["bookingNo"]
    assert "10 digits" in looks["phoneNo"]
    assert document["made"]["database"] == {
        "kind": "SQLite",
        "version": document["made"]["parts"]["SQLite"],
        "topology": "one file, not there yet",
    }
    assert set(document["made"]["parts"]) == {
        "syncctl", "Python", "system", "SQLite", "requests", "urllib3", "pymongo",
    }  # fmt: skip
    first = document["calls"][1]
    assert first["status"] == 200
    assert first["headers"] == {"Server": "syncctl-sandbox", "Content-Type": "text/plain"}
    assert abs(first["clock_ahead_s"]) < 60
    assert first["envelope"]["dataSet"] == {"data": f"list of {first['rows']}"}
    assert not (tmp_path / "data" / "syncctl.db").exists()


def test_an_api_that_does_not_answer_is_not_asked_for_long(tmp_path: Path) -> None:
    with Sandbox(locations=3, bookings=10, faults=[Fault("503")]) as sandbox:
        evidence = gather(sandbox, tmp_path)
        assert len(sandbox.requests) <= 6
    document = sent(evidence)
    assert not evidence.is_answered
    assert document["stopped"] == "3 calls in a row had no answer"
    assert document["calls"][0]["status"] == 503
    assert "the API answered 503" in document["summary"][0]
