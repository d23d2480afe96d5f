"""A three-way merge: the source's last values, its current values, and the lead as it is now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from syncctl.domain.lead_fields import LEAD_FIELDS
from syncctl.domain.lead_values import Document, LeadChange
from syncctl.domain.leads import NOTHING_WRITTEN, is_touched
from syncctl.domain.records import Write
from syncctl.text import normalize_unicode


class Merge(NamedTuple):
    """What to write."""

    values: dict[str, Any]
    """Field -> new value; None removes the field."""

    conflicts: tuple[str, ...] = ()
    """Fields that both the source and a telecaller have changed; they keep the telecaller's value."""

    def guarded_change(self, lead: Document, updated_at: datetime) -> LeadChange:
        """The guarded write: it succeeds only if nobody has edited the lead in between."""
        values = {**self.values, "updatedAt": updated_at}
        return LeadChange(lead["_id"], {field: lead.get(field) for field in values}, values)


def _value(values: Mapping[str, Any], field: str) -> Any:
    return _comparable(values.get(field))


def _comparable(value: Any) -> Any:
    """A missing value, null and an empty text are all None; texts that read the same are equal."""
    if isinstance(value, str):
        return normalize_unicode(value) or None
    return value


def merge(
    base: Mapping[str, Any] | None,
    source: Mapping[str, Any],
    provided: Collection[str],
    lead: Document,
    written: Mapping[str, Write] = NOTHING_WRITTEN,
) -> Merge:
    """What the source's values `source` change in `lead`.

    `base`: what the source said at the last import; None where there was none. `provided`: the fields that
    the source can speak of at all; one among them that is not in `source` has been emptied there, whereas
    the source says nothing of any other. `written`: what syncctl has written into the lead: nobody's edit.

    A field that the source has not changed is left alone; one that it has changed and nobody edited takes its
    value; one that both changed keeps the telecaller's and is a conflict. Without a base an untouched lead
    takes what the source says, and a touched one only has its empty fields filled.
    """
    if base is None:
        return (
            fill_gaps(source, provided, lead)
            if is_touched(lead, written)
            else _overwrite(source, provided, lead)
        )
    values: dict[str, Any] = {}
    conflicts: list[str] = []
    for field in sorted(provided):
        was, ours, theirs = _value(base, field), _value(source, field), _value(lead, field)
        if ours in (was, theirs):
            continue
        if theirs == was or (field in written and theirs == _comparable(written[field].value)):
            values[field] = LEAD_FIELDS[field].default if ours is None else source[field]
        else:
            conflicts.append(field)
    return Merge(values, tuple(conflicts))


def emptied_fields(base: Mapping[str, Any], written: Mapping[str, Write], lead: Document) -> set[str]:
    """Fields that a person has emptied: the source or an import had filled them. A write noted after the
    lead's last change was interrupted before it happened."""
    changed_at = lead.get("updatedAt")
    filled = {field for field, value in base.items() if _comparable(value) is not None}
    for field, write in written.items():
        is_done = not isinstance(changed_at, datetime) or changed_at >= write.at
        if is_done and _comparable(write.value) is not None:
            filled.add(field)
    return {field for field in filled if _value(lead, field) is None}


def fill_gaps(source: Mapping[str, Any], provided: Collection[str], lead: Document) -> Merge:
    """The source's values for fields that are empty in the lead."""
    return Merge(
        {
            field: source[field]
            for field in sorted(provided)
            if _value(source, field) is not None and _value(lead, field) is None
        }
    )


def _overwrite(source: Mapping[str, Any], provided: Collection[str], lead: Document) -> Merge:
    return Merge(
        {
            field: source[field]
            for field in sorted(provided)
            if (ours := _value(source, field)) is not None and ours != _value(lead, field)
        }
    )


def next_base(
    base: Mapping[str, Any] | None, source: Mapping[str, Any], provided: Collection[str]
) -> dict[str, Any]:
    """The source's last known values, field by field: a field that it doesn't provide this time keeps its
    last value."""
    kept = {field: value for field, value in (base or {}).items() if field not in provided}
    return {**kept, **source}
