"""The expected leads after everything that source, people and runs have done: checks the promises."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from tests.chaos.corrections import NO_NEW_LEAD, Correction, Corrections, Fate, Reports, Run
from tests.chaos.records import (
    FILE_TYPES,
    App,
    Remembered,
    is_current,
    key_by_lead,
    records_of,
    remembered,
    shared_wrongly,
)
from tests.chaos.source import Answer, Row
from tests.chaos.tally import tally
from tests.support.oracle import Key, key_of
from tests.support.recognition import Level, level, of_lead, of_report
from tests.support.webapp import IDENTITY, Lead

LONG_AGO = datetime.min.replace(tzinfo=UTC)
LOST, DOUBLED, OVERWRITTEN = "leads lost", "leads duplicated", "edits overwritten"


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

    def may_suppress(self, record: Remembered) -> bool:
        """Whether the contract allows it to suppress a record."""
        if self.document.get("id") == record.lead_id or self._level(record.values):
            return True
        # A row without a date is the customer's only one.
        known = of_lead(record.values)
        return not known.days | known.instants and key_of(record.values)[:5] == key_of(self.lead)

    def _level(self, source: Row) -> Level:
        return level(of_report(self.document), of_lead(source))


class Stored(NamedTuple):
    """How many leads a run has created, and how many have taken a corrected phone number."""

    saved: int
    updated: int


@dataclass
class Model:
    """The leads by id as they must be now, and the record that each one is, or was, the lead of."""

    app: App
    leads: dict[str, Lead] = field(default_factory=dict)

    records: dict[Key, Remembered] = field(default_factory=dict)
    """The sync's records; no run may ever lose one, or change its lead but for a corrected number."""

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

    changed_meanwhile: list[tuple[Lead, Lead]] = field(default_factory=list)
    """Leads before and after changes of the current run that were there when somebody interfered."""

    latest_run: datetime = LONG_AGO
    """By the clock of the run itself."""

    @property
    def lead_ids_by_record(self) -> dict[Key, str]:
        """Lead ids by record key."""
        return {key: record.lead_id for key, record in self.records.items()}

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
        keys = [key[:5] for key, record in self.records.items() if record.lead_id == lead_id]
        if key_of(report.lead) in keys and not report.changes.keys() & set(IDENTITY):
            report.is_of = key_by_lead(self.records, lead_id)
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

    def note_changes_meanwhile(self) -> None:
        """Somebody is about to interfere with the current run: from now on the leads are as they are now."""
        for before, after in self._changed(self.found()):
            self.changed_meanwhile.append((before, after))
            self.leads[after["_id"]] = after

    def after_sync(
        self, shown: Sequence[Answer], taken: Sequence[Answer], stores: Mapping[str, str], run: Run
    ) -> Stored:
        """Check the result of a sync of the `shown` answers; `taken`: those it claims to have stored."""
        run = run._replace(is_ordinary=run.is_ordinary and run.now >= self.latest_run)
        self.latest_run = max(self.latest_run, run.now)
        found = self.found()
        corrections = Corrections(self.records, shown, stores, run)
        updated = self._assert_changed_rightly(found, corrections)
        possible: dict[Key, list[Lead]] = defaultdict(list)
        for answer in shown:
            for key, lead in records_of(answer, stores).items():
                possible[key].append(lead)
        new = {lead_id: found[lead_id] for lead_id in found.keys() - self.leads.keys()}
        for lead in new.values():
            assert {**lead, "_id": ""} in [{**told, "_id": ""} for told in possible[key_of(lead)]]
        fates = [(made, self._fate(made, corrections)) for made in corrections.possible]
        self._assert_none_new([made for made, fate in fates if fate in NO_NEW_LEAD], new)
        self._settle(new, corrections, whole=run.is_whole)
        for answer in taken:
            missing = records_of(answer, stores).keys() - self.records.keys()
            lost = [key for key in missing if not corrections.may_wait(key)]
            tally.add(LOST, len(lost))
            assert not lost
        for made, fate in fates:
            if made.answer in taken and run.trusts(made.answer):
                self._assert_corrected(made, fate, found, new)
        self.leads |= {lead_id: found[lead_id] for lead_id in self.leads}
        self.changed_meanwhile.clear()
        return Stored(len(new), updated)

    def settle_import(self, new: Mapping[str, Lead], keys: Mapping[str, Key], *, whole: bool) -> None:
        """Update the model with an import's new leads, by id, under these keys."""
        self._settle(new, Corrections(self.records, (), {}), whole=whole, keys=keys)

    def assert_unchanged_except(self, lead_ids: Iterable[str]) -> dict[str, Lead]:
        """All leads except these are unchanged; returns all existing leads."""
        found = self.found()
        self._assert_unchanged_leads(
            {**found, **{i: self.leads[i] for i in lead_ids if i in self.leads and i in found}}
        )
        return found

    def _assert_unchanged_leads(self, found: Mapping[str, Lead]) -> None:
        self._assert_none_lost(found)
        changed = self._changed(found)
        tally.add(OVERWRITTEN, len(changed))
        assert not changed

    def _assert_none_lost(self, found: Mapping[str, Lead]) -> None:
        lost = self.leads.keys() - found.keys()
        tally.add(LOST, len(lost))
        assert not lost

    def _changed(self, found: Mapping[str, Lead]) -> list[tuple[Lead, Lead]]:
        """The leads that have changed, before and after."""
        return [(lead, found[i]) for i, lead in self.leads.items() if i in found and found[i] != lead]

    def _assert_changed_rightly(self, found: Mapping[str, Lead], corrections: Corrections) -> int:
        """Leads have changed only by corrected phone numbers. Returns how many have."""
        self._assert_none_lost(found)
        changed = [*self._changed(found), *self.changed_meanwhile]
        wrongly = [(was, is_) for was, is_ in changed if not corrections.may_change(was, is_)]
        tally.add(OVERWRITTEN, len(wrongly))
        assert not wrongly
        return len(changed)

    def _fate(self, made: Correction, corrections: Corrections) -> Fate:
        """What must become of the lead of a corrected record."""
        if corrections.lead_id(made.before) in self.removed_meanwhile:
            return Fate.OPEN
        return corrections.fate(made, self.leads, Reports(self.reports, self.every_report))

    def _assert_none_new(self, corrected: Iterable[Correction], new: Mapping[str, Lead]) -> None:
        """A booking whose number was corrected has no second lead."""
        keys = {made.after for made in corrected}
        doubled = [lead for lead in new.values() if key_of(lead) in keys]
        tally.add(DOUBLED, len(doubled))
        assert not doubled

    def _assert_corrected(
        self, made: Correction, fate: Fate, found: Mapping[str, Lead], new: Mapping[str, Lead]
    ) -> None:
        """A correction that the run must have settled has been."""
        before, after = self.records[made.before], self.records[made.after]
        if fate is Fate.TAKES:
            assert found[before.lead_id]["phone"] == made.phone
        if fate is Fate.NEW:
            is_there = after.lead_id in new or after.lead_id in self.half
            tally.add(LOST, int(not is_there))
            assert is_there
        if fate is not Fate.OPEN and before.lead_id in found:
            assert after.lead_id == before.lead_id
            assert before.replaced_by == (None if made.is_unfinished else made.phone)
            assert is_current(after, self.records)

    def _settle(
        self,
        new: Mapping[str, Lead],
        corrections: Corrections,
        *,
        whole: bool,
        keys: Mapping[str, Key] | None = None,
    ) -> None:
        """Check new leads and new records against each other, and update the model."""
        keys = keys or {lead_id: key_of(lead) for lead_id, lead in new.items()}
        records = remembered(self.app)
        assert not shared_wrongly(records)
        recorded = {record.lead_id for record in records.values()}
        self._assert_kept(records, corrections)
        self._assert_no_second(new, keys)
        for key in records.keys() - self.records.keys():
            lead_id = records[key].lead_id
            if lead_id in new:
                assert keys[lead_id] == key
            elif corrections.may_share(key, lead_id, records):
                continue
            elif lead_id in self.leads:
                self._assert_adopted_rightly(key, records[key])
            elif lead_id not in self.removed_meanwhile:
                self.suppressed[key] = records[key]
        self._assert_one_report_per_suppressed_record()
        self.removed_meanwhile.clear()
        unrecorded = {lead_id: keys[lead_id] for lead_id in new.keys() - recorded}
        assert not unrecorded or not whole
        self.leads |= new
        self.records = records
        half = self.half | unrecorded
        self.half = {lead_id: key for lead_id, key in half.items() if lead_id not in recorded}
        assert not records.keys() & set(self.half.values())
        self.old = {lead_id: key for lead_id, key in self.old.items() if lead_id not in recorded}

    def _assert_kept(self, records: Mapping[Key, Remembered], corrections: Corrections) -> None:
        """Every record is still there, and has its lead or that of the one whose place it has taken."""
        for key, before in self.records.items():
            lead_id = records[key].lead_id
            assert lead_id == before.lead_id or corrections.may_share(key, lead_id, records)
            marked = records[key].replaced_by
            assert marked in (None, before.replaced_by) or corrections.may_mark(key, marked)

    def _assert_no_second(self, new: Mapping[str, Lead], keys: Mapping[str, Key]) -> None:
        """No new lead duplicates one that exists, or was finished or deleted."""
        there = {*self.records, *self.half.values(), *self.never_again, *self.old.values()}
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
