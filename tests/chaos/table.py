"""`python -m tests.chaos.table REPORT [--write docs/proofs.md]`: the torture tests' counts, as Markdown."""

import argparse
import json
import sys
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


def table(report: dict[str, Any], *, of_long_run: bool = False) -> str:
    """The table of a report that `pytest --torture-report` wrote: what was tried, then what came of it.

    Raises TableError for a report of tests that failed or were cut short, and with `of_long_run` for one that
    tried less than LONG_RUN.
    """
    session, counts = report["session"], report["counts"]
    if session["failed"] or session["exit_status"]:
        raise TableError(
            f"{session['failed']} tests failed, and pytest ended with {session['exit_status']}: there is "
            "nothing to show yet."
        )
    if of_long_run:
        _check_length(counts)
    lines = [
        "| What has been tried | How often |",
        "| --- | ---: |",
        *(f"| {title} | {counts[name]:,} |" for name, title in TRIED.items()),
        "| **Result** | |",
        *(f"| {title} | **{counts[name]:,}** |" for name, title in OUTCOMES.items()),
        "",
        _session_facts(session),
    ]
    return "\n".join(lines)


def _check_length(counts: dict[str, int]) -> None:
    for names, least in LONG_RUN:
        if (count := sum(counts[name] for name in names)) < least:
            raise TableError(f"{' and '.join(names)}: {count:,}; a long run tries at least {least:,}.")


def _session_facts(session: dict[str, Any]) -> str:
    minutes = max(1, round(session["seconds"] / 60))
    skipped = f", {session['skipped']} skipped" if session["skipped"] else ""
    return (
        f"`pytest {' '.join(session['arguments'])}`: {session['tests']} tests{skipped}, "
        f"{minutes} minute{'' if minutes == 1 else 's'}."
    )


def main() -> int:
    """Print the table, or write it into a file. Gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.table")
    parser.add_argument("report", type=Path, help="what pytest --torture-report wrote")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put it in between FILE's marker comments")
    parser.add_argument("--long", action="store_true", help="only of a run that has tried a lot")
    given = parser.parse_args()
    try:
        made = table(json.loads(given.report.read_text()), of_long_run=given.long)
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
