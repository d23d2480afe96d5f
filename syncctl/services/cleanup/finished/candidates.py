"""Finds the leads to examine: a report fits them, their record is finished, or its own lead is gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from syncctl.domain.identity import derived_id
from syncctl.domain.lead_values import Document
from syncctl.locations import Locations, StoreNames
from syncctl.ports.admin import Database
from syncctl.services.batching import batched
from syncctl.services.checks.finished_leads import FinishedLeads, Fit
from syncctl.services.cleanup.backups import LEADS_AT_ONCE
from syncctl.services.cleanup.duplicates import KEY_FIELDS, CachedStores, cleanup_key

FIELDS = (*KEY_FIELDS, "enquiryDate", "visitDate")


def key_id(lead: Document, stores: StoreNames) -> str | None:
    """The id of the record with the lead's current key; None if the lead has no key."""
    key = cleanup_key(lead, stores)
    return None if key is None else derived_id(key)


def find_candidates(database: Database, locations: Locations) -> list[str]:
    """Their ids, in one pass over the reports and one over the leads. Raises StorageError."""
    stores = CachedStores(locations)
    finished = FinishedLeads.from_reports(database.scan_reports(), database, stores)
    found: set[str] = set()
    for leads in batched(database.scan_leads(FIELDS), LEADS_AT_ONCE):
        found.update(lead["_id"] for lead in leads if finished.fit(lead) is not Fit.NONE)
        found.update(_by_record(database, leads, stores))
    return sorted(found)


def _by_record(database: Database, leads: Sequence[Document], stores: StoreNames) -> Iterator[str]:
    """Leads of records that are marked as finished, and copies of leads that no longer exist."""
    key_ids = {lead["_id"]: record_id for lead in leads if (record_id := key_id(lead, stores)) is not None}
    known = database.find_records(set(key_ids.values()))
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
