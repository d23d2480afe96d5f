"""The expected leads after everything that source, people and runs have done: checks the promises."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from tests.chaos.source import Answer, Row
from tests.chaos.tally import tally
from tests.support.oracle import Key, key_and_lead, key_of
from tests.support.recognition import Level, level, of_lead, of_report
from tests.support.webapp import IDENTITY, Lead, MongoApp, SqliteApp

LOST, DOUBLED, OVERWRITTEN = "leads lost", "leads duplicated", "edits overwritten"


FILE_TYPES = ("general", "lossOfSale")


@dataclass
class Report:
    """A finished lead."""

    report_id: str
    lead: Lead

    document: Row
    """Its report."""

    changes: Row
    """What was edited just before."""

    is_of: Key | None = None
    """The key of the record that the sync knew it as, unless an identifying field was edited."""

    def must_suppress(self, key: Key, *, by_id: bool) -> bool:
        """Whether by the contract alone, without any record, it suppresses a record, and no other can
        match better. `by_id`: a run finds the lead's id in it, if it has one."""
        if by_id and "id" in self.document:
            return True
        source: Row = {name: value for name, value in self.lead.items() if name != "_id"}
        if key[0] in FILE_TYPES and (not source.get("enquiryDate") or "leadData" in self.document):
            return False
        who = self.changes.keys() & set(IDENTITY)
        is_of_a_page = "report_id" in self.document
        is_ambiguous = is_of_a_page and (who - {"name", "store", "phone"} or (who and key[0] in FILE_TYPES))
        return key[:5] == key_of(self.lead) and not is_ambiguous and bool(self._level(source))

    def may_suppress(self, record: "Remembered") -> bool:
        """Whether the contract allows it to suppress a record."""
        if self.document.get("id") == record.lead_id or self._level(record.values):
            return True
        # A row without a date is the customer's only one.
        known = of_lead(record.values)
        return not known.days | known.instants and key_of(record.values)[:5] == key_of(self.lead)

    def _level(self, source: Row) -> Level:
        return level(of_report(self.document), of_lead(source))


class Remembered(NamedTuple):
    """One of the sync's records: its lead, and the source's last values."""

    lead_id: str
    values: Row


@dataclass
class Model:
    """The leads by id as they must be now, and the record that each one is, or was, the lead of."""

    app: MongoApp | SqliteApp
    leads: dict[str, Lead] = field(default_factory=dict)

    lead_ids_by_record: dict[Key, str] = field(default_factory=dict)
    """Lead ids by record key; no run may ever change them."""

    half: dict[str, Key] = field(default_factory=dict)
    """Leads that a killed run left without a record, by id."""

    old: dict[str, Key] = field(default_factory=dict)
    """Leads of the old system that no run has seen yet, with the keys they were imported under."""

    never_again: set[Key] = field(default_factory=set)
    """Keys of finished leads from `half` and `old` that can only be recognized by their reports."""

    reports: list[Report] = field(default_factory=list)
    """The existing reports."""

    removed_meanwhile: set[str] = field(default_factory=set)
    """Leads removed during the current run."""

    every_report: list[Report] = field(default_factory=list)
    """All reports, including withdrawn ones."""

    suppressed: dict[Key, Remembered] = field(default_factory=dict)
    """Records that have no lead because of a report."""

    def is_deleted(self, lead_id: str) -> Key | None:
        """A person deleted a lead. If no record knew it, its existence can't be known: returns its key, if
        it had one."""
        del self.leads[lead_id]
        return self.half.pop(lead_id, None) or self.old.pop(lead_id, None)

    def is_finished(self, report: Report) -> None:
        """A person finished a lead."""
        self.reports.append(report)
        self.every_report.append(report)
        is_half = (lead_id := report.lead["_id"]) in self.half
        report.is_of = next((key for key, home in self.lead_ids_by_record.items() if home == lead_id), None)
        if report.is_of and (
            report.is_of[:5] != key_of(report.lead) or report.changes.keys() & set(IDENTITY)
        ):
            report.is_of = None
        key = self.is_deleted(lead_id)
        if key and report.must_suppress(key, by_id=is_half):
            self.never_again.add(key)

    def found(self) -> dict[str, Lead]:
        """The leads that there are."""
        return {lead["_id"]: lead for lead in self.app.leads()}

    def assert_unchanged(self) -> None:
        """Only people have changed anything."""
        self._assert_unchanged_leads(found := self.found())
        assert not found.keys() - self.leads.keys()

    def after_sync(
        self, shown: Sequence[Answer], taken: Sequence[Answer], stores: Mapping[str, str], *, whole: bool
    ) -> int:
        """Check the result of a sync of the `shown` answers; `taken`: those it claims to have stored.
        `whole`: it ended without an error. Returns the number of new leads."""
        found = self.found()
        self._assert_unchanged_leads(found)
        possible: dict[Key, list[Lead]] = defaultdict(list)
        for answer in shown:
            for key, lead in records_of(answer, stores).items():
                possible[key].append(lead)
        new = {lead_id: found[lead_id] for lead_id in found.keys() - self.leads.keys()}
        for lead in new.values():
            assert {**lead, "_id": ""} in [{**told, "_id": ""} for told in possible[key_of(lead)]]
        self._settle(new, whole=whole)
        for answer in taken:
            lost = records_of(answer, stores).keys() - self.lead_ids_by_record.keys()
            tally.add(LOST, len(lost))
            assert not lost
        return len(new)

    def settle_import(self, new: Mapping[str, Lead], keys: Mapping[str, Key], *, whole: bool) -> None:
        """Update the model with an import's new leads, by id, under these keys."""
        self._settle(new, whole=whole, keys=keys)

    def assert_unchanged_except(self, lead_ids: Iterable[str]) -> dict[str, Lead]:
        """All leads except these are unchanged; returns all existing leads."""
        found = self.found()
        self._assert_unchanged_leads(
            {**found, **{i: self.leads[i] for i in lead_ids if i in self.leads and i in found}}
        )
        return found

    def _assert_unchanged_leads(self, found: Mapping[str, Lead]) -> None:
        lost = self.leads.keys() - found.keys()
        changed = [(lead, found[i]) for i, lead in self.leads.items() if i in found and found[i] != lead]
        tally.add(LOST, len(lost))
        tally.add(OVERWRITTEN, len(changed))
        assert not lost
        assert not changed

    def _settle(self, new: Mapping[str, Lead], *, whole: bool, keys: Mapping[str, Key] | None = None) -> None:
        """Check new leads and new records against each other, and update the model."""
        keys = keys or {lead_id: key_of(lead) for lead_id, lead in new.items()}
        remembered = self._remembered()
        recorded = {key: record.lead_id for key, record in remembered.items()}
        for key, lead_id in self.lead_ids_by_record.items():
            assert recorded.get(key) == lead_id
        fresh = {key: lead_id for key, lead_id in recorded.items() if key not in self.lead_ids_by_record}
        self._assert_no_second(new, keys)
        for key, lead_id in fresh.items():
            if lead_id in new:
                assert keys[lead_id] == key
            elif lead_id in self.leads:
                self._assert_adopted_rightly(key, remembered[key])
            elif lead_id not in self.removed_meanwhile:
                self.suppressed[key] = remembered[key]
        self._assert_one_report_per_suppressed_record()
        self.removed_meanwhile.clear()
        unrecorded = {lead_id: keys[lead_id] for lead_id in new.keys() - recorded.values()}
        assert not unrecorded or not whole
        self.leads |= new
        self.lead_ids_by_record = recorded
        self.half = {
            lead_id: key
            for lead_id, key in (self.half | unrecorded).items()
            if lead_id not in recorded.values()
        }
        assert not recorded.keys() & set(self.half.values())
        self.old = {lead_id: key for lead_id, key in self.old.items() if lead_id not in recorded.values()}

    def _assert_no_second(self, new: Mapping[str, Lead], keys: Mapping[str, Key]) -> None:
        """No new lead duplicates one that exists, or was finished or deleted."""
        there = {*self.lead_ids_by_record, *self.half.values(), *self.never_again, *self.old.values()}
        doubled = [lead for lead_id, lead in new.items() if keys[lead_id] in there]
        doubled += [lead for lead_id, lead in new.items() if list(keys.values()).count(keys[lead_id]) > 1]
        tally.add(DOUBLED, len(doubled))
        assert not doubled

    def _assert_one_report_per_suppressed_record(self) -> None:
        """A report finishes one record: every suppressed record has its own report."""
        free = [report for report in self.every_report if report.is_of is None]
        holders: dict[int, Key] = {}

        def find(key: Key, tried: set[int]) -> bool:
            for number, report in enumerate(free):
                if number in tried or not report.may_suppress(self.suppressed[key]):
                    continue
                tried.add(number)
                if number not in holders or find(holders[number], tried):
                    holders[number] = key
                    return True
            return False

        lost = [key for key in self.suppressed if not find(key, set())]
        tally.add(LOST, len(lost))
        assert not lost

    def _assert_adopted_rightly(self, key: Key, record: Remembered) -> None:
        """A record whose lead existed before: it belonged to no record, and to the same customer."""
        lead_id = record.lead_id
        assert lead_id not in self.lead_ids_by_record.values()
        lead = self.leads[lead_id]
        assert lead["leadType"] == key[0]
        assert self.half.get(lead_id, key) == key
        known_as = {key_of(lead), self.old.get(lead_id), self.half.get(lead_id)}
        assert (
            key in known_as
            or lead["phone"] == key[2]
            or (key[1] and lead.get("bookingNo") == key[1])
            or level(of_lead(lead), of_lead(record.values))
        )

    def _remembered(self) -> dict[Key, Remembered]:
        """The sync's records by key; a lead belongs to only one."""
        documents = self.app.all("syncrecords")
        remembered = {}
        for document in documents:
            values = values_of(document)
            remembered[record_key(values)] = Remembered(str(document["leadId"]), values)
        assert len(remembered) == len(documents)
        assert len({record.lead_id for record in remembered.values()}) == len(documents)
        return remembered


def records_of(answer: Answer, stores: Mapping[str, str]) -> dict[Key, Lead]:
    """The leads in an answer by key, each from its first row."""
    leads: dict[Key, Lead] = {}
    for row in answer.rows:
        outcome = key_and_lead(answer.report, row, stores[answer.location])
        if not isinstance(outcome, str):
            leads.setdefault(*outcome)
    return leads


def outcomes(answer: Answer, outcome: str) -> list[Row]:
    """The rows of an answer that are "invalid" or "ignored"."""
    return [row for row in answer.rows if key_and_lead(answer.report, row, "any") == outcome]


def values_of(record: Row) -> Row:
    """The source's last values, as stored in a record."""
    values: Any = record["values"]
    if not isinstance(values, str):
        return dict(values)
    parsed: Row = json.loads(values)
    dates = {name: datetime.fromisoformat(parsed[name]) for name in parsed if name.endswith(("Date", "At"))}
    return parsed | dates


def record_key(values: Row) -> Key:
    """A record's key: a file's has its day as well (contract/files.md)."""
    key: Key = key_of(values)
    if values["leadType"] not in ("general", "lossOfSale"):
        return key
    day = values.get("enquiryDate") or values.get("functionDate")
    return (*key, day.date().isoformat() if day else "")
