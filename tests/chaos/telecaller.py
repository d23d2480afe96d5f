"""A telecaller who changes many leads at one instant, and remembers what must result."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from tests.chaos.records import record_key
from tests.support.oracle import Key
from tests.support.recognition import Facts, Level, level, of_lead, of_report
from tests.support.webapp import MOSTLY_CURRENT_SHAPES, Lead, MongoApp, SqliteApp, any_shape, report_of

UNTOUCHED_SHARE = 0.4
EDITED, FINISHED, DELETED = 5, 4, 1
"""Relative frequencies."""


@dataclass
class Telecaller:
    app: MongoApp | SqliteApp
    rng: Random

    edits: dict[str, Lead] = field(default_factory=dict)
    """Edits by lead id."""

    gone: set[str] = field(default_factory=set)
    """Ids of finished or deleted leads."""

    unrecorded: dict[str, Lead] = field(default_factory=dict)
    """Leads, as they were, that no record knew when they were changed."""

    untraceable: set[Key] = field(default_factory=set)
    """Keys of those `unrecorded` that a run can no longer know of."""

    def work(self) -> None:
        """Edit, finish and delete what is there now."""
        known = {str(record["leadId"]) for record in self.app.all("syncrecords")}
        for number, lead in enumerate(sorted(self.app.leads(), key=lambda lead: lead["_id"])):
            if self.rng.random() < UNTOUCHED_SHARE:
                continue
            if lead["_id"] not in known:
                self.unrecorded[lead["_id"]] = lead
            action = self.rng.choices((self._edit, self._finish, self._delete), (EDITED, FINISHED, DELETED))[
                0
            ]
            action(number, lead)

    def may_return(self, lead_id: str) -> bool:
        """Whether a removed lead may be created again, because nothing shows that it existed."""
        lead = self.unrecorded.get(lead_id)
        return lead is not None and record_key(lead) in self.untraceable

    def _edit(self, number: int, lead: Lead) -> None:
        changes = self.rng.choice(edits(number))
        self.app.edit(lead["_id"], **changes)
        self.edits[lead["_id"]] = changes
        self._note_untraceable_unless(lead, level(_without_id({**lead, **changes}), _without_id(lead)))

    def _finish(self, number: int, lead: Lead) -> None:
        changes = self.rng.choice([{}, *edits(number)])
        report = report_of(lead, any_shape(lead, self.rng.choice(MOSTLY_CURRENT_SHAPES)), changes)
        self.app.add_report(report)
        self.app.delete(lead["_id"])
        self.gone.add(lead["_id"])
        self._note_untraceable_unless(lead, level(of_report(report), _without_id(lead)))

    def _delete(self, _number: int, lead: Lead) -> None:
        self.app.delete(lead["_id"])
        self.gone.add(lead["_id"])
        self._note_untraceable_unless(lead, Level.NOT)

    def _note_untraceable_unless(self, lead: Lead, recognised: Level) -> None:
        """Nothing shows that the lead existed, unless it is recognized or a record knew it."""
        if lead["_id"] in self.unrecorded and not recognised:
            self.untraceable.add(record_key(lead))


def _without_id(lead: Lead) -> Facts:
    """The lead's facts as its source would state them: a run that has not seen it does not know its id."""
    return of_lead({name: value for name, value in lead.items() if name != "_id"})


def edits(number: int) -> list[dict[str, Any]]:
    """Possible edits, with values unique to this lead."""
    phone = {"phone": f"93{number:08}"}
    name = {"name": f"Somebody {number}"}
    booking = {"bookingNo": f"edited-{number}"}
    store = {"store": "Zorucci - Kottayam"}
    return [
        {"remarks": f"calls back, {number}"},
        {"callStatus": "Called", "leadStatus": "Interested", "rating": 3},
        {"functionDate": datetime(2031, 1, 1, tzinfo=UTC), "closingStatus": f"edited {number}"},
        {"reasonCollectedFromStore": f"too late, {number}", "assignedTo": "65f000000000000000000001"},
        phone,
        name,
        booking,
        store,
        {**phone, **name, **booking, **store},
    ]
