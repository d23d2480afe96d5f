"""The report of a session's torture tests: what all processes tried, written as JSON at the end."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.tally import tally

COUNTS = "torture_counts"
"""Under which a worker of pytest-xdist gives its counts to the session."""

REPORT_OPTION = "--torture-report"


class TortureReport:
    """A pytest plugin. In a worker it passes the counts on; in the main process it collects them and
    writes `file`, if given."""

    def __init__(self, file: Path | None, rounds: int) -> None:
        self._file = file
        self._rounds = rounds
        self._tests = 0
        self._skipped = 0
        self._begun = time.monotonic()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if "torture" not in report.keywords:
            return
        self._skipped += report.skipped
        self._tests += report.when == "call" and not report.skipped

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take a worker's counts over."""
        for name, count in getattr(node, "workeroutput", {}).get(COUNTS, {}).items():
            tally.add(name, count)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if (output := getattr(session.config, "workeroutput", None)) is not None:
            output[COUNTS] = dict(tally.counts)
        elif self._file is not None:
            tally.write(
                self._file,
                {
                    "arguments": without_report(session.config.invocation_params.args),
                    "rounds": self._rounds,
                    "tests": self._tests,
                    "skipped": self._skipped,
                    "failed": session.testsfailed,
                    "exit_status": int(exitstatus),
                    "seconds": round(time.monotonic() - self._begun),
                },
            )


def without_report(arguments: tuple[str | Path, ...]) -> list[str]:
    """The command line's arguments without the report's own."""
    kept: list[str] = []
    given = iter(map(str, arguments))
    for argument in given:
        if argument == REPORT_OPTION:
            next(given, None)
        elif not argument.startswith(f"{REPORT_OPTION}="):
            kept.append(argument)
    return kept
