"""`history`: the results of runs, newest first, and one of them in detail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from itertools import groupby, islice
from typing import Any, NamedTuple

from syncctl.domain.run_documents import counts_document, instant
from syncctl.domain.run_history import RunEntry
from syncctl.domain.run_results import Counts
from syncctl.domain.sources import FILE_STEPS
from syncctl.domain.steps import StepStatus
from syncctl.errors import UsageError
from syncctl.ports.admin import Database, Survey
from syncctl.services.checks.history_documents import PastRunDocument, RunDetailDocument, RunsDocument

CANDIDATES = 5
USUAL_COMMAND = "api"
"""What the schedule starts; other commands sync or import a part."""

_COUNTS = tuple(field.name for field in fields(Counts))


class PastLocation(NamedTuple):
    """A location or file with something to report in a run."""

    location: str
    store: str
    counts: Counts
    changed: tuple[str, ...]
    """Booking numbers of existing leads for which the source had new values."""

    conflicts: tuple[str, ...]
    """A line for each field that both file and telecaller have changed."""

    error: str | None
    warning: str | None


class PastStep(NamedTuple):
    """A step of a run, as it ended."""

    name: str
    status: StepStatus
    counts: Counts
    processed: int
    total: int
    dormant: int
    changed: int
    errors: int
    error: str | None
    locations: tuple[PastLocation, ...]
    """Those where something happened."""

    refusal: str | None = None
    """The refused key, in words, if that is what failed it, and the run is not an old one."""

    @property
    def has_news(self) -> bool:
        """Whether a lead was added or changed, or something is to be said of a location."""
        said = any(place.error or place.warning or place.conflicts for place in self.locations)
        return bool(said or self.errors or self.changed or self.counts.saved or self.counts.updated)


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run from the sync's own history."""

    run_id: str
    command: str
    trigger: str
    ok: bool
    started_at: datetime
    duration_s: float
    steps: tuple[PastStep, ...]

    corrected_lines: Mapping[str, int] = field(default_factory=dict)
    """Of a run that took a corrected sheet of rejects back, or tried rejects again: outcome -> lines."""

    undone_at: datetime | None = None
    """When it was taken back, if it was an import; looked up by `with_undo`."""

    newly_rejected: int | None = None
    """How many rows it put on the rejects list; None: it ran before that was kept."""

    whole: bool = True
    """Whether nothing was left out: neither locations nor days. Of a run before that was kept, it is taken
    to be so."""

    @property
    def is_quiet(self) -> bool:
        """Whether all was right and nothing was new. Rows that are finished, merged or on the rejects list
        come again with each run: they are no news."""
        if not (self.ok and self.steps) or self.corrected_lines:
            return False
        known = (step.counts.invalid for step in self.steps)
        rejected = sum(known) if self.newly_rejected is None else self.newly_rejected
        return not rejected and not any(step.has_news for step in self.steps)

    @property
    def is_import(self) -> bool:
        """Whether it stored, changed or rejected rows of files, or saved rejects."""
        of_files = [step.counts for step in self.steps if step.name in list(FILE_STEPS)]
        is_correction = bool(self.corrected_lines.get("fixed"))
        return is_correction or any(each.saved or each.updated or each.invalid for each in of_files)


def past_runs(survey: Survey, limit: int, *, failed_only: bool = False) -> tuple[PastRun, ...]:
    """The newest runs first, at most `limit` (0: all). Raises StorageError."""
    return tuple(map(past_run, survey.runs(limit, failed_only=failed_only)))


BATCH = 100
"""Runs read at once where it isn't known how many are needed."""


def newest_runs(
    survey: Survey, *, failed_only: bool = False, until: datetime | None = None, batch: int = BATCH
) -> Iterator[PastRun]:
    """The newest runs first, those that began before `until`, read as they are taken. Raises StorageError."""
    while found := survey.runs(batch, failed_only=failed_only, until=until):
        yield from map(past_run, found)
        until = found[-1].started_at


RunLine = tuple[PastRun, ...]
"""What is one line of a list: a run, or consecutive ones that are alike, newest first."""


def grouped(runs: Iterable[PastRun], most: int) -> tuple[RunLine, ...]:
    """The runs as at most `most` lines (0: all): consecutive quiet ones are one line, as are those that
    failed alike and brought nothing; any other one has its own."""
    return tuple(islice((tuple(line) for _, line in groupby(runs, key=_likeness)), most or None))


def _likeness(run: PastRun) -> object:
    """The same for runs that may share a line."""
    if run.is_quiet:
        return ""
    brought = any(step.counts.saved or step.counts.updated or step.changed for step in run.steps)
    if run.ok or not run.steps or brought or run.newly_rejected or run.corrected_lines:
        return run.run_id
    # Locations stand in the order of their answers.
    return run.command, [
        (step.name, step.status, step.error, {(place.location, place.error) for place in step.locations})
        for step in run.steps
    ]


def find_run(database: Database, beginning: str) -> PastRun:
    """The run whose id is, or begins with, `beginning`.

    Raises:
        UsageError: there is none, or more than one; the message says which.
        StorageError: the database refused.
    """
    wanted = beginning.strip().lower()
    found = database.runs(CANDIDATES + 1, run_id=wanted) if wanted else []
    if not found:
        raise UsageError(f"No run has an id that begins with {beginning!r}: `syncctl history` lists them.")
    exact = [entry for entry in found if entry.run_id == wanted]
    if len(found) > 1 and not exact:
        data = ", ".join(entry.run_id for entry in found[:CANDIDATES])
        more = ", …" if len(found) > CANDIDATES else ""
        raise UsageError(f"Several runs have an id that begins with {beginning!r}: {data}{more}.")
    return with_undo(database, past_run((exact or found)[0]))


def with_undo(database: Database, run: PastRun) -> PastRun:
    """The run, and when it was taken back. Raises StorageError."""
    noted = database.noted_imports(run.run_id) if run.is_import else []
    return replace(run, undone_at=noted[0].undone_at) if noted else run


def past_run(entry: RunEntry) -> PastRun:
    """A run from its document in `syncruns` (results.history_document)."""
    document = entry.document
    return PastRun(
        run_id=entry.run_id,
        command=document["command"],
        trigger=document["trigger"],
        ok=document["ok"],
        started_at=entry.started_at,
        duration_s=document["duration_s"],
        steps=tuple(map(_step, document["steps"])),
        corrected_lines=document.get("corrected_lines") or {},
        newly_rejected=document.get("newly_rejected"),
        whole=document.get("whole", True),
    )


def reasons_once(run: PastRun) -> PastRun:
    """The run with a refused key said once, not again for each step and each location."""
    said: set[str] = set()
    steps = []
    for step in run.steps:
        if step.refusal is not None:
            others = tuple(place for place in step.locations if place.error != step.refusal)
            error = "failed for the same reason" if step.refusal in said else step.error
            said.add(step.refusal)
            steps.append(step._replace(error=error, locations=others))
        else:
            steps.append(step)
    return replace(run, steps=tuple(steps))


def counts_of(data: Mapping[str, Any]) -> Counts:
    """The counts in the stored document of a step or location."""
    return Counts(**{name: data[name] for name in _COUNTS})


def _step(data: Mapping[str, Any]) -> PastStep:
    return PastStep(
        name=data["name"],
        status=StepStatus(data["status"]),
        counts=counts_of(data),
        processed=data["locations"]["processed"],
        total=data["locations"]["total"],
        dormant=data["dormant"],
        changed=data["changed"],
        errors=data["errors"],
        error=data["error"],
        locations=tuple(map(_location, data["details"])),
        refusal=data.get("refusal"),
    )


def _location(data: Mapping[str, Any]) -> PastLocation:
    return PastLocation(
        location=data["location"],
        store=data["store"],
        counts=counts_of(data),
        changed=tuple(data["changed"]),
        conflicts=tuple(data["conflicts"]),
        error=data["error"],
        warning=data["warning"],
    )


def runs_document(runs: tuple[PastRun, ...]) -> RunsDocument:
    """A list of runs as `--json` prints it."""
    return {"command": "history", "ok": True, "runs": [_run_document(run) for run in runs]}


def run_document(run: PastRun) -> RunDetailDocument:
    """One run with its locations as `--json` prints it."""
    document = _run_document(run)
    for data, step in zip(document["steps"], run.steps, strict=True):
        data["details"] = [
            {
                "location": location.location,
                "store": location.store,
                **counts_document(location.counts),
                "changed": list(location.changed),
                "conflicts": list(location.conflicts),
                "error": location.error,
                "warning": location.warning,
            }
            for location in step.locations
        ]
    return {"command": "history", "ok": True, "run": document}


def _run_document(run: PastRun) -> PastRunDocument:
    document: PastRunDocument = {
        "run_id": run.run_id,
        "command": run.command,
        "trigger": run.trigger,
        "ok": run.ok,
        "started_at": instant(run.started_at),
        "duration_s": run.duration_s,
        "steps": [
            {
                "name": step.name,
                "status": step.status.value,
                "locations": {"processed": step.processed, "total": step.total, "dormant": step.dormant},
                **counts_document(step.counts),  # type: ignore[typeddict-item] # has no other keys
                "changed": step.changed,
                "errors": step.errors,
                "error": step.error,
            }
            for step in run.steps
        ],
    }
    if run.corrected_lines:
        document["corrected_lines"] = dict(run.corrected_lines)
    if run.is_import:
        document["undone_at"] = instant(run.undone_at) if run.undone_at else None
    return document
