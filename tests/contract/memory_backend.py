"""A made-up backend: databases in this process's memory, by name."""

import base64
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count, islice
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect
from syncctl.domain.identity import KEY_RULES, first_id_at
from syncctl.domain.import_notes import ImportNote, NotedImport, NoteKind, ValuesChange, WriteChange
from syncctl.domain.lead_traits import as_datetime
from syncctl.domain.lead_values import Document, LeadChange
from syncctl.domain.records import Correction, KnownRecord, Reject, RejectAnswer, SyncRecord, Write
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.sources import StepName
from syncctl.domain.stores import Store
from syncctl.errors import NewerDatabaseError, SettingsError, StorageError
from syncctl.ports.admin import (
    AskedNumber,
    Database,
    DatabaseFacts,
    DuplicateCount,
    LastLogs,
    LeadSnapshot,
    OpeningHints,
    Restored,
    RunSpan,
)
from syncctl.ports.storage import ANY_TIME, Created, OpenRejects, Period, RecordEntry, RejectPositions, Texts
from syncctl.ports.waiting import PassWait, waiting
from syncctl.storage.common import app_collections, own_collections, records, report_paths
from syncctl.storage.common.app_collections import changed, guard, holds
from syncctl.storage.common.backend import Backend
from syncctl.storage.common.dialect_documents import dialect_document, dialect_from
from syncctl.storage.common.own_documents import OwnDocuments
from syncctl.storage.common.snapshot_lines import parsed

PREFIX = "memory://"
T = TypeVar("T")
Test = Callable[[Document], bool]


@dataclass
class MemoryDatabase:
    """The documents, and what people do to them."""

    url: str
    collections: dict[str, dict[str, Document]] = field(default_factory=lambda: defaultdict(dict))
    lock: Any = field(default_factory=RLock)
    numbers: Iterator[int] = field(default_factory=count)

    def add_report(self, report_id: str, report: Document) -> None:
        self.collections["reports"][report_id] = {"_id": report_id, **report}

    def edit_lead(self, lead_id: str, field: str, value: Any) -> None:
        self.collections["leads"][lead_id][field] = value

    def delete_lead(self, lead_id: str) -> None:
        del self.collections["leads"][lead_id]

    def key_rules(self) -> int | None:
        return self.collections["keyrules"].get("version", {}).get("number")

    def set_key_rules(self, version: int | None) -> None:
        self.collections["keyrules"] = {} if version is None else {"version": {"number": version}}

    def count(self, collection: str) -> int:
        return len(self.collections[collection])


DATABASES: dict[str, MemoryDatabase] = {}


class MemoryStorage:
    """One connection to a MemoryDatabase."""

    def __init__(self, database: MemoryDatabase, *, read_only: bool) -> None:
        self._database = database
        self._read_only = read_only
        self._own = OwnDocuments(dict)

    def prepare(self) -> None:
        version = self._database.key_rules()
        if version is not None and version > KEY_RULES:
            raise NewerDatabaseError(self._database.url)
        if not self._read_only:
            self._database.set_key_rules(KEY_RULES)

    def set_deadline(self, deadline: float) -> None:
        """Nothing here waits."""

    def close(self) -> None:
        """Nothing to let go of."""

    @contextmanager
    def _writing(self) -> Iterator[None]:
        if self._read_only:
            raise StorageError(f"{self._database.url} was opened for reading only.")
        with self._database.lock:
            yield

    def _find(self, collection: str, test: Test = lambda _: True) -> list[Document]:
        with self._database.lock:
            return [dict(each) for each in self._database.collections[collection].values() if test(each)]

    def _by_ids(self, collection: str, ids: Iterable[str]) -> list[Document]:
        stored = self._database.collections[collection]
        return [dict(stored[each]) for each in dict.fromkeys(ids) if each in stored]

    def _put(self, collection: str, *documents: Document) -> None:
        with self._writing():
            checked = {each["_id"]: storable(each) for each in documents}
            self._database.collections[collection].update(checked)

    def _insert(self, collection: str, documents: Iterable[Document]) -> set[str]:
        with self._writing():
            stored = self._database.collections[collection]
            new = {each["_id"]: storable(each) for each in reversed(list(documents))}
            fresh = {key: each for key, each in new.items() if key not in stored}
            stored.update(fresh)
            return set(fresh)

    def _change(self, record_ids: Iterable[str], change: Callable[[str, Document], Document]) -> None:
        """Set what `change` gives for each record that is there; None takes a field away."""
        with self._writing():
            for record in self._by_ids("syncrecords", record_ids):
                self._put("syncrecords", changed(record, change(record["_id"], record)))

    def find_records(self, record_ids: Texts) -> dict[str, KnownRecord]:
        found = self._by_ids("syncrecords", record_ids)
        return dict(self._own.read("syncrecords", found, records.known_by_id))

    def has_records(self) -> bool:
        return bool(self._database.count("syncrecords"))

    def recorded_leads(self, lead_ids: Texts) -> set[str]:
        return {each["leadId"] for each in self._find("syncrecords")} & set(lead_ids)

    def present_leads(self, lead_ids: Texts) -> set[str]:
        return self._database.collections["leads"].keys() & set(lead_ids)

    def find_leads(
        self, lead_type: str, booking_numbers: Texts, phones: Texts, created: Created = ANY_TIME
    ) -> list[Document]:
        wanted = {"bookingNo": as_stored(booking_numbers), "phone": as_stored(phones)}
        return self._find("leads", lambda e: e["leadType"] == lead_type and matches(e, wanted, created))

    def find_reports(
        self, lead_ids: Texts, phones: Texts, booking_numbers: Texts = (), created: Created = ANY_TIME
    ) -> list[Document]:
        wanted: list[tuple[Sequence[str], set[Any]]] = [
            (report_paths.LEAD_ID_PATHS, set(lead_ids)),
            (report_paths.PHONE_PATHS, as_stored(phones)),
            (report_paths.BOOKING_PATHS, as_stored(booking_numbers)),
            (report_paths.CREATED_PATHS, set(report_paths.moments_as_stored(created.moments))),
        ]
        names = (report_paths.NAME_PATHS, set(created.names))
        days = (report_paths.VISIT_PATHS, set(report_paths.moments_as_stored(created.midnights)))
        return self._find(
            "reports",
            lambda report: (
                any(has(report, *each) for each in wanted) or (has(report, *names) and has(report, *days))
            ),
        )

    def records_about(
        self, phones: Texts, booking_numbers: Texts, lead_ids: Texts, created: Created = ANY_TIME
    ) -> list[RecordEntry]:
        wanted = {"bookingNo": as_stored(booking_numbers), "phone": as_stored(phones)}
        of_leads = set(lead_ids)
        found = self._find(
            "syncrecords", lambda e: matches(e["values"], wanted, created) or e["leadId"] in of_leads
        )
        return list(self._own.read("syncrecords", found, records.record_entry))

    def reports(self, report_ids: Texts) -> dict[str, Document]:
        return {each["_id"]: each for each in self._by_ids("reports", report_ids)}

    def paired_reports(self, report_ids: Texts) -> set[str]:
        kept = self._find("syncrecords")
        earlier = {report_id for record in kept for report_id in records.reports_of_corrections(record)}
        return set(report_ids) & ({each.get("reportId") for each in kept} | earlier)

    def pair_reports(self, report_ids: Mapping[str, str]) -> None:
        paired = self.paired_reports(report_ids.values())
        free = [key for key, report_id in report_ids.items() if report_id not in paired]
        self._change(free, lambda key, record: {"reportId": record.get("reportId") or report_ids[key]})

    def store_leads(self, leads: Sequence[Document], records_: Sequence[SyncRecord]) -> set[str]:
        with self._writing():
            inserted = self._insert("leads", leads)
            paired = self.paired_reports([each.report_id for each in records_ if each.report_id])
            free = [each for each in records_ if each.report_id not in paired]
            self._insert("syncrecords", map(records.record_document, free))
            return inserted

    def update_records(self, records_: Sequence[SyncRecord]) -> None:
        new = {each.record_id: each for each in records_}
        self._change(
            new,
            lambda key, _: {
                "values": {**new[key].values},
                "fingerprint": new[key].fingerprint,
                "changedAt": datetime.now(UTC),
            },
        )

    def replace_records(self, phones: Mapping[str, str]) -> None:
        self._change(phones, lambda key, _: {"replacedBy": phones[key]})

    def shared_bookings(self, source: str, booking_numbers: Texts) -> set[str]:
        current = self._find(
            "syncrecords", lambda record: record["source"] == source and record.get("replacedBy") is None
        )
        numbers = Counter(each["values"].get("bookingNo") for each in current)
        return {number for number in booking_numbers if numbers[number] > 1}

    def add_corrections(self, corrections: Mapping[str, Correction]) -> None:
        def corrected(key: str, record: Document) -> Document:
            made = records.correction_document(corrections[key])
            return {
                "corrections": [*record.get("corrections", ()), made],
                "correctedAt": made["at"],
            }

        self._change(corrections, corrected)

    def renew_records(self, records_: Sequence[SyncRecord]) -> None:
        new = {each.record_id: records.record_document(each) for each in records_}

        def renewed(key: str, record: Document) -> Document:
            if record.get("replacedBy") is None:
                return {}
            kept = {name: new[key][name] for name in ("leadId", "location", "values", "fingerprint")}
            corrections = [*record.get("corrections", ()), new[key]["corrections"][-1]]
            return {
                **kept,
                "corrections": corrections,
                "correctedAt": new[key]["correctedAt"],
                "replacedBy": None,
                "reportId": None,
            }

        self._change(new, renewed)

    def record_values(self, record_ids: Texts) -> dict[str, dict[str, Any]]:
        found = self._by_ids("syncrecords", record_ids)
        return dict(self._own.read("syncrecords", found, records.values_by_id))

    def add_writes(self, writes: Mapping[str, Mapping[str, Any]], at: datetime) -> None:
        self._change(
            writes,
            lambda key, record: {
                "written": {**record.get("written", {}), **records.write_documents(writes[key], at)}
            },
        )

    def writes(self, record_ids: Texts) -> dict[str, dict[str, Write]]:
        found = self._by_ids("syncrecords", record_ids)
        read = self._own.read("syncrecords", found, records.writes_by_id)
        return {record_id: writes for record_id, writes in read if writes}

    def leads(self, lead_ids: Texts) -> dict[str, Document]:
        return {each["_id"]: each for each in self._by_ids("leads", lead_ids)}

    def update_leads(self, changes: Sequence[LeadChange]) -> set[str]:
        done = set()
        with self._writing():
            for change in changes:
                for lead in self._by_ids("leads", [change.lead_id]):
                    if holds(lead, guard(change)):
                        self._put("leads", changed(lead, change.values))
                        done.add(change.lead_id)
                    elif holds(lead, change.values):
                        done.add(change.lead_id)
        return done

    def reject_positions(self, source: str, location: str | None = None) -> RejectPositions:
        found = self._find(
            "syncrejects", lambda e: e["source"] == source and location in (None, e["location"])
        )
        return own_collections.by_location(self._own.read("syncrejects", found, own_collections.place_of))

    def rejects(self, source: str | None = None) -> list[Reject]:
        found = self._find(
            "syncrejects", lambda each: source in (None, each["source"]) and "closedAt" not in each
        )
        return own_collections.newest_first(self._own.read("syncrejects", found, own_collections.reject_from))

    def add_rejects(self, new: Sequence[Reject]) -> int:
        return len(self._insert("syncrejects", map(own_collections.reject_document, new)))

    def closed_rejects(self, source: str, location: str | None = None) -> set[str]:
        found = self._find(
            "syncrejects",
            lambda e: e["source"] == source and location in (None, e["location"]) and "closedAt" in e,
        )
        return {each["_id"] for each in found}

    def amend_rejects(self, amended: Sequence[Reject]) -> None:
        listed = {each.reject_id for each in self.rejects()}
        kept = self._database.collections["syncrejects"]
        for each in amended:
            if each.reject_id in listed:
                self._put("syncrejects", {**kept[each.reject_id], **own_collections.amendment(each)})

    def close_rejects(self, answered: Sequence[Reject], answer: RejectAnswer, at: datetime) -> None:
        self._put("syncrejects", *(own_collections.closed_document(each, answer, at) for each in answered))

    def forget_closed_rejects(self, before: datetime, most: int) -> None:
        closed = self._find("syncrejects", lambda each: "closedAt" in each)
        latest = sorted(closed, key=lambda each: each["closedAt"], reverse=True)
        old = [each["_id"] for each in closed if each["closedAt"] < before]
        self._delete("syncrejects", {*old, *(each["_id"] for each in latest[most:])})

    def clear_rejects(self, reject_ids: Texts) -> None:
        self._delete("syncrejects", reject_ids)

    def _delete(self, collection: str, ids: Iterable[str]) -> None:
        with self._writing():
            for each in ids:
                self._database.collections[collection].pop(each, None)

    def stores(self) -> list[Store]:
        return list(map(app_collections.store_from, self._find("stores")))

    def add_stores(self, wanted: Sequence[Store]) -> int:
        with self._writing():
            fresh = app_collections.new_stores(self.stores(), wanted)
            now = datetime.now(UTC)
            return len(self._insert("stores", [app_collections.store_document(each, now) for each in fresh]))

    def store_list(self) -> dict[str, str]:
        return {each["_id"]: each["name"] for each in self._find("syncstorelist")}

    def save_store_list(self, names: Mapping[str, str]) -> None:
        with self._writing():
            self._database.collections["syncstorelist"].clear()
            self._put("syncstorelist", *({"_id": code, "name": name} for code, name in names.items()))

    def file_hashes(self, kind: str) -> dict[str, str]:
        found = self._find("syncfiles", lambda each: each["kind"] == kind)
        return dict(self._own.read("syncfiles", found, own_collections.hash_by_name))

    def save_file_hash(self, kind: str, name: str, content_hash: str) -> None:
        document = own_collections.file_document(kind, name, content_hash, datetime.now(UTC))
        self._put("syncfiles", {"_id": f"{kind}:{name}", **document})

    def location_states(self, report: StepName) -> dict[str, LocationState]:
        found = self._find("syncstate", lambda each: each["report"] == report)
        return {
            state.location: state for state in self._own.read("syncstate", found, own_collections.state_from)
        }

    def save_location_states(self, report: StepName, new: Sequence[LocationState]) -> None:
        documents = [
            {"_id": f"{report}:{e.location}", **own_collections.state_document(report, e)} for e in new
        ]
        self._put("syncstate", *documents)

    def dialects(self) -> dict[StepName, Dialect]:
        found = self._find("syncdialects")
        read = self._own.read("syncdialects", found, lambda each: dialect_from(each["dialect"]))
        return {dialect.report: dialect for dialect in read}

    def save_dialect(self, dialect: Dialect) -> None:
        self._put("syncdialects", {"_id": str(dialect.report), "dialect": dialect_document(dialect)})

    def add_sync_log(self, entry: SyncLog) -> None:
        log_id = f"{next(self._database.numbers):09}"
        self._put("synclogs", {"_id": log_id, **app_collections.sync_log_document(entry)})

    def save_run(self, entry: RunEntry) -> None:
        self._put("syncruns", own_collections.run_document(entry))

    def forget_runs(self, before: datetime, if_any_in: Period | None = None, most: int = 0) -> None:
        began = {each["_id"]: each["startedAt"] for each in self._find("syncruns")}
        if if_any_in and not any(if_any_in[0] <= at < if_any_in[1] for at in began.values()):
            return
        old = sorted((at, run_id) for run_id, at in began.items() if at < before)
        self._delete("syncruns", [run_id for _, run_id in islice(old, most or None)])
        imports = self._find("syncimports", lambda each: each.get("startedAt", before) < before)
        for each in islice(sorted(imports, key=lambda each: each["startedAt"]), most or None):
            notes = self._find("syncimports", self._is_note_of(each["_id"]))
            self._delete("syncimports", [each["_id"], *(note["_id"] for note in notes)])

    @staticmethod
    def _is_note_of(run_id: str, kind: str = "", after: str = "") -> Test:
        first, end = own_collections.notes_of(run_id, kind)
        return lambda each: (after or first) < each["_id"] < end

    def save_import(self, entry: NotedImport) -> None:
        self._put("syncimports", own_collections.import_document(entry))

    def add_import_notes(self, notes: Sequence[ImportNote]) -> None:
        self._insert("syncimports", map(own_collections.note_document, notes))

    def noted_imports(self, run_id: str) -> list[NotedImport]:
        found = self._find("syncimports", lambda e: "startedAt" in e and e["_id"].startswith(run_id))
        noted = self._own.read("syncimports", found, own_collections.import_from)
        return sorted(noted, key=lambda each: each.started_at, reverse=True)

    def import_notes(self, run_id: str, kind: NoteKind, after: str, limit: int) -> list[ImportNote]:
        found = sorted(
            self._find("syncimports", self._is_note_of(run_id, kind, after)), key=lambda e: e["_id"]
        )
        return list(self._own.read("syncimports", found[:limit], own_collections.note_from))

    def replace_import_notes(self, notes: Sequence[ImportNote]) -> None:
        with self._writing():
            self._delete("syncimports", [note.note_id for note in notes])
            self._insert(
                "syncimports", [own_collections.note_document(note) for note in notes if note.changes]
            )

    def records_of_run(self, run_id: str) -> Iterator[RecordEntry]:
        found = self._find("syncrecords", lambda each: each["firstRunId"] == run_id)
        yield from self._own.read("syncrecords", found, records.record_entry)

    def remove_records(self, records_: Sequence[SyncRecord]) -> None:
        with self._writing():
            stored = {each["_id"]: each for each in self._find("syncrecords")}
            for record in records_:
                found = stored.get(record.record_id, {})
                wanted = (record.first_run_id, record.fingerprint)
                if (found.get("firstRunId"), found.get("fingerprint")) == wanted:
                    self._delete("syncrecords", [record.record_id])

    def restore_values(self, changes: Sequence[ValuesChange]) -> None:
        new = {each.record_id: each for each in changes}
        self._change(
            new,
            lambda key, record: (
                {"values": {**new[key].values}, "fingerprint": new[key].fingerprint}
                if record["fingerprint"] == new[key].expected
                else {}
            ),
        )

    def restore_writes(self, changes: Sequence[WriteChange]) -> None:
        for change in changes:
            self._change([change.record_id], lambda _, record, change=change: former(record, change))  # type: ignore[misc]

    def restore_file_hash(self, kind: str, name: str, expected: str, before: str | None) -> None:
        with self._writing():
            if self.file_hashes(kind).get(name) != expected:
                return
            if before is None:
                self._delete("syncfiles", [f"{kind}:{name}"])
            else:
                self.save_file_hash(kind, name, before)

    def facts(self) -> DatabaseFacts:
        return DatabaseFacts("Memory", "1", self._database.url, "no file", "lost when the program ends")

    def open_rejects(self) -> OpenRejects:
        rejects = self.rejects()
        return OpenRejects(len(rejects), min((each.rejected_at for each in rejects), default=None))

    def count_leads(self) -> int:
        return len(self._find("leads"))

    def leads_per_day(self, first: date, last: date) -> dict[date, int]:
        days = Counter(
            created.date()
            for each in self._find("leads")
            if isinstance(created := each.get("createdAt"), datetime)
        )
        return {day: leads for day, leads in days.items() if first <= day <= last}

    def leads_that_may_have(self, number: AskedNumber) -> Iterator[Document]:
        yield from self.scan_leads(("phone", "bookingNo"))

    def leads_with_phones(self, phones: Texts, fields: Collection[str]) -> Iterator[Document]:
        wanted = set(phones)
        for each in self._find("leads", lambda each: each.get("phone") in wanted):
            yield with_fields(each, fields)

    def duplicate_count(self) -> DuplicateCount | None:
        return next(self._own.read("synccounts", self._find("synccounts"), own_collections.count_from), None)

    def save_duplicate_count(self, count: DuplicateCount) -> None:
        with self._writing():
            self._put("synccounts", {"_id": "duplicates", **own_collections.count_document(count)})

    def scan_leads(self, fields: Collection[str], if_unnumbered: Collection[str] = ()) -> Iterator[Document]:
        with waiting(PassWait()):
            yield from (with_fields(each, {*fields, *if_unnumbered}) for each in self._find("leads"))

    def leads_by_age(
        self, since: datetime, until: datetime, lead_types: Collection[str], fields: Collection[str]
    ) -> Iterator[Document]:
        first, end = first_id_at(since), first_id_at(until)
        for each in self._find("leads", lambda each: each["leadType"] in lead_types):
            lead_id = each["_id"]
            if first <= lead_id < end and len(lead_id) == 24 and set(lead_id) <= set("0123456789abcdef"):
                yield with_fields(each, fields)

    def leads_created(self, since: datetime, until: datetime, fields: Collection[str]) -> Iterator[Document]:
        found = self._find("leads", lambda e: "createdAt" in e and since <= e["createdAt"] < until)
        yield from (with_fields(each, fields) for each in found)

    def reports_on_leads_created(self, since: datetime, until: datetime) -> Iterator[Document]:
        def is_on_one(report: Document) -> bool:
            created = filter(None, map(as_datetime, at_paths(report, report_paths.CREATED_PATHS)))
            return any(since <= each < until for each in created)

        yield from self._find("reports", is_on_one)

    def scan_reports(self) -> Iterator[Document]:
        yield from self._find("reports")

    def scan_records(self, source: str, location: str) -> Iterator[RecordEntry]:
        found = self._find("syncrecords", lambda e: (e["source"], e["location"]) == (source, location))
        yield from self._own.read("syncrecords", found, records.record_entry)

    def finished_or_linked_records(self) -> Iterator[str]:
        yield from (each["_id"] for each in self._find("syncrecords", lambda each: True))

    def corrected_records(self, since: datetime) -> list[RecordEntry]:
        found = self._find("syncrecords", lambda each: "correctedAt" in each and each["correctedAt"] >= since)
        return list(self._own.read("syncrecords", found, records.record_entry))

    def user_names(self, user_ids: Collection[str]) -> dict[str, str]:
        return {each["_id"]: each["name"] for each in self._by_ids("users", user_ids)}

    def last_sync_logs(self) -> dict[str, LastLogs]:
        return app_collections.last_logs(map(dated_log, self._find("synclogs")))

    def sync_logs(self, since: datetime, until: datetime) -> Iterator[SyncLog]:
        found = self._find("synclogs", lambda each: since <= each["lastSyncAt"] < until)
        yield from sorted(map(dated_log, found), key=lambda log: log.at)

    def first_run_at(self, steps: Collection[str]) -> datetime | None:
        began = (run.started_at for run in self._oldest_first() if not set(steps).isdisjoint(names_of(run)))
        return next(began, None)

    def run_spans(self, since: datetime) -> list[RunSpan]:
        found = self._find("syncruns", lambda each: each["startedAt"] >= since)
        spans = self._own.read(
            "syncruns", found, lambda each: own_collections.span_of(own_collections.run_from(each))
        )
        return sorted(spans, key=lambda span: span.started_at)

    def saved_by_audits(self, since: datetime) -> dict[str, int]:
        return own_collections.saved_by_audits(run for run in self._oldest_first() if run.started_at >= since)

    def runs(
        self, limit: int, *, failed_only: bool = False, run_id: str = "", until: datetime | None = None
    ) -> list[RunEntry]:
        newest = (
            run
            for run in reversed(self._oldest_first())
            if run.run_id.startswith(run_id)
            and (until is None or run.started_at < until)
            and (
                not failed_only
                or any(step.get("status") not in ("success", "skipped") for step in run.document["steps"])
            )
        )
        return list(islice(newest, limit or None))

    def _oldest_first(self) -> list[RunEntry]:
        found = self._own.read("syncruns", self._find("syncruns"), own_collections.run_from)
        return sorted(found, key=lambda run: run.started_at)

    def snapshots(self, lead_ids: Collection[str]) -> list[LeadSnapshot]:
        return [LeadSnapshot(each["_id"], to_line(each)) for each in self._by_ids("leads", lead_ids)]

    def delete_unchanged(self, snapshots: Sequence[LeadSnapshot]) -> set[str]:
        planned = {each.lead_id for each in snapshots}
        with self._writing():
            stored = self.snapshots(planned)
            unchanged = {each.lead_id for each in {*stored} & {*snapshots}}
            self._delete("leads", unchanged)
        return planned - {each.lead_id for each in stored} | unchanged

    def restore(self, snapshots: Sequence[LeadSnapshot]) -> Restored:
        with self._writing():
            inserted = self._insert("leads", [parsed(each.document, from_line) for each in snapshots])
            there = [each for each in snapshots if each.lead_id not in inserted]
            stored = set(self.snapshots([each.lead_id for each in there]))
            same = {each.lead_id for each in there if each in stored}
        different = {each.lead_id for each in there} - same
        return Restored(frozenset(inserted), frozenset(same), frozenset(different))

    def repoint_records(self, lead_ids: Mapping[str, str]) -> int:
        with self._writing():
            found = [each["_id"] for each in self._find("syncrecords", lambda e: e["leadId"] in lead_ids)]
            self._change(found, lambda _, record: {"leadId": lead_ids[record["leadId"]]})
            return len(found)

    def unpair_reports(self, report_ids: Mapping[str, str]) -> None:
        self._change(
            report_ids,
            lambda key, record: {"reportId": None} if record.get("reportId") == report_ids[key] else {},
        )

    def probe_writing(self) -> None:
        self._put("syncstate", {"_id": "probe", "report": ""})
        self._delete("syncstate", ["probe"])


def storable(value: Any) -> Any:
    """The value as it comes back: dates in UTC, cut to milliseconds. Raises StorageError for text that is no
    UTF-8 and for numbers of more than 64 bits, as other databases do."""
    match value:
        case datetime():
            utc = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
            return utc.replace(microsecond=utc.microsecond // 1000 * 1000)
        case dict():
            return {name: storable(each) for name, each in value.items()}
        case list():
            return [storable(each) for each in value]
        case str() if any("\ud800" <= character <= "\udfff" for character in value):
            raise StorageError("A value isn't valid text.")
        case int() if not -(2**63) <= value < 2**63:
            raise StorageError("A number is too large.")
        case _:
            return value


def former(record: Document, change: WriteChange) -> Document:
    written = dict(record.get("written", {}))
    if written.get(change.field, {}).get("at") != storable(change.at):
        return {}
    del written[change.field]
    if change.before is not None:
        written |= records.write_documents({change.field: change.before.value}, change.before.at)
    return {"written": written}


def as_stored(texts: Texts) -> set[Any]:
    return set(report_paths.as_stored(texts))


def matches(values: Mapping[str, Any], wanted: Mapping[str, set[Any]], created: Created) -> bool:
    """Whether a lead or record has any of the values, or was created so."""
    at = values.get("createdAt")
    return (
        any(values.get(name) in found for name, found in wanted.items())
        or at in created.moments
        or (values.get("name") in created.names and at in created.midnights)
    )


def has(report: Document, paths: Sequence[str], values: Collection[Any]) -> bool:
    """Whether the report has any of these values at one of the paths."""
    found = at_paths(report, paths)
    return any(isinstance(value, str | int | datetime) and value in values for value in found)


def at_paths(report: Document, paths: Sequence[str]) -> Iterator[Any]:
    """What the report has at each of the paths; None where it has nothing."""
    for path in paths:
        value: Any = report
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        yield value


def with_fields(lead: Document, fields: Collection[str]) -> Document:
    return {name: lead[name] for name in ("_id", *fields) if lead.get(name) is not None}


def names_of(run: RunEntry) -> set[str]:
    return {step.get("name") for step in run.document["steps"]}


def dated_log(document: Document) -> SyncLog:
    return app_collections.sync_log_from(document, document["lastSyncAt"])


def to_line(lead: Document) -> str:
    return json.dumps(lead, default=tagged)


def tagged(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    return {"$date": value.isoformat()}


def from_line(line: str) -> Document:
    lead: Document = json.loads(line, object_hook=untagged)
    lead["_id"]
    return lead


def untagged(found: dict[str, Any]) -> Any:
    match found:
        case {"$bytes": text}:
            return base64.b64decode(text)
        case {"$date": text}:
            return datetime.fromisoformat(text)
    return found


def parse(url: str, _to_path: Callable[[str], Path]) -> str:
    if not url.removeprefix(PREFIX).isalnum():
        raise SettingsError(f"a name is expected after {PREFIX}")
    return url


def open_memory(url: str, *, for_reading_only: bool) -> Database:
    database = DATABASES.setdefault(url, MemoryDatabase(url))
    return MemoryStorage(database, read_only=for_reading_only)


MEMORY = Backend(
    name="Memory",
    prefixes=(PREFIX,),
    rest="a name",
    parse=parse,
    open=open_memory,
    hints=OpeningHints(unusable="Find more memory.", not_writable="Find more memory."),
    driver=lambda: ("Memory", "1"),
)
