"""Finds the leads to examine: a report fits them, their record is finished, or its own lead is gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from syncctl.domain.identity import derived_id
from syncctl.domain.lead_values import Document
from syncctl.locations import Locations, StoreNames
from syncctl.ports.admin import Database
from syncctl.services.checks.finished_leads import FinishedLeads, Fit
from syncctl.services.cleanup.backups import LEADS_AT_ONCE
from syncctl.services.cleanup.duplicate_search import MarkedTexts
from syncctl.services.cleanup.duplicates import (
    KEY_FIELDS,
    CachedStores,
    cleanup_key,
    usual_file_key,
    usual_key,
)

FIELDS = (*KEY_FIELDS, "enquiryDate", "visitDate")


def id_of_key(lead: Document, stores: StoreNames) -> str | None:
    """The id of the record with the lead's current key; None if the lead has no key."""
    key = cleanup_key(lead, stores)
    return None if key is None else derived_id(key)


def find_candidates(database: Database, locations: Locations) -> list[str]:
    """Their ids, in one pass over the reports, one over the records and one over the leads. Raises
    StorageError."""
    stores = CachedStores(locations)
    finished = FinishedLeads.from_reports(database.scan_reports(), database, stores)
    may_tell = MarkedTexts()
    for record_id in database.finished_or_linked_records():
        may_tell.mark(record_id)
    found: set[str] = set()
    to_look_up: dict[str, str] = {}
    for lead in database.scan_leads(FIELDS):
        usual = usual_key(lead)
        if finished.fit(lead, usual) is not Fit.NONE:
            found.add(lead["_id"])
        key = usual or usual_file_key(lead, stores) or cleanup_key(lead, stores)
        key_id = key and derived_id(key)
        if key_id and (key_id != lead["_id"] or may_tell.is_marked(key_id)):
            to_look_up[lead["_id"]] = key_id
            if len(to_look_up) == LEADS_AT_ONCE:
                found.update(_by_record(database, to_look_up))
                to_look_up.clear()
    found.update(_by_record(database, to_look_up))
    return sorted(found)


def _by_record(database: Database, key_ids: Mapping[str, str]) -> Iterator[str]:
    """Leads of records that are marked as finished, and copies of leads that no longer exist. `key_ids`: by
    lead, the id of the record with its key."""
    known = database.find_records(set(key_ids.values())) if key_ids else {}
    copies: dict[str, str] = {}
    for lead_id, record_id in key_ids.items():
        if (record := known.get(record_id)) is None:
            continue
        if record.lead_id != lead_id:
            copies[lead_id] = record.lead_id
        elif record.report_id is not None:
            yield lead_id
    present = database.present_leads(set(copies.values())) if copies else set()
    yield from (lead_id for lead_id, own in copies.items() if own not in present)
