"""Every body that the client may ask with is read as a server would read it."""

from datetime import timedelta

import pytest

from syncctl.api.wire import Endpoint, report_call
from syncctl.domain.requests import BodyForm, Days, ReportRequest, Window
from syncctl.domain.steps import StepName
from syncctl.sandbox import Sandbox
from tests.unit.sandbox.books import ALL, DAYS, ERROR, MONTH, books, numbers_in
from tests.unit.sandbox.client import HEADERS, REPORTS, ask
from tests.unit.sandbox.conftest import TODAY

WEEK = Days(TODAY - timedelta(days=7), TODAY)
every_report = pytest.mark.parametrize("report", [StepName.BOOKING, StepName.RETURN])
every_form = pytest.mark.parametrize("form", BodyForm)


def answer(sandbox: Sandbox, report: StepName, window: Window) -> set[str] | str:
    """The booking numbers that the client's own call gets, or the error."""
    endpoint = Endpoint(sandbox.base_url + REPORTS[report], None, "API_KEY")
    call = report_call(endpoint, ReportRequest(report, "7", window, deadline=0.0))
    assert call.headers == HEADERS
    reply = ask(sandbox, call.method, REPORTS[report], call.body, call.headers)
    assert reply.status == 200, reply.body
    return numbers_in(reply.document)


@every_report
@every_form
def test_a_whole_window_is_answered_in_every_form(report: StepName, form: BodyForm) -> None:
    with books() as sandbox:
        assert answer(sandbox, report, Window(12, None, form)) == ALL


@every_form
def test_one_month_is_answered_in_every_form_that_names_it(form: BodyForm) -> None:
    with books() as sandbox:
        found = answer(sandbox, StepName.RETURN, Window(1, None, form))
    without_months = form in {BodyForm.WITHOUT_MONTHS, BodyForm.DATES_ALONE}
    assert found == (ALL if without_months else MONTH)


@every_form
def test_days_are_answered_in_every_form(form: BodyForm) -> None:
    with books() as sandbox:
        assert answer(sandbox, StepName.RETURN, Window(1, WEEK, form)) == DAYS


@pytest.mark.parametrize("window", [Window(12), Window(1, WEEK)], ids=["whole", "days"])
@every_form
def test_only_a_body_without_empty_strings_may_be_answered(form: BodyForm, window: Window) -> None:
    with books("empty-strings-error") as sandbox:
        found = answer(sandbox, StepName.RETURN, Window(window.months, window.days, form))
    whole = window.days is None
    answered = {BodyForm.WITHOUT_EMPTY} if whole else {BodyForm.WITHOUT_EMPTY, BodyForm.DATES_ALONE}
    assert found == ((ALL if whole else DAYS) if form in answered else ERROR)


def test_an_empty_location_is_no_empty_string_that_matters() -> None:
    body = {"locationID": "", "months": "12"}
    with books("empty-strings-error+empty-id-only") as sandbox:
        assert numbers_in(ask(sandbox, "POST", REPORTS["booking"], body).document) == ALL
