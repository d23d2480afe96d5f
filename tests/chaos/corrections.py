"""Which phone numbers the source has corrected, and what must become of their leads: decision 0006,
implemented again for the tests, without syncctl's code.

Where the case is clear, it says what must happen. Where it isn't (several records share a booking number, a
number comes back to a lead of its own, a killed run left marks), it says what may.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import NamedTuple, Protocol

from tests.chaos.records import BookingName, Remembered, call_statuses, is_current, records_of
from tests.chaos.source import Answer, Place, Row
from tests.support.oracle import Key, source_value
from tests.support.webapp import Lead

NOT_CALLED = "Not Called"
NOBODY_REACHED = {"Not Connected", "Switched Off"}
"""The call statuses with which the machine's telecallers finish a lead whose customer they did not reach."""


class FinishedLead(Protocol):
    """As much of a report of the model as decides about a correction."""

    document: Row
    is_of: Key | None

    def may_suppress(self, record: Remembered) -> bool: ...


class Reports(NamedTuple):
    """The reports that there are, and all that there ever were."""

    now: Sequence[FinishedLead]
    ever: Sequence[FinishedLead]


class Run(NamedTuple):
    """What a run was like, as far as the checks depend on it."""

    now: datetime

    is_whole: bool = True
    """It ended without an error."""

    is_ordinary: bool = True
    """Nobody and no other run was at work meanwhile, it asked for all days, and its clock was not behind that
    of an earlier run."""

    doubted: frozenset[Place] = frozenset()
    """The places whose answers it did not trust, before or after."""

    def trusts(self, answer: Answer) -> bool:
        """Whether it must have settled the corrections in an answer that it has stored."""
        return self.is_ordinary and answer.place not in self.doubted

    def may_trust(self, answer: Answer) -> bool:
        """Whether it may have done so."""
        return not self.is_ordinary or answer.place not in self.doubted


class Fate(Enum):
    """What becomes of the lead of a corrected record."""

    TAKES = auto()
    """It must take the new number."""

    STAYS = auto()
    """It must not be touched: called, its number edited, or there already."""

    TAKES_OR_STAYS = auto()
    """Its number is an older one of the source's, which a person may have put there."""

    NEW = auto()
    """Finished without anybody being reached: the new number must be a new lead."""

    NONE = auto()
    """Finished otherwise, or deleted: there must be none."""

    OPEN = auto()
    """Not clear: a person would have to say."""


NO_NEW_LEAD = frozenset(Fate) - {Fate.NEW, Fate.OPEN}


@dataclass(frozen=True)
class Correction:
    """A record of an answer that may have taken another one's place."""

    before: Key
    """Of the record that had the number so far: of the same one, if a run was killed while it took the number
    that the source had in between."""

    after: Key
    """Of the record with the new number."""

    answer: Answer

    is_clear: bool
    """Whether the booking has just this one current record, this one number in the answer, and one store."""

    @property
    def phone(self) -> str:
        return self.after[2]

    @property
    def is_unfinished(self) -> bool:
        """Whether the source has gone back before the number in between had a record."""
        return self.before == self.after


class Corrections:
    """The possible corrections in the answers of one run. `records`: the sync's before it."""

    def __init__(
        self,
        records: Mapping[Key, Remembered],
        shown: Sequence[Answer],
        stores: Mapping[str, str],
        run: Run | None = None,
    ) -> None:
        self._records = records
        self._shown = shown
        self._run = run
        self._pairs = [made for answer in shown for made in self._in(answer, stores)]
        self.possible = [
            made for made in self._pairs if made.is_unfinished or not self._is_current(made.after)
        ]

    def _is_current(self, key: Key) -> bool:
        return key in self._records and is_current(self._records[key], self._records)

    def _in(self, answer: Answer, stores: Mapping[str, str]) -> Iterator[Correction]:
        """The pairs of a record in the answer and one that is gone from it, and may be the same booking's."""
        for key, lead in records_of(answer, stores).items():
            if not lead.get("bookingNo"):
                continue
            group = self._group(key)
            current = {k: record for k, record in group.items() if is_current(record, self._records)}
            is_clear = (
                len(current) == 1
                and {record.values["store"] for record in group.values()} == {lead["store"]}
                and self._phones_everywhere(answer, key[1]) == {key[2]}
            )
            known = self._records.get(key)
            if key in current and known is not None and known.replaced_by is not None:
                yield Correction(key, key, answer, is_clear)
            # Killed on its way back to an older number, a run leaves a circle of marks.
            for before, record in (current or group).items():
                if before != key and may_replace(record, lead, answer):
                    yield Correction(before, key, answer, is_clear)

    def _group(self, key: Key) -> dict[Key, Remembered]:
        """The records with the lead type and booking number of this key."""
        return {other: record for other, record in self._records.items() if other[:2] == key[:2]}

    def _phones_everywhere(self, answer: Answer, number: str) -> set[str]:
        """The phone numbers of a booking number in this answer and in those of the other locations."""
        return set().union(
            *(phones_of(each.every_row, number) for each in self._shown if each.report == answer.report),
            phones_of(answer.every_row, number),
        )

    def source_numbers(self, key: Key) -> set[str]:
        """All phone numbers that the source is known to have had for the booking of this key."""
        group = self._group(key).values()
        return {str(phone) for each in group for phone in (each.values["phone"], each.replaced_by) if phone}

    def may_change(self, was: Lead, now_is: Lead) -> bool:
        """Whether the run may have changed the lead like that: an untouched one has a corrected number."""
        if self._run is None or call_status(was) != NOT_CALLED:
            return False
        return {**was, "phone": now_is["phone"], "updatedAt": self._run.now} == now_is and any(
            made.phone == now_is["phone"] and was["phone"] in self.source_numbers(made.after)
            for made in self._settled()
            if was["_id"] in (self.lead_id(made.before), self.lead_id(made.after))
        )

    def _settled(self) -> Iterator[Correction]:
        """Those that the run may have settled."""
        return (made for made in self.possible if self._run and self._run.may_trust(made.answer))

    def lead_id(self, key: Key) -> str | None:
        """The id of the lead that a record had before the run."""
        return record.lead_id if (record := self._records.get(key)) else None

    def may_share(self, key: Key, lead_id: str, after: Mapping[Key, Remembered]) -> bool:
        """Whether the record may have got this lead, there or gone, from the one whose place it has taken.
        `after`: the sync's records after the run."""
        return any(
            made.after == key
            and self.lead_id(made.before) == lead_id
            and after[made.before].replaced_by == made.phone
            for made in self._settled()
        )

    def may_mark(self, key: Key, phone: str) -> bool:
        """Whether the record may be marked as replaced by this number: also where both have leads."""
        return any(
            (made.before, made.phone) == (key, phone) and self._run and self._run.may_trust(made.answer)
            for made in self._pairs
            if not made.is_unfinished
        )

    def may_wait(self, key: Key) -> bool:
        """Whether the row of this key may have been held back until a later run knows more."""
        return any(
            made.after == key and self._run and not self._run.trusts(made.answer) for made in self.possible
        )

    def fate(self, made: Correction, leads: Mapping[str, Lead], reports: Reports) -> Fate:
        """What must become of its lead; `leads`: those before the run, by id."""
        before, own = self._records[made.before], self.lead_id(made.after)
        name = BookingName.of(before.values)
        others = [
            lead_id
            for lead_id, lead in leads.items()
            if lead_id == own or (lead["leadType"], lead.get("bookingNo")) == (name.lead_type, name.number)
        ]
        if not made.is_clear or {*others} - {before.lead_id}:
            return Fate.OPEN
        lead = leads.get(before.lead_id)
        if lead is None:
            return self._fate_of_gone(made, reports)
        if lead["phone"] == made.phone or call_status(lead) != NOT_CALLED:
            return Fate.STAYS
        if lead["phone"] in (before.values["phone"], before.replaced_by):
            return Fate.TAKES
        return Fate.TAKES_OR_STAYS if lead["phone"] in self.source_numbers(made.after) else Fate.STAYS

    def _fate_of_gone(self, made: Correction, reports: Reports) -> Fate:
        if made.after in self._records:
            return Fate.NONE
        record = self._records[made.before]
        about = [
            report
            for report in reports.ever
            if report.is_of == made.before or (report.is_of is None and report.may_suppress(record))
        ]
        if not about:
            return Fate.NONE
        if len(about) > 1 or about[0] not in reports.now or about[0].is_of is None:
            return Fate.OPEN
        statuses = call_statuses(about[0].document)
        if statuses & NOBODY_REACHED:
            return Fate.NEW if statuses <= NOBODY_REACHED else Fate.OPEN
        return Fate.NONE


def may_replace(before: Remembered, lead: Lead, answer: Answer) -> bool:
    """Whether the lead of an answer may be the same booking with another number: type, booking number and
    store are the same, so is the day or the name, and no row of the answer has the old number."""
    values = before.values
    return (
        BookingName.of(values) == BookingName.of(lead)
        and (_day(values) == _day(lead) or _folded(values["name"]) == _folded(lead["name"]))
        and values["phone"] not in phones_of(answer.every_row, lead["bookingNo"])
    )


def phones_of(rows: Iterable[Row], number: str) -> set[str]:
    """The phone numbers, of ten digits or "" if invalid, that any rows, valid or not, have for a booking
    number."""
    written = {
        re.sub(r"\D", "", str(source_value(row, "phone") or ""))
        for row in rows
        if str(source_value(row, "bookingNo") or "").strip() == number
    }
    return {digits[-10:].rjust(10, "0") if len(digits) >= 9 else "" for digits in written}


def call_status(lead: Lead) -> str:
    return lead.get("callStatus") or NOT_CALLED


def _day(values: Row) -> object:
    return values["createdAt"].date()


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())
