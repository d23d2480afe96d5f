"""`python -m tests.torture.table REPORT [--write README.md]`: what the torture tests tried, as Markdown."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tests.support.marked_part import MarkedPart, MarkerError
from tests.torture.tally import OUTCOMES, TRIED

PART = MarkedPart(
    begin="<!-- what has been tried: made by python -m tests.torture.table -->",
    end="<!-- end of what has been tried -->",
)


class TableError(Exception):
    """The table can't be made; the message says why."""


def table(report: dict[str, Any]) -> str:
    """The table of a report that `pytest --torture-report` wrote: what was tried at all, then the outcomes.

    Raises TableError for a report of tests that failed.
    """
    session, counts = report["session"], report["counts"]
    if session["failed"]:
        raise TableError(f"{session['failed']} tests failed: there is nothing to show yet.")
    minutes = max(1, round(session["seconds"] / 60))
    tried = {title: counts[name] for name, title in TRIED.items() if counts[name]}
    outcomes = {title: counts[name] for name, title in OUTCOMES.items()}
    lines = [
        "| What has been tried | How often |",
        "| --- | ---: |",
        *(f"| {title} | {count:,} |" for title, count in tried.items()),
        "| **What came of it** | |",
        *(f"| {title} | **{count:,}** |" for title, count in outcomes.items()),
        "",
        f"`pytest -m torture --rounds {session['rounds']}`: {session['tests']} tests, "
        f"{minutes} minute{'' if minutes == 1 else 's'}.",
    ]
    return "\n".join(lines)


def main() -> int:
    """Print the table, or write it into a file. Gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.table")
    parser.add_argument("report", type=Path, help="what pytest --torture-report wrote")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put it in between FILE's marker comments")
    given = parser.parse_args()
    try:
        made = table(json.loads(given.report.read_text()))
        if given.write:
            given.write.write_text(PART.put_in(given.write.read_text(), made))
    except (TableError, MarkerError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if not given.write:
        sys.stdout.write(f"{made}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
