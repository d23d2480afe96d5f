"""What the steps of all reports of a run work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from syncctl.domain.dialects import Dialect
from syncctl.domain.sources import StepName
from syncctl.ports.listener import Listener
from syncctl.ports.storage import Storage
from syncctl.services.sync.answer_intake import AnswerIntake
from syncctl.services.sync.planning import Planner
from syncctl.services.sync.unclear_answers import UnclearAnswers
from syncctl.services.windows.answer_classifier import ShopNames
from syncctl.services.windows.measuring import WindowMeasuring


@dataclass(frozen=True, slots=True)
class StepContext:
    """The tools of a run, the same for each of its reports."""

    storage: Storage
    intake: AnswerIntake
    planner: Planner
    listener: Listener

    stores: Mapping[str, str | None]
    """The store's name by location id; None: it is not known."""

    shops: ShopNames
    """The stores that rows may name."""

    dialects: Mapping[StepName, Dialect]
    """Of the reports of which something is known."""

    measuring: WindowMeasuring

    unclear: UnclearAnswers
    """Takes note of answers that are taken as empty though their text is not understood."""
