"""What stands in syncctl's own collections and that it can't have written is passed over, with a warning."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from syncctl.domain.records import Correction, CorrectionOutcome
from syncctl.domain.run_history import RunEntry
from syncctl.ports.admin import RunSpan

logger = logging.getLogger(__name__)

ID_SHOWN = 60
"""Characters of an odd `_id` that the warning shows."""

D = TypeVar("D", bound="Fields")
T = TypeVar("T")


class Fields(Protocol):
    """A document or a row: values by name."""

    def __getitem__(self, name: str, /) -> Any: ...


class OddDocumentError(Exception):
    """syncctl can't have written this document. Never leaves `OwnDocuments.read`."""


class OwnDocuments:
    """Reads what syncctl keeps of itself. Of each odd document it warns once, as runs read the same often."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()

    def read(self, collection: str, documents: Iterable[D], make: Callable[[D], T]) -> Iterator[T]:
        """What `make` makes of each document, those left out for which it raises OddDocumentError."""
        for document in documents:
            try:
                made = make(document)
            except OddDocumentError:
                self._warn(collection, repr(document["_id"])[:ID_SHOWN])
            else:
                yield made

    def _warn(self, collection: str, shown_id: str) -> None:
        if (collection, shown_id) in self._told:
            return
        self._told.add((collection, shown_id))
        logger.warning(
            "The document %s of %s is none that syncctl writes, and is passed over: correct or delete it.",
            shown_id,
            collection,
        )


def own(document: Fields, name: str, kind: type[T]) -> T:
    """That field of the document. Raises OddDocumentError where it is absent or not of that type."""
    try:
        value = document[name]
    except KeyError:
        raise OddDocumentError from None
    if not isinstance(value, kind):
        raise OddDocumentError
    return value


def own_or_none(document: Fields, name: str, kind: type[T]) -> T | None:
    """As `own`, for a field that may be null; it must be there."""
    try:
        return None if document[name] is None else own(document, name, kind)
    except KeyError:
        raise OddDocumentError from None


def correction_document(correction: Correction) -> dict[str, Any]:
    """A correction as it is kept with its record."""
    return {
        "at": correction.at,
        "phoneBefore": correction.phone_before,
        "outcome": correction.outcome.value,
        "runId": correction.run_id,
        "reportId": correction.report_id,
    }


def corrections_from(kept: Any, moment: Callable[[Any], Any] = lambda at: at) -> tuple[Correction, ...]:
    """The corrections that `correction_document` made documents of; None: there are none. `moment` reads a
    date. Raises OddDocumentError for anything else."""
    if not isinstance(kept, list | None) or not all(isinstance(each, dict) for each in kept or []):
        raise OddDocumentError
    return tuple(_correction({**each, "at": moment(each.get("at"))}) for each in kept or [])


def _correction(kept: Fields) -> Correction:
    try:
        outcome = CorrectionOutcome(own(kept, "outcome", str))
    except ValueError:
        raise OddDocumentError from None
    return Correction(
        own(kept, "at", datetime),
        own(kept, "phoneBefore", str),
        outcome,
        own(kept, "runId", str),
        own_or_none(kept, "reportId", str),
    )


def finished_by(report_id: str | None, corrections: tuple[Correction, ...]) -> str | None:
    """The report that finished a record's lead: its own, or that of the record whose place it took."""
    return report_id or (corrections[-1].finished_by if corrections else None)


def run_entry(run_id: str, started_at: datetime, document: Any) -> RunEntry:
    """A run of the history. Raises OddDocumentError where `document` is no mapping with a list of mappings
    as its `steps`, which readers may rely on."""
    steps = document.get("steps") if isinstance(document, dict) else None
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise OddDocumentError
    return RunEntry(run_id, started_at, document)


def span_of(run: RunEntry) -> RunSpan:
    """When a run was at work, from its length and the names of its steps. Raises OddDocumentError where
    these are not what syncctl writes."""
    length = run.document.get("duration_s")
    if not isinstance(length, int | float):
        raise OddDocumentError
    try:
        ended_at = run.started_at + timedelta(seconds=length)
    except (OverflowError, ValueError):
        raise OddDocumentError from None
    return RunSpan(run.started_at, ended_at, step_names(run))


def saved_by_audits(runs: Iterable[RunEntry]) -> dict[str, int]:
    """How many leads only the audits of these runs brought, by the name of the step."""
    saved = Counter[str]()
    for run in runs:
        for step in run.document["steps"]:
            audit = step.get("audit")
            number = audit.get("saved") if isinstance(audit, dict) else None
            if isinstance(number, int) and isinstance(step.get("name"), str):
                saved[step["name"]] += number
    return dict(+saved)


def step_names(run: RunEntry) -> tuple[str, ...]:
    """The names of a run's steps. Raises OddDocumentError where one has none."""
    return tuple(own(step, "name", str) for step in run.document["steps"])
