"""Answers that may not be all that there is: suspiciously thin, or cut at a number of rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from syncctl.domain.steps import StepName
from syncctl.services.sync.answer_rows import SortedRows
from syncctl.services.sync.step_results import listed

ROUND, MANY = 50, 1000
"""Rows of an answer: where an API cuts, it is mostly at a round number, and hardly ever below these many."""


class AnswerSize(NamedTuple):
    """How long an answer is, and a hash of what it holds: two ids of one shop have the same answer."""

    rows: int
    content: int


def size_of(answer: SortedRows) -> AnswerSize:
    """The size of an answer, rows of other days than those asked for included."""
    return AnswerSize(len(answer.rows) + len(answer.outside), hash(frozenset(answer.keys)))


def capped_answers(answered: Mapping[str, AnswerSize]) -> list[str]:
    """The locations whose answers the API may have cut: the longest of all, and several of one length."""
    longest = max((size.rows for size in answered.values()), default=0)
    capped = [location for location, size in answered.items() if size.rows == longest]
    different = len({answered[location].content for location in capped})
    shorter = sum(0 < size.rows < longest for size in answered.values())
    # Shops of one size may grow alike; by chance the longest of many are rarely of one length.
    is_odd = longest >= MANY and 2 < different <= shorter
    is_round = longest > 0 and longest % ROUND == 0 and different > 1
    return capped if is_round or is_odd else []


def capped_warning(report: StepName, answered: Mapping[str, AnswerSize], capped: Collection[str]) -> str:
    """What a person should know of such answers."""
    rows = max(size.rows for size in answered.values())
    return (
        f"The {report} report answered with exactly {rows} rows for {listed(capped)}, and for no location "
        "with more: the API may cut its answers there. What came is stored, and the next run asks again. If "
        "it stays so, ask the API's people whether there is a limit."
    )


def thin_warning(rows: int) -> str:
    """What a person should know of a thin answer."""
    what = f"only {rows} rows, less than half of those" if rows else "an empty answer, without any of those"
    return f"{what} that came before and are still due: nothing is deleted, and the next run asks again"
