"""Syncs exactly what a completeness check found missing, on the path of every sync."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncctl.domain.run_results import LocationResult
from syncctl.domain.sources import StepName
from syncctl.locations import Locations
from syncctl.services.reconcile.answer_check import CheckedAnswer, rows_of
from syncctl.services.rejects.list_updates import position_of
from syncctl.services.run import Run
from syncctl.services.sync.answer_intake import AnswerIntake
from syncctl.services.windows.answer_classifier import AnswerClassifier


class Repairer:
    """Syncs what checked answers are missing, as part of a run. Watermarks don't move."""

    def __init__(
        self, run: Run, locations: Locations, classifiers: Mapping[StepName, AnswerClassifier]
    ) -> None:
        self._intake = AnswerIntake(run, locations)
        self._classifier = classifiers

    def repair(self, checked: CheckedAnswer) -> LocationResult:
        """Sync what is missing from an answer; if killed in between, the next repair does the rest. Raises
        StorageError: the database refused; what was stored before stays stored."""
        answer = checked.answer
        rows = _rows_to_take(checked)
        if not rows:
            return LocationResult(answer.location, answer.store)
        stores = self._classifier[answer.report]
        taken = self._intake.ingest(
            stores.classify(answer.location, rows, store_from_row=answer.store_from_row)
        )
        return LocationResult(
            answer.location,
            answer.store,
            taken.counts,
            tuple(taken.changed),
            warning="; ".join(taken.warnings) or None,
        )


def _rows_to_take(checked: CheckedAnswer) -> list[Any]:
    """All rows of the missing records, and the invalid ones that are not listed.

    Always included: the rows of records with unlinked legacy leads, as a missing record could otherwise be
    matched with one of those leads; and invalid rows at the same positions, as rows that are not repeated
    there leave the rejects list.
    """
    answer = checked.answer
    rows = [row for row, _ in checked.unlisted]
    for record in (*checked.missing, *checked.unlinked):
        rows += rows_of(answer, record)
    taken = {id(row) for row in rows}
    places = {position_of(row) for row in rows} - {""}
    rows += [row for row, _ in answer.invalid if id(row) not in taken and position_of(row) in places]
    return rows
