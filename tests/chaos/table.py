"""`python -m tests.chaos.table REPORT… [--write docs/proofs.md]`: the torture tests' counts, as Markdown."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.chaos.tally import LONG_RUN, OUTCOMES, TRIED
from tests.support.marked_part import MarkedPart, MarkerError

PART = MarkedPart(
    begin="<!-- what has been tried: made by python -m tests.chaos.table -->",
    end="<!-- end of what has been tried -->",
)


class TableError(Exception):
    """The table can't be made; the message says why."""


def table(*reports: dict[str, Any], of_long_run: bool = False) -> str:
    """The table of what `pytest --torture-report` wrote, once, or for each part of the tests: what was tried,
    then what came out.

    Raises TableError for a report of tests that failed or were cut short, for parts of different lengths, and
    with `of_long_run` for a run that tried less than LONG_RUN.
    """
    sessions = [report["session"] for report in reports]
    for session in sessions:
        if session["failed"] or session["exit_status"]:
            raise TableError(
                f"{session['failed']} tests failed, and pytest ended with {session['exit_status']}: there is "
                "nothing to show yet."
            )
    if len({session["rounds"] for session in sessions}) > 1:
        raise TableError("The parts were run with different --rounds.")
    counts: Counter[str] = Counter()
    for report in reports:
        counts.update(report["counts"])
    if of_long_run:
        _check_length(counts)
    lines = [
        "| What has been tried | How often |",
        "| --- | ---: |",
        *(f"| {title} | {counts[name]:,} |" for name, title in TRIED.items()),
        "| **Result** | |",
        *(f"| {title} | **{counts[name]:,}** |" for name, title in OUTCOMES.items()),
        "",
        _session_facts(sessions),
    ]
    return "\n".join(lines)


def _check_length(counts: Mapping[str, int]) -> None:
    for names, least in LONG_RUN:
        if (count := sum(counts[name] for name in names)) < least:
            raise TableError(f"{' and '.join(names)}: {count:,}; a long run tries at least {least:,}.")


def _session_facts(sessions: Sequence[dict[str, Any]]) -> str:
    minutes = max(1, round(sum(session["seconds"] for session in sessions) / 60))
    skips = sum(session["skipped"] for session in sessions)
    common = [
        argument
        for argument in sessions[0]["arguments"]
        if all(argument in session["arguments"] for session in sessions)
    ]
    return (
        f"`pytest {' '.join(common)}`{f', in {len(sessions)} parts' if len(sessions) > 1 else ''}: "
        f"{sum(session['tests'] for session in sessions)} tests{f', {skips} skipped' if skips else ''}, "
        f"{minutes} minute{'' if minutes == 1 else 's'}."
    )


def main() -> int:
    """Print the table, or write it into a file. Gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.table")
    parser.add_argument(
        "reports", type=Path, nargs="+", help="what pytest --torture-report wrote, for all tests or by parts"
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="put it in between FILE's marker comments")
    parser.add_argument("--long", action="store_true", help="only of a run that has tried a lot")
    given = parser.parse_args()
    try:
        made = table(*(json.loads(file.read_text()) for file in given.reports), of_long_run=given.long)
        PART.publish(made, given.write)
    except (TableError, MarkerError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
