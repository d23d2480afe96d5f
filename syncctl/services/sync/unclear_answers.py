"""Answers without rows whose text is not understood: they count as empty, but change nothing."""

from __future__ import annotations

from syncctl.domain.requests import ReportRequest
from syncctl.domain.sources import StepName
from syncctl.errors import UnclearAnswerError
from syncctl.services.sync.step_results import listed


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
