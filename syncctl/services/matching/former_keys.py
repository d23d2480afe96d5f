"""Records that the sync knows under a key of earlier rules, or a store's earlier name: they keep their id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from syncctl.domain.identity import current_key, keys_of, phone_of, with_store
from syncctl.domain.records import KnownRecord, SourceRecord, SyncRecord
from syncctl.domain.sources import API_LEAD_TYPES
from syncctl.locations import Locations, load_locations
from syncctl.ports.storage import Storage


class FormerKeys:
    """Finds them, each for one record only."""

    def __init__(self, storage: Storage, locations: Locations) -> None:
        self._storage = storage
        self._canonical = lru_cache(maxsize=1024)(locations.canonical)  # few stores, many keys
        self._has_mapping_file = locations != load_locations()
        self._former: dict[str, str] = {}

    def adopt(self, records: Sequence[SourceRecord], known: dict[str, KnownRecord]) -> Sequence[SourceRecord]:
        """The records; those that the sync knows under a key of earlier rules get that id, and are added
        to `known`."""
        ids = {record.lead_id for record in records}
        unknown = [
            record for record in records if record.lead_id not in known and self._may_have_former_key(record)
        ]
        if not unknown:
            return records
        entries = self._storage.records_about(phones_of(unknown), (), ())
        by_key = {self._key_by_now(entry.record.key): entry.record for entry in entries}
        found: dict[str, SourceRecord] = {}
        for record in unknown:
            for key in keys_of(record):
                before = by_key.get(key)
                if before is None or before.record_id in ids or not self._is_of(record, before):
                    continue
                self._former[before.record_id] = record.key
                found[record.lead_id] = record._replace(lead_id=before.record_id)
                known[before.record_id] = KnownRecord(
                    before.lead_id,
                    before.fingerprint,
                    before.location,
                    before.source,
                    before.report_id,
                    before.replaced_by,
                )
                break
        return [found.get(record.lead_id, record) for record in records]

    def _is_of(self, record: SourceRecord, before: SyncRecord) -> bool:
        """Earlier rules may have read two rows as one number, and so as one record. It belongs to
        whichever row is met first, and from then on to the one with the stored number."""
        phones = (phone_of(before.key), record.values["phone"])
        taken_by = self._former.get(before.record_id, record.key)
        return taken_by == record.key and before.values.get("phone") in phones

    def _may_have_former_key(self, record: SourceRecord) -> bool:
        """Whether the sync may know a record under another key: the keys of most bookings and returns
        haven't changed, but two files may write the same visit's customer name in different code points, and
        a mapping file may have renamed a store."""
        if record.former_phones or record.values["leadType"] not in API_LEAD_TYPES:
            return True
        renamed = self._has_mapping_file or not record.values["name"].isascii()
        return "bookingNo" not in record.values and renamed

    def _key_by_now(self, key: str) -> str:
        """A key of any version by today's rules, with the name that its store has by now."""
        return with_store(current_key(key), self._canonical)


def phones_of(records: Iterable[SourceRecord]) -> set[str]:
    """Their phone numbers, including those that earlier rules read."""
    return {phone for record in records for phone in (record.values["phone"], *record.former_phones)}
