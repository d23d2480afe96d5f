"""The evidence's parts: what is taken out of texts, which calls are made, how a file is written."""

import time
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.requests import BodyForm, ReportRequest, Window
from syncctl.domain.sources import StepName
from syncctl.errors import ApiError, DeadlinePassedError, KeyRefusedError, RetryableApiError
from syncctl.locations import load_locations
from syncctl.ports.api import Answer, Prepare, WireFacts
from syncctl.safe_output.redact import Redactor
from syncctl.services.doctor.evidence.calls import (
    DORMANT,
    EMPTY,
    MAX_CANDIDATES,
    WHOLE,
    EvidenceContext,
    EvidenceResults,
    ask_the_api,
)
from syncctl.services.doctor.evidence.document import readable
from syncctl.services.doctor.evidence.scrubbing import LONGEST, Scrubber

NOW = datetime(2026, 11, 27, 6, 0, tzinfo=UTC)


@pytest.fixture
def scrubber() -> Scrubber:
    scrubber = Scrubber(Redactor(["open-sesame"]), ["rental.example:8443", "rental.example"])
    row = {"customerName": " Anagha Nair ", "phoneNo": "98460", "remarks": "will come on Friday"}
    scrubber.learn([row, "no row", None, {"name": None, "bookingNo": 7}])
    return scrubber


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("Execution Timeout Expired.", "Execution Timeout Expired."),
        ("rental.example:8443 answered 500", "the API answered 500"),
        ("it can't be read, and it's late", "it can't be read, and it's late"),
        ("Violation for 'Sreejith' in \"leads\"", "Violation for [quoted] in [quoted]"),
        ("no row of Anagha Nair, as she\nwill come on Friday", "no row of [value], as she [value]"),
        ("call 98460 12345 or +91-9846012345, 2026110100700001", "call [number] or [number], [number]"),
        ("1.2.3, 20 of 21, 12345", "1.2.3, 20 of 21, [number]"),
        ("Bearer open-sesame", "Bearer ***"),
        ("asked for 2026-11-18 to 2026-11-28, left out 2", "asked for 2026-11-18 to 2026-11-28, left out 2"),
        ("no 2026-11-18-123", "no [number]"),
        ("No data for customer Zubeida Kaiser of Kannur", "No data for [word] of [word]"),
        ("no row of zubeida-kaiser, mail zubeida.k@mail.example", "no row of [word]"),
        ("മേരി is not known; JOSÉ's booking", "[word] is not [word]; [word] booking"),
        (
            "System.Data.SqlClient.SqlException: bookingDate",
            "System.Data.SqlClient.SqlException: bookingDate",
        ),
        ("Object reference not set to an instance of an object.",) * 2,
        ("the API answered 401: check BOOKING_API_KEY",) * 2,
        ("the API says that the call failed (status false), without a reason",) * 2,
        ("the API sent JSON that is nested too deep",) * 2,
    ],
)
def test_what_is_taken_out_of_a_text(scrubber: Scrubber, written: str, sent: str) -> None:
    assert scrubber.text(written) == sent
    assert len(scrubber.text(f"{written} x" * 100)) <= LONGEST


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("bookingNo", "bookingNo"),
        ("@odata.type", "(another key)"),
        ("9846012345", "(another key)"),
        ("c98460123", "(another key)"),
        ("Anagha Nair", "(another key)"),
        ("x" * 41, "(another key)"),
        (7, "(another key)"),
    ],
)
def test_keys_that_look_like_none_are_not_told(scrubber: Scrubber, key: object, sent: str) -> None:
    assert scrubber.key(key) == sent
    assert scrubber.keys({"dataSet": {key: "null"}}) == {"dataSet": {sent: "null"}}


def test_json_is_spread_over_lines_only_where_it_must_be() -> None:
    short = {"a": [1, 2], "b": None}
    assert readable(short) == '{"a": [1, 2], "b": null}'
    long = {"rows": [short] * 9, "empty": {}, "text": "x" * 200}
    lines = readable(long).splitlines()
    assert lines[0] == "{"
    assert lines[2] == '    {"a": [1, 2], "b": null},'
    assert lines[-2] == f'  "text": "{"x" * 200}"'


ROW = {
    "bookingNo": "1",
    "customerName": "A",
    "phoneNo": "9000000011",
    "bookingDate": "2026-11-23T10:00:00",
    "returnDate": "2026-11-24T10:00:00",
}


class FakeApi:
    """An API that answers each request as it is told to; what it says is on the wire, too."""

    def __init__(
        self, answer: Callable[[ReportRequest], list[Any] | ApiError], *, on_wire: bool = True
    ) -> None:
        self.wire: dict[ReportRequest, WireFacts] = {}
        self.asked: list[ReportRequest] = []
        self._answer = answer
        self._status = 200 if on_wire else 500

    def store_list(self, deadline: float) -> list[Any]:
        self.wire[ReportRequest(StepName.STORES, "", Window(), deadline)] = self._facts()
        return [{"locCode": code, "locName": "x"} for code in ("7", "9", "13", "8", "9846012345")]

    def reports(
        self, requests: Sequence[ReportRequest], prepare: Prepare | None = None
    ) -> Generator[Answer, None, None]:
        for request in requests:
            self.asked.append(request)
            answer = self._answer(request)
            if not isinstance(answer, DeadlinePassedError):
                self.wire[request] = self._facts()
            if isinstance(answer, ApiError):
                yield Answer(request, None, answer)
            else:
                yield Answer(request, answer, None)

    def close(self) -> None:
        pass

    def _facts(self) -> WireFacts:
        return WireFacts({}, 0.1, self._status, {}, NOW, 10, None, "")


def ask(api: FakeApi, states: dict[str, LocationState] | None = None) -> EvidenceResults:
    asking = EvidenceContext(
        api=api,
        wire=api.wire,
        locations=load_locations(),
        states={StepName.BOOKING: states or {}, StepName.RETURN: states or {}},
        months=12,
        zone=ZoneInfo("Asia/Kolkata"),
        started_at=NOW,
        deadline=time.monotonic() + 60,
        asks=lambda number: None,
    )
    return ask_the_api(asking, Scrubber(str))


def test_the_locations_with_most_rows_are_asked_and_one_that_rests() -> None:
    known = [("1", 5), ("9", 300), ("144", 200), ("16", 100), ("701", 50)]
    states = {code: LocationState(code, NOW, due_again=rows) for code, rows in known}
    states["3"] = LocationState("3", NOW, dormant=True)
    api = FakeApi(lambda request: [ROW] if request.location else [])
    found = ask(api, states)
    assert found.chosen == ("9", "144", "16")
    assert found.dormant == "3"
    assert found.listed == ("7", "9", "13", "8")
    assert [call.request.location for call in found.calls if call.why == WHOLE] == [
        code for code in found.chosen for _ in range(2)
    ]
    assert len(found.calls) == 53
    assert {call.request.location for call in found.calls if call.why == EMPTY} == {""}
    assert {call.request.location for call in found.calls if call.why == DORMANT} == {"3"}


def test_without_any_rows_it_is_not_asked_on_and_on() -> None:
    found = ask(FakeApi(lambda request: []))
    assert found.chosen == ()
    assert len(found.calls) == 1 + 2 * MAX_CANDIDATES + 2 + 2


def test_where_the_usual_body_fails_it_is_asked_without_empty_keys() -> None:
    def answer(request: ReportRequest) -> list[Any] | ApiError:
        bare = request.window.form in (BodyForm.WITHOUT_EMPTY, BodyForm.DATES_ALONE)
        if request.report is StepName.BOOKING or bare:
            return [ROW]
        return RetryableApiError("the API says that the call failed: too many empty strings")

    found = ask(FakeApi(answer))
    whole = [call.request for call in found.calls if call.why == WHOLE and call.rows is not None]
    assert {request.window.form for request in whole if request.report is StepName.RETURN} == {
        BodyForm.WITHOUT_EMPTY
    }
    of_months = [each for each in found.comparisons if not each.is_of_days]
    assert {each.form for each in of_months if each.report is StepName.RETURN} == {BodyForm.WITHOUT_EMPTY}
    assert {each.form for each in of_months if each.report is StepName.BOOKING} == {BodyForm.USUAL}
    assert all(each.rows == 1 for each in of_months)


@pytest.mark.parametrize(
    ("error", "on_wire", "why", "calls"),
    [
        (KeyRefusedError("refused (401)"), True, "the API refused the key", 3),
        (DeadlinePassedError("no time was left"), True, "time ran out (API_RUN_DEADLINE_S)", 2),
        (RetryableApiError("answered 500"), False, "3 calls in a row had no answer", 4),
        (RetryableApiError("the API says that the call failed"), True, None, 1 + 4 * MAX_CANDIDATES + 4),
    ],
)
def test_it_stops_where_asking_on_is_in_vain(
    error: ApiError, on_wire: bool, why: str | None, calls: int
) -> None:
    found = ask(FakeApi(lambda request: error, on_wire=on_wire))
    assert found.stopped == why
    assert len(found.calls) <= calls


def test_a_report_whose_key_is_refused_leaves_the_other_alone() -> None:
    refused = KeyRefusedError("refused (401)")
    found = ask(FakeApi(lambda request: refused if request.report is StepName.BOOKING else [ROW]))
    assert found.stopped is None
    assert sum(call.request.report is StepName.BOOKING for call in found.calls) == 1
    assert {each.report for each in found.comparisons} == {StepName.RETURN}
    assert len(found.comparisons) == 3 * 7
