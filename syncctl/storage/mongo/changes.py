"""Guarded changes of leads on MongoDB: the server compares and sets in one step."""

from collections.abc import Sequence

from pymongo import UpdateOne
from pymongo.collection import Collection

from syncctl.domain.lead_values import Document, LeadChange
from syncctl.storage.common.app_collections import guard, holds
from syncctl.storage.mongo.batches import find_by_texts, in_batches
from syncctl.storage.mongo.documents import from_bson, possible_bson_ids


def update_leads(leads: Collection[Document], changes: Sequence[LeadChange]) -> set[str]:
    """Make the changes whose leads still hold what is expected. Gives the ids of those that hold the new
    values now. Raises pymongo's errors."""
    missed: set[str] = set()
    for batch in in_batches(changes):
        updates = [_guarded_update(change) for change in batch if change.values]
        matched = leads.bulk_write(updates, ordered=False).matched_count if updates else 0
        if matched < len(batch):  # the server doesn't say which
            missed |= _missed(leads, batch)
    return {change.lead_id for change in changes} - missed


def _guarded_update(change: LeadChange) -> UpdateOne:
    # $eq None holds for a field that is null and for one that is not there.
    expected = {field: {"$eq": value} for field, value in guard(change).items()}
    new = {field: value for field, value in change.values.items() if value is not None}
    gone = {field: "" for field, value in change.values.items() if value is None}
    # Servers before 5.0 refuse an operator that has nothing to do.
    update = {operator: fields for operator, fields in (("$set", new), ("$unset", gone)) if fields}
    return UpdateOne({"_id": {"$in": possible_bson_ids(change.lead_id)}, **expected}, update)


def _missed(leads: Collection[Document], changes: Sequence[LeadChange]) -> set[str]:
    """The ids of leads that do not hold the new values."""
    ids = [change.lead_id for change in changes]
    fields = {field for change in changes for field in change.values}
    stored = {lead["_id"]: lead for lead in map(from_bson, find_by_texts(leads, ids, sorted(fields)))}
    return {
        change.lead_id
        for change in changes
        if change.lead_id not in stored or not holds(stored[change.lead_id], change.values)
    }
