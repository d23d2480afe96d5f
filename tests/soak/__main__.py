"""`python -m tests.soak`: a week of runs on both databases. Exit status 1: a promise was broken."""

import argparse
import shlex
import sys
import time
from pathlib import Path

from tests.soak.figures import PART, table
from tests.soak.week import A_WEEK, DATABASES, play
from tests.support.marked_part import MarkerError
from tests.support.mongod import NoMongodError


def main() -> int:
    """Play, and print the figures or write them into a document. Gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--runs", type=int, default=A_WEEK, help="how many, every five minutes")
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="both")
    parser.add_argument("--seed", type=int, default=1, help="another one is another week")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put it in between FILE's marker comments")
    given = parser.parse_args()
    began = time.monotonic()
    chosen = list(DATABASES) if given.database == "both" else [given.database]
    try:
        weeks = [play(database, given.runs, given.seed) for database in chosen]
        minutes = (time.monotonic() - began) / 60
        command = shlex.join(["python", "-m", "tests.soak", *sys.argv[1:]])
        made = f"{table(weeks)}\n\n`{command}`: {minutes:.0f} minutes."
        PART.publish(made, given.write)
    except (MarkerError, NoMongodError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return int(any(sum(week.wrong.values()) for week in weeks))


if __name__ == "__main__":
    sys.exit(main())
