"""Which leads the reports are about: what is seen quickly misses none."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from syncctl.domain.lead_traits import Traits
from syncctl.domain.lead_values import Document
from syncctl.locations import load_locations
from syncctl.services.checks.finished_leads import FinishedLeads, Fit
from syncctl.services.cleanup.duplicates import usual_key
from tests.contract.looking_suite import PHONES, spelled

LOCATIONS = load_locations()
FLAT_NAMES = {"createdAt": "created_at", "name": "lead_name"}


def a_lead(chance: random.Random) -> Document:
    """One of few customers, written in many ways."""
    at = datetime(
        2025, 3, chance.randint(1, 3), chance.choice((0, 18, 9)), chance.choice((0, 30)), tzinfo=UTC
    )
    field = chance.choice(("createdAt", "enquiryDate", "visitDate"))
    values: dict[str, Any] = {
        "leadType": chance.choice(("bookingConfirmation", "return", "general", "")),
        "phone": spelled(chance, chance.choice(PHONES)),
        "bookingNo": chance.choice(("7", " 7", 7, "9", "", None)),
        "name": chance.choice(("Asha", "asha ", "Ravi", '="Asha"', "")),
        "store": chance.choice(("Suitor Guy - Calicut", "SG Calicut", "Default Store", "")),
        field: chance.choice((at, at.isoformat(), at.replace(tzinfo=None))),
    }
    return {name: value for name, value in values.items() if chance.random() < 0.9}


def a_report(chance: random.Random, number: int) -> Document:
    values = a_lead(chance)
    if chance.random() < 0.6:
        return {"_id": f"r{number}", "leadData": {**values, "_id": f"l{chance.randint(0, 9)}"}}
    return {"_id": f"r{number}", **{FLAT_NAMES.get(name, name): value for name, value in values.items()}}


def test_what_has_nothing_in_common_at_first_sight_fits_no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    found = dict.fromkeys(Fit, 0)
    for seed in range(300):
        chance = random.Random(seed)  # noqa: S311 - made-up leads
        finished = FinishedLeads(LOCATIONS)
        for number in range(3):
            traits = Traits.of_report(a_report(chance, number), LOCATIONS)
            finished._add(traits, is_free=chance.random() < 0.8)
        leads = [{**a_lead(chance), "_id": f"l{chance.randint(0, 30)}"} for _ in range(8)]
        quickly = [finished.fit(lead, usual_key(lead)) for lead in leads]
        monkeypatch.setattr(finished, "_may_fit", lambda _lead, _usual: True)
        assert [finished.fit(lead, usual_key(lead)) for lead in leads] == quickly
        for fit in quickly:
            found[fit] += 1
    assert min(found.values()) > 100
