"""Decides which copy of each set of duplicates to keep, or that a person must decide."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from syncctl.domain.identity import derived_id
from syncctl.domain.lead_values import Document
from syncctl.errors import UsageError
from syncctl.locations import StoreNames
from syncctl.ports.storage import Storage
from syncctl.services.batching import batched
from syncctl.services.cleanup.copies import Copies
from syncctl.services.cleanup.duplicate_results import Conflict, CopySummary, Decision, KeepReason
from syncctl.services.cleanup.duplicates import DuplicateSets, cleanup_key, lacks_store
from syncctl.services.matching.legacy_leads import split_store, text_of
from syncctl.services.matching.own_writes import writes_into

SETS_AT_ONCE = 500

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


def check_chosen(chosen: Iterable[str], duplicates: DuplicateSets) -> frozenset[str]:
    """The ids that a person chose to keep. Raises UsageError: one is in no set of duplicates, or two are in
    the same set."""
    wanted = frozenset(lead_id.strip() for lead_id in chosen)
    found: set[str] = set()
    for sets in duplicates.sets.values():
        for ids in sets:
            here = wanted.intersection(ids)
            if len(here) > 1:
                raise UsageError(
                    f"--keep {' and --keep '.join(sorted(here))}: they are copies of one lead, keep only one."
                )
            found |= here
    if missing := sorted(wanted - found):
        raise UsageError(
            f"--keep {missing[0]}: no set of duplicates has a lead with that id. "
            "`syncctl cleanup duplicates` lists the ids to choose from."
        )
    return wanted


def in_batches(duplicates: DuplicateSets) -> Iterator[list[tuple[str, ...]]]:
    """The sets of all types, SETS_AT_ONCE at a time."""
    return batched((ids for sets in duplicates.sets.values() for ids in sets), SETS_AT_ONCE)


def decide(
    storage: Storage, batch: Sequence[tuple[str, ...]], stores: StoreNames, chosen: frozenset[str]
) -> Iterator[Decision | Conflict]:
    """What to do with the sets of a batch, by their leads' current values. Raises StorageError."""
    ids = [lead_id for lead_ids in batch for lead_id in lead_ids]
    leads = storage.leads(ids)
    keys = {lead_id: key for lead_id, lead in leads.items() if (key := cleanup_key(lead, stores)) is not None}
    records = storage.find_records({derived_id(key) for key in keys.values()})
    own_leads = {key: record.lead_id for key in keys.values() if (record := records.get(derived_id(key)))}
    written = writes_into(storage, ids)
    groups = [
        (key, Copies(group, stores, written))
        for lead_ids in batch
        for key, group in _groups(
            [leads[lead_id] for lead_id in lead_ids if lead_id in keys], keys, own_leads, stores
        )
    ]
    recorded = storage.recorded_leads(ids)
    undecided = {
        record_id
        for key, copies in groups
        if len(copies.worked_on) > 1
        for record_id in _record_ids(key, copies)
    }
    source_values = storage.record_values(undecided) if undecided else {}
    for key, copies in groups:
        values = [
            source_values[record_id] for record_id in _record_ids(key, copies) if record_id in source_values
        ]
        yield _decision(copies, values, _DecisionInput(recorded, stores, chosen))


def _groups(
    leads: Iterable[Document], keys: Mapping[str, str], own_leads: Mapping[str, str], stores: StoreNames
) -> Iterator[tuple[str, list[Document]]]:
    """The copies of a set, by their current keys: a set was found by a digest of earlier values. `keys`: by
    the leads' ids. `own_leads`: the leads of records by the records' keys; an edit may have given such a lead
    another key."""
    by_key: dict[str, list[Document]] = {}
    for lead in leads:
        by_key.setdefault(keys[lead["_id"]], []).append(lead)
    storeless = [key for key, group in by_key.items() if lacks_store(group[0], stores)]
    for key in storeless:
        alike = [other for other in by_key if split_store(other)[0] == split_store(key)[0]]
        known = [other for other in alike if other not in storeless]
        if len(known) == 1:
            by_key[known[0]] += by_key.pop(key)
    for key in list(by_key):
        own = next((other for other, group in by_key.items() if _has(group, own_leads.get(key))), key)
        if own != key:
            by_key[key] += by_key.pop(own)
    return ((key, group) for key, group in by_key.items() if len(group) > 1)


def _has(group: Sequence[Document], lead_id: str | None) -> bool:
    return any(lead["_id"] == lead_id for lead in group)


def _record_ids(key: str, copies: Copies) -> list[str]:
    """The ids of a set's records: a lead that the sync made has its record's id, and the record of a
    linked lead has the id derived from the key."""
    return [derived_id(key), *(lead["_id"] for lead in copies.leads)]


class _DecisionInput(NamedTuple):
    """What decides between copies, besides the copies."""

    recorded: Container[str]
    """Ids of leads with a record."""

    stores: StoreNames
    chosen: Container[str]
    """Ids that a person chose to keep."""


def _decision(
    copies: Copies, source_values: Sequence[Mapping[str, Any]], facts: _DecisionInput
) -> Decision | Conflict:
    leads = sorted(copies.leads, key=_age)
    if picked := [lead for lead in leads if lead["_id"] in facts.chosen]:
        return _keep(copies, facts, picked[0], KeepReason.CHOSEN)
    if not copies.worked_on:
        return _keep(copies, facts, *_best_untouched(leads, facts))
    if len(copies.worked_on) == 1:
        return _keep(copies, facts, copies.worked_on[0], KeepReason.WORKED_ON)
    edits = copies.edits(source_values)
    complete = {lead["_id"] for lead in copies.with_all_edits(edits)}
    if complete:
        last = max((lead for lead in leads if lead["_id"] in complete), key=_updated_at)
        return _keep(copies, facts, last, KeepReason.ALL_EDITS)
    fields = copies.edited_differently(edits)
    return Conflict(*_named(leads[0]), copies=tuple(_summary(lead, edits, fields) for lead in leads))


def _best_untouched(leads: Sequence[Document], facts: _DecisionInput) -> tuple[Document, KeepReason]:
    """Which of several untouched copies, oldest first, to keep, and the first reason that singled it out."""
    wanted: tuple[tuple[KeepReason, Callable[[Document], bool]], ...] = (
        (KeepReason.STORE_NAME, lambda lead: not lacks_store(lead, facts.stores)),
        (KeepReason.LINKED, lambda lead: lead["_id"] in facts.recorded),
        (
            KeepReason.STORE_NAME,
            lambda lead: facts.stores.canonical(text_of(lead, "store")) == lead.get("store"),
        ),
    )
    apart = KeepReason.OLDEST
    for why, is_wanted in wanted:
        better = [lead for lead in leads if is_wanted(lead)]
        if 0 < len(better) < len(leads):
            leads = better
            apart = why if apart is KeepReason.OLDEST else apart
    return leads[0], apart


def _age(lead: Document) -> tuple[datetime, str]:
    """Sort key: oldest first; for equal dates the lowest ObjectId, which begins with the time it was made."""
    created_at = lead.get("createdAt")
    return created_at if isinstance(created_at, datetime) else _LAST, lead["_id"]


def _updated_at(lead: Document) -> datetime:
    updated_at = lead.get("updatedAt")
    return updated_at if isinstance(updated_at, datetime) else _FIRST


def _keep(copies: Copies, facts: _DecisionInput, kept: Document, why: KeepReason) -> Decision:
    others = sorted((lead for lead in copies.leads if lead is not kept), key=_age)
    fields, worked_on = copies.written_differently, {lead["_id"] for lead in copies.worked_on}
    records = [lead["_id"] for lead in others if lead["_id"] in facts.recorded]
    stores = [name for lead in others if (name := facts.stores.canonical(text_of(lead, "store")))]
    return Decision(
        *_named(kept),
        copies=tuple(_summary(lead, worked_on, fields) for lead in (kept, *others)),
        why=why,
        record_from=records[0] if records and kept["_id"] not in facts.recorded else None,
        store_of_removed=stores[0] if stores and lacks_store(kept, facts.stores) else None,
    )


def _named(lead: Document) -> tuple[str, str, str, str]:
    """The first fields of a CopySet."""
    return (
        text_of(lead, "leadType"),
        text_of(lead, "phone"),
        text_of(lead, "bookingNo"),
        text_of(lead, "name"),
    )


def _summary(lead: Document, worked_on: Container[str], fields: Sequence[str]) -> CopySummary:
    values = {name: lead.get(name) for name in fields}
    return CopySummary(lead["_id"], lead.get("updatedAt"), lead["_id"] in worked_on, values)
