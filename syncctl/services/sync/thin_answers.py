"""Answers that may be incomplete: suspiciously thin, cut at a number of rows, or empty and not understood."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from syncctl.domain.requests import ReportRequest
from syncctl.domain.sources import StepName
from syncctl.errors import UnclearAnswerError
from syncctl.services.sync.answer_rows import AnswerRows
from syncctl.services.sync.step_results import listed
from syncctl.text import quantity

ROUND_NUMBER, MANY_ROWS = 50, 1000
"""Rows of an answer: an API usually cuts at a round number, and hardly ever below a thousand."""


class AnswerSize(NamedTuple):
    """The length of an answer, and a hash of its content: two ids of one shop return the same answer."""

    rows: int
    content: int


def size_of(answer: AnswerRows) -> AnswerSize:
    """The size of an answer, including rows outside the days asked for."""
    return AnswerSize(len(answer.rows) + len(answer.outside), hash(frozenset(answer.keys)))


def capped_answers(answered: Mapping[str, AnswerSize]) -> list[str]:
    """The locations whose answers the API may have cut: several different answers share the greatest
    length."""
    longest = max((size.rows for size in answered.values()), default=0)
    capped = [location for location, size in answered.items() if size.rows == longest]
    different = len({answered[location].content for location in capped})
    shorter = sum(0 < size.rows < longest for size in answered.values())
    # Similar shops may have similar numbers; but the longest answers rarely have equal lengths by chance.
    is_suspicious = longest >= MANY_ROWS and 2 < different <= shorter
    is_round = longest > 0 and longest % ROUND_NUMBER == 0 and different > 1
    return capped if is_round or is_suspicious else []


def capped_warning(report: StepName, answered: Mapping[str, AnswerSize], capped: Collection[str]) -> str:
    """The warning about such answers."""
    rows = max(size.rows for size in answered.values())
    return (
        f"The {report} report answered with exactly {quantity(rows, 'row')} for {listed(capped)}, and no "
        "location with more: the API may cut its answers there. What came is stored, and the next run asks "
        "again. If it stays so, ask the API's provider whether there is a limit."
    )


def thin_warning(rows: int) -> str:
    """The warning about a thin answer."""
    what = (
        f"only {quantity(rows, 'row')}, less than half of those"
        if rows
        else "an empty answer, without any of those"
    )
    return f"{what} that came before and are still due: nothing is deleted, and the next run asks again"


class UnclearAnswers:
    """Collects those of one run or check, for one warning at its end."""

    def __init__(self) -> None:
        self._quote: str | None = None
        self._where: dict[StepName, list[str]] = {}

    def note(self, request: ReportRequest, answer: UnclearAnswerError) -> None:
        """Add one; the text of the first is quoted."""
        self._quote = self._quote or answer.said
        self._where.setdefault(request.report, []).append(request.location)

    def warning(self) -> str:
        """The warning about them; "" if there were none."""
        if self._quote is None:
            return ""
        where = "; ".join(
            report.value if report is StepName.STORES else f"{report}: {listed(set(locations))}"
            for report, locations in self._where.items()
        )
        return (
            f"The API sent no rows and said “{self._quote}” ({where}). That is taken as empty, but no "
            "checkpoint moves: these are asked again. Ask the API's provider what it means."
        )
