"""Which report each record stores as the one that finished it."""

from collections import defaultdict
from typing import Any

from bson import ObjectId

from tests.chaos.records import values_of
from tests.support.webapp import MongoApp, SqliteApp


def linked_reports(app: MongoApp | SqliteApp) -> dict[str, list[dict[str, Any]]]:
    """By report id: the source's last values of each record that stores it, in whatever field."""
    reports = {str(report["_id"]) for report in app.reports()}
    kept: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for document in app.all("syncrecords"):
        ids = {str(value) for value in document.values() if isinstance(value, str | ObjectId)}
        for report_id in ids & reports:
            kept[report_id].append(values_of(document))
    return kept
