"""Leads, and the telecallers' reports about them, on MongoDB."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from syncctl.domain.lead_values import Document, LeadChange
from syncctl.domain.records import SyncRecord
from syncctl.errors import LeadsRefusedError
from syncctl.ports.storage import ANY_TIME, Created, Texts
from syncctl.storage.common import report_paths
from syncctl.storage.common.records import record_document
from syncctl.storage.mongo import documents
from syncctl.storage.mongo.batches import Wanted, find, find_any, find_by_texts, in_batches
from syncctl.storage.mongo.changes import update_leads
from syncctl.storage.mongo.session import MongoSession
from syncctl.storage.mongo.transactions import has_transactions, store_in_order, store_together
from syncctl.text import to_text


class MongoLeads(MongoSession):
    """The part of ports.storage.Storage that is about leads and reports."""

    def present_leads(self, lead_ids: Texts) -> set[str]:
        with self._reading() as database:
            return {to_text(found["_id"]) for found in find_by_texts(database.leads, lead_ids, [])}

    def find_leads(
        self, lead_type: str, booking_numbers: Texts, phones: Texts, created: Created = ANY_TIME
    ) -> list[Document]:
        on_these_days = {"createdAt": {"$in": created.midnights}}
        wanted: Wanted = (
            ("bookingNo", booking_numbers, {}),
            ("phone", phones, {}),
            ("createdAt", created.moments, {}),
            ("name", created.names, on_these_days),
        )
        with self._reading() as database:
            of_type = {"leadType": str(lead_type)}
            found = find_any(database.leads, wanted, of_type, numbers=("bookingNo", "phone"))
            return list({lead["_id"]: lead for lead in map(documents.from_bson, found)}.values())

    def find_reports(
        self, lead_ids: Texts, phones: Texts, booking_numbers: Texts = (), created: Created = ANY_TIME
    ) -> list[Document]:
        found: dict[str, Document] = {}
        lists = (lead_ids, phones, booking_numbers, created.moments, created.names)
        batches: Iterator[tuple[Sequence[Any], ...]] = zip_longest(*map(in_batches, lists), fillvalue=())
        midnights = report_paths.moments_as_stored(created.midnights)
        on_these_days = {"$or": [{path: {"$in": midnights}} for path in report_paths.VISIT_PATHS]}
        with self._reading() as database:
            # So many paths and values take the server 40 ms even where there is nothing to be found.
            if database.reports.find_one({}, ["_id"]) is None:
                return []
            for some_ids, some_phones, some_numbers, some_moments, some_names in batches:
                ids = [bson_id for text in some_ids for bson_id in documents.possible_bson_ids(text)]
                wanted: Sequence[tuple[Sequence[str], Sequence[Any], Document]] = (
                    (report_paths.LEAD_ID_PATHS, ids, {}),
                    (report_paths.PHONE_PATHS, report_paths.as_stored(some_phones), {}),
                    (report_paths.BOOKING_PATHS, report_paths.as_stored(some_numbers), {}),
                    (report_paths.CREATED_PATHS, report_paths.moments_as_stored(some_moments), {}),
                    (report_paths.NAME_PATHS, some_names, on_these_days),
                )
                clauses = [
                    {path: {"$in": values}, **also}
                    for paths, values, also in wanted
                    if values
                    for path in paths
                ]
                reports = map(documents.from_bson, find(database.reports, {"$or": clauses}))
                found.update((report["_id"], report) for report in reports)
        return list(found.values())

    def reports(self, report_ids: Texts) -> dict[str, Document]:
        with self._reading() as database:
            found = map(documents.from_bson, find_by_texts(database.reports, report_ids))
            return {report["_id"]: report for report in found}

    def store_leads(self, leads: Sequence[Document], records: Sequence[SyncRecord]) -> set[str]:
        with self._writing() as database:
            new = list(map(documents.to_stored, leads))
            theirs = [documents.to_stored(record_document(record)) for record in records]
            if has_transactions(self._server(database)):
                stored = store_together(database, new, theirs, self._limit_s(database))
            else:
                stored = store_in_order(database, new, theirs)
        inserted = set(map(to_text, stored.inserted))
        reasons = {to_text(bson_id): reason for bson_id, reason in stored.refused.items()}
        if reasons:
            raise LeadsRefusedError(inserted, reasons)
        return inserted

    def leads(self, lead_ids: Texts) -> dict[str, Document]:
        with self._reading() as database:
            found = find_by_texts(database.leads, lead_ids)
            return {lead["_id"]: lead for lead in map(documents.from_bson, found)}

    def update_leads(self, changes: Sequence[LeadChange]) -> set[str]:
        with self._writing() as database:
            return update_leads(database.leads, changes)
