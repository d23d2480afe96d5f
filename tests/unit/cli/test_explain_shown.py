"""`explain` as it is shown: which numbers can be read, the headline, the timeline."""

import json
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from syncctl.cli.render.clock import Clock
from syncctl.cli.render.explain import Visible, render_explanation
from syncctl.domain.sources import StepName
from syncctl.safe_output.redact import Redactor
from syncctl.services.explain.events import Event
from syncctl.services.explain.explaining import Explanation
from syncctl.services.explain.record_history import LeadNow, Origin, RecordHistory, RecordState
from syncctl.services.explain.wanted import CustomerQuery

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
CLOCK = Clock(ZoneInfo("Asia/Kolkata"), NOW)
TYPED = "+91 90000 00077"
EVENTS = (
    Event(NOW - timedelta(hours=30), "first seen in the booking report of location 7"),
    Event(NOW - timedelta(hours=2), "the source corrected the phone number from 9846012300 to 9000000077"),
)


def history(
    lead_type: str, state: RecordState = RecordState.LEAD, events: tuple[Event, ...] = (), phone: str = ""
) -> RecordHistory:
    report = StepName.BOOKING if state is RecordState.REJECTED else None
    lead = LeadNow("65f0", "Not Called", "No Status", NOW, touched=False) if events else None
    return RecordHistory(
        lead_type,
        "[b]Anagha[/b]",
        phone or "9000000077",
        "4711",
        "Suitor Guy - Calicut",
        state,
        Origin(report, "7", "", None, {}),
        events,
        lead,
    )


def shown(
    capsys: pytest.CaptureFixture[str],
    *histories: RecordHistory,
    asked: str = TYPED,
    show_phone: bool = False,
    as_json: bool = False,
) -> str:
    wanted = CustomerQuery.from_text(asked)
    found = Explanation(str(wanted), histories, typed=wanted.typed)
    visible = Visible(Redactor(["Anagha"]), wanted.typed, show_phone)
    render_explanation(found, visible, CLOCK, as_json=as_json, fetched=False)
    return capsys.readouterr().out


def test_the_number_that_was_typed_is_shown_as_typed_and_others_are_masked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = shown(capsys, history("bookingConfirmation", events=EVENTS))
    assert "from 98xxxxxx00 to +91 90000 00077" in out
    assert out.startswith(f"Booking · 4711 · [b]***[/b] · {TYPED} · Suitor Guy - Calicut\t")
    assert "2026-03-09T06:00:00Z\tfirst seen" in out
    out = shown(capsys, history("return", events=EVENTS), asked="4711")
    assert "from 98xxxxxx00 to 90xxxxxx77" in out
    assert "· 90xxxxxx77 ·" in out
    # A lead may have it otherwise, and still it is this number.
    assert f"· {TYPED} ·" in shown(capsys, history("return", phone="90000 00077", events=EVENTS))


def test_all_numbers_are_shown_on_request_but_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    booked = history("bookingConfirmation", events=EVENTS)
    assert "from 9846012300 to 9000000077" in shown(capsys, booked, asked="4711", show_phone=True)
    document = json.loads(shown(capsys, booked, show_phone=True, as_json=True))
    assert (document["asked"], document["records"][0]["phone"]) == ("9000000077", "9000000077")
    assert document["records"][0]["name"] == "[b]***[/b]"
    document = json.loads(shown(capsys, booked, as_json=True))
    assert (document["asked"], document["records"][0]["phone"]) == ("90xxxxxx77", "90xxxxxx77")
    assert "from 98xxxxxx00 to 90xxxxxx77" in document["records"][0]["events"][1]["what"]


def test_on_a_terminal_a_headline_and_the_newest_event_last(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    out = shown(
        capsys,
        history("lossOfSale", RecordState.DELETED),
        history("bookingConfirmation", events=EVENTS),
        history("bookingConfirmation", RecordState.FINISHED),
        history("", RecordState.REJECTED),
        history("return", RecordState.FINISHED),
        history("general"),
    )
    lines = re.sub(r"\x1b\[[0-9;]*m", "", out).splitlines()
    assert all(len(line) <= 80 for line in lines)
    headline = "2 bookings, 1 return, 1 walk-in, 1 loss of sale, 1 reject; 2 finished, 1 deleted (times: IST)"
    assert " ".join(" ".join(lines[:2]).split()) == headline
    at = lines.index(f"Booking · 4711 · [b]***[/b] · {TYPED} · Suitor Guy - Calicut")
    assert lines[at + 1].startswith("  yesterday 11:30 first seen in")
    assert lines[at + 2].startswith(
        "  today 15:30     the source corrected the phone number from 98xxxxxx00 to"
    )
    assert lines[at + 4].startswith("  now             in leads")
    assert lines[-1] == "  now in leads"
