"""Copies stand side by side, as many as there is room for, each id in one piece."""

import io
import re
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from syncctl.cli.render.cleanup import duplicates_question
from syncctl.cli.render.cleanup_output import Output, field_words
from syncctl.cli.render.cleanup_sets import print_screen
from syncctl.cli.render.clock import Clock
from syncctl.safe_output.redact import Redactor
from syncctl.services.cleanup.duplicate_results import (
    Conflict,
    CopySummary,
    Decision,
    DuplicatePlan,
    KeepReason,
)
from tests.contract.samples import text_id

MOMENT = datetime(2026, 3, 1, 20, 30, tzinfo=UTC)
CLOCK = Clock(ZoneInfo("Asia/Kolkata"), datetime(2026, 3, 2, 6, 0, tzinfo=UTC))


def copy(number: int, **values: object) -> CopySummary:
    return CopySummary(text_id(number), MOMENT, number % 2 == 1, values)


def decision(copies: int) -> Decision:
    of_each = [
        copy(
            number,
            phone=f"900000000{number}",
            createdAt=MOMENT,
            functionDate=datetime(2026, 4, number, tzinfo=UTC),
            remarks="call [red]9876543210\x1b[31m" if number == 1 else None,
            followUpFlag=number > 1,
        )
        for number in range(1, copies + 1)
    ]
    return Decision("bookingConfirmation", "9000000001", "2025", "Made Up", tuple(of_each), KeepReason.OLDEST)


def shown(plan: DuplicatePlan, width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    print_screen(plan, Output(Redactor(), CLOCK, as_json=False, quiet=False))
    assert isinstance(sys.stdout, io.StringIO)
    return sys.stdout.getvalue().splitlines()


@pytest.mark.parametrize(("width", "tables"), [(50, 4), (60, 4), (80, 3), (120, 2)])
def test_the_kept_copy_stands_beside_those_to_delete(
    monkeypatch: pytest.MonkeyPatch, width: int, tables: int
) -> None:
    plan = DuplicatePlan()
    plan.add(decision(4))
    lines = shown(plan, width, monkeypatch)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert "1. booking 2025 · Made Up · 90xxxxxx01" in lines
    assert sum(line.strip().startswith("id ") for line in lines) == tables
    assert text.count(text_id(1)) == (1 if width < 80 else tables)
    assert all(text_id(number) in text for number in (2, 3, 4))
    assert text.count("delete") == 1 + 3  # one in the head of the first table
    for word in ("keep (oldest)", "2026-04-01", "98xxxxxx10", "[red]"):
        assert word in text
    assert "9876543210" not in text
    assert "\x1b[31m" not in text
    if width == 120:
        assert not any(line.strip().startswith("created") for line in lines)  # the same in all
        assert re.search(r"follow up flag +no +yes +yes", text)
        assert lines[0].split() == ["Leads", "Sets", "To", "delete", "For", "you", "to", "decide"]
        assert lines[1].split() == ["bookings", "1", "3", "0"]


def test_what_a_person_must_decide_shows_each_copy_with_its_last_edit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = DuplicatePlan()
    plan.add(Conflict("lossOfSale", "9000000001", "", "Made Up", (copy(1, rating=4), copy(2, rating=5))))
    text = "\n".join(shown(plan, 80, monkeypatch))
    assert "loss of sale · Made Up · 90xxxxxx01" in text
    assert "--keep ID" in text
    assert re.search(r"worked on +not worked on", text)
    assert duplicates_question(plan) == ""


def test_the_question_counts_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = DuplicatePlan()
    plan.add(decision(2))
    assert duplicates_question(plan) == "Delete 1 lead?"
    for _ in range(1000):
        plan.add(decision(2))
    assert duplicates_question(plan) == "Delete 1,001 leads?"


@pytest.mark.parametrize(
    ("name", "words"),
    [("callStatus", "call status"), ("createdAt", "created"), ("remarks", "remarks"), ("a\x1bB", "a\\x1bb")],
)
def test_fields_have_names_that_people_read(name: str, words: str) -> None:
    assert field_words(name) == words
