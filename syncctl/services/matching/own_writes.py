"""What syncctl itself has written into leads, so that it is taken for nobody's edit (docs/decisions/0007)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from syncctl.domain.records import Write
from syncctl.ports.storage import Storage


def writes_into(storage: Storage, lead_ids: Collection[str]) -> dict[str, dict[str, Write]]:
    """What is noted with the records of these leads, by lead id and field: of each field the last write. A
    lead without any is left out. Raises StorageError."""
    if not lead_ids:
        return {}
    lead_of = {
        entry.record.record_id: entry.record.lead_id for entry in storage.records_about((), (), lead_ids)
    }
    found: dict[str, dict[str, Write]] = defaultdict(dict)
    for record_id, writes in storage.writes(lead_of.keys()).items():
        noted = found[lead_of[record_id]]
        noted |= {
            field: write
            for field, write in writes.items()
            if field not in noted or write.at > noted[field].at
        }
    return dict(found)
