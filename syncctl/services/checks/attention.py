"""What waits for a person: imports that failed, rejects, duplicates.

It colours `status` and stands in the heartbeat's summary, but fails neither: nobody has to get up for it at
night (docs/decisions/0024-what-status-fails-for.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from syncctl.domain.run_history import SyncLog
from syncctl.domain.sources import FILE_STEPS, PLURALS, SYNC_TYPES, StepName
from syncctl.domain.steps import StepStatus
from syncctl.ports.admin import Database, DuplicateCount, LastLogs
from syncctl.ports.storage import OpenRejects
from syncctl.services.checks.freshness import ago, is_misdated, span
from syncctl.text import quantity


@dataclass(frozen=True, slots=True)
class LastImport:
    """The last import of one kind of file."""

    kind: StepName
    log: SyncLog

    @property
    def failed(self) -> bool:
        """Whether all of it, or some of its files, could not be imported."""
        return self.log.status is not StepStatus.SUCCESS


def last_imports(logs: Mapping[str, LastLogs], now: datetime) -> tuple[LastImport, ...]:
    """The last import of each kind, by `synclogs`; without those that are dated in the future, and runs that
    found nothing to import."""
    found = []
    for kind in FILE_STEPS:
        of_kind = logs.get(SYNC_TYPES[kind])
        if of_kind is None:
            continue
        log = of_kind.last_success if of_kind.last.status is StepStatus.SKIPPED else of_kind.last
        if log is not None and not is_misdated(log, now):
            found.append(LastImport(kind, log))
    return tuple(found)


def failed_import_words(imports: Iterable[LastImport], now: datetime) -> Iterator[str]:
    """A line for each kind of file whose last import failed."""
    for each in imports:
        if each.failed:
            how = "failed" if each.log.status is StepStatus.FAILED else "failed in part"
            why = f": {each.log.error_message}" if each.log.error_message else ""
            yield f"The last import of {PLURALS[each.kind]}, {ago(each.log.at, now)}, {how}{why}"


def reject_words(rejects: OpenRejects, now: datetime) -> str:
    """How many rows wait for a correction, and since when: "12 rejects, the oldest 9 days old"."""
    return quantity(rejects.count, "reject") + age_words(rejects, now)


def age_words(rejects: OpenRejects, now: datetime) -> str:
    """ ", the oldest 9 days old", behind their number; "" if that isn't known."""
    if rejects.oldest_at is None or rejects.oldest_at > now:
        return ""
    return f", {'the oldest ' * (rejects.count > 1)}{span(now - rejects.oldest_at)} old"


def duplicate_words(count: DuplicateCount | None, now: datetime) -> str:
    """How many duplicates there were when they were last counted, and when that was; "" for none."""
    if count is None or not count.sets:
        return ""
    sets = quantity(count.sets, "set of duplicates", "sets of duplicates")
    copies = quantity(count.extra_copies, "copy", "copies")
    return f"{sets}, {copies} too many, counted {ago(count.counted_at, now)}"


def waiting_words(survey: Database, now: datetime) -> str:
    """What waits for a person, in one line for the monitor. Raises StorageError."""
    rejects, duplicates = survey.open_rejects(), survey.duplicate_count()
    found = [
        reject_words(rejects, now) if rejects.count else "",
        *failed_import_words(last_imports(survey.last_sync_logs(), now), now),
        duplicate_words(duplicates, now),
    ]
    waits = "; ".join(filter(None, found)) or "nothing"
    return f"Waiting for a person: {waits}{'' if duplicates else ' (duplicates were never counted)'}"
