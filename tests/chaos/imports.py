"""Checks imports: news in the files reach the leads, and people's edits stay."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.chaos.lead_model import OVERWRITTEN, Model
from tests.chaos.records import record_key
from tests.chaos.store_file_model import FileLead, StoreFile, new_lead
from tests.chaos.tally import tally
from tests.support.oracle import Key
from tests.support.recognition import level, of_lead
from tests.support.webapp import Lead
from tests.support.world import KOLKATA

Fields = dict[str, Any]


@dataclass
class LastSaid:
    """The last values of a record in the files of one kind. After a killed run, or if there was no lead,
    several candidates are possible."""

    kind: str

    candidates: list[Fields]
    """The candidates."""


@dataclass
class Imports:
    """Checks imports against a model. `edited`: people's edits by lead id. `interfered`: leads that people
    changed during the import being checked."""

    model: Model
    last_said: dict[Key, LastSaid] = field(default_factory=dict)
    edited: dict[str, Fields] = field(default_factory=lambda: defaultdict(dict))
    interfered: set[str] = field(default_factory=set)

    def note_edit(self, lead_id: str, changes: Fields) -> None:
        """A person has edited a lead."""
        self.edited[lead_id] |= changes

    def after_import(self, file: StoreFile, now: datetime, *, whole: bool) -> tuple[int, int]:
        """Check the result of an import and update the model; `whole`: it completed. Returns how many
        leads it created and how many it changed."""
        visits = file.visits()
        before, lead_ids_by_record = dict(self.model.leads), dict(self.model.lead_ids_by_record)
        found = self.model.assert_unchanged_except(self._within_reach(visits))
        new = {lead_id: found[lead_id] for lead_id in found.keys() - before.keys()}
        keys = {lead_id: record_key(lead) for lead_id, lead in new.items()}
        first_seen_at = now.astimezone(KOLKATA).replace(tzinfo=UTC)
        for lead_id, lead in new.items():
            assert lead == {"_id": lead_id, **new_lead(visits[keys[lead_id]], first_seen_at)}
        self.model.settle_import(new, keys, whole=whole)
        changed = 0
        for key, file_lead in visits.items():
            home = self.model.lead_ids_by_record.get(key) or self._half_of(key)
            assert home or not whole, key
            if home in before:
                last = self.last_said.get(key) if key in lead_ids_by_record else None
                # What somebody edits in between waits for the next import.
                is_deferred = home in self.interfered
                changed += self._check_merge(
                    before[home], found[home], file_lead, last, file.kind, now, whole and not is_deferred
                )
            settled = whole and home in found.keys() - self.interfered
            self._remember(key, file_lead, file.kind, settled=settled)
        self.interfered.clear()
        self.model.leads = found
        return len(new), changed

    def _within_reach(self, visits: Mapping[Key, FileLead]) -> set[str]:
        """The leads of these records, and unassigned ones that may turn out to belong to them."""
        phones = {key[2] for key in visits}
        lead_ids_by_record = self.model.lead_ids_by_record
        taken = set(lead_ids_by_record.values())
        last_said = [file_lead.as_facts() for file_lead in visits.values()]
        free = {
            lead_id
            for lead_id, lead in self.model.leads.items()
            if lead_id not in taken
            and (lead["phone"] in phones or any(level(of_lead(lead), facts) for facts in last_said))
        }
        return free | {lead_ids_by_record[key] for key in visits if key in lead_ids_by_record}

    def _half_of(self, key: Key) -> str | None:
        return next((lead_id for lead_id, of in self.model.half.items() if of == key), None)

    def _check_merge(  # noqa: PLR0917
        self,
        was: Lead,
        now_is: Lead,
        file_lead: FileLead,
        last: LastSaid | None,
        kind: str,
        now: datetime,
        whole: bool,
    ) -> bool:
        """Compare a lead before and after the import of a row. Returns whether it has changed."""
        fields = {*was, *now_is} - {"updatedAt"}
        changed = {name for name in fields if was.get(name) != now_is.get(name)}
        assert changed <= file_lead.fields.keys()
        assert all(_value(now_is, name) == file_lead.fields[name] for name in changed)
        assert now_is["updatedAt"] == (now if changed else was["updatedAt"])
        edits = self.edited[was["_id"]]
        for name in changed:
            said = [_value(fields, name) for fields in last.candidates] if last else [None]
            overwritten = was.get(name) == edits.pop(name, object()) and _value(was, name) not in said
            tally.add(OVERWRITTEN, int(overwritten))
            assert not overwritten
        if whole and last and last.kind == kind and len(last.candidates) == 1:
            (said_last,) = last.candidates
            for name in file_lead.fields.keys() - changed:
                is_news = file_lead.fields[name] != said_last.get(name)
                assert not is_news or _value(was, name) != said_last.get(name)
        return bool(changed)

    def _remember(self, key: Key, file_lead: FileLead, kind: str, *, settled: bool) -> None:
        if key not in self.model.lead_ids_by_record:
            return
        last_said = self.last_said.setdefault(key, LastSaid(kind, []))
        if last_said.kind != kind:
            return
        if settled:
            last_said.candidates = [file_lead.fields]
        elif file_lead.fields not in last_said.candidates:
            last_said.candidates.append(file_lead.fields)


def _value(values: Fields, name: str) -> Any:
    """A missing field, null and an empty text are equal."""
    return values.get(name) or None
